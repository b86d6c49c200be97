# mypy: allow-untyped-defs
"""ClientHello and ServerHello (RFC 8446 4.1, RFC 5246 7.4.1): where their parts are, and what they say.

Lengths are checked from the outside in: an inner length that passes the end of what holds it makes the hello malformed from there
on; what was read before stays.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be64, helper, u8

# ---- `found`: int64 array, positions and ends of what a hello holds (0 = not there)
SUITES, SESSION, COMPRESSIONS, EXTENSION_LIST = 0, 1, 2, 3  # each at 2*x (position) and 2*x + 1 (end)
SERVER_NAME, VERSIONS, TICKET, PSK, ETM, EMS, ECH, RENEGOTIATION, HEARTBEAT, OLD_SHARE = 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
GROUPS, FORMATS, SCHEMES, ALPN, SHARE = np.int64(14), np.int64(15), np.int64(16), np.int64(17), np.int64(18)
EARLY, MODES, CODINGS, SIZE_LIMIT, STATUS = np.int64(19), np.int64(20), np.int64(21), np.int64(22), np.int64(23)
FOUND_SIZE = 48
ONE, TWO = np.int64(1), np.int64(2)  # int64, as GROUPS and those after it: a literal as an argument would compile a helper once more

RETRY_1, RETRY_2 = np.uint64(0xCF21AD74E59A6111), np.uint64(0xBE1D8C021E65B891)  # RFC 8446 4.1.3
RETRY_3, RETRY_4 = np.uint64(0xC2A211167ABB8C5E), np.uint64(0x079E09E2C8A8339C)
TO_TLS12, TO_TLS11 = np.uint64(0x444F574E47524401), np.uint64(0x444F574E47524400)


@helper
def is_grease(value):
    """RFC 8701 2: both bytes equal, low nibble A."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 255


@helper
def is_tls13_version(version):
    """TLS 1.3, its drafts (0x7Fnn) and experiments (0x7Enn, 0xFBnn), DTLS 1.3."""
    return version == 0x0304 or version == 0xFEFC or version >> 8 == 0x7F or version >> 8 == 0x7E or version >> 8 == 0xFB


@helper
def is_retry_random(data, at, end):
    """The random that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3)."""
    return (
        at + 32 <= end
        and be64(data, at, end) == RETRY_1
        and be64(data, at + 8, end) == RETRY_2
        and be64(data, at + 16, end) == RETRY_3
        and be64(data, at + 24, end) == RETRY_4
    )


@helper
def slot_of(kind):
    """Place in ``found`` of an extension that is read, -1 for the others (IANA TLS ExtensionType Values)."""
    if kind == 0:
        return SERVER_NAME
    if kind == 5:
        return STATUS
    if kind == 10:
        return GROUPS
    if kind == 11:
        return FORMATS
    if kind == 13:
        return SCHEMES
    if kind == 15:
        return HEARTBEAT
    if kind == 16:
        return ALPN
    if kind == 22:
        return ETM
    if kind == 23:
        return EMS
    if kind == 27:
        return CODINGS
    if kind == 28:
        return SIZE_LIMIT
    if kind == 35:
        return TICKET
    if kind == 40:  # key_share of drafts before 23
        return OLD_SHARE
    if kind == 41:
        return PSK
    if kind == 42:
        return EARLY
    if kind == 43:
        return VERSIONS
    if kind == 45:
        return MODES
    if kind == 51:
        return SHARE
    if kind == 0xFE0D:
        return ECH
    return RENEGOTIATION if kind == 0xFF01 else -1


