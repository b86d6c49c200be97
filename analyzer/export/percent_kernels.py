# mypy: allow-untyped-defs
"""Percent-encoding taken out of URIs as Zeek does for http.log."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel


@helper
def hex_value(byte):
    """Value of a hexadecimal digit, -1 for any other byte."""
    if 48 <= byte <= 57:
        return byte - 48
    if 65 <= byte <= 70:
        return byte - 55
    if 97 <= byte <= 102:
        return byte - 87
    return -1


@kernel
def decode_percent(content, ends, positions, sizes, out):
    """Each text with ``%HH`` (RFC 3986 2.1) as the byte it means; any other ``%`` stays. ``out`` is as long as the texts together."""
    top = np.int64(0)
    for i in range(positions.shape[0]):
        at, end = ends[i], ends[i + 1]
        positions[i] = top
        while at < end:
            byte = np.int64(content[at])
            if byte == 0x25 and at + 2 < end:
                high, low = hex_value(np.int64(content[at + 1])), hex_value(np.int64(content[at + 2]))
                if high >= 0 and low >= 0:
                    byte = high << 4 | low
                    at += 2
            out[top] = byte
            top += 1
            at += 1
        sizes[i] = top - positions[i]
    return top
