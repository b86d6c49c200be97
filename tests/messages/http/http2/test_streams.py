"""Rows that leave make room: table and text are swept while other connections go on (the conversations are in test_dissector)."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.messages.http.http2.streams import MOST_ALTERNATIVES, Frame, Streams
from analyzer.options import Options
from analyzer.tables.http2 import ALTSVC, END_HEADERS, HEADERS, PREFACE


def test_sweeping_keeps_the_others() -> None:
    streams = Streams(Options(), decodes=False)
    for connection in range(3):
        streams._begin(connection, 0)
        streams._read(Frame(connection, 0, PREFACE, 0, 0, 0, 0, 0, 1, 1, 1, 1), b"")
        for stream in (1, 3):
            block = b"\x82\x04\x02/%d" % connection
            streams._read(Frame(connection, 0, HEADERS, END_HEADERS | 1, 3, stream, 0, len(block), 2, 2, 2, 2), block)
    for connection in (0, 2):
        streams._dead += len(streams._sessions.pop(connection).rows)
    streams._sweep()
    assert (streams._used, streams._dead) == (2, 0)
    session = streams._sessions[1]
    assert (session.rows, session.streams) == ([0, 1], {1: 0, 3: 1})
    rows = streams.exchanges[:2]
    assert [streams.text.data[x.target : x.target + x.target_size].tobytes() for x in rows] == [b"/1", b"/1"]
    assert np.array_equal(rows["stream"], [2, 4])


VALUE = b'h3=":443"'
REQUEST = b"\x82\x84\x87\x41\x06a.test"  # GET, /, https, :authority a.test


def told(*frames: tuple[int, bytes]) -> tuple[bytes, int, int]:
    """Alt-Svc of the first exchange, and time and frame of the ALTSVC frame, after frames (stream, payload); stream 1 + payload "" asks."""
    streams = Streams(Options(), decodes=False)
    streams._begin(0, 0)
    streams._read(Frame(0, 0, PREFACE, 0, 0, 0, 0, 0, 1, 1, 1, 1), b"")
    for at, (stream, payload) in enumerate(frames, 2):
        kind, sender, bits = (ALTSVC, 1, 0) if payload else (HEADERS, 0, END_HEADERS | 1)
        content = payload or REQUEST
        streams._read(Frame(0, sender, kind, bits, 3, stream, 0, len(content), 10 * at, at, 10 * at, at), content)
    x = streams.exchanges[0]
    return streams.text.data[x.alt_svc : x.alt_svc + x.alt_svc_size].tobytes(), int(x.alt_svc_ts), int(x.alt_svc_number)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(1, b""), (1, b"\0\0" + VALUE)], (VALUE, 30, 3)),
        ([(1, b""), (0, b"\0\x0ehttps://a.test" + VALUE)], (VALUE, 30, 3)),
        ([(0, b"\0\x0ehttps://A.test" + VALUE), (1, b"")], (VALUE, 20, 2)),
        ([(0, b"\0\x0ehttps://b.test" + VALUE), (1, b"")], (b"", 0, 0)),
        ([(1, b""), (0, b"\0\0" + VALUE)], (b"", 0, 0)),
        ([(1, b""), (1, b"\0\x0ehttps://a.test" + VALUE)], (b"", 0, 0)),
        ([(1, b""), (3, b"\0\0" + VALUE)], (b"", 0, 0)),
        ([(1, b""), (1, b"\xff\xff" + VALUE)], (b"", 0, 0)),
    ],
)
def test_alternatives(frames: list[tuple[int, bytes]], expected: tuple[bytes, int, int]) -> None:
    assert told(*frames) == expected


def test_a_flood_of_alternatives_is_not_read() -> None:
    other, own = (0, b"\0\x0ehttps://b.test" + VALUE), (1, b"\0\0" + VALUE)
    assert told((1, b""), *[other] * (MOST_ALTERNATIVES - 1), own)[0] == VALUE
    assert told((1, b""), *[other] * MOST_ALTERNATIVES, own)[0] == b""