@helper
def find_extensions(data, at, end, found):
    """Read the extension list at ``at`` (its length first; nothing at all is allowed) into ``found``; whether it is well-formed.

    found[EXTENSION_LIST] covers the whole extensions only, so that whoever walks it again needs no checks.
    """
    if at == end:
        return True
    size = be16(data, at, end)
    if size < 0:
        return False
    stop = min(at + 2 + size, end)
    is_whole = at + 2 + size == end
    at += 2
    found[2 * EXTENSION_LIST] = at
    found[2 * EXTENSION_LIST + 1] = at
    while at < stop:
        kind, length = be16(data, at, stop), be16(data, at + 2, stop)
        if length < 0 or at + 4 + length > stop:
            return False
        slot = slot_of(kind)
        if slot >= 0 and found[2 * slot] == 0:
            found[2 * slot] = at + 4
            found[2 * slot + 1] = at + 4 + length
        at += 4 + length
        found[2 * EXTENSION_LIST + 1] = at
    return is_whole


@helper
def found_nothing(found):
    """Forget what was found."""
    for i in range(FOUND_SIZE):
        found[i] = 0


@helper
def find_client_parts(data, at, end, found):
    """Where the parts of the ClientHello body data[at:end] are; whether it is well-formed."""
    found_nothing(found)
    size = u8(data, at + 34, end)
    if size < 0 or size > 32 or at + 35 + size > end:
        return False
    found[2 * SESSION], found[2 * SESSION + 1] = at + 35, at + 35 + size
    is_datagram = u8(data, at, end) == 0xFE
    at += 35 + size
    if is_datagram:  # a cookie (RFC 6347 4.2.1)
        at += 1 + max(u8(data, at, end), np.int64(0))
    size = be16(data, at, end)
    if size < 0 or at + 2 + size > end:
        return False
    found[2 * SUITES], found[2 * SUITES + 1] = at + 2, at + 2 + (size & ~1)
    at += 2 + size
    is_even = size & 1 == 0
    size = u8(data, at, end)
    if size < 0 or at + 1 + size > end:
        return False
    found[2 * COMPRESSIONS], found[2 * COMPRESSIONS + 1] = at + 1, at + 1 + size
    return find_extensions(data, at + 1 + size, end, found) and is_even


@helper
def find_ssl2_parts(data, at, end, found):
    """The same for an SSLv2 ClientHello (RFC 5246 E.2), from after its version: three lengths, suites of three bytes, ids."""
    found_nothing(found)
    suites, session = be16(data, at, end), be16(data, at + 2, end)
    if suites < 0 or session < 0 or at + 6 + suites + session > end:
        return False
    found[2 * SUITES], found[2 * SUITES + 1] = at + 6, at + 6 + suites - suites % 3
    return suites % 3 == 0


@helper
def find_server_parts(data, at, end, found):
    """The same for a ServerHello body; found[SUITES] is the suite and found[COMPRESSIONS] the compression method.

    Drafts of TLS 1.3 before 22 have neither session id nor compression method; some said 0x0304 where TLS 1.3 now says 0x0303.
    """
    found_nothing(found)
    version = be16(data, at, end)
    if version < 0 or at + 34 > end:
        return False
    at += 34
    is_old_draft = version == 0x0304 or (version >> 8 == 0x7F and version & 255 < 22)
    if not is_old_draft:
        size = u8(data, at, end)
        if size < 0 or size > 32 or at + 1 + size > end:
            return False
        found[2 * SESSION], found[2 * SESSION + 1] = at + 1, at + 1 + size
        at += 1 + size
    if at + 2 > end:
        return False
    found[2 * SUITES], found[2 * SUITES + 1] = at, at + 2
    at += 2
    if not is_old_draft:
        if at + 1 > end:
            return False
        found[2 * COMPRESSIONS], found[2 * COMPRESSIONS + 1] = at, at + 1
        at += 1
    return find_extensions(data, at, end, found)


@helper
def is_tls13_server_hello(data, at, end):
    """Whether a ServerHello body chooses TLS 1.3 (or asks for another ClientHello), without a table to put its parts in."""
    if is_tls13_version(be16(data, at, end)) or is_retry_random(data, at + 2, end):
        return True
    size = u8(data, at + 34, end)
    if size < 0:
        return False
    at += 35 + size + 3
    stop = min(end, at + 2 + be16(data, at, end))
    at += 2
    while at + 4 <= stop:
        if be16(data, at, stop) == 43:
            return is_tls13_version(be16(data, at + 4, stop))
        at += 4 + be16(data, at + 2, stop)
    return False


