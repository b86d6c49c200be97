"""Sequence numbers and stream offsets."""

from __future__ import annotations

import pytest

from analyzer.streams.kernels import unwrap
from analyzer.tables import new_table
from analyzer.tables.streams import STREAM


@pytest.mark.parametrize("highest", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, (5 << 32) + 17])
@pytest.mark.parametrize("start_seq", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("distance", [0, 1, -1, (1 << 31) - 1, -(1 << 31)])
def test_unwrap_finds_the_nearest_offset(highest, start_seq, distance):
    stream = new_table(STREAM, 1)[0]
    stream.next, stream.highest, stream.start_seq = highest // 2, highest, start_seq
    assert unwrap(stream, (start_seq + highest + distance) % (1 << 32)) == highest + distance
