# mypy: allow-untyped-defs
"""Zeroing of rows that leaves alone what is zero already."""

from __future__ import annotations

from analyzer.kernel import kernel


@kernel
def clear_words(words, rows):
    """Zero rows of a table seen as (n, words) int64; rows beyond its end are zero anyway.

    Only what is not zero is written: most tables know nothing of most connections, and a page that was never written costs no memory.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if row < words.shape[0]:
            for k in range(words.shape[1]):
                if words[row, k] != 0:
                    words[row, k] = 0
