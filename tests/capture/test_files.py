"""Which files are read, and what is said of those that cannot be."""

import gzip
import os
import threading

import pytest

from analyzer.errors import CaptureError
from tests.builders import pcap, pcapng
from tests.capture.reading import FRAMES, check, read, read_bytes


def test_several_files_and_folders_run_on(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(pcap(FRAMES[:3]) if name == "a" else pcapng(FRAMES[:2]))
    (tmp_path / "readme.txt").write_text("no capture")
    (tmp_path / "inner").mkdir()
    single = tmp_path / "inner" / "c"
    single.write_bytes(pcap(FRAMES[:1], linktype=101))
    rows, _, source = read([single, tmp_path])
    assert [row[1] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row[4] for row in rows] == [0, 1, 1, 1, 2, 2]
    assert [facts.packets for facts in source.facts] == [1, 3, 2]
    assert source.progress.done == source.progress.total == sum(facts.file_bytes for facts in source.facts)


def test_standard_input_and_pipes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(pcapng(FRAMES)))
    writer.start()
    result = read([pipe])
    writer.join()
    check(result, FRAMES)
    assert result[2].progress.total is None
    path = tmp_path / "file"
    path.write_bytes(pcap(FRAMES))
    kept = os.dup(0)
    file = os.open(path, os.O_RDONLY)
    try:
        os.dup2(file, 0)
        check(read(["-"]), FRAMES)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(file)


ERRORS = [
    (b"", "is empty"),
    (b"date,host\n1,2\n", 'is not a packet capture (it begins with "date,host" - text). Known: pcap'),
    (b"\x7fELF\x02\x01\x01\x00\x00\x00", "(it begins with 7f 45 4c 46 02 01 01 00)"),
    (b"\xd4\xc3\xb2\xa1\x02\x00", "ends in the middle of its pcap file header"),
    (gzip.compress(b"hello, world"), '(inside gz it begins with "hello, wo" - text)'),
    (b"\x1f\x8b" + b"\0" * 40, "gz data is damaged"),
]


@pytest.mark.parametrize(("content", "sentence"), ERRORS)
def test_what_is_no_capture(tmp_path, content, sentence):
    with pytest.raises(CaptureError) as error:
        read_bytes(tmp_path, content)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_empty_folder_and_no_path(tmp_path):
    with pytest.raises(CaptureError, match="no such file"):
        read([tmp_path / "nothing"])
    with pytest.raises(CaptureError, match="folder without packet captures"):
        read([tmp_path])
    with pytest.raises(CaptureError, match="No capture was named"):
        read([])
    with pytest.raises(CaptureError, match="cannot be read"):
        read(["a\0b"])


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_bytes(pcap(FRAMES))

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("analyzer.capture.files.open_bytes", refuse)
    with pytest.raises(CaptureError, match="permission denied"):
        read([path])
    with pytest.raises(CaptureError, match="folder without packet captures"):
        read([tmp_path])


def test_bad_files_among_good_ones_are_notes(tmp_path):
    (tmp_path / "good").write_bytes(pcap(FRAMES))
    (tmp_path / "bad").write_bytes(b"nothing")
    rows, _, source = read([tmp_path / "bad", tmp_path / "good", tmp_path / "missing"])
    assert len(rows) == len(FRAMES)
    assert [facts.packets for facts in source.facts] == [30, 0, 0]
    assert "is not a packet capture" in source.facts[1].notes[0]
    assert "no such file" in source.facts[2].notes[0]
