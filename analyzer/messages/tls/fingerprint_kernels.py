# mypy: allow-untyped-defs
"""JA3, JA3S and JA4 of a hello whose parts are in ``found`` (see hello_kernels).

A fingerprint's raw form is written behind the top of the text (the caller made room), hashed, and forgotten. A bounded table keeps
the distinct raw forms with their digests: it gives raw forms for display and spares most of the hashing. In the same table stand the
bytes of ClientHellos that all this depends on, with both fingerprints: most clients send the same again and again. When the table is
full the digest is computed each time; the result is the same.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_TEXT, be16, helper, kernel, u8
from analyzer.messages.tls.digest_kernels import add_distinct, find_distinct, hash_bytes, md5, sha256_12
from analyzer.messages.tls.hello_kernels import (
    ALPN,
    EXTENSION_LIST,
    FORMATS,
    FOUND_SIZE,
    GROUPS,
    ONE,
    SCHEMES,
    SERVER_NAME,
    SUITES,
    TWO,
    find_client_parts,
    find_server_parts,
    is_grease,
    is_retry_random,
    list_span,
    put_decimal,
    put_decimals,
)
from analyzer.tables.tls import NO_RECORD, SSL2

JA3, JA3S, JA4_SUITES, JA4_EXTENSIONS, CLIENT = np.int64(1), np.int64(2), np.int64(3), np.int64(4), np.int64(5)  # DISTINCT.kind
CLIENT_OF_QUIC = np.int64(6)
JA3_SIZE, JA4_SIZE = 32, 36


@helper
def put_digest(kind, text, at, size, top, table, slots, store, state, work):
    """Digest of the raw form text[at : at + size] at ``top``: MD5 for JA3, 12 digits of SHA-256 for JA4; the new top."""
    key = hash_bytes(text, at, size, kind)
    row = find_distinct(table, slots, store, text, at, size, kind, key)
    width = 32 if kind <= JA3S else 12
    if row >= 0:
        for k in range(width):
            text[top + k] = table[row].digest[k]
        return top + width
    if width == 32:
        md5(text, at, size, text, top, work)
    else:
        sha256_12(text, at, size, text, top, work)
    # browsers shuffle their extensions, so that nearly every JA3 is new: the last quarter of the table is kept for JA4
    limit = table.shape[0] - table.shape[0] // 4 if kind <= JA3S else table.shape[0]
    if state[0] < limit and state[1] + size <= store.size:
        new = table[add_distinct(table, slots, store, state, text, at, size, kind, key, -1 - row)]
        new.digest_size = width
        for k in range(width):
            new.digest[k] = text[top + k]
    return top + width


@helper
def put_extensions(data, found, text, top):
    """Types of all extensions in wire order, decimal, joined by '-', GREASE left out; the new top."""
    at, end = found[2 * EXTENSION_LIST], found[2 * EXTENSION_LIST + 1]
    start = top
    while at < end:
        kind = be16(data, at, end)
        if not is_grease(kind):
            if top > start:
                text[top] = 45
                top += 1
            top = put_decimal(text, top, kind)
        at += 4 + be16(data, at + 2, end)
    return top


@helper
def put_ja3_raw(data, version, found, text, top):
    """``version,suites,extensions,groups,point formats``; the new top."""
    top = put_decimal(text, top, version)
    text[top] = 44
    top = put_decimals(data, found[2 * SUITES], found[2 * SUITES + 1], text, top + 1)
    text[top] = 44
    top = put_extensions(data, found, text, top + 1)
    text[top] = 44
    at, end = list_span(data, GROUPS, TWO, found)
    top = put_decimals(data, at, end, text, top + 1)
    text[top] = 44
    top += 1
    at, end = list_span(data, FORMATS, ONE, found)
    start = top
    for i in range(at, end):
        if top > start:
            text[top] = 45
            top += 1
        top = put_decimal(text, top, u8(data, i, end))
    return top


@helper
def put_ja3s_raw(data, version, found, text, top):
    """``version,suite,extensions``; the new top."""
    top = put_decimal(text, top, version)
    text[top] = 44
    top = put_decimal(text, top + 1, be16(data, found[2 * SUITES], found[2 * SUITES + 1]))
    text[top] = 44
    return put_extensions(data, found, text, top + 1)


@helper
def sort_codes(codes, count):
    """Shell sort in place: short lists mostly, and no hostile list of 32 thousand codes takes long."""
    gap = 1
    while gap < count:
        gap = 3 * gap + 1
    while gap > 1:
        gap //= 3
        for i in range(gap, count):
            value, j = codes[i], int(i)
            while j >= gap and codes[j - gap] > value:
                codes[j] = codes[j - gap]
                j -= gap
            codes[j] = value


@helper
def put_codes(codes, count, text, top):
    """Four-digit hex codes joined by ','; the new top."""
    for i in range(count):
        if i > 0:
            text[top] = 44
            top += 1
        for k in range(4):
            digit = (codes[i] >> (12 - 4 * k)) & 15
            text[top + k] = digit + 48 if digit < 10 else digit + 87
        top += 4
    return top


@helper
def collect(data, at, end, codes):
    """The two-byte values of data[at:end] without GREASE; how many."""
    count = 0
    while at + 2 <= end:
        value = be16(data, at, end)
        if not is_grease(value):
            codes[count] = value
            count += 1
        at += 2
    return count


@helper
def collect_extensions(data, found, codes):
    """Types of the extensions without GREASE, server_name and ALPN; (how many, how many with those two)."""
    at, end = found[2 * EXTENSION_LIST], found[2 * EXTENSION_LIST + 1]
    count, total = np.int64(0), np.int64(0)
    while at < end:
        kind = be16(data, at, end)
        if not is_grease(kind):
            total += 1
            if kind != 0 and kind != 16:
                codes[count] = kind
                count += 1
        at += 4 + be16(data, at + 2, end)
    return count, total


@helper
def put_ja4_alpn(data, found, text, top):
    """First and last character of the first ALPN name, or of its hex form when one of them is not alphanumeric; '00' without."""
    at, end = list_span(data, ALPN, TWO, found)
    size = max(u8(data, at, end), np.int64(0)) if at > 0 else np.int64(0)
    if size == 0 or at + 1 + size > end:
        text[top] = 48
        text[top + 1] = 48
        return top + 2
    first, last = u8(data, at + 1, end), u8(data, at + size, end)
    is_plain = True
    for byte in (first, last):
        is_plain = is_plain and (48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122)
    if not is_plain:
        first, last = first >> 4, last & 15
        first, last = first + 48 if first < 10 else first + 87, last + 48 if last < 10 else last + 87
    text[top] = first
    text[top + 1] = last
    return top + 2


@helper
def put_ja4_head(data, version, is_quic, suites, extensions, found, text, top):
    """The first part of JA4, as ``t13d1516h2``; the new top."""
    text[top] = 113 if is_quic else 116
    first, last = np.int64(48), np.int64(48)
    if 0x0301 <= version <= 0x0304:
        first, last = np.int64(49), 47 + (version & 255)
    elif version >> 8 == 0xFE:  # DTLS 1.0, 1.2, 1.3
        text[top] = 100
        first, last = np.int64(100), np.int64(49) if version == 0xFEFF else np.int64(50) if version == 0xFEFD else np.int64(51)
    elif version == 0x0300 or version == 0x0002:
        first, last = np.int64(115), np.int64(51) if version == 0x0300 else np.int64(50)
    text[top + 1] = first
    text[top + 2] = last
    text[top + 3] = 100 if found[2 * SERVER_NAME] > 0 else 105
    suites, extensions = min(suites, 99), min(extensions, 99)
    text[top + 4] = 48 + suites // 10
    text[top + 5] = 48 + suites % 10
    text[top + 6] = 48 + extensions // 10
    text[top + 7] = 48 + extensions % 10
    return put_ja4_alpn(data, found, text, top + 8)


@helper
def put_zeros(text, top):
    """Twelve zeros, JA4's hash of nothing; the new top."""
    for k in range(12):
        text[top + k] = 48
    return top + 12


