"""Pieces of streams to exchanges: requests at once, sections that wait, trailers, resets, missing bytes, nonsense."""

from __future__ import annotations

import numpy as np
import pylsqpack
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import Memory
from analyzer.messages.http.http3 import Http3
from analyzer.options import Options
from analyzer.tables import Rows, new_table
from analyzer.tables.http import HTTP_ERRORS
from analyzer.tables.quic import PIECE_ENDS, PIECE_RESETS, PIECE_STOPS, QUIC_PIECE
from tests.messages.http.http3.test_frames import frame
from tests.messages.quic.builders import varint

ASK = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"www.example.org"), (b":path", b"/a"), (b"user-agent", b"u" * 40)]
ANSWER = [(b":status", b"200"), (b"server", b"srv"), (b"content-type", b"text/html"), (b"x-long", b"l" * 60)]


class Talk:
    """Pieces of both ends, one connection in row 3 whose client is sender 1."""

    def __init__(self, options: Options | None = None) -> None:
        self.memory = Memory(1 << 16, 1, 1 << 16)
        self.http = Http3(self.memory, options or Options())
        self.pieces: list[tuple[int, int, int, int, int, bytes]] = []
        self.encoders = [pylsqpack.Encoder(), pylsqpack.Encoder()]

    def say(self, role: int, stream: int, content: bytes, marks: int = 0, gap: int = 0, code: int = 0) -> Talk:
        self.pieces.append((role, stream, marks, gap, code, content))
        return self

    def section(self, role: int, stream: int, fields: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
        """(instructions, HEADERS frame)."""
        told, section = self.encoders[role].encode(stream, fields)
        return told, frame(1, section)

    def read(self, cuts: int = 1 << 20) -> Rows:
        table, at = new_table(QUIC_PIECE, 0), 0
        rows = []
        for k, (role, stream, marks, gap, code, content) in enumerate(self.pieces, 1):
            for start in range(0, max(len(content), 1), cuts):
                part = content[start : start + cuts]
                is_last = start + cuts >= len(content)
                rows.append((role, stream, marks if is_last else 0, gap if start == 0 else 0, code, at, len(part), k))
                self.memory.data[at : at + len(part)] = np.frombuffer(part, np.uint8)
                at += len(part)
        table = new_table(QUIC_PIECE, len(rows))
        for row, (role, stream, marks, gap, code, position, size, number) in zip(table, rows, strict=True):
            row.connection, row.role, row.sender, row.stream, row.marks, row.gap, row.code = 3, role, 1 - role, stream, marks, gap, code
            row.position, row.piece_size, row.number, row.ts = position, size, number, 1000 * number
        self.http.process_pieces(table)
        return self.http.take(np.array([3]))

    def text(self, row: np.record, name: str) -> str:
        return self.http.text.data[row[name] : row[name] + row[f"{name}_size"]].tobytes().decode()


def simple(cuts: int = 1 << 20) -> tuple[Talk, Rows]:
    talk = Talk(Options(keep_heads=True))
    talk.say(0, 0, talk.section(0, 0, ASK)[1] + frame(0, b"body"), PIECE_ENDS)
    talk.say(1, 0, talk.section(1, 0, [(b":status", b"103")])[1] + talk.section(1, 0, ANSWER)[1])
    talk.say(1, 0, frame(0, b"x" * 700))
    talk.say(1, 0, talk.section(1, 0, [(b"grpc-status", b"5")])[1], PIECE_ENDS)
    return talk, talk.read(cuts)


def test_one_exchange() -> None:
    talk, (x,) = simple()
    assert [talk.text(x, name) for name in ("method", "host", "target", "server")] == ["GET", "www.example.org", "/a", "srv"]
    assert (x.status, x.info_status, x.version, x.stream, x.client, x.index) == (200, 103, 30, 1, 1, 1)
    assert (x.request_body_bytes, x.response_body_bytes, x.grpc_status) == (4, 700, 6)
    assert (x.request_first_number, x.request_last_number, x.response_first_number, x.response_last_number) == (1, 1, 2, 4)
    assert (x.request_complete, x.response_complete, x.error) == (1, 1, 0)
    assert (
        talk.text(x, "response_head")
        == ":status: 200\r\nserver: srv\r\ncontent-type: text/html\r\nx-long: " + "l" * 60 + "\r\ngrpc-status: 5\r\n"
    )


def test_pieces_of_one_byte() -> None:
    _, (whole,) = simple()
    _, (parts,) = simple(1)
    assert whole.tobytes() == parts.tobytes()


def settings_stream(capacity: int) -> bytes:
    return varint(0) + frame(4, varint(1) + varint(capacity))


def test_sections_wait_for_the_table() -> None:
    talk = Talk()
    other = pylsqpack.Encoder()
    start = other.apply_settings(4096, 100)
    told, section = other.encode(0, ANSWER)
    more, again = other.encode(4, ANSWER)
    talk.say(0, 2, settings_stream(4096))
    talk.say(0, 0, talk.section(0, 0, ASK)[1], PIECE_ENDS).say(0, 4, talk.section(0, 4, ASK)[1], PIECE_ENDS)
    talk.say(1, 4, frame(1, again) + frame(0, b"later"), PIECE_ENDS)
    talk.say(1, 3, varint(2) + start + told + more)
    talk.say(1, 0, frame(1, section), PIECE_ENDS)
    rows = talk.read()
    assert [(x.status, talk.text(x, "server"), x.error) for x in rows] == [(200, "srv", 0)] * 2
    assert rows[1].response_first_number == 4


def test_resets_and_nonsense() -> None:
    talk = Talk()
    talk.say(0, 0, talk.section(0, 0, ASK)[1], PIECE_ENDS).say(0, 0, b"", PIECE_STOPS, 0, 0x10C).say(1, 0, b"", PIECE_RESETS, 0, 0x10C)
    talk.say(0, 4, frame(4, b"")).say(0, 8, frame(1, b"\xff" * 30)).say(0, 12, frame(0, bytes(50))[:20]).say(0, 12, b"?", 0, 60)
    talk.say(1, 7, b"\x01push").say(0, 2, b"", 0, 5).say(1, 1, b"server's own").say(1, 16, b"", PIECE_RESETS)
    rows = talk.read()
    assert [(x.reset_by, x.reset_code, HTTP_ERRORS[x.error][0]) for x in rows] == [
        (1, 0x10C, "none"),
        (0, 0, "bad_frame"),
        (0, 0, "bad_field_block"),
        (0, 0, "gap_in_framing"),
    ]
    assert rows[3].request_missing_bytes == 60
    assert talk.http.anomalies == {"bad_frame": 1, "bad_field_block": 1, "gap_in_framing": 1}


def test_rows_leave() -> None:
    talk, _ = simple()
    talk.http.release(np.array([3]))
    assert len(talk.http.take(np.array([3]))) == 0
    talk.pieces = talk.pieces[:1]
    assert len(talk.read()) == 1


def test_too_many_streams() -> None:
    talk = Talk(Options())
    talk.http._limits = Options().limits.__class__(http2_streams=5)
    for k in range(8):
        talk.say(0, 4 * k, talk.section(0, 4 * k, ASK)[1])
    assert len(talk.read()) == 8
    assert talk.http.anomalies == {"too_many_streams": 3}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.binary(max_size=40), st.integers(0, 7), st.integers(0, 3)), max_size=8))
@settings(max_examples=60)
def test_any_bytes(pieces: list[tuple[int, int, bytes, int, int]]) -> None:
    talk = Talk()
    for role, stream, content, marks, gap in pieces:
        talk.say(role, stream, content, marks, gap)
    talk.read()
