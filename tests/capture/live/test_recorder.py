"""Files of packets: one, or a ring; always whole blocks after a header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analyzer.api import analyze
from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.recorder import Recorder
from analyzer.errors import OutputError
from tests.capture.live.lab import CAPTURES

CONTENT = (CAPTURES / "http-plain.pcapng").read_bytes()


def record(path: Path, piece: int, **options: Any) -> Recorder:
    recorder = Recorder(LiveOptions(("x",), write=path, **options))
    for at in range(0, len(CONTENT), piece):
        recorder.write(memoryview(CONTENT[at : at + piece]))
    recorder.close()
    recorder.close()
    return recorder


def test_one_file_is_the_stream(tmp_path: Path) -> None:
    recorder = record(tmp_path / "w.pcapng", 1000)
    assert recorder.paths == [tmp_path / "w.pcapng"]
    assert recorder.paths[0].read_bytes() == CONTENT
    assert recorder.bytes_written == len(CONTENT)


@pytest.mark.parametrize("piece", [777, 5000, 1 << 20])
def test_files_of_a_ring_are_captures(tmp_path: Path, piece: int) -> None:
    recorder = record(tmp_path / "w.pcapng", piece, write_bytes=6000)
    assert len(recorder.paths) > 1 or piece > len(CONTENT)
    whole, parts = analyze(CAPTURES / "http-plain.pcapng"), analyze(recorder.paths)
    assert parts.table("connections").equals(whole.table("connections"))
    for path in recorder.paths:
        assert path.read_bytes()[:4] == b"\n\r\r\n"


def test_only_the_newest_files_are_kept(tmp_path: Path) -> None:
    recorder = record(tmp_path / "w.pcapng", 2000, write_bytes=4000, write_files=2)
    assert sorted(tmp_path.iterdir()) == sorted(recorder.paths)
    assert len(recorder.paths) == 2


def test_a_time_ends_a_file(tmp_path: Path) -> None:
    assert len(record(tmp_path / "w.pcapng", 4000, write_s=1e-9).paths) > 2


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        Recorder(LiveOptions(("x",), write=tmp_path / "none" / "w.pcapng"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    recorder = Recorder(LiveOptions(("x",), write=Path("/dev/full")))
    with pytest.raises(OutputError, match="No space left"):
        recorder.write(memoryview(CONTENT))
    recorder.close()


def test_nonsense_is_refused(tmp_path: Path) -> None:
    recorder = Recorder(LiveOptions(("x",), write=tmp_path / "w.pcapng", write_bytes=1000))
    with pytest.raises(OutputError, match="no pcapng"):
        recorder.write(memoryview(bytes(100)))
    with pytest.raises(ValueError, match="nowhere"):
        Recorder(LiveOptions(("x",)))