@helper
def put_ja4(data, version, is_quic, found, codes, raw, text, top, table, slots, store, state, work):
    """JA4 of a ClientHello at ``top``, with room for its raw forms at ``raw``; the new top."""
    suites = collect(data, found[2 * SUITES], found[2 * SUITES + 1], codes)
    sort_codes(codes, suites)
    end = put_codes(codes, suites, text, raw)
    count, total = collect_extensions(data, found, codes)
    top = put_ja4_head(data, version, is_quic, suites, total, found, text, top)
    text[top] = 95
    top += 1
    if end == raw:
        top = put_zeros(text, top) + 1
    else:
        top = put_digest(JA4_SUITES, text, raw, end - raw, top, table, slots, store, state, work) + 1
    text[top - 1] = 95
    sort_codes(codes, count)
    end = put_codes(codes, count, text, raw)
    at, stop = list_span(data, SCHEMES, TWO, found)
    count = collect(data, at, stop, codes)  # in wire order, not sorted
    if count > 0:
        text[end] = 95
        end = put_codes(codes, count, text, end + 1)
    if end == raw:
        return put_zeros(text, top)
    return put_digest(JA4_EXTENSIONS, text, raw, end - raw, top, table, slots, store, state, work)


@helper
def put_values(data, at, end, text, top):
    """The two-byte values of data[at:end] without GREASE, after their number; the new top."""
    start = top
    top += 2
    while at + 2 <= end:
        value = be16(data, at, end)
        if not is_grease(value):
            text[top] = value >> 8
            text[top + 1] = value & 255
            top += 2
        at += 2
    text[start] = (top - start) >> 9 & 255
    text[start + 1] = (top - start) >> 1 & 255
    return top


