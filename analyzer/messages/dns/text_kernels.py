# mypy: allow-untyped-defs
"""Writing text: decimal numbers, hex, base64, addresses, quoted strings, type names and times in the forms of zone files.

Each helper writes at ``text[top]`` and returns the new top; the caller has made sure of the room.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper
from analyzer.registries.dns import RR_TYPES

# A literal argument makes Numba compile the helper once more for that very number; an np.int64 does not.
QUOTE, COMMA, DASH, DOT, COLON, SPACE = np.int64(34), np.int64(44), np.int64(45), np.int64(46), np.int64(58), np.int64(32)
GREATER, BACKSLASH = np.int64(62), np.int64(92)
TWO, FOUR = np.int64(2), np.int64(4)

_HEX = np.array(list(b"0123456789abcdef"), np.uint8)
_BASE64 = np.array(list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), np.uint8)
_NAMED = [code for code in sorted(RR_TYPES) if code < 512]
_TYPE_TEXT = np.array(list("".join(RR_TYPES[code] for code in _NAMED).encode()), np.uint8)
_TYPE_ENDS = np.zeros(513, np.int64)  # the name of type t is _TYPE_TEXT[_TYPE_ENDS[t] : _TYPE_ENDS[t + 1]], empty when unassigned
for _code in range(512):
    _TYPE_ENDS[_code + 1] = _TYPE_ENDS[_code] + len(RR_TYPES.get(_code, ""))


@helper
def put(text, top, byte):
    """One byte."""
    text[top] = byte
    return top + 1


@helper
def put_bytes(text, top, data, at, end):
    """Bytes as they are."""
    for k in range(at, end):
        text[top] = data[k]
        top += 1
    return top


@helper
def put_decimal(text, top, value):
    """A number that is not negative."""
    digits = 1
    power = 10
    while power <= value:
        power *= 10
        digits += 1
    rest = value
    for k in range(digits):
        text[top + digits - 1 - k] = 48 + rest % 10
        rest //= 10
    return top + digits


@helper
def put_hex(text, top, data, at, end):
    """Bytes as two lower-case hex digits each."""
    for k in range(at, end):
        byte = np.int64(data[k])
        text[top] = _HEX[byte >> 4]
        text[top + 1] = _HEX[byte & 15]
        top += 2
    return top


@helper
def put_base64(text, top, data, at, end):
    """Bytes in base64 with padding (RFC 4648 4)."""
    while at < end:
        left = min(3, end - at)
        word = np.int64(data[at]) << 16
        if left > 1:
            word |= np.int64(data[at + 1]) << 8
        if left > 2:
            word |= np.int64(data[at + 2])
        for k in range(4):
            text[top + k] = 61 if k > left else _BASE64[(word >> (18 - 6 * k)) & 63]
        top += 4
        at += 3
    return top


@helper
def put_ddd(text, top, byte):
    r"""A byte as ``\DDD`` (RFC 1035 5.1)."""
    text[top] = 92
    text[top + 1] = 48 + byte // 100
    text[top + 2] = 48 + byte // 10 % 10
    text[top + 3] = 48 + byte % 10
    return top + 4


@helper
def put_quoted(text, top, data, at, end):
    r"""A character string in quotes; ``"`` and ``\`` escaped, bytes that cannot be printed as ``\DDD``."""
    top = put(text, top, QUOTE)
    for k in range(at, end):
        byte = np.int64(data[k])
        if byte < 32 or byte > 126:
            top = put_ddd(text, top, byte)
        else:
            if byte == 34 or byte == 92:
                top = put(text, top, BACKSLASH)
            top = put(text, top, byte)
    return put(text, top, QUOTE)


@helper
def put_unknown(text, top, data, at, end):
    r"""Data of an unknown type: ``\# length hex`` (RFC 3597 5)."""
    text[top] = 92
    text[top + 1] = 35
    text[top + 2] = 32
    top = put_decimal(text, top + 3, end - at)
    if end > at:
        top = put_hex(text, put(text, top, SPACE), data, at, end)
    return top


@helper
def put_ipv4(text, top, data, at):
    """An IPv4 address; the caller has checked that its four bytes are there."""
    for k in range(4):
        if k > 0:
            top = put(text, top, DOT)
        top = put_decimal(text, top, np.int64(data[at + k]))
    return top


@helper
def put_group(text, top, value):
    """A 16-bit number in hex without leading zeros."""
    shift = 12
    while shift > 0 and value >> shift == 0:
        shift -= 4
    while shift >= 0:
        top = put(text, top, np.int64(_HEX[(value >> shift) & 15]))
        shift -= 4
    return top


@helper
def put_ipv6(text, top, data, at):
    """An IPv6 address as RFC 5952 has it; the caller has checked that its sixteen bytes are there."""
    best, best_groups, run = 8, 1, 0
    for k in range(8):
        run = run + 1 if be16(data, at + 2 * k, at + 16) == 0 else 0
        if run > best_groups:
            best, best_groups = k + 1 - run, run
    if best == 0 and be16(data, at + 10, at + 16) == 0xFFFF and best_groups == 5:  # ::ffff:a.b.c.d
        for k in range(7):
            text[top + k] = 58 if k < 2 or k == 6 else 102
        return put_ipv4(text, top + 7, data, at + 12)
    k = 0
    while k < 8:
        if k == best:
            text[top] = 58
            text[top + 1] = 58
            top += 2
            k += best_groups
            continue
        if k > 0 and k != best + best_groups:
            top = put(text, top, COLON)
        top = put_group(text, top, be16(data, at + 2 * k, at + 16))
        k += 1
    return top


@helper
def put_type(text, top, code):
    """The name of a type; ``TYPE65280`` when unassigned."""
    if code < 512 and _TYPE_ENDS[code + 1] > _TYPE_ENDS[code]:
        return put_bytes(text, top, _TYPE_TEXT, _TYPE_ENDS[code], _TYPE_ENDS[code + 1])
    text[top] = 84
    text[top + 1] = 89
    text[top + 2] = 80
    text[top + 3] = 69
    return put_decimal(text, top + 4, code)


@helper
def put_padded(text, top, value, digits):
    """A number with leading zeros."""
    for k in range(digits):
        text[top + digits - 1 - k] = 48 + value % 10
        value //= 10
    return top + digits


@helper
def put_time(text, top, seconds):
    """Seconds since 1970 as YYYYMMDDHHMMSS (RFC 4034 3.2); the civil calendar by counting years from March."""
    days = seconds // 86400 + 719468
    era = days // 146097
    day = days - era * 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (1 if month <= 2 else 0)
    top = put_padded(text, top, year, FOUR)
    top = put_padded(text, top, month, TWO)
    top = put_padded(text, top, day + 1, TWO)
    rest = seconds % 86400
    top = put_padded(text, top, rest // 3600, TWO)
    top = put_padded(text, top, rest // 60 % 60, TWO)
    return put_padded(text, top, rest % 60, TWO)
