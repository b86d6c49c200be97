"""Bursts of many connections: taken in order, forgotten, swept."""

from __future__ import annotations

import numpy as np

from analyzer.messages.tls.bursts import Bursts
from analyzer.tables import Rows, new_table
from analyzer.tables.tls import HANDSHAKE, PROTECTED, TLS_MESSAGE


def records(*told: tuple[int, int]) -> Rows:
    messages = new_table(TLS_MESSAGE, len(told))
    messages.content_type, messages.marks, messages.length = 23, PROTECTED, 500
    messages.connection, messages.sender = [c for c, _ in told], [s for _, s in told]
    return messages


def test_take_and_release() -> None:
    bursts = Bursts(rows=1)
    bursts.read(records((0, 0), (1, 0), (0, 1), (1, 0), (2, 1)), 5, new_table(HANDSHAKE, 3))
    assert bursts.take(np.array([2, 0, 9]))[["connection", "sender", "records"]].tolist() == [(2, 1, 1), (0, 0, 1), (0, 1, 1)]
    bursts.release(np.array([0, 2, 9]))
    assert bursts._top == 1
    bursts.read(records((1, 0), (1, 1), (0, 0)), 3, new_table(HANDSHAKE, 40))
    assert bursts.take(np.array([0, 1]))[["connection", "sender", "records"]].tolist() == [(0, 0, 1), (1, 0, 3), (1, 1, 1)]
    bursts.release(np.array([1, 0]))
    assert len(bursts.take(np.array([0, 1]))) == 0
