"""The rules of stream reassembly, one by one, and the assembler against a bitmap."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES
from analyzer.options import SECOND, Limits
from analyzer.streams.overlap_kernels import POLICIES, new_wins
from analyzer.tables.packets import ACK, BAD_TRANSPORT_CHECKSUM, FIN, RST, SYN
from analyzer.tables.streams import (
    ENDED_BY_RESET,
    ENDED_OPEN,
    FROM_ARENA,
    NOT_KEPT,
    REASONS,
    STREAM_ENDED,
)
from tests.streams.wire import MS, PATIENT, Run, Segment, Wire, joined, syn

REASON_NAMES = [name for name, _ in REASONS]


def data(seq: int, content: bytes, ts: int = 0, **more: int) -> Segment:
    return Segment(0, seq, content, ts=ts, **more)


def acks(ack: int, ts: int = 0) -> Segment:
    return Segment(1, 5000, ack=ack, ts=ts)


def reasons(stream) -> dict[str, int]:
    return {name: int(n) for name, n in zip(REASON_NAMES, stream.gaps_by_reason, strict=True) if n}


# ---- order


def test_in_order_points_into_the_chunk():
    wire = Wire()
    runs = wire.push(syn(), data(1000, b"abc", ts=7), data(1003, b"de", ts=8))
    assert runs == [Run(0, 0, 0, 0, b"abc", 3, 0, 2, 7), Run(0, 0, 0, 0, b"de", 2, 3, 3, 8)]
    assert wire.memory.arenas[0][LIVE_BYTES] == 0


def test_out_of_order_keeps_frames_and_times():
    wire = Wire()
    assert wire.push(syn(), data(1003, b"de", ts=1)) == []
    assert wire.push(data(1005, b"f", ts=2)) == []
    runs = wire.push(data(1000, b"abc", ts=3))
    assert runs == [
        Run(0, 0, 0, 0, b"abc", 3, 0, 4, 3),
        Run(0, 0, FROM_ARENA, 0, b"de", 2, 3, 2, 1),
        Run(0, 0, FROM_ARENA, 0, b"f", 1, 5, 3, 2),
    ]
    assert wire.stream().buffered == 0
    assert wire.stream().buffered_segments == 2


def test_arena_is_given_back_at_the_next_call():
    wire = Wire()
    wire.push(syn(), data(1003, b"de"))
    wire.push(data(1000, b"abc"))
    assert wire.memory.arenas[0][LIVE_BYTES] == 64  # the run just delivered points there
    wire.push(acks(1))
    assert wire.memory.arenas[0][LIVE_BYTES] == 0
    rows = len(wire.assembler._blocks)
    for i in range(200):
        wire.push(data(1005 + 3 * i + 1, b"yz"), data(1005 + 3 * i, b"x"))
    assert len(wire.assembler._blocks) == rows


@pytest.mark.parametrize(
    "segments", [[(1000, b"abcd"), (1002, b"cdef")], [(1000, b"abcd"), (1000, b"abcdef")], [(1000, b"abcdef"), (1001, b"b")]]
)
def test_retransmitted_bytes_are_trimmed(segments):
    wire = Wire()
    runs = wire.push(syn(), *[data(seq, content) for seq, content in segments])
    assert joined(runs) == b"abcdef"
    assert wire.stream().duplicate_bytes == sum(len(c) for _, c in segments) - 6


def test_segment_over_several_blocks():
    wire = Wire()
    runs = wire.push(syn(), data(1002, b"c"), data(1005, b"f"), data(1000, b"abcdefgh"))
    assert joined(runs) == b"abcdefgh"
    assert [(r.number, r.offset, r.size) for r in runs] == [(4, 0, 2), (2, 2, 1), (4, 3, 2), (3, 5, 1), (4, 6, 2)]


def test_sequence_numbers_wrap():
    wire = Wire()
    at = 0xFFFFFFFE
    runs = wire.push(syn(isn=at - 1), data(at + 4, b"ef"), data(at, b"ab"), data(at + 2, b"cd"), data(at + 6, b"gh"))
    assert joined(runs) == b"abcdefgh"
    assert [r.offset for r in runs] == [0, 2, 4, 6]


def test_offsets_pass_4_gib():
    wire = Wire()
    step = 1 << 29
    runs = [run for i in range(12) for run in wire.push(*([syn()] if i == 0 else []), data(1000 + i * step, b"", length=step))]
    assert [r.offset for r in runs] == [i * step for i in range(12)]
    assert wire.stream().next == 12 * step


# ---- where a stream starts


def test_data_in_syn():
    wire = Wire()
    runs = wire.push(Segment(0, 999, b"hello", flags=SYN), data(1000, b"hello world"))
    assert joined(runs) == b"hello world"
    assert not wire.stream().is_partial


def test_without_syn_the_first_byte_seen_is_offset_0():
    wire = Wire()
    runs = wire.push(data(77, b"abc"), data(70, b"earlier"), data(80, b"d"))
    assert joined(runs) == b"abcd"
    assert wire.stream().is_partial
    assert wire.stream().duplicate_bytes == 7


@pytest.mark.parametrize("start", [1000, 1001, 900])
def test_without_syn_an_ack_or_keep_alive_may_come_first(start):
    wire = Wire()
    runs = wire.push(Segment(0, 1000), data(start, b"abc"), data(start + 3, b"def"))
    assert joined(runs) == b"abcdef"


def test_late_syn():
    wire = Wire()
    runs = wire.push(data(1000, b"abc"), syn(), data(1003, b"d"), syn(isn=5))
    assert joined(runs) == b"abcd"
    assert not wire.stream().is_partial
    assert wire.stream().ignored_syns == 1


def test_refused_and_tried_again():
    wire = Wire()
    refused = Segment(1, 0, flags=RST | ACK, ack=1000)
    assert wire.push(syn(), refused, syn(isn=2999), syn(1, flags=SYN | ACK), data(3000, b"abc"))[0].content == b"abc"


def test_syn_again_does_not_forget_a_fin():
    wire = Wire()
    wire.push(syn(), Segment(0, 1003, flags=FIN | ACK), syn())
    assert joined(wire.push(data(1000, b"abc"))) == b"abc"
    assert [r.marks for r in wire.finish()] == []


# ---- the end


def test_fin_in_order():
    wire = Wire()
    runs = wire.push(syn(ts=1), Segment(0, 1000, b"abc", flags=FIN | ACK, ts=2), data(1003, b"beyond"))
    assert runs == [Run(0, 0, 0, 0, b"abc", 3, 0, 2, 2), Run(0, 0, STREAM_ENDED, 0, b"", 0, 3, 2, 2)]
    assert wire.stream().after_end_bytes == 6
    assert wire.finish() == []


@pytest.mark.parametrize("flags", [FIN | ACK, RST])
def test_end_before_earlier_data(flags):
    wire = Wire()
    assert wire.push(syn(), Segment(0, 1006, flags=flags, ts=9)) == []
    runs = wire.push(data(1003, b"def"), data(1000, b"abc"), data(1006, b"gh"))
    assert joined(runs) == b"abcdef"
    assert runs[-1] == Run(0, 0, STREAM_ENDED | (ENDED_BY_RESET if flags & RST else 0), 0, b"", 0, 6, 2, 9)


def test_fin_that_contradicts_data_is_ignored():
    wire = Wire()
    runs = wire.push(syn(), data(1000, b"abc"), Segment(0, 1001, flags=FIN | ACK), data(1003, b"d"))
    assert joined(runs) == b"abcd"
    assert wire.stream().ignored_fins == 1


def test_reset_ends_both_and_keeps_what_was_buffered():
    wire = Wire()
    wire.push(syn(), syn(1, isn=4999, flags=SYN | ACK), data(1000, b"ab"), data(1003, b"d", ts=3), Segment(1, 5000, b"xyz"))
    runs = wire.push(Segment(1, 5003, flags=RST, ts=4), data(1004, b"late"))
    assert [(r.sender, r.marks, r.offset, r.number) for r in runs] == [(1, STREAM_ENDED | ENDED_BY_RESET, 3, 6)]
    assert wire.stream().after_end_bytes == 4
    assert wire.finish() == [
        Run(0, 0, FROM_ARENA, 1, b"d", 1, 3, 4, 3),
        Run(0, 0, STREAM_ENDED | ENDED_BY_RESET, 0, b"", 0, 4, 6, 4),
    ]


def test_reset_far_away_is_ignored():
    wire = Wire()
    runs = wire.push(syn(), data(1000, b"abc"), Segment(0, 0x90000000, flags=RST), data(1003, b"d"))
    assert joined(runs) == b"abcd"
    assert wire.stream().ignored_resets == 1


def test_finish_of_an_open_connection():
    wire = Wire(connections=2)
    wire.connections[1].last_ts, wire.connections[1].last_number = 50, 5
    wire.push(syn(connection=1), data(1000, b"ab", connection=1), data(1004, b"ef", connection=1), syn(1, connection=1))
    runs = wire.finish(0, 1)
    assert [(r.connection, r.sender, r.marks, r.gap, r.content, r.number, r.ts) for r in runs] == [
        (1, 0, FROM_ARENA, 2, b"ef", 3, 0),
        (1, 0, STREAM_ENDED | ENDED_OPEN, 0, b"", 5, 50),
        (1, 1, STREAM_ENDED | ENDED_OPEN, 0, b"", 5, 50),
    ]
    assert reasons(wire.stream(0, 1)) == {"finished": 1}


@pytest.mark.parametrize(("ack", "gap"), [(1003, 0), (1004, 0), (1010, 7)])
def test_acknowledged_bytes_after_the_last_ones_are_a_gap(ack, gap):
    wire = Wire()  # one byte more may be the FIN
    wire.push(syn(), data(1000, b"abc"), syn(1), acks(ack))
    assert sum(r.gap for r in wire.finish() if r.sender == 0) == gap


def test_missing_bytes_before_the_fin():
    wire = Wire()
    wire.push(syn(), data(1000, b"abc"), Segment(0, 1010, flags=FIN | ACK))
    assert wire.finish() == [Run(0, 0, STREAM_ENDED, 7, b"", 0, 10, 3, 0)]


# ---- holes


def test_an_ack_is_only_a_claim():
    """zeek#335: the ACK is captured before the data it acknowledges."""
    wire = Wire(Limits(arena_bytes=1 << 20))
    runs = wire.push(syn(), syn(1), data(1003, b"def", ts=1), acks(1006, ts=2), data(1000, b"abc", ts=3))
    assert joined(runs) == b"abcdef"
    assert wire.stream().gaps == 0


