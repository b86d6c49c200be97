"""STREAM frames in any order to pieces in order; resets; holes at the end of a connection."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import Memory
from analyzer.messages.quic.application import Application
from analyzer.messages.quic.opener import Opener
from analyzer.messages.slab import Slab
from analyzer.tables import new_table
from analyzer.tables.quic import PIECE_ENDS, PIECE_RESETS, PIECE_STOPS, QUIC, QUIC_PLAIN
from tests.messages.quic.builders import varint

CONTENT = bytes(range(256)) * 3


class Streams:
    """Contents of packets of the client through the frame kernel and the reassembly."""

    def __init__(self) -> None:
        self.memory = Memory(1 << 16, 1, 8 << 20)
        slab = Slab(self.memory)
        self.opener = Opener(slab, self.memory.data, 1 << 16)
        self.session = self.opener.begin_session(0, 1, {}, 1)
        self.application = Application(self.opener, slab, self.memory.data)
        self.table = new_table(QUIC, 1)

    def read(self, *packets: bytes) -> list[tuple[int, int, int, bytes]]:
        """(stream, marks, gap, bytes) of each piece."""
        plains = new_table(QUIC_PLAIN, len(packets))
        at = 0
        for k, packet in enumerate(packets):
            self.memory.data[at : at + len(packet)] = np.frombuffer(packet, np.uint8)
            plains[k].position, plains[k].plain_size, plains[k].pn, plains[k].number, plains[k].ts = at, len(packet), k, k + 1, k + 1
            at += len(packet)
        self.application.begin()
        assert self.application.read(plains, self.table) == []
        return self.pieces()

    def pieces(self) -> list[tuple[int, int, int, bytes]]:
        rows = self.application.pieces()
        assert all(row.sender == 1 for row in rows)
        return [(int(r.stream), int(r.marks), int(r.gap), self.memory.data[r.position : r.position + r.piece_size].tobytes()) for r in rows]


def data(offset: int, content: bytes, *, fin: bool = False, stream: int = 0) -> bytes:
    return bytes([0x0E | fin]) + varint(stream) + varint(offset) + varint(len(content)) + content


@given(st.lists(st.integers(0, len(CONTENT)), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_any_order(edges: list[int], random: object) -> None:
    cuts = sorted({0, len(CONTENT), *edges})
    packets = [data(a, CONTENT[a:b], fin=b == len(CONTENT)) for a, b in itertools.pairwise(cuts)]
    packets += [data(a, CONTENT[a : a + 40]) for a in edges if a < len(CONTENT)]
    random.shuffle(packets)  # type: ignore[attr-defined]
    pieces = Streams().read(*packets)
    assert b"".join(content for *_, content in pieces) == CONTENT
    assert [marks for _, marks, _, _ in pieces][-1] == PIECE_ENDS
    assert sum(marks for _, marks, _, _ in pieces) == PIECE_ENDS
    assert all(gap == 0 for _, _, gap, _ in pieces)


def test_an_end_without_bytes_that_comes_early() -> None:
    pieces = Streams().read(data(3, b"", fin=True), data(0, b"abc"))
    assert b"".join(content for *_, content in pieces) == b"abc"
    assert [marks for _, marks, _, _ in pieces][-1] == PIECE_ENDS


def test_resets() -> None:
    reset, stop = b"\x04" + varint(4) + varint(0x10C) + varint(9), b"\x05" + varint(4) + varint(0x10C)
    one = Streams()
    assert [piece[1] for piece in one.read(data(0, b"a", stream=4), stop, reset, data(1, b"b", stream=4))] == [0, PIECE_STOPS, PIECE_RESETS]


def test_holes_are_given_up_at_the_end() -> None:
    one = Streams()
    assert one.read(data(0, b"ab"), data(10, b"kl"), data(20, b"uv", fin=True)) == [(0, 0, 0, b"ab")]
    one.application.begin()
    one.application.finish(one.session, one.table)
    assert one.pieces() == [(0, 0, 8, b"kl"), (0, PIECE_ENDS, 8, b"uv")]
    assert one.table[0].missing_bytes[0] == 16


def test_counts() -> None:
    one = Streams()
    one.read(data(0, b"abcd"), data(0, b"abcdef"), data(2, b"cd"), data(0, b"z", stream=8))
    assert one.table[0].repeated_bytes[0] == 6
    assert one.session.stream_bytes == [7, 0]
    assert one.session.seen_streams == 2
