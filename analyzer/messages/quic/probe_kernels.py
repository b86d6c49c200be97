# mypy: allow-untyped-defs
"""Is this QUIC? The quick question, asked of one datagram; and the pieces of headers (RFC 8999, RFC 9000 17)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.tables.quic import CID_MAX, HANDSHAKE, INITIAL, RETRY, UNFAMILIAR, ZERO_RTT

VERSION_2 = np.int64(0x6B3343CF)
LARGEST = np.int64(1200)  # RFC 9000 14.1: datagrams with a client's Initial have at least so many bytes


@helper
def is_familiar(version):
    """Versions 1 and 2, and the drafts 23 to 34, which have the same headers."""
    return version == 1 or version == VERSION_2 or 0xFF000017 <= version <= 0xFF000022


@helper
def is_other_version(version):
    """Versions that are not read but known to be QUIC: older drafts, mvfst, Google's with long headers, reserved ones (RFC 9000 15)."""
    if version >> 8 == 0xFF0000 or version >> 4 == 0xFACEB00 or version & 0x0F0F0F0F == 0x0A0A0A0A:
        return True
    return version >> 16 == 0x5130 or version >> 16 == 0x5430 or version == 0x709A50C4  # Q0.., T0.., a draft of version 2


@helper
def kind_of(first, version):
    """Kind of a packet with a long header (RFC 9000 17.2, RFC 9369 3.2)."""
    if not is_familiar(version):
        return np.int64(UNFAMILIAR)
    bits = first >> 4 & 3
    if version == VERSION_2:
        bits = (bits + 3) & 3
    if bits == 0:
        return np.int64(INITIAL)
    if bits == 1:
        return np.int64(ZERO_RTT)
    return np.int64(HANDSHAKE) if bits == 2 else np.int64(RETRY)


@helper
def varint_size(data, at, end):
    """Bytes of a variable-length integer (RFC 9000 16), 0 = it does not fit."""
    first = u8(data, at, end)
    if first < 0:
        return np.int64(0)
    wide = np.int64(1) << (first >> 6)
    return wide if at + wide <= end else np.int64(0)


@helper
def varint(data, at, end):
    """Its value, -1 = it does not fit."""
    wide = varint_size(data, at, end)
    if wide == 0:
        return np.int64(-1)
    value = np.int64(data[at]) & 63
    for k in range(1, wide):
        value = value << 8 | np.int64(data[at + k])
    return value


@helper
def ids_end(data, at, end):
    """Where the two connection ids of a long header at ``at`` end, -1 = they do not fit."""
    first = u8(data, at + 5, end)
    if first < 0:
        return np.int64(-1)
    second = u8(data, at + 6 + first, end)
    stop = at + 7 + first + second
    return stop if second >= 0 and stop <= end else np.int64(-1)


@helper
def looks_like_negotiation(data, at, end):
    """Version negotiation (RFC 9000 17.2.1): a list of versions, one of them known."""
    if end < at or (end - at) & 3 or end - at > 1024:
        return False
    while at + 4 <= end:
        version = be32(data, at, end)
        if is_familiar(version) or is_other_version(version):
            return True
        at += 4
    return False


@helper
def looks_like_quic(data, at, end, a_port, b_port):
    """Whether a datagram begins with a packet of QUIC that has a long header."""
    first, n = u8(data, at, end), end - at
    if first & 0x80 == 0:
        # Google's QUIC up to Q043: a public header with version and an 8-byte connection id
        is_google = n >= 400 and first & 0x09 == 0x09 and be16(data, at + 9, end) == 0x5130
        return is_google and 48 <= u8(data, at + 11, end) <= 57 and 48 <= u8(data, at + 12, end) <= 57
    version, stop = be32(data, at + 1, end), ids_end(data, at, end)
    if version < 0 or n < 21:
        return False
    if version == 0:
        return stop > 0 and looks_like_negotiation(data, stop, end)
    if not is_familiar(version):
        if not is_other_version(version) or n < 25:
            return False
        return version >> 16 == 0x5130 or (stop > 0 and (n >= LARGEST or a_port == 443 or b_port == 443))
    if stop < 0 or u8(data, at + 5, end) > CID_MAX or u8(data, at + 6 + u8(data, at + 5, end), end) > CID_MAX:
        return False
    kind = kind_of(first, version)
    if kind == RETRY:
        return stop + 16 <= end
    if kind == INITIAL:
        token = varint(data, stop, end)
        if token < 0:
            return False
        stop += varint_size(data, stop, end) + token
    return varint(data, stop, end) >= 20  # a packet number and a tag at least (RFC 9001 5.4.2)