def test_hole_is_given_up_when_enough_beyond_is_acknowledged():
    wire = Wire(Limits(arena_bytes=1 << 20, gap_acked_bytes=8))
    assert wire.push(syn(), syn(1), data(1003, b"x" * 10), acks(1010)) == []
    assert wire.push(acks(5000)) == [Run(0, 0, FROM_ARENA, 3, b"x" * 10, 10, 3, 3, 0)]
    assert reasons(wire.stream()) == {"acknowledged": 1}
    assert wire.stream().missing_bytes == 3


def test_hole_is_given_up_after_a_while_with_progress():
    wire = Wire(Limits(arena_bytes=1 << 20))
    assert wire.push(syn(), syn(1), data(1003, b"def", ts=MS), acks(1000, ts=5 * SECOND)) == []
    assert wire.push(acks(1006, ts=SECOND)) == []
    assert joined(wire.push(acks(1006, ts=SECOND + MS))) == b"???def"
    assert reasons(wire.stream()) == {"waited": 1}


def test_the_wait_is_four_round_trips_once_they_are_known():
    wire = Wire(Limits(arena_bytes=1 << 20))
    c = wire.connections[0]
    c.syn_ts, c.syn_number, c.ack_ts, c.ack_number = 0, 1, SECOND, 5
    segments = [syn(), syn(1), data(1003, b"def"), acks(1006, ts=2 * SECOND), acks(1006, ts=2 * SECOND), acks(1006, ts=4 * SECOND)]
    assert wire.push(*segments)[0].gap == 3  # frame 4 does not know the round trip that frame 5 completes
    assert wire.stream().gaps == 1
    wire = Wire(Limits(arena_bytes=1 << 20))
    wire.connections[0] = c
    wire.connections[0].ack_number = 2
    assert wire.push(*segments[:5]) == []
    assert joined(wire.push(segments[5])) == b"???def"


