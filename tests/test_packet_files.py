"""Frames written to captures, read back by the analyser itself and, where it is installed, by capinfos."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dpkt
import pytest

from analyzer.capture import open_captures
from analyzer.errors import OutputError, UsageError
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.packet_files import check_suffix, create_file

FRAMES = [(b"first", 1_700_000_000_123_456_789, 5, 1), (b"second frame", 1_700_000_001_000_000_001, 1500, 1)]


def read(path: Path) -> list[tuple[bytes, int, int, int]]:
    memory, limits = Memory(1 << 20, 2, 0), Limits(chunk_bytes=1 << 20)
    found = []
    with open_captures([str(path)], memory, limits) as source:
        for batch in source.batches():
            for p in batch.packets:
                content = memory.data[p.offset : p.offset + p.caplen].tobytes()
                found.append((content, int(p.ts), int(p.length), int(p.linktype)))
    return found


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    file = create_file(tmp_path / name)
    for frame in FRAMES:
        file.write(*frame)
    file.close()
    assert read(tmp_path / name) == FRAMES
    if shutil.which("capinfos"):
        told = subprocess.run(["capinfos", "-c", "-M", str(tmp_path / name)], capture_output=True, text=True, check=True).stdout
        assert "Number of packets:   2" in told


def test_dpkt_reads_pcap(tmp_path: Path) -> None:
    file = create_file(tmp_path / "a.pcap")
    for frame in FRAMES:
        file.write(*frame)
    file.close()
    with (tmp_path / "a.pcap").open("rb") as content:
        assert [frame for _, frame in dpkt.pcap.Reader(content)] == [frame[0] for frame in FRAMES]


def test_link_types(tmp_path: Path) -> None:
    other = (b"third", 1_700_000_002_000_000_000, 5, 101)
    file = create_file(tmp_path / "a.pcapng")
    for frame in (*FRAMES, other):
        file.write(*frame)
    file.close()
    assert read(tmp_path / "a.pcapng") == [*FRAMES, other]
    file = create_file(tmp_path / "a.pcap")
    file.write(*FRAMES[0])
    with pytest.raises(UsageError, match="different link types"):
        file.write(*other)
    file.close()


def test_names(tmp_path: Path) -> None:
    check_suffix(Path("a.pcap"))
    with pytest.raises(UsageError, match=r"written as \.pcapng or \.pcap"):
        check_suffix(Path("a.txt"))
    with pytest.raises(OutputError, match="cannot be written"):
        create_file(tmp_path / "missing" / "a.pcap")
