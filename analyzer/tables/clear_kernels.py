# mypy: allow-untyped-defs
"""Zeroing of rows that leaves alone what is zero already."""

from __future__ import annotations

from analyzer.kernel import kernel


@kernel
def clear_words(words, rows):
    """Zero rows of a table seen as (n, words) int64; rows beyond its end are zero anyway.

    Only rows that are not zero are written: most tables know nothing of most connections, and a page that was never written costs
    no memory.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if row < words.shape[0]:
            line = words[row]
            used = line[0]
            for k in range(1, line.shape[0]):
                used |= line[k]
            if used != 0:
                for k in range(line.shape[0]):
                    line[k] = 0