def test_one_sided_captures_wait_without_acks():
    wire = Wire(Limits(arena_bytes=1 << 20))
    assert wire.push(syn(), data(1003, b"d", ts=MS), data(1004, b"e", ts=SECOND)) == []
    assert joined(wire.push(data(1005, b"f", ts=SECOND + MS))) == b"???def"


def test_several_holes_are_given_up_at_once():
    wire = Wire(Limits(arena_bytes=1 << 20))
    runs = wire.push(syn(), data(1001, b"b"), data(1003, b"d"), data(1005, b"f"), data(1006, b"g", ts=2 * SECOND))
    assert joined(runs) == b"?b?d?fg"
    assert reasons(wire.stream()) == {"waited": 3}


def test_missing_bytes_that_come_too_late_are_duplicates():
    wire = Wire(Limits(arena_bytes=1 << 20, gap_acked_bytes=2))
    runs = wire.push(syn(), syn(1), data(1003, b"def"), acks(1006), data(1000, b"abc"), data(1006, b"g"))
    assert joined(runs) == b"???defg"
    assert wire.stream().duplicate_bytes == 3


def test_stream_budget_closes_the_lowest_holes():
    wire = Wire(replace(PATIENT, stream_bytes=3 * 130))
    segments = [data(1001 + 3 * i, b"xy") for i in range(5)]
    runs = wire.push(syn(), *segments)
    assert joined(runs) == b"?xy?xy"
    assert reasons(wire.stream()) == {"stream_budget": 2}
    assert joined(runs + wire.finish()) == b"?xy?xy?xy?xy?xy"


