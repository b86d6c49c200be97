"""The kernel's own contract: it stops before a row that does not fit and before a line without an end."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS
from analyzer.messages.tls.key_kernels import read_lines
from analyzer.tables import new_table
from analyzer.tables.tls import KEY

LABELS = np.array([list(b"CLIENT_RANDOM".ljust(32, b"\0"))], np.uint8)
LINE = b"CLIENT_RANDOM " + b"12" * 32 + b" " + b"34" * 48 + b"\n"


def test_stops_before_a_row_that_does_not_fit() -> None:
    text, keys, counts = np.frombuffer(LINE * 2 + LINE[:-1], np.uint8).copy(), new_table(KEY, 1), np.zeros(3, np.int64)
    assert read_lines(text, 0, text.size, LABELS, keys, 0, counts) == (GROW_ROWS, len(LINE), 1)
    assert counts.tolist() == [1, 0, 0]
    more = new_table(KEY, 3)
    assert read_lines(text, len(LINE), text.size, LABELS, more, 1, counts) == (DONE, 2 * len(LINE), 2)
    assert keys[0].random.tobytes() == more[1].random.tobytes() == b"\x12" * 32
    assert keys[0].secret_size == 48
