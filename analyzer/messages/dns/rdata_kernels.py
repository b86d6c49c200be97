# mypy: allow-untyped-defs
"""Record data as text: the presentation form of each type, and the strings that Zeek's dns.log has for answers.

``put_rdata`` writes the data of one record, ``put_zeek`` Zeek's string for it where that is not a part of the same text. Types that
are not known here are written in the form of RFC 3597. Names without a trailing dot, the root as ``.``.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.messages.dns.name_kernels import fold_name, read_name
from analyzer.messages.dns.svcb_kernels import put_svcb
from analyzer.messages.dns.text_kernels import (
    DASH,
    GREATER,
    SPACE,
    put,
    put_base64,
    put_bytes,
    put_decimal,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_quoted,
    put_time,
    put_type,
    put_unknown,
)

A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AFSDB, RT, AAAA, LOC = 1, 2, 5, 6, 12, 13, 15, 16, 18, 21, 28, 29
SRV, NAPTR, KX, DNAME, OPT, DS, SSHFP, RRSIG, NSEC, DNSKEY = 33, 35, 36, 39, 41, 43, 44, 46, 47, 48
NSEC3, NSEC3PARAM, TLSA, SMIMEA, CDS, CDNSKEY, SVCB, HTTPS = 50, 51, 52, 53, 59, 60, 64, 65
SPF, TSIG, URI, CAA, BIND_SIGNING = 99, 250, 256, 257, 65534

# Widths of numbers in bytes, one decimal digit each; np.int64 for the reason given in text_kernels.
W1, W2, W22, W111, W112, W114, W44444 = (np.int64(widths) for widths in (1, 2, 22, 111, 112, 114, 44444))
NO_JUMPS, TWO_STRINGS, THREE_STRINGS = np.int64(0), np.int64(2), np.int64(3)

ROOT, UNKNOWN = np.int64(1), np.int64(0)  # places of two words that belong to no type
_WORDS = {TXT: "TXT ", SPF: "SPF ", RRSIG: "RRSIG ", DNSKEY: "DNSKEY ", DS: "DS ", SSHFP: "SSHFP: ", LOC: "LOC:  ", NSEC: "NSEC "}
_WORDS |= {NSEC3: "NSEC3", NSEC3PARAM: "NSEC3PARAM", NAPTR: "NAPTR ", BIND_SIGNING % 512: "BIND9 signing signal"}
_WORDS |= {int(UNKNOWN): "<unknown type=", int(ROOT): "<Root>"}
_WORD_TEXT = np.array(list("".join(_WORDS.get(place, "") for place in range(512)).encode()), np.uint8)
_WORD_ENDS = np.zeros(513, np.int64)
for _place in range(512):
    _WORD_ENDS[_place + 1] = _WORD_ENDS[_place] + len(_WORDS.get(_place, ""))


@helper
def put_fields(data, at, end, text, top, widths):
    """Numbers in decimal, a space after each; ``widths`` has their sizes in bytes as decimal digits. (Position or -1, new top)."""
    power = 1
    while widths // power >= 10:
        power *= 10
    while power > 0:
        width = widths // power % 10
        value = be32(data, at, end) if width == 4 else (be16(data, at, end) if width == 2 else u8(data, at, end))
        if value < 0:
            return np.int64(-1), top
        top = put(text, put_decimal(text, top, value), SPACE)
        at += width
        power //= 10
    return at, top


@helper
def put_strings(data, at, end, text, top, most):
    """At most ``most`` character strings in quotes, with spaces between; (position or -1, new top)."""
    first = True
    while at < end and most > 0:
        size = np.int64(data[at])
        if at + 1 + size > end:
            return np.int64(-1), top
        if not first:
            top = put(text, top, SPACE)
        first = False
        top = put_quoted(text, top, data, at + 1, at + 1 + size)
        at += size + 1
        most -= 1
    return at, top


@helper
def put_soa(data, message, at, end, text, top, jumps):
    """MNAME, RNAME and the five numbers (RFC 1035 3.3.13)."""
    at, top, _, _ = read_name(data, message, end, at, text, top, jumps)
    if at < 0:
        return np.int64(-1)
    at, top, _, _ = read_name(data, message, end, at, text, put(text, top, SPACE), jumps)
    if at < 0:
        return np.int64(-1)
    at, top = put_fields(data, at, end, text, put(text, top, SPACE), W44444)
    return top - 1 if at == end else np.int64(-1)


@helper
def put_rrsig(data, message, at, end, text, top):
    """A signature (RFC 4034 3.2); its signer is never compressed."""
    if end - at < 19:
        return np.int64(-1)
    top = put(text, put_type(text, top, be16(data, at, end)), SPACE)
    _, top = put_fields(data, at + 2, end, text, top, W114)
    for k in range(2):
        top = put(text, put_time(text, top, be32(data, at + 8 + 4 * k, end)), SPACE)
    at, top = put_fields(data, at + 16, end, text, top, W2)
    at, top, _, _ = read_name(data, message, end, at, text, top, NO_JUMPS)
    if at < 0:
        return np.int64(-1)
    return put_base64(text, put(text, top, SPACE), data, at, end)


@helper
def put_nsec(data, message, at, end, text, top):
    """The next name and the types of this one (RFC 4034 4.1.2): windows in increasing order, 1 to 32 bytes each."""
    at, top, _, _ = read_name(data, message, end, at, text, top, NO_JUMPS)
    if at < 0:
        return np.int64(-1)
    last = np.int64(-1)
    while at < end:
        window, size = u8(data, at, end), u8(data, at + 1, end)
        if window <= last or size < 1 or size > 32 or at + 2 + size > end:
            return np.int64(-1)
        for k in range(8 * size):
            if np.int64(data[at + 2 + k // 8]) & (0x80 >> (k % 8)):
                top = put_type(text, put(text, top, SPACE), window << 8 | k)
        last = window
        at += 2 + size
    return top


@helper
def put_keys(data, at, end, rrtype, text, top):
    """Types that are a few numbers and then bytes in hex or base64: DS, SSHFP, TLSA, DNSKEY and their kin, NSEC3PARAM."""
    if rrtype == NSEC3PARAM:
        at, top = put_fields(data, at, end, text, top, W112)
        if at < 0 or u8(data, at, end) != end - at - 1:
            return np.int64(-1)
        return put(text, top, DASH) if at + 1 == end else put_hex(text, top, data, at + 1, end)
    widths = 211
    if rrtype == SSHFP:
        widths = 11
    elif rrtype in (TLSA, SMIMEA):
        widths = 111
    at, top = put_fields(data, at, end, text, top, widths)
    if at < 0:
        return np.int64(-1)
    if rrtype in (DNSKEY, CDNSKEY):
        return put_base64(text, top, data, at, end)
    return put_hex(text, top, data, at, end)


@helper
def put_texts(data, message, at, end, rrtype, text, top, jumps):
    """Types with character strings: TXT, SPF, HINFO, NAPTR, CAA, URI."""
    if rrtype == CAA:
        at, top = put_fields(data, at, end, text, top, W1)
        size = u8(data, at, end)
        if at < 0 or size < 1 or at + 1 + size > end:
            return np.int64(-1)
        top = put(text, put_bytes(text, top, data, at + 1, at + 1 + size), SPACE)
        return put_quoted(text, top, data, at + 1 + size, end)
    if rrtype == URI:
        at, top = put_fields(data, at, end, text, top, W22)
        return put_quoted(text, top, data, at, end) if at >= 0 else np.int64(-1)
    if rrtype == NAPTR:
        at, top = put_fields(data, at, end, text, top, W22)
        if at < 0:
            return np.int64(-1)
        at, top = put_strings(data, at, end, text, top, THREE_STRINGS)
        if at < 0:
            return np.int64(-1)
        at, top, _, _ = read_name(data, message, end, at, text, put(text, top, SPACE), jumps)
    else:
        at, top = put_strings(data, at, end, text, top, TWO_STRINGS if rrtype == HINFO else end)
    return top if at == end else np.int64(-1)


@helper
def put_rdata(data, message, at, end, rrtype, text, top, jumps):
    """The data of one record, which lies in ``data[at:end]``, as text; the new top, or -1 when it breaks the rules of its type."""
    if rrtype == A:
        return put_ipv4(text, top, data, at) if end - at == 4 else np.int64(-1)
    if rrtype == AAAA:
        return put_ipv6(text, top, data, at) if end - at == 16 else np.int64(-1)
    widths = -1
    if rrtype in (CNAME, NS, PTR, DNAME):
        widths = 0
    elif rrtype in (MX, AFSDB, RT, KX):
        widths = 2
    elif rrtype == SRV:
        widths = 222
    if widths >= 0:
        if widths > 0:
            at, top = put_fields(data, at, end, text, top, widths)
        if at >= 0:
            at, top, _, _ = read_name(data, message, end, at, text, top, jumps)
        return top if at == end else np.int64(-1)
    if rrtype == SOA:
        return put_soa(data, message, at, end, text, top, jumps)
    if rrtype in (HTTPS, SVCB):
        return put_svcb(data, message, at, end, text, top)
    if rrtype in (TXT, SPF, HINFO, NAPTR, CAA, URI):
        return put_texts(data, message, at, end, rrtype, text, top, jumps)
    if rrtype == RRSIG:
        return put_rrsig(data, message, at, end, text, top)
    if rrtype == NSEC:
        return put_nsec(data, message, at, end, text, top)
    if DS <= rrtype <= SSHFP or rrtype in (DNSKEY, CDS, CDNSKEY) or NSEC3PARAM <= rrtype <= SMIMEA:
        return put_keys(data, at, end, rrtype, text, top)
    return put_unknown(text, top, data, at, end)


@helper
def put_word(text, top, place):
    """One of the words of Zeek's answers."""
    return put_bytes(text, top, _WORD_TEXT, _WORD_ENDS[place % 512], _WORD_ENDS[place % 512 + 1])