def test_full_arena_loses_no_byte_that_was_seen():
    wire = Wire(replace(PATIENT, arena_bytes=128))
    segments = [data(1010 + 100 * i, b"0123456789" * 5) for i in range(6)]
    runs = wire.push(syn(), *segments)
    assert wire.stream().gaps_by_reason[REASON_NAMES.index("memory_budget")] > 0
    got = joined(runs + wire.finish())
    assert got == (b"?" * 10 + b"0123456789" * 5) + (b"?" * 50 + b"0123456789" * 5) * 5


def test_table_of_blocks_has_a_limit():
    wire = Wire(replace(PATIENT, arena_bytes=64 * 256))
    runs = wire.push(syn(), *[data(1002 + 2 * i, b"x") for i in range(200)])
    assert len(wire.assembler._blocks) <= 128  # tables grow by doubling, but not beyond 64 rows asked for
    assert joined(runs + wire.finish()) == b"?" + b"?x" * 200


# ---- what is ignored or not kept


def test_keep_alives_and_window_probes():
    wire = Wire()
    runs = wire.push(syn(), data(1000, b"abc"), data(1002, b"\0"), data(1002, b""), data(1003, b"d"), data(1003, b"def"))
    assert joined(runs) == b"abcdef"
    assert wire.stream().duplicate_bytes == 1
    wire.push(data(1010, b"k"), data(1010, b"\0"))
    assert wire.stream().conflicts == 0


def test_bytes_cut_by_the_snapshot_length():
    wire = Wire()
    runs = wire.push(syn(), data(1000, b"ab", length=4), data(1006, b"g", length=3), data(1004, b"ef", length=2))
    assert [(r.offset, r.content, r.size, r.marks) for r in runs] == [
        (0, b"ab", 2, 0),
        (2, None, 2, NOT_KEPT),
        (4, b"ef", 2, 0),
        (6, b"g", 1, FROM_ARENA),
        (7, None, 2, NOT_KEPT),
    ]
    assert wire.stream().not_kept_bytes == 4


def test_skipped_blocks_are_not_kept():
    wire = Wire()
    wire.push(syn())
    wire.assembler.wishes[0].skip_until = 6
    runs = wire.push(data(1004, b"ef"), data(1002, b"cd"), data(1006, b"gh"), data(1000, b"ab"))
    assert [(r.offset, r.content) for r in runs] == [(0, b"ab"), (2, None), (4, None), (6, b"gh")]


def test_a_stream_that_is_off_is_only_counted():
    wire = Wire()
    wire.push(syn(), data(1000, b"ab"))
    wire.assembler.wishes[0].is_off = 1
    assert wire.push(data(1002, b"cd"), data(1006, b"gh"), Segment(0, 1008, flags=FIN | ACK)) + wire.finish() == []
    assert (wire.stream().next, wire.stream().missing_bytes, wire.stream().gaps) == (8, 2, 1)
    assert wire.memory.arenas[0][LIVE_BYTES] == 0


