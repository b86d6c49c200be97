# mypy: allow-untyped-defs
r"""Names: from compressed labels to text (RFC 1035 3.1, 4.1.4, 5.1).

Compression pointers must point strictly before the labels they were met in, so a walk cannot loop; a name has at most 255 bytes on
the wire and a limited number of pointers. In text, labels are joined by ``.``; a dot or backslash inside a label is escaped by ``\``,
bytes outside printable ASCII are ``\DDD``; the root is ``.``.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.messages.dns.text_kernels import BACKSLASH, DOT, put, put_ddd

HASH_START = np.int64(0x811C9DC5)


@helper
def hash_byte(h, byte):
    """Mix one byte into a hash of 38 bits; never overflows."""
    return ((h ^ byte) * 16777619) & 0x3FFFFFFFFF


@helper
def read_name(data, message, end, at, text, top, jumps):
    """Write the name at ``at`` as text; (position after it or -1 when it is malformed, new top, hash without case, is plain).

    Plain: neither capitals nor escapes, so that the folded name is the same text.
    """
    start, after, limit, room = top, np.int64(-1), at, np.int64(254)
    h, plain = HASH_START, True
    while at < end:
        size = np.int64(data[at])
        if size == 0:
            if top == start:
                return (at + 1 if after < 0 else after), put(text, top, DOT), h, False
            return (at + 1 if after < 0 else after), top, h, plain
        if size >= 0xC0:
            if at + 2 > end or jumps <= 0:
                break
            target = message + ((size & 0x3F) << 8 | np.int64(data[at + 1]))
            if after < 0:
                after = at + 2
            if target >= limit:
                break
            limit = target
            at = target
            jumps -= 1
            continue
        room -= size + 1
        if size > 63 or at + 1 + size > end or room < 0:
            break
        if top > start:
            top = put(text, top, DOT)
        h = hash_byte(h, size)
        for k in range(at + 1, at + 1 + size):
            byte = np.int64(data[k])
            if byte <= 32 or byte > 126:
                plain = False
                top = put_ddd(text, top, byte)
            else:
                if byte == 46 or byte == 92:
                    plain = False
                    top = put(text, top, BACKSLASH)
                text[top] = byte
                top += 1
                if 65 <= byte <= 90:
                    plain = False
                    byte += 32
            h = hash_byte(h, byte)
        at += size + 1
    return np.int64(-1), start, h, plain


@helper
def fold_name(data, message, at, text, top):
    """Write a name that read_name has accepted in lower case, its bytes as they are (empty for the root); the new top."""
    start = top
    while data[at] != 0:
        size = np.int64(data[at])
        if size >= 0xC0:
            at = message + ((size & 0x3F) << 8 | np.int64(data[at + 1]))
            continue
        if top > start:
            top = put(text, top, DOT)
        for k in range(at + 1, at + 1 + size):
            byte = np.int64(data[k])
            top = put(text, top, byte + 32 if 65 <= byte <= 90 else byte)
        at += size + 1
    return top


@helper
def decode_netbios(data, at, text, top):
    """Write a NetBIOS name (RFC 1001 14.1: a label of 32 letters A to P, two a byte) as Zeek does: padding and suffix left out.

    The new top; nothing is written when the label is not of that form.
    """
    if data[at] != 32:
        return top
    for k in range(at + 1, at + 33):
        if data[k] < 65 or data[k] > 80:
            return top
    start = top
    for k in range(15):  # the sixteenth byte is the suffix: what kind of name it is
        top = put(text, top, (np.int64(data[at + 1 + 2 * k]) - 65) << 4 | (np.int64(data[at + 2 + 2 * k]) - 65))
    while top > start and (text[top - 1] == 32 or text[top - 1] == 0):
        top -= 1
    return top


@helper
def put_netbios(data, at, text, top):
    """Write a NetBIOS name for people: without padding, the suffix in hex behind it; the new top, unmoved when it is not of that form."""
    end = decode_netbios(data, at, text, top)
    if end == top:
        return top
    suffix = (np.int64(data[at + 31]) - 65) << 4 | (np.int64(data[at + 32]) - 65)
    for k in range(top, end):
        if text[k] < 32 or text[k] > 126:
            text[k] = 46
    end = put(text, end, np.int64(60))
    for k in range(2):
        digit = (suffix >> (4 - 4 * k)) & 15
        end = put(text, end, digit + (48 if digit < 10 else 87))
    return put(text, end, np.int64(62))
