"""Recorded TCP connections: the stream as the assembler sees it is the stream put together by sequence number, byte by byte."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import dpkt
import pytest

from analyzer.options import Limits
from analyzer.tables.packets import SYN
from analyzer.tables.streams import STREAM_ENDED
from tests.streams.wire import Segment, Wire, joined

CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = [
    "half-close.pcap",
    "keep-alive.pcap",
    "lossy-path.pcap",
    "missing-syn.pcap",
    "offload.pcapng",
    "one-sided.pcap",
    "port-reuse.pcap",
    "tcp-fast-open.pcapng",
    "zero-window.pcapng",
]


def read(path: Path) -> list[Segment]:
    """The TCP segments of a capture, by dpkt; a SYN with a new sequence number begins a new connection."""
    segments, numbers, isns, fresh = [], {}, {}, itertools.count()
    with path.open("rb") as file:
        for ts, frame in dpkt.pcap.UniversalReader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6) or not isinstance(ip.data, dpkt.tcp.TCP):
                continue
            tcp = ip.data
            ends = (ip.src, tcp.sport), (ip.dst, tcp.dport)
            key = frozenset(ends)
            is_new = key not in numbers or (tcp.flags & 0x12 == SYN and isns.get(key) not in (None, tcp.seq))
            if is_new:
                numbers[key] = (next(fresh), ends[0])
            if tcp.flags & 0x12 == SYN:
                isns[key] = tcp.seq
            number, first = numbers[key]
            segments.append(
                Segment(int(ends[0] != first), tcp.seq, bytes(tcp.data), tcp.flags, tcp.ack, int(ts * 1_000_000_000), None, number)
            )
    return segments


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 5])
def test_recording(name, size):
    path = CAPTURES / name
    if not path.exists():
        pytest.skip("not recorded here")
    segments = read(path)
    connections = 1 + max(s.connection for s in segments)
    wire = Wire(Limits(arena_bytes=1 << 22), connections=connections)
    runs = wire.push_cut(segments, size) + wire.finish(*range(connections))
    starts: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for s in segments:
        flow = s.connection, s.sender
        is_syn = bool(s.flags & SYN)
        start = starts.setdefault(flow, s.seq + is_syn)
        for at, byte in enumerate(s.content, s.seq + is_syn - start):
            if at >= 0:
                seen[flow].setdefault(at, byte)
    assert any(seen.values())
    for flow in starts:
        own = [r for r in runs if (r.connection, r.sender) == flow]
        got, stream = joined(own, flow[1]), wire.stream(flow[1], flow[0])
        expected = bytes(seen[flow].get(at, ord("?")) for at in range(len(got)))
        assert got == expected
        assert own[-1].marks & STREAM_ENDED
        assert stream.conflicts == 0
        if not stream.after_end_bytes:
            assert not [at for at in seen[flow] if at >= len(got)]