def test_packets_that_do_not_count():
    wire = Wire()
    bad = data(1003, b"BAD", more={"marks": BAD_TRANSPORT_CHECKSUM})
    others = [
        data(1003, b"UDP", more={"protocol": 17}),
        data(1003, b"none", more={"connection": -1}),
        data(1003, b"cut", more={"outcome": 4}),
    ]
    runs = wire.push(syn(), data(1000, b"abc"), bad, *others, data(1003 + (1 << 30) + 1, b"far"), data(1003, b"d"))
    assert joined(runs) == b"abcd"
    assert (wire.stream().ignored_checksums, wire.stream().ignored_far) == (1, 1)


# ---- overlaps that disagree


@pytest.mark.parametrize(("overlap", "expected"), [("first", b"?bcdefg"), ("last", b"?!c!e!g")])
def test_conflicting_copies(overlap, expected):
    wire = Wire(overlap=overlap)
    wire.push(syn(), syn(1), data(1001, b"bcde"), acks(1004), data(1002, b"XYefg"))
    stream = wire.stream()
    assert (stream.conflicts, stream.conflict_bytes, stream.duplicate_bytes) == (1, 2, 3)
    assert (stream.conflict_first_number, stream.conflict_second_number) == (3, 5)
    assert stream.is_conflict_acked
    wire.push(data(1001, b"!c!e!"))
    assert stream.conflicts == 4  # b, d and f; or b, XY and f
    assert (stream.conflict_first_number, stream.conflict_second_number) == (3, 5)
    assert joined(wire.finish()) == expected


def test_last_cuts_a_block_in_the_middle():
    wire = Wire(overlap="last")
    wire.push(syn(), data(1001, b"bcdefgh"))
    wire.push(data(1003, b"XY"))
    runs = wire.push(data(1000, b"a"))
    assert joined(runs) == b"abcXYfgh"
    assert [(r.number, r.offset) for r in runs] == [(4, 0), (2, 1), (3, 3), (2, 5)]
    wire.push(acks(1))
    assert wire.memory.arenas[0][LIVE_BYTES] == 0


def test_last_without_room_keeps_the_first():
    wire = Wire(replace(PATIENT, stream_bytes=128 + 8), overlap="last")
    wire.push(syn(), data(1001, b"bcdefgh"), data(1003, b"XY"))
    assert joined(wire.push(data(1000, b"a"))) == b"abcdefgh"


# ---- release


def test_release_forgets_everything():
    wire = Wire(connections=3)
    wire.push(*[syn(connection=c) for c in range(3)], *[data(1005, b"xyz", connection=c) for c in range(3)])
    wire.assembler.wishes[2].is_off = 1
    wire.assembler.release(np.array([1], np.int64))
    assert not wire.assembler.streams[2:4].view(np.uint8).any()
    assert not wire.assembler.wishes[2:4].view(np.uint8).any()
    assert wire.memory.arenas[0][LIVE_BYTES] == 128
    assert joined(wire.push(syn(connection=1, isn=5), data(6, b"new", connection=1))) == b"new"
    assert [r.gap for r in wire.finish(0, 2)] == [5, 0, 5, 0]


def test_tables_grow_with_the_connections():
    wire = Wire()
    wire.push(syn(), data(1000, b"abc"))
    wire.connections = np.concatenate([wire.connections] * 9).view(np.recarray)
    assert joined(wire.push(data(1003, b"def"), syn(connection=8), data(1000, b"xyz", connection=8))) == b"defxyz"
    assert len(wire.assembler.streams) == len(wire.assembler.wishes) == 18


# ---- the slow, obvious twin


@dataclass
class Bitmap:
    """One direction, byte by byte: who came first at each offset, and the rules on holes as they are written."""

    limits: Limits
    overlap: str
    two_sided: bool
    next: int = 0
    acked: int = 0
    highest: int = 0
    conflict_bytes: int = 0
    held: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # offset -> byte, frame, time
    segments: dict[int, tuple[int, int]] = field(default_factory=dict)  # offset -> the segment that it came with
    out: list[tuple[int, int, int] | None] = field(default_factory=list)  # None: given up

    def take(self, offset: int, content: bytes, number: int, ts: int) -> None:
        end = offset + len(content)
        is_keep_alive = len(content) == 1 and end == self.highest
        self.highest = max(self.highest, end)
        for at, byte in enumerate(content, offset):
            old = self.held.get(at)
            if at < self.next:
                continue
            if old is None or (not is_keep_alive and new_wins(POLICIES.index(self.overlap), offset, end, *self.segments[at])):
                self.held[at] = (byte, number, ts)
                self.segments[at] = (offset, end)
            if old is not None and not is_keep_alive:
                self.conflict_bytes += old[0] != byte
        self.deliver()

    def deliver(self) -> None:
        while self.next in self.held:
            self.out.append(self.held.pop(self.next))
            self.next += 1

    def close(self) -> None:
        first = min(self.held)
        self.out += [None] * (first - self.next)
        self.next = first
        self.deliver()

    def judge(self, ts: int) -> None:
        while self.held:
            first = min(self.held)
            beyond = min(self.acked, self.highest) - first
            waited = ts - self.held[first][2] >= self.limits.gap_wait_ns and (beyond > 0 or not self.two_sided)
            if beyond < self.limits.gap_acked_bytes and not waited:
                return
            self.close()


