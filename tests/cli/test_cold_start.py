"""When kernels run as plain Python, and what the user is told when they are compiled."""

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.cli import cold_start
from tests.builders import pcap, pcapng, udp_packet

CAPTURES = Path(__file__).parents[2] / "captures"
FRAMES = [udp_packet(b"x" * k) for k in range(20)]


@pytest.mark.parametrize(
    ("data", "packets"),
    [
        (pcap(FRAMES), 20),
        (pcap(FRAMES, byteorder=">"), 20),
        (pcapng(FRAMES), 22),  # with the section and the interface
        (pcap([]), 0),
        (b"", 0),
        (b"\x1f\x8b" + bytes(998), 30),
    ],
)
def test_packets_are_counted_at_a_glance(data: bytes, packets: int) -> None:
    assert cold_start.count_packets(data) == packets


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_compressed_is_unpacked_to_count(pack: Callable[[bytes], bytes]) -> None:
    assert cold_start.count_packets(pack(pcap(FRAMES))) == 20
    bomb = pack(pcap([bytes(60)] * 50_000))
    assert cold_start.count_packets(bomb) > cold_start.FEW_PACKETS
    assert cold_start.count_packets(pack(pcap(FRAMES))[:9]) == 0


def test_a_lying_length_ends_the_count() -> None:
    data = bytearray(pcap(FRAMES))
    data[24 + 8 : 24 + 12] = b"\0\0\0\0"
    assert cold_start.count_packets(bytes(data)) < 1000
    data[24 + 8 : 24 + 12] = b"\xff\xff\xff\xff"
    assert cold_start.count_packets(bytes(data)) == 1


def test_small_captures_are_few_packets(tmp_path: Path) -> None:
    assert cold_start.are_few_packets([str(CAPTURES / "https-tls13.pcapng")])
    assert cold_start.are_few_packets([str(tmp_path / "missing.pcap")])
    large = tmp_path / "large.pcap"
    large.write_bytes(pcap([b""] * (cold_start.FEW_PACKETS + 1)))
    assert not cold_start.are_few_packets([str(large)])
    half = tmp_path / "half.pcap"
    half.write_bytes(pcap([b""] * (cold_start.FEW_PACKETS // 2 + 1)))
    assert cold_start.are_few_packets([str(half)])
    assert not cold_start.are_few_packets([str(half), str(half)])


def test_pipes_folders_and_large_files_are_not_looked_into(tmp_path: Path) -> None:
    large = tmp_path / "large.pcap"
    with large.open("wb") as file:
        file.truncate(cold_start.FEW_BYTES + 1)
    assert not cold_start.are_few_packets([str(large)])
    assert not cold_start.are_few_packets([str(tmp_path)])
    assert not cold_start.are_few_packets(["-"])
    assert not cold_start.are_few_packets(["https://example.org/a.pcap"])


@pytest.mark.parametrize(("is_warm", "chosen"), [(False, "python"), (True, None)])
def test_plain_python_only_while_nothing_is_compiled(*, is_warm: bool, chosen: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYZER_KERNELS", "")
    monkeypatch.delenv("ANALYZER_KERNELS")
    monkeypatch.delitem(sys.modules, "analyzer.kernel", raising=False)
    monkeypatch.setattr("analyzer.kernel_cache.is_cache_warm", lambda: is_warm)
    cold_start.choose_kernels([str(CAPTURES / "https-tls13.pcapng")])
    assert cold_start.os.environ.get("ANALYZER_KERNELS") == chosen
