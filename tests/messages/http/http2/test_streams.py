"""Rows that leave make room: table and text are swept while other connections go on (the conversations are in test_dissector)."""

from __future__ import annotations

import numpy as np

from analyzer.messages.http.http2.streams import Frame, Streams
from analyzer.options import Options
from analyzer.tables.http2 import END_HEADERS, HEADERS, PREFACE


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