def spread(runs: list[Run]) -> list[tuple[int, int, int] | None]:
    """Runs byte by byte, as the twin keeps them."""
    out: list[tuple[int, int, int] | None] = []
    for run in runs:
        if run.sender == 0:
            out += [None] * run.gap
            assert run.offset == len(out)
            assert run.content is not None
            out += [(byte, run.number, run.ts) for byte in run.content]
    return out


@st.composite
def exchanges(draw: st.DrawFn) -> list[tuple[str, int, bytes, int]]:
    """Segments ('data', offset, content) of a text of 64 bytes, some with other bytes, and ACKs ('ack', offset), with time steps."""
    text = bytes(range(64))
    events = []
    for _ in range(draw(st.integers(1, 25))):
        step = draw(st.sampled_from([0, 1, 1, 5, 30]))
        if draw(st.integers(0, 4)) == 0:
            events.append(("ack", draw(st.integers(0, 70)), b"", step))
        else:
            start = draw(st.integers(0, 63))
            content = text[start : start + draw(st.integers(1, 20))]
            if draw(st.integers(0, 5)) == 0:
                content = bytes(255 - b if b % 3 else b for b in content)
            events.append(("data", start, content, step))
    return events


@settings(max_examples=250, deadline=None)
@given(
    events=exchanges(),
    base=st.sampled_from([1, 0xFFFFFFF0, 0xFFFFFFFF, 0, 0x7FFFFFE0]),
    how=st.tuples(st.sampled_from(POLICIES), st.booleans()),
    limits=st.sampled_from(
        [
            PATIENT,
            replace(PATIENT, gap_wait_ns=20),
            replace(PATIENT, gap_acked_bytes=10),
            replace(PATIENT, gap_wait_ns=20, gap_acked_bytes=5),
        ]
    ),
    size=st.sampled_from([1, 2, 3, 100]),
)
def test_twin(events, base, how, limits, size):
    overlap, two_sided = how
    twin = Bitmap(limits, overlap, two_sided)
    segments = [syn(isn=base - 1)] + ([syn(1)] if two_sided else [])
    number, ts = len(segments), 0
    for kind, offset, content, step in events:
        ts += step
        if kind == "ack" and not two_sided:
            continue
        number += 1
        if kind == "data":
            segments.append(data(base + offset, content, ts=ts))
            twin.take(offset, content, number, ts)
        else:
            segments.append(acks(base + offset, ts=ts))
            twin.acked = max(twin.acked, offset)
        twin.judge(ts)
    wire = Wire(limits, overlap=overlap)
    runs = wire.push_cut(segments, size)
    assert spread(runs) == twin.out
    assert wire.stream().conflict_bytes == twin.conflict_bytes
    while twin.held:
        twin.close()
    last = wire.finish()
    tail = last[-1 - two_sided].gap
    assert spread(runs + last) == twin.out + [None] * tail
    assert tail == (twin.acked - twin.next if twin.acked > twin.next + 1 else 0)
    wire.assembler.release(np.array([0], np.int64))
    assert wire.memory.arenas[0][LIVE_BYTES] == 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    limits=st.sampled_from(
        [PATIENT, Limits(arena_bytes=1 << 20, gap_wait_ns=40), replace(PATIENT, stream_bytes=600), replace(PATIENT, gap_acked_bytes=6)]
    ),
)
def test_batches_do_not_matter(seed, limits):
    rng = np.random.default_rng(seed)
    segments = []
    for i in range(60):
        size = int(rng.integers(0, 12))
        length = size + int(rng.integers(0, 3)) * int(rng.integers(0, 5) == 0)
        segments.append(
            Segment(
                int(rng.integers(0, 2)),
                int(rng.integers(995, 1100)),
                rng.integers(97, 100, size, np.uint8).tobytes(),
                flags=int(
                    rng.choice(
                        [ACK, ACK, ACK, ACK, 0, SYN, SYN | ACK, FIN | ACK, RST], p=[0.3, 0.2, 0.2, 0.1, 0.06, 0.06, 0.04, 0.02, 0.02]
                    )
                ),
                ack=int(rng.integers(995, 1110)),
                ts=i * 5 - int(rng.integers(0, 20)),
                length=length,
                connection=int(rng.integers(0, 3)),
            )
        )

    def everything(size: int, rows: int) -> tuple[list[Run], bytes]:
        wire = Wire(limits, connections=3, rows=rows)
        runs = [r._replace(marks=int(r.marks)) for r in wire.push_cut(segments, size)] + wire.finish(2, 0, 1)
        streams = wire.assembler.streams.copy()
        assert (streams.blocks == 0).all()
        assert (streams.buffered == 0).all()
        wire.assembler.release(np.arange(3))
        assert wire.memory.arenas[0][LIVE_BYTES] == 0
        return runs, [{name: streams[name].tolist() for name in streams.dtype.names if name not in ("head", "blocks")}]

    whole = everything(100, 256)
    assert everything(1, 1) == everything(7, 1) == whole
    for row in range(6):  # runs tile the stream
        at = 0
        for run in whole[0]:
            if 2 * run.connection + run.sender == row:
                assert run.offset == at + run.gap
                at = run.offset + run.size
        assert sum(run.marks & STREAM_ENDED for run in whole[0] if 2 * run.connection + run.sender == row) <= 1


