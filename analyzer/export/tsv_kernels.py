# mypy: allow-untyped-defs
"""Columns to lines of Zeek's tab-separated logs; see ``row_kernels`` for what a column is."""

from __future__ import annotations

import numpy as np

from analyzer.export.row_kernels import EPOCH, NULL, REALS, SECONDS, STRING, STRINGS, TRUTH, WHOLES, put_decimal, put_whole
from analyzer.kernel import helper, kernel

EMPTY = 0x2865_6D70_7479_29  # "(empty)"
EMPTY_WIDTH = 7


@helper
def put_empty(out, top):
    """Write ``(empty)``; the new top."""
    for k in range(EMPTY_WIDTH):
        out[top + k] = (EMPTY >> (8 * (EMPTY_WIDTH - 1 - k))) & 255
    return top + EMPTY_WIDTH


@helper
def put_hex(out, top, byte):
    r"""Write ``\xHH``; the new top."""
    out[top] = 0x5C
    out[top + 1] = 0x78
    for k in range(2):
        digit = (byte >> (4 - 4 * k)) & 15
        out[top + 2 + k] = digit + 48 if digit < 10 else digit + 87
    return top + 4


@helper
def is_reserved(content, at, end):
    """Whether a text is what stands for nothing: ``-`` or ``(empty)``."""
    if end - at == 1:
        return content[at] == 0x2D
    if end - at != EMPTY_WIDTH:
        return False
    differing = np.int64(0)
    for k in range(EMPTY_WIDTH):
        differing |= np.int64(content[at + k]) ^ ((EMPTY >> (8 * (EMPTY_WIDTH - 1 - k))) & 255)
    return differing == 0


@helper
def put_tsv_string(out, top, content, at, end, in_list):
    """Write a text: what separates fields, or elements in a list, and what stands for nothing, as hex; the new top."""
    if at == end:
        return put_empty(out, top)
    if is_reserved(content, at, end):
        top = put_hex(out, top, np.int64(content[at]))
        at += 1
    for k in range(at, end):
        byte = np.int64(content[k])
        if byte < 0x20 or byte == 0x7F or (in_list and byte == 0x2C):
            top = put_hex(out, top, byte)
        else:
            out[top] = byte
            top += 1
    return top


@helper
def put_tsv_list(out, top, kind, content, ends, numbers, first, count):
    """Write a set or vector; the new top."""
    if count == 0:
        return put_empty(out, top)
    for k in range(count):
        if k > 0:
            out[top] = 0x2C
            top += 1
        if kind == STRINGS:
            top = put_tsv_string(out, top, content, ends[first + k], ends[first + k + 1], True)
        elif kind == REALS:
            top = put_decimal(out, top, numbers[first + k] * 1_000_000, 6, 6)
        else:
            top = put_whole(out, top, numbers[first + k])
    return top


@kernel
def write_tsv(kinds, values, lengths, ends, content, numbers, out):
    """Lines of Zeek's logs, ``-`` where absent; the bytes written."""
    top = np.int64(0)
    for i in range(values.shape[1]):
        for c in range(kinds.shape[0]):
            if c > 0:
                out[top] = 0x09
                top += 1
            value = values[c, i]
            kind = kinds[c]
            if value == NULL:
                out[top] = 0x2D
                top += 1
            elif kind == STRING:
                top = put_tsv_string(out, top, content, ends[value], ends[value + 1], False)
            elif kind in (STRINGS, WHOLES, REALS):
                top = put_tsv_list(out, top, kind, content, ends, numbers, value, lengths[c, i])
            elif kind == TRUTH:
                out[top] = 0x54 if value != 0 else 0x46
                top += 1
            elif kind in (EPOCH, SECONDS):
                top = put_decimal(out, top, (value // 500 + 1) // 2, 6, 6)
            else:
                top = put_whole(out, top, value)
        out[top] = 0x0A
        top += 1
    return top