@helper
def put_zeek(data, message, owner, at, end, rrtype, text, top):
    """Zeek's string for data that put_rdata has accepted (scripts/base/protocols/dns); the new top, unmoved when it lists nothing."""
    if rrtype in (CNAME, NS, PTR, SOA):
        return fold_name(data, message, at, text, top)
    if rrtype in (MX, SRV):
        return fold_name(data, message, at + (2 if rrtype == MX else 6), text, top)
    if rrtype in (TXT, SPF):
        start = top
        while at < end:
            size = np.int64(data[at])
            top = put_word(text, top if top == start else put(text, top, SPACE), rrtype)
            top = put(text, put_decimal(text, top, size), SPACE)
            top = put_bytes(text, top, data, at + 1, at + 1 + size)
            at += size + 1
        return top
    if rrtype == RRSIG:
        top = put(text, put_decimal(text, put_word(text, top, rrtype), be16(data, at, end)), SPACE)
        return put_word(text, top, ROOT) if data[at + 18] == 0 else fold_name(data, message, at + 18, text, top)
    if rrtype == DS:
        top = put(text, put_decimal(text, put_word(text, top, rrtype), np.int64(data[at + 2])), SPACE)
        return put_decimal(text, top, np.int64(data[at + 3]))
    if rrtype == DNSKEY:
        return put_decimal(text, put_word(text, top, rrtype), np.int64(data[at + 3]))
    if rrtype == SSHFP:
        return put_hex(text, put_word(text, top, rrtype), data, at + 2, end)
    if rrtype == NSEC:
        top = put(text, fold_name(data, message, owner, text, put_word(text, top, rrtype)), SPACE)
        return fold_name(data, message, at, text, top)
    if rrtype in (NSEC3, NSEC3PARAM, BIND_SIGNING):
        return put_word(text, top, rrtype)
    if rrtype == LOC and end - at == 16:
        _, top = put_fields(data, at + 1, end, text, put_word(text, top, rrtype), W111)
        return top - 1
    if rrtype == NAPTR:
        at, top = put_fields(data, at, end, text, put_word(text, top, rrtype), W22)
        for _ in range(3):
            size = np.int64(data[at])
            if size > 0:
                top = put(text, put_bytes(text, top, data, at + 1, at + 1 + size), SPACE)
            at += size + 1
        return fold_name(data, message, at, text, top)
    return put(text, put_decimal(text, put_word(text, top, UNKNOWN), rrtype), GREATER)
