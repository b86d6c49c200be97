# mypy: allow-untyped-defs
"""Record data as text: the presentation form of each type, and the strings that Zeek's dns.log has for answers.

``put_rdata`` writes the data of one record, ``put_zeek`` Zeek's string for it where that is not a part of the same text. Types that
are not known here are written in the form of RFC 3597. Names without a trailing dot, the root as ``.``.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper
from analyzer.messages.dns.form_kernels import form_slot, has_form, put_form
from analyzer.messages.dns.name_kernels import fold_name
from analyzer.messages.dns.svcb_kernels import put_svcb
from analyzer.messages.dns.text_kernels import (
    GREATER,
    SPACE,
    put,
    put_bytes,
    put_decimal,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_unknown,
)

A, NS, CNAME, SOA, PTR, HINFO, MX, TXT, AAAA, LOC = 1, 2, 5, 6, 12, 13, 15, 16, 28, 29
SRV, NAPTR, OPT, DS, SSHFP, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM = 33, 35, 41, 43, 44, 46, 47, 48, 50, 51
SVCB, HTTPS, SPF, TSIG, CAA, BIND_SIGNING = 64, 65, 99, 250, 257, 65534

ROOT, UNKNOWN = np.int64(1), np.int64(0)  # places of two words that belong to no type
_WORDS = {TXT: "TXT ", SPF: "SPF ", RRSIG: "RRSIG ", DNSKEY: "DNSKEY ", DS: "DS ", SSHFP: "SSHFP: ", LOC: "LOC:  ", NSEC: "NSEC "}
_WORDS |= {NSEC3: "NSEC3", NSEC3PARAM: "NSEC3PARAM", NAPTR: "NAPTR ", BIND_SIGNING % 512: "BIND9 signing signal"}
_WORDS |= {int(UNKNOWN): "<unknown type=", int(ROOT): "<Root>"}
_WORD_TEXT = np.array(list("".join(_WORDS.get(place, "") for place in range(512)).encode()), np.uint8)
_WORD_ENDS = np.zeros(513, np.int64)
for _place in range(512):
    _WORD_ENDS[_place + 1] = _WORD_ENDS[_place] + len(_WORDS.get(_place, ""))


@helper
def put_rdata(data, message, at, end, rrtype, text, top, jumps):
    """The data of one record, which lies in ``data[at:end]``, as text; the new top, or -1 when it breaks the rules of its type."""
    if rrtype == A:
        return put_ipv4(text, top, data, at) if end - at == 4 else np.int64(-1)
    if rrtype == AAAA:
        return put_ipv6(text, top, data, at) if end - at == 16 else np.int64(-1)
    if rrtype in (HTTPS, SVCB):
        return put_svcb(data, message, at, end, text, top)
    slot = form_slot(rrtype)
    if has_form(slot):
        return put_form(data, message, at, end, slot, text, top, jumps)
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
        top = put_word(text, top, rrtype)
        for k in range(3):
            top = put_decimal(text, put(text, top, SPACE) if k > 0 else top, np.int64(data[at + 1 + k]))
        return top
    if rrtype == NAPTR:
        top = put_word(text, top, rrtype)
        for k in range(0, 4, 2):
            top = put(text, put_decimal(text, top, be16(data, at + k, end)), SPACE)
        at += 4
        for _ in range(3):
            size = np.int64(data[at])
            if size > 0:
                top = put(text, put_bytes(text, top, data, at + 1, at + 1 + size), SPACE)
            at += size + 1
        return fold_name(data, message, at, text, top)
    return put(text, put_decimal(text, put_word(text, top, UNKNOWN), rrtype), GREATER)