def test_many_blocks_in_a_hostile_order():
    """Single bytes scattered above a hole: the place of each is found quickly, and the bytes come out in order."""
    wire = Wire(replace(PATIENT, arena_bytes=1 << 21, stream_bytes=1 << 20), rows=64)
    order = np.random.default_rng(1).permutation(1500)
    segments = [data(1001 + int(i), bytes([int(i) % 251])) for i in order]
    runs = wire.push(syn(), *segments) + wire.push(data(1000, b"?"))
    assert joined(runs) == b"?" + bytes(i % 251 for i in range(1500))


# ---- whatever the path does to the segments


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int, int]]]:
    """A text and segments (time, start, end) that hold all of it: cut anywhere, sent again, cut differently, delayed, in any order."""
    text = bytes(draw(st.lists(st.integers(0, 255), min_size=1, max_size=80)))
    pieces = []
    for _ in range(draw(st.integers(1, 3))):  # each round sends everything, cut in its own way
        cuts = sorted({0, len(text), *draw(st.lists(st.integers(1, len(text)), max_size=8))})
        pieces += list(itertools.pairwise(cuts))
    times = draw(st.lists(st.integers(0, 50 * MS), min_size=len(pieces), max_size=len(pieces)))
    return text, sorted((ts, *piece) for ts, piece in zip(times, pieces, strict=True))


@settings(max_examples=150, deadline=None)
@given(
    delivery=deliveries(),
    base=st.sampled_from([1, 0xFFFFFFF0, 0xFFFFFFFF, 0x7FFFFFF0]),
    policy=st.sampled_from(POLICIES),
    size=st.sampled_from([1, 3, 100]),
    with_fin=st.booleans(),
)
def test_what_the_path_does_is_not_seen(delivery, base, policy, size, with_fin):
    """Reordering, splitting, duplication and delay within the rules: the same bytes once, without a gap, and the same end."""
    text, pieces = delivery
    segments = [syn(isn=base - 1), syn(1)]
    reached = 0
    for ts, start, end in pieces:
        flags = ACK | (FIN if with_fin and end == len(text) else 0)
        segments.append(Segment(0, base + start, text[start:end], flags=flags, ts=ts))
        reached = max(reached, end)
        segments.append(acks(base + reached, ts=ts))  # a claim: some of it may be captured later
    wire = Wire(Limits(arena_bytes=1 << 20), overlap=policy)
    runs = wire.push_cut(segments, size) + wire.finish()
    assert joined(runs) == text
    assert [r.offset for r in runs if r.sender == 0 and r.marks & STREAM_ENDED] == [len(text)]
    assert wire.stream().gaps == wire.stream().conflicts == 0