@helper
def put_sources(data, h, found, text, top):
    """What both fingerprints are made of: versions, suites, extensions, groups, schemes, formats, server name, ALPN; the new top."""
    for version in (np.int64(h.client_version), np.int64(h.offered_version)):
        text[top] = version >> 8 & 255
        text[top + 1] = version & 255
        top += 2
    top = put_values(data, found[2 * SUITES], found[2 * SUITES + 1], text, top)
    for slot in (GROUPS, SCHEMES):
        at, end = list_span(data, slot, TWO, found)
        top = put_values(data, at, end, text, top)
    at, end = list_span(data, FORMATS, ONE, found)
    text[top] = end - at
    top += 1
    for i in range(at, end):
        text[top] = data[i]
        top += 1
    text[top] = 1 if found[2 * SERVER_NAME] > 0 else 0
    top = put_ja4_alpn(data, found, text, top + 1)
    at, end = found[2 * EXTENSION_LIST], found[2 * EXTENSION_LIST + 1]
    while at < end:
        kind = be16(data, at, end)
        if not is_grease(kind):
            text[top] = kind >> 8
            text[top + 1] = kind & 255
            top += 2
        at += 4 + be16(data, at + 2, end)
    return top


@helper
def fingerprint_client(data, h, found, codes, text, top, memo, slots, store, state, work):
    """JA3 and JA4 of a ClientHello at ``top``; the new top."""
    h.ja3 = top
    h.ja3_size = JA3_SIZE
    h.ja4 = top + JA3_SIZE
    h.ja4_size = JA4_SIZE
    raw = top + 100
    size = put_sources(data, h, found, text, raw) - raw
    is_quic = h.record_version == NO_RECORD
    kind = CLIENT_OF_QUIC if is_quic else CLIENT
    key = hash_bytes(text, raw, size, kind)
    row = find_distinct(memo, slots, store, text, raw, size, kind, key)
    if row >= 0:
        for k in range(JA3_SIZE + JA4_SIZE):
            text[top + k] = memo[row].digest[k]
        return top + JA3_SIZE + JA4_SIZE
    if 2 * state[0] < memo.shape[0] and state[1] + size <= store.size:
        row = add_distinct(memo, slots, store, state, text, raw, size, kind, key, -1 - row)
    stop = put_ja3_raw(data, np.int64(h.client_version), found, text, raw)
    top = put_digest(JA3, text, raw, stop - raw, top, memo, slots, store, state, work)
    top = put_ja4(data, np.int64(h.offered_version), is_quic, found, codes, raw + JA3_SIZE, text, top, memo, slots, store, state, work)
    if row >= 0:
        for k in range(JA3_SIZE + JA4_SIZE):
            memo[row].digest[k] = text[np.int64(h.ja3) + k]
    return top


@kernel
def fingerprint_hellos(data, messages, i, used, handshakes, text, memo, slots, store, counts, scratch):
    """Fingerprints of the first hello of either end among messages[i:used]; answers (status, next message).

    ``counts`` and ``scratch`` are those of ``read_messages``, which has read these messages before.
    """
    found, work, codes, state = scratch[:FOUND_SIZE], scratch[64:136], scratch[256:], counts[5:7]
    while i < used:
        m = messages[i]
        kind, at, end = np.int64(m.handshake_type), np.int64(m.position), np.int64(m.position) + np.int64(m.length)
        h = handshakes[np.int64(m.connection)]
        is_client = np.int64(m.sender) == np.int64(h.client)
        top = counts[0]
        if (kind == 1 or kind == 2) and at >= 0 and np.int64(m.marks) & SSL2 == 0:
            if top + 12 * np.int64(m.length) + 512 > text.size:  # raw forms take at most six letters for a byte
                return GROW_TEXT, i
            if kind == 1 and is_client and h.ja3_size == 0:
                find_client_parts(data, at, end, found)
                if found[2 * SUITES] > 0:
                    top = fingerprint_client(data, h, found, codes, text, top, memo, slots, store, state, work)
            elif kind == 2 and not is_client and h.ja3s_size == 0 and not is_retry_random(data, at + 2, end):
                find_server_parts(data, at, end, found)
                if found[2 * SUITES] > 0:
                    stop = put_ja3s_raw(data, be16(data, at, end), found, text, top + 100)
                    h.ja3s = top
                    h.ja3s_size = 32
                    top = put_digest(JA3S, text, top + 100, stop - top - 100, top, memo, slots, store, state, work)
        counts[0] = top
        i += 1
    return DONE, i
