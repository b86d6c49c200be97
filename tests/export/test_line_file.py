"""Whole lines on disk at once, or not at all."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from analyzer.export.line_file import LineFile


def test_lines_are_there_when_they_are_written(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "a")
    file.write(b"one\n")
    assert (tmp_path / "a").read_bytes() == b"one\n"
    file.write(memoryview(b"two\n"))
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        file.write(b"three\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_an_error() -> None:
    file = LineFile(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        file.write(b"x\n")
    file.close()


def test_what_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    """A limit on the size of files cuts a write in two, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = LineFile(tmp_path / "a")
    file.write(b"one\n")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        with pytest.raises(OSError, match="too large"):
            file.write(b"0123456789\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "a").read_bytes() == b"one\n"
    file.write(b"two\n")
    file.close()
    assert (tmp_path / "a").stat().st_size == 8
