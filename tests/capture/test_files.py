"""Which files are read, and what is said of those that cannot be."""

import gzip
import os
import threading
import time

import pytest

from analyzer.capture import Follow, open_captures
from analyzer.errors import CaptureError, UsageError
from analyzer.memory import Memory
from tests.builders import pcap, pcapng
from tests.capture.reading import FRAMES, LIMITS, check, read, read_bytes


def test_several_files_and_folders_run_on(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(pcap(FRAMES[:3]) if name == "a" else pcapng(FRAMES[:2]))
    (tmp_path / "readme.txt").write_text("no capture")
    (tmp_path / "inner").mkdir()
    single = tmp_path / "inner" / "c"
    single.write_bytes(pcap(FRAMES[:1], linktype=101))
    rows, _, source = read([single, tmp_path])
    assert [row[1] for row in rows] == [1, 2, 3, 4, 5, 6]
    # all begin at the same time: of equal times the file that was named first comes first, a folder's by name
    assert [row[4] for row in rows] == [0, 1, 2, 1, 2, 1]
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
    (gzip.compress(b"hello, world", mtime=0), '(inside gz it begins with "hello, wo" - text)'),
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

    def refuse(path, _limits):
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


def test_globs(tmp_path):
    for name in ("b.pcap", "a.pcap", "c.txt", "[x]"):
        (tmp_path / name).write_bytes(pcap(FRAMES[:2]))
    names = [facts.name for facts in read([tmp_path / "*.pcap"])[2].facts]
    assert names == [f"{tmp_path}/a.pcap", f"{tmp_path}/b.pcap"]
    assert len(read([tmp_path / "[x]"])[0]) == 2  # a file of that name is no glob
    with pytest.raises(CaptureError, match="no file has such a name"):
        read([tmp_path / "*.cap"])


def test_a_file_named_twice_is_read_once(tmp_path):
    (tmp_path / "a.pcap").write_bytes(pcap(FRAMES[:2]))
    (tmp_path / "link.pcap").symlink_to(tmp_path / "a.pcap")
    assert len(read([tmp_path / "a.pcap", tmp_path / "*.pcap", tmp_path])[0]) == 2


FOLLOW = Follow(idle_seconds=0.2, poll_seconds=0.01)


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_a_file_that_is_being_written(tmp_path, form):
    """Nothing at first, then a piece at a time, cut anywhere: everything comes in the end."""
    path, content = tmp_path / "growing", form(FRAMES)
    path.touch()

    def write():
        with path.open("ab", buffering=0) as file:
            for at in range(0, len(content), 700):
                file.write(content[at : at + 700])
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    result = read([path], follow=FOLLOW)
    writer.join()
    check(result, FRAMES)
    assert result[2].facts[0].notes == []


def test_following_ends_when_told(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(pcap(FRAMES)[:-3])
    memory = Memory(4096, 2, 64)
    with open_captures([str(path)], memory, LIMITS, Follow(poll_seconds=0.01)) as source:
        threading.Timer(0.1, source.stop).start()
        assert sum(len(batch.packets) for batch in source.batches()) == len(FRAMES) - 1
    assert "ends in the middle of packet 30" in source.facts[0].notes[0]


def test_several_files_cannot_be_followed(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(pcap(FRAMES))
    with pytest.raises(UsageError, match="Only one capture can be followed"):
        read([tmp_path], follow=FOLLOW)
    (tmp_path / "c").write_bytes(gzip.compress(pcap(FRAMES)))
    with pytest.raises(CaptureError, match="compressed"):
        read([tmp_path / "c"], follow=FOLLOW)
