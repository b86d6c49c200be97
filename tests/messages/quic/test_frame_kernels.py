"""Frames of the application space: each kind, acknowledgements beside a set, and lengths that lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.kernel import DONE, GROW_ROWS
from analyzer.messages.quic import frame_kernels as kernels
from analyzer.tables import Rows, new_table
from analyzer.tables.quic import QUIC, QUIC_FRAME, QUIC_PLAIN, QUIC_SENT
from tests.messages.quic.builders import varint


class Reader:
    """Plain packets (role, number, content) through the kernel."""

    def __init__(self, packets: list[tuple[int, int, bytes]]) -> None:
        content = b"".join(one for _, _, one in packets)
        data, plains = np.frombuffer(b"?" + content, np.uint8).copy(), new_table(QUIC_PLAIN, len(packets))
        at = 1
        for k, (role, pn, one) in enumerate(packets):
            p = plains[k]
            p.role, p.pn, p.position, p.plain_size, p.number, p.ts = role, pn, at, len(one), k + 1, 1000 * (k + 1)
            at += len(one)
        self.rows, self.sent = new_table(QUIC, 1), new_table(QUIC_SENT, 1)
        frames, state = new_table(QUIC_FRAME, kernels.PER_PACKET + 1), np.zeros(1, np.int64)
        self.frames: list[tuple[int, ...]] = []
        i, status = 0, -1
        while status != DONE:
            before = i
            state[0] = 0
            status, i = kernels.read_frames(data, plains, len(packets), i, self.rows, self.sent, frames, state)
            for f in frames[: state[0]]:
                text = data[f.position : f.position + f.frame_size].tobytes()
                self.frames.append((int(f.kind), int(f.stream), int(f.offset), int(f.code), int(f.is_last), text))  # type: ignore[arg-type]
            assert i > before or status == DONE

    @property
    def q(self) -> Rows:
        return self.rows[0]


def ack(largest: int, first: int, *ranges: tuple[int, int], ecn: bool = False) -> bytes:
    body = varint(largest) + varint(25) + varint(len(ranges)) + varint(first)
    body += b"".join(varint(gap) + varint(size) for gap, size in ranges)
    return (b"\x03" if ecn else b"\x02") + body + (varint(1) * 3 if ecn else b"")


STREAM = b"\x0f" + varint(4) + varint(1000) + varint(3) + b"abc"


def test_kinds() -> None:
    content = (
        bytes(3) + b"\x01" + STREAM + b"\x06" + varint(9) + varint(2) + b"hs" + b"\x04" + varint(8) + varint(0x10C) + varint(77)
        + b"\x05" + varint(8) + varint(0x10C) + b"\x18" + varint(1) + varint(0) + b"\x04abcd" + bytes(16) + b"\x1e"
        + b"\x10" + varint(1 << 20) + b"\x1a" + bytes(8) + b"\x07" + varint(2) + b"tk" + b"\x31" + varint(1) + b"d"
        + b"\x1d" + varint(0x100) + varint(3) + b"bye" + b"\x08" + varint(0) + b"rest of it"
    )  # fmt: skip
    assert Reader([(0, 0, content)]).frames == [
        (8, 4, 1000, 0, 1, b"abc"),
        (6, 0, 9, 0, 0, b"hs"),
        (4, 8, 77, 0x10C, 0, b""),
        (5, 8, 0, 0x10C, 0, b""),
        (0x18, 1, 0, 0, 0, b"abcd"),
        (0x1E, 0, 0, 0, 0, b""),
        (0x1D, 0, 0, 0x100, 0, b"bye"),
        (8, 0, 0, 0, 0, b"rest of it"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\x0f\x00\x00\x09abc", b"\x0c\x00", b"\x06\x00\x05abc", b"\x04\x00", b"\x18\x01\x00\x15", b"\x18\x01\x00\x04abcd", b"\x1c\x00",
        b"\x02\x05\x00\x00\x06", b"\x02\x05\x00\x3f\x00", b"\x02\x05\x00\x01\x00\x05\x00", b"\x1a1234", b"\x07\x09a", b"\x21", b"\x7f\xff",
        b"\x10", b"\x03\x05\x00\x00\x00\x01",
    ],
)  # fmt: skip
def test_malformed(content: bytes) -> None:
    assert [frame[0] for frame in Reader([(0, 0, STREAM + content)]).frames] == [8, 255]


def test_acknowledgements() -> None:
    packets = [(0, pn, b"\x01") for pn in (0, 1, 2, 3, 4, 6, 7)]
    reader = Reader([*packets, (1, 0, ack(7, 1, (1, 0), ecn=True))])  # 6 and 7, then 3
    q = reader.q
    assert (q.sent[0], q.acked[0], q.lost[0], q.unseen[0]) == (7, 3, 4, 0)
    assert (q.rtt_samples[0], q.rtt_least[0]) == (1, 1000)
    reader = Reader([*packets, (1, 0, ack(7, 7)), (1, 1, ack(7, 7))])  # 5 is not in the capture
    assert (reader.q.acked[0], reader.q.lost[0], reader.q.unseen[0]) == (7, 0, 1)
    reader = Reader([*packets, (1, 0, ack(7, 0)), (1, 1, ack(7, 7))])  # taken for lost, and then acknowledged
    assert (reader.q.acked[0], reader.q.lost[0]) == (7, 0)


def test_acknowledgements_of_what_was_never_sent() -> None:
    reader = Reader([(0, 0, b"\x01"), (1, 0, ack((1 << 61), (1 << 61)))])
    assert (reader.q.acked[0], reader.q.unseen[0]) == (0, 0)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=True), st.data())
@settings(max_examples=40)
def test_acknowledged_beside_a_set(sent: list[int], data: st.DataObject) -> None:
    sent = sorted(sent)
    packets, acked = [(0, pn, b"\x01") for pn in sent], set()
    for k in range(data.draw(st.integers(1, 4))):
        largest = data.draw(st.sampled_from(sent))
        first = data.draw(st.integers(0, largest))
        packets.append((1, k, ack(largest, first)))
        acked |= set(range(largest - first, largest + 1))
    q = Reader(packets).q
    assert q.acked[0] == len(acked & set(sent))
    assert q.unseen[0] == len(acked - set(sent))


def test_a_full_table_is_left_as_it_was() -> None:
    plains, state = new_table(QUIC_PLAIN, 1), np.zeros(1, np.int64)
    small = new_table(QUIC_FRAME, 4)
    q, sent = new_table(QUIC, 1), new_table(QUIC_SENT, 1)
    assert kernels.read_frames(np.zeros(4, np.uint8), plains, 1, 0, q, sent, small, state) == (GROW_ROWS, 0)
    assert q[0].sent[0] == 0


@given(st.binary(max_size=80))
@settings(max_examples=100)
def test_any_bytes(content: bytes) -> None:
    Reader([(0, 0, content), (1, 0, content)])
