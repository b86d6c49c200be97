"""Rows are zeroed, others are not, and rows beyond the end do no harm."""

from __future__ import annotations

import numpy as np

from analyzer.tables import clear_rows, new_table
from analyzer.tables.clear_kernels import clear_words
from analyzer.tables.connections import CONNECTION
from analyzer.tables.services import SERVICE


def test_words_of_the_given_rows_are_zero():
    words = np.arange(12, dtype=np.int64).reshape(4, 3) + 1
    clear_words(words, np.array([1, 3, 9]))
    assert words.tolist() == [[1, 2, 3], [0, 0, 0], [7, 8, 9], [0, 0, 0]]


def test_rows_of_any_size_are_zeroed():
    for row_type in (CONNECTION, SERVICE):  # a multiple of eight bytes, and not
        table = new_table(row_type, 3)
        table.view(np.uint8)[:] = 255
        clear_rows(table, np.array([0, 2, 7]))
        assert [bool(np.ascontiguousarray(table[k : k + 1]).view(np.uint8).any()) for k in range(3)] == [False, True, False]