@helper
def highest_version(data, found, legacy):
    """Highest version a ClientHello offers: of supported_versions without GREASE, else its legacy_version (RFC 8446 4.2.1)."""
    at, end = found[2 * VERSIONS], found[2 * VERSIONS + 1]
    best = np.int64(-1)
    if at > 0:
        end = min(end, at + 1 + max(u8(data, at, end), 0))
        at += 1
        while at + 2 <= end:
            version = be16(data, at, end)
            if not is_grease(version) and version > best:
                best = version
            at += 2
    return best if best >= 0 else legacy


@helper
def first_server_name(data, found):
    """(position, size) of the host_name in server_name (RFC 6066 3); size 0 = none, -1 = malformed."""
    at, end = found[2 * SERVER_NAME], found[2 * SERVER_NAME + 1]
    if at == end:
        return at, np.int64(0)
    total = be16(data, at, end)
    size = be16(data, at + 3, end)
    if total < 0 or at + 2 + total > end or size < 0 or at + 5 + size > end:
        return at, np.int64(-1)
    return at + 5, size if u8(data, at + 2, end) == 0 else np.int64(0)


@helper
def list_span(data, slot, width, found):
    """(position, end) of the items of an extension that begins with their length in ``width`` bytes; cut where that lies."""
    at, end = found[2 * slot], found[2 * slot + 1]
    size = be16(data, at, end) if width == TWO else u8(data, at, end)
    if at == 0 or size < 0:
        return at, at
    return at + width, min(end, at + width + size)


@helper
def copy_to_text(data, at, size, text, top):
    """Append bytes of memory to the text; the new top."""
    for i in range(size):
        text[top + i] = data[at + i]
    return top + size


@helper
def put_decimal(text, top, value):
    """A number of at most five digits; the new top."""
    unit = np.int64(10000)
    while unit > 1 and value < unit:
        unit //= 10
    while unit > 0:
        text[top] = 48 + value // unit % 10
        top += 1
        unit //= 10
    return top


@helper
def put_decimals(data, at, end, text, top):
    """The two-byte values of data[at:end] in decimal, joined by '-', GREASE left out; the new top."""
    start = top
    while at + 2 <= end:
        value = be16(data, at, end)
        if not is_grease(value):
            if top > start:
                text[top] = 45
                top += 1
            top = put_decimal(text, top, value)
        at += 2
    return top


@helper
def put_shares(data, at, end, text, top):
    """The groups of a list of key shares (group, length, key) in the same form; the new top."""
    start = top
    while at + 4 <= end:
        group = be16(data, at, end)
        if not is_grease(group):
            if top > start:
                text[top] = 45
                top += 1
            top = put_decimal(text, top, group)
        at += 4 + be16(data, at + 2, end)
    return top


@helper
def put_extensions(data, found, text, top):
    """The types of all extensions in their order, in the same form; the new top."""
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
def bits_of(data, at, end, width):
    """A bit for each number below 8 in a list of numbers of ``width`` bytes."""
    bits = np.int64(0)
    while at + width <= end:
        value = be16(data, at, end) if width == TWO else u8(data, at, end)
        if value < 8:
            bits |= np.int64(1) << value
        at += width
    return bits


@helper
def put_protocols(data, found, text, top):
    """The ALPN names (RFC 7301 3.1) joined by ','; the new top."""
    at, end = list_span(data, ALPN, TWO, found)
    start = top
    while at < end:
        size = u8(data, at, end)
        if at + 1 + size > end:
            break
        if top > start:
            text[top] = 44
            top += 1
        top = copy_to_text(data, at + 1, size, text, top)
        at += 1 + size
    return top


@helper
def is_post_quantum(group):
    """Hybrid groups with ML-KEM or Kyber, and ML-KEM alone (IANA TLS Supported Groups; 0x4138, 0x6399, 0x639A from before)."""
    return 4587 <= group <= 4590 or 512 <= group <= 514 or group == 0x4138 or group == 0x6399 or group == 0x639A
