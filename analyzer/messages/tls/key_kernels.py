# mypy: allow-untyped-defs
"""Lines of an NSS key log to KEY rows."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel

RANDOM_SIZE, SECRET_MIN, SECRET_MAX = np.int64(32), np.int64(32), np.int64(64)
# places in ``counts``
LINES, GARBAGE, OTHERS = 0, 1, 2


@helper
def hex_digit(byte):
    """Value of a hexadecimal digit, -1 = it is none."""
    if 48 <= byte <= 57:
        return byte - 48
    lower = byte | 32
    return lower - 87 if 97 <= lower <= 102 else np.int64(-1)


@helper
def take_hex(text, at, end, target, limit):
    """Bytes in hexadecimal at ``at`` into ``target``: (position after them, bytes; -1 = more than ``limit``, or half a byte)."""
    size = np.int64(0)
    while at < end:
        high = hex_digit(np.int64(text[at]))
        if high < 0:
            break
        low = hex_digit(np.int64(text[at + 1])) if at + 1 < end else np.int64(-1)
        if low < 0 or size == limit:
            return at, np.int64(-1)
        target[size] = high << 4 | low
        size += 1
        at += 2
    return at, size


@helper
def find_label(text, at, end, labels):
    """Row of ``labels`` (padded with zeros) that the word at ``at`` is, -1 = none of them."""
    for row in range(labels.shape[0]):
        i = np.int64(0)
        while i < labels.shape[1] and at + i < end and labels[row, i] != 0 and text[at + i] == labels[row, i]:
            i += 1
        is_whole = i == labels.shape[1] or labels[row, i] == 0
        if is_whole and at + i < end and text[at + i] == 32:
            return np.int64(row)
    return np.int64(-1)


@helper
def is_word(text, at, end):
    """Whether a label that is not known stands at ``at``: capital letters, digits and underscores, then a space."""
    start = at
    while at < end and (65 <= text[at] <= 90 or 48 <= text[at] <= 57 or text[at] == 95):
        at += 1
    return start < at < end and text[at] == 32


@helper
def read_line(text, at, end, labels, key, counts):
    """One line without its end; whether it filled ``key``."""
    while end > at and (text[end - 1] == 13 or text[end - 1] == 32):
        end -= 1
    if at == end or text[at] == 35:
        return False
    counts[LINES] += 1
    label = find_label(text, at, end, labels)
    if label < 0:
        counts[OTHERS if is_word(text, at, end) else GARBAGE] += 1
        return False
    while text[at] != 32:
        at += 1
    at, size = take_hex(text, at + 1, end, key.random, RANDOM_SIZE)
    if size == RANDOM_SIZE and at < end and text[at] == 32:
        at, size = take_hex(text, at + 1, end, key.secret, SECRET_MAX)
        if at == end and size >= SECRET_MIN:
            key.label = label
            key.secret_size = size
            return True
    counts[GARBAGE] += 1
    return False


@kernel
def read_lines(text, at, end, labels, keys, used, counts):
    """The whole lines of text[at:end] to KEY rows from ``used`` on; (status, position after the lines read, rows used).

    ``counts`` (int64): [0] lines that are neither empty nor comments, [1] those that are no key log lines, [2] those of other labels.
    """
    while at < end:
        stop = at
        while stop < end and text[stop] != 10:
            stop += 1
        if stop == end:
            return DONE, at, used
        if used == keys.shape[0]:
            return GROW_ROWS, at, used
        if read_line(text, at, stop, labels, keys[used], counts):
            used += 1
        at = stop + 1
    return DONE, at, used
