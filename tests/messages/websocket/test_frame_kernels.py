"""Sizes of frame headers (the conversations are in test_dissector)."""

from __future__ import annotations

import pytest

from analyzer.messages.websocket.frame_kernels import header_size
from analyzer.tables import new_table
from analyzer.tables.websocket import WEBSOCKET_END


@pytest.mark.parametrize(("second", "size"), [(5, 2), (126, 4), (127, 10), (128 | 5, 6), (128 | 126, 8), (128 | 127, 14)])
def test_header_sizes(second: int, size: int) -> None:
    end = new_table(WEBSOCKET_END, 1)[0]
    assert header_size(end) == 2
    end.have = 2
    end.head[1] = second
    assert header_size(end) == size
