"""A connection before anything was said."""

from __future__ import annotations

from analyzer.messages.http.http2.field_blocks import FieldBlocks
from analyzer.messages.http.http2.session import FIRST_WINDOW, Session


def test_sessions_share_nothing() -> None:
    a, b = (Session(row, 0, (FieldBlocks(1, 1), FieldBlocks(1, 1))) for row in range(2))
    a.streams[1] = 5
    a.first_windows[0] = 9
    assert (b.streams, b.first_windows, b.is_partial) == ({}, [FIRST_WINDOW, FIRST_WINDOW], True)
