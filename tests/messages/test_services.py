"""Who speaks what: told by first bytes, in however many pieces they come."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES, Memory
from analyzer.messages.services import Services
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.services import DNS, HTTP, HTTP2, TLS, UNDECIDED, UNKNOWN
from analyzer.tables.streams import NOT_KEPT, RUN

CHUNK = 1 << 16
HELLO = bytes.fromhex("160301002f0100002b0303") + bytes(32) + bytes.fromhex("00000213010100")
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
QUESTION = bytes.fromhex("0011123401000001000000000000") + b"\x01a\x00\x00\x01\x00\x01"


@dataclass
class Piece:
    content: bytes
    connection: int = 0
    sender: int = 0
    marks: int = 0


class Sorter:
    """Services over one small memory; ``seen`` collects what each protocol was handed, per connection and end."""

    def __init__(self, connections: int = 3, *, port: int = 4711, arena_bytes: int = 1 << 16) -> None:
        self.memory = Memory(CHUNK, 1, arena_bytes)
        self.services = Services(self.memory, (TLS, HTTP, DNS))
        self.connections = new_table(CONNECTION, connections)
        self.connections["b_port"] = port
        self.seen: dict[tuple[int, int, int], bytes] = {}
        self.offsets: dict[tuple[int, int], int] = {}

    def sort(self, pieces: list[Piece]) -> None:
        runs = new_table(RUN, len(pieces))
        at = 0
        for run, piece in zip(runs, pieces, strict=True):
            self.memory.data[at : at + len(piece.content)] = np.frombuffer(piece.content, np.uint8)
            offset = self.offsets.get((piece.connection, piece.sender), 0)
            run.connection, run.sender, run.marks = piece.connection, piece.sender, piece.marks
            run.position, run.run_size, run.offset = (-1 if piece.marks & NOT_KEPT else at), len(piece.content), offset
            self.offsets[piece.connection, piece.sender] = offset + len(piece.content)
            at += len(piece.content)
        sorted_runs, wanted = self.services.sort(runs, self.connections)
        for protocol, rows in wanted.items():
            for row in sorted_runs[rows]:
                key = (protocol, int(row.connection), int(row.sender))
                assert int(row.offset) == len(self.seen.get(key, b"")), "in order, nothing left out"
                content = self.memory.data[row.position : row.position + row.run_size].tobytes()
                self.seen[key] = self.seen.get(key, b"") + content
        self.memory.data[:CHUNK] = 0xEE  # the chunk is used again

    @property
    def protocols(self) -> list[int]:
        return [int(protocol) for protocol in self.services.table["protocol"]]

    @property
    def held_bytes(self) -> int:
        return int(self.memory.arenas[0][LIVE_BYTES])


@pytest.mark.parametrize(
    ("content", "port", "protocol"),
    [
        (HELLO, 4711, TLS),
        (REQUEST, 4711, HTTP),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 4711, HTTP2),
        (QUESTION, 53, DNS),
        (QUESTION, 4711, UNDECIDED),
        (b"\x00\x01\x02\x03 nothing known", 4711, UNDECIDED),
    ],
)
def test_first_bytes_decide(content: bytes, port: int, protocol: int) -> None:
    sorter = Sorter(port=port)
    sorter.sort([Piece(content)])
    assert sorter.protocols[0] == protocol
    assert sorter.protocols[1:] == [UNDECIDED, UNDECIDED]
    expected = {(protocol, 0, 0): content} if protocol in (TLS, HTTP, DNS) else {}
    assert sorter.seen == expected


def test_both_ends_refused_is_unknown_for_good() -> None:
    sorter = Sorter()
    sorter.sort([Piece(b"\x00\x01\x02\x03 nothing"), Piece(b"\x00\x05\x06\x07 either", sender=1)])
    assert sorter.protocols[0] == UNKNOWN
    sorter.sort([Piece(HELLO)])
    assert sorter.protocols[0] == UNKNOWN
    assert sorter.seen == {}


def test_a_server_that_is_not_understood_does_not_hide_its_client() -> None:
    sorter = Sorter()
    sorter.sort([Piece(b"\x00\x01 odd greeting", sender=1), Piece(REQUEST)])
    assert sorter.seen[HTTP, 0, 0] == REQUEST


def test_bytes_that_were_not_kept_tell_nothing() -> None:
    sorter = Sorter()
    sorter.sort([Piece(REQUEST, marks=NOT_KEPT), Piece(b"")])
    assert sorter.protocols[0] == UNDECIDED


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(HELLO, TLS, 4711), (REQUEST, HTTP, 4711), (QUESTION, DNS, 53)]),
    st.lists(st.integers(1, 60), max_size=12),
    st.lists(st.booleans(), min_size=14, max_size=14),
)
def test_pieces_arrive_whole_and_in_order(what: tuple[bytes, int, int], cuts: list[int], same_batch: list[bool]) -> None:
    content, protocol, port = what
    edges = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    pieces = [Piece(content[a:b], connection=1) for a, b in itertools.pairwise(edges)]
    batches: list[list[Piece]] = [[]]
    for piece, together in zip(pieces, same_batch, strict=False):
        if not together:
            batches.append([])
        batches[-1].append(piece)
    sorter = Sorter(port=port)
    for batch in batches:
        sorter.sort(batch)
    assert sorter.seen == {(protocol, 1, 0): content}
    sorter.sort([])
    assert sorter.held_bytes == 0


def test_tables_grow() -> None:
    sorter = Sorter(connections=900)
    sorter.sort([Piece(HELLO[:3], connection=k) for k in range(900)])
    assert sorter.protocols == [UNDECIDED] * 900
    sorter.sort([Piece(HELLO[3:], connection=k) for k in range(900)])
    assert sorter.seen == {(TLS, k, 0): HELLO for k in range(900)}


def test_too_many_tiny_pieces_are_given_up() -> None:
    sorter = Sorter()
    for _ in range(70):
        sorter.sort([Piece(b"G", marks=0), Piece(b"E", connection=1)])
    assert set(sorter.protocols[:2]) <= {UNKNOWN, UNDECIDED}
    sorter.sort([])
    assert sorter.held_bytes < 70 * 64


def test_a_full_arena_sheds_the_stream() -> None:
    sorter = Sorter(connections=20, arena_bytes=512)
    sorter.sort([Piece(HELLO[:3], connection=k) for k in range(20)])
    assert sorter.protocols.count(UNKNOWN) == 12
    assert sorter.protocols.count(UNDECIDED) == 8


def test_released_rows_hold_nothing_and_know_nothing() -> None:
    sorter = Sorter()
    sorter.sort([Piece(HELLO[:3]), Piece(REQUEST, connection=1), Piece(b"GE", connection=2)])
    assert sorter.held_bytes > 0
    sorter.services.release(np.arange(3))
    assert sorter.held_bytes == 0
    assert sorter.protocols == [UNDECIDED] * 3
