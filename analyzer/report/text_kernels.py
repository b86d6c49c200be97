# mypy: allow-untyped-defs
r"""Bytes from the network and addresses as text that is safe to show: valid UTF-8, nothing that moves a cursor or turns a line around.

A byte that is no part of a valid UTF-8 character (RFC 3629 4) or belongs to a character that controls is written as ``\xHH``: C0 and C1
controls, DEL, the line and paragraph separators, and the marks that change the direction of writing. A backslash stays as it is, so
that text which needs no escape is the text that was sent.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel, u8

ADDRESS_WIDTH = 45  # "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"


@helper
def is_steering(lead, second, third):
    """Whether a valid character of two (``third`` -1) or three bytes steers: C1, U+061C, U+200E-F, U+2028-E, U+2066-9, U+FEFF."""
    if lead == 0xC2:
        return second < 0xA0
    if lead == 0xD8:
        return second == 0x9C
    if lead == 0xE2 and second == 0x80:
        return third == 0x8E or third == 0x8F or 0xA8 <= third <= 0xAE
    if lead == 0xE2 and second == 0x81:
        return 0xA6 <= third <= 0xA9
    return lead == 0xEF and second == 0xBB and third == 0xBF


@helper
def is_tail(byte):
    """Whether a byte continues a character (10xxxxxx); -1 does not."""
    return 0x80 <= byte <= 0xBF


@helper
def long_character(data, at, end, lead):
    """Bytes of the character of two to four bytes that begins at ``at``, 0 when its first byte has to be escaped (RFC 3629 4)."""
    second = u8(data, at + 1, end)
    if lead < 0xC2 or lead > 0xF4 or not is_tail(second):
        return 0
    if lead < 0xE0:
        return 0 if is_steering(lead, second, -1) else 2
    third = u8(data, at + 2, end)
    if not is_tail(third):
        return 0
    if lead < 0xF0:
        if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F) or is_steering(lead, second, third):
            return 0
        return 3
    if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F) or not is_tail(u8(data, at + 3, end)):
        return 0
    return 4


@kernel
def measure_text(data, positions, sizes, ends):
    """Where each span ends once it is escaped: ``ends`` (n + 1) begins with 0."""
    top = np.int64(0)
    ends[0] = 0
    for i in range(positions.shape[0]):
        at = positions[i]
        end = at + sizes[i]
        while at < end:
            byte = np.int64(data[at])
            width = 1
            if byte < 0x20 or byte == 0x7F:
                top += 4
            elif byte < 0x80:
                top += 1
            else:
                width = long_character(data, at, end, byte)
                top += 4 if width == 0 else width
                width = max(width, 1)
            at += width
        ends[i + 1] = top


@kernel
def write_text(data, positions, sizes, ends, out):
    """Write each span, escaped, to ``out``, which has the size that ``measure_text`` found."""
    for i in range(positions.shape[0]):
        at = positions[i]
        end = at + sizes[i]
        top = ends[i]
        if ends[i + 1] - top == sizes[i]:
            for k in range(sizes[i]):
                out[top + k] = data[at + k]
            continue
        while at < end:
            byte = np.int64(data[at])
            width = 1
            if byte < 0x20 or byte == 0x7F:
                width = 0
            elif byte >= 0x80:
                width = long_character(data, at, end, byte)
            if width == 0:
                out[top] = 0x5C
                out[top + 1] = 0x78
                out[top + 2] = hex_digit(byte >> 4)
                out[top + 3] = hex_digit(byte & 15)
                top += 4
                at += 1
            for k in range(width):
                out[top + k] = data[at + k]
            top += width
            at += width


@helper
def hex_digit(value):
    """Lower-case hexadecimal digit of 0 .. 15, as ASCII."""
    return value + 48 if value < 10 else value + 87


@helper
def put_dotted(out, top, address):
    """Write the 32 bits of an IPv4 address; the new top."""
    for k in range(4):
        byte = (address >> (24 - 8 * k)) & 255
        if k > 0:
            out[top] = 0x2E
            top += 1
        if byte >= 100:
            out[top] = 48 + byte // 100
            top += 1
        if byte >= 10:
            out[top] = 48 + byte // 10 % 10
            top += 1
        out[top] = 48 + byte % 10
        top += 1
    return top


@helper
def group_of(hi, lo, k):
    """Group ``k`` (0 .. 7) of an IPv6 address."""
    word = hi if k < 4 else lo
    return np.int64((word >> np.uint64(48 - 16 * (k & 3))) & np.uint64(0xFFFF))


@helper
def longest_zeros(hi, lo, groups):
    """First group and length of the longest run of zero groups, the first of equals; length 0 when none has two (RFC 5952 4.2)."""
    best, length, run = 0, 1, 0
    for k in range(groups):
        run = run + 1 if group_of(hi, lo, k) == 0 else 0
        if run > length:
            best, length = k + 1 - run, run
    return best, (length if length > 1 else 0)


@helper
def put_ipv6(out, top, hi, lo):
    """Write an IPv6 address (RFC 5952 4; IPv4-mapped ones in mixed notation, 5); the new top."""
    is_mapped = hi == np.uint64(0) and (lo >> np.uint64(32)) == np.uint64(0xFFFF)
    groups = 6 if is_mapped else 8
    first, length = longest_zeros(hi, lo, groups)
    k = 0
    while k < groups:
        if length > 0 and k == first:
            out[top] = 0x3A
            out[top + 1] = 0x3A
            top += 2
            k += length
            continue
        if k > 0 and k != first + length:
            out[top] = 0x3A
            top += 1
        elif k > 0 and length == 0:
            out[top] = 0x3A
            top += 1
        group = group_of(hi, lo, k)
        shown = False
        for shift in range(12, -4, -4):
            digit = (group >> shift) & 15
            if digit != 0 or shown or shift == 0:
                out[top] = hex_digit(digit)
                top += 1
                shown = True
        k += 1
    if is_mapped:
        out[top] = 0x3A
        top = put_dotted(out, top + 1, np.int64(lo & np.uint64(0xFFFFFFFF)))
    return top


@kernel
def write_addresses(hi, lo, versions, ends, out):
    """Write addresses (version 4, 6, or anything else for none) to ``out`` of ADDRESS_WIDTH bytes a row; ``ends`` (n + 1) begins with 0."""
    top = np.int64(0)
    ends[0] = 0
    for i in range(hi.shape[0]):
        if versions[i] == 4:
            top = put_dotted(out, top, np.int64(lo[i] & np.uint64(0xFFFFFFFF)))
        elif versions[i] == 6:
            top = put_ipv6(out, top, hi[i], lo[i])
        ends[i + 1] = top
    return top
