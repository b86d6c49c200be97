# mypy: allow-untyped-defs
"""Is this TLS? The quick question, asked of the first bytes that either end of a connection sends."""

from __future__ import annotations

from analyzer.kernel import be16, be24, helper, u8

NEED_MORE, NO, YES, MIDSTREAM = -1, 0, 1, 2

MAX_RECORD = (1 << 14) + 2048  # RFC 5246 6.2.3: the longest body of a record


@helper
def is_record_version(version):
    """SSL 3.0 to TLS 1.3 in a record header (RFC 8446 5.1; drafts used these as well)."""
    return 0x0300 <= version <= 0x0304


@helper
def is_ssl2_hello(first, kind, version):
    """A two-byte SSLv2 header (first bit set) before a ClientHello (1) or ServerHello (4): RFC 5246 E.2."""
    return first >= 0x80 and ((kind == 1 and (version == 2 or is_record_version(version))) or (kind == 4 and version <= 1))


@helper
def looks_like_tls(data, at, end):
    """YES, NO, NEED_MORE, or MIDSTREAM: application data, as where a capture began in the middle of a connection.

    Looks at up to 11 bytes from ``at``, which must be the first of a stream (or of a run, for MIDSTREAM).
    """
    kind, version, length = u8(data, at, end), be16(data, at + 1, end), be16(data, at + 3, end)
    if kind < 0:
        return NEED_MORE
    if kind >= 0x80:
        if length < 0:
            return NEED_MORE
        return YES if u8(data, at + 2, end) == 1 and is_ssl2_hello(kind, 1, length) and be16(data, at, end) & 0x7FFF >= 9 else NO
    major = u8(data, at + 1, end)
    if kind < 20 or kind > 23 or (major >= 0 and major != 3):
        return NO
    if version < 0 or length < 0:
        return NEED_MORE
    if not is_record_version(version) or length == 0 or length > MAX_RECORD:
        return NO
    if kind == 23:
        return MIDSTREAM if version != 0x0300 else NO
    first = u8(data, at + 5, end)
    if first < 0:
        return NEED_MORE
    if kind == 20:
        if length != 1 or first != 1:
            return NO
        # a record behind it: the hellos are missing, but nothing else begins so
        return YES if 21 <= u8(data, at + 6, end) <= 23 and is_record_version(be16(data, at + 7, end)) else MIDSTREAM
    if kind == 21:
        return YES if length == 2 and 1 <= first <= 2 else NO
    if first > 2:  # a handshake begins with HelloRequest, ClientHello or ServerHello
        return NO
    size = be24(data, at + 6, end)
    if size < 0 and length >= 4:
        return NEED_MORE
    return YES if (first == 0 and size == 0) or size >= 38 or length < 4 else NO
