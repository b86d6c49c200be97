# mypy: allow-untyped-defs
"""The second pass of parsing: the data of records to text (and to Zeek's strings for answers).

The first mistake in the data of a record is the message's ``error``: that record and those after it are dropped.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_TEXT, be32, be64, helper, kernel
from analyzer.messages.dns.kernels import RESPONSE, TEXT_BASE, TEXT_PER_BYTE
from analyzer.messages.dns.name_kernels import fold_name
from analyzer.messages.dns.rdata_kernels import (
    AAAA,
    CAA,
    CNAME,
    HINFO,
    HTTPS,
    NS,
    NSEC,
    NSEC3,
    OPT,
    PTR,
    SRV,
    SVCB,
    TSIG,
    A,
    put_rdata,
    put_zeek,
)
from analyzer.messages.dns.svcb_kernels import copy_hints
from analyzer.messages.dns.text_kernels import put_unknown
from analyzer.tables.dns import BAD_RDATA, CUT, TOO_MUCH_TEXT

ROOM = 8192  # the names of one record as text, twice
CSYNC = 62
UPDATE = 5
NETBIOS, WKS = 32, 11
IPV4_HINT, IPV6_HINT = 4, 6


@helper
def is_plain_text(text, at, end):
    """Whether a name as text is also its folded form: no capitals, no escapes, not the root."""
    is_plain = end - at != 1 or text[at] != 46
    for k in range(at, end):
        if 65 <= text[k] <= 90 or text[k] == 92:
            is_plain = False
    return is_plain


@helper
def add_zeek(data, m, x, owner, at, end, text, top):
    """The record as a string of Zeek's answers, sharing the text of the data where it is the same; the new top."""
    rrtype = np.int64(x.rrtype)
    if rrtype in (HINFO, CAA, SVCB, HTTPS, TSIG, OPT):
        return top
    if m.is_netbios and (rrtype in (NETBIOS, SRV)):
        return top
    if m.zeek_answers == 0 and m.bits & RESPONSE:
        m.zeek_name = top
        top = fold_name(data, np.int64(m.position), owner, text, top)
        m.zeek_name_size = top - m.zeek_name
    m.zeek_answers += 1
    if rrtype == WKS:
        return top
    if rrtype in (A, AAAA, CNAME, NS, PTR):
        if is_plain_text(text, x.rdata, x.rdata + x.rdata_size):
            x.zeek = x.rdata
            x.zeek_size = x.rdata_size
            return top
    x.zeek = top
    top = put_zeek(data, np.int64(m.position), owner, at, end, rrtype, text, top)
    x.zeek_size = top - x.zeek
    return top


@helper
def set_address(data, x, rrtype, at, end):
    """The address of an A or AAAA record."""
    x.address_hi = np.uint64(0)
    x.address_lo = np.uint64(0)
    if rrtype == A and end - at == 4:
        x.address_lo = np.uint64(be32(data, at, end))
    elif rrtype == AAAA and end - at == 16:
        x.address_hi = be64(data, at, end)
        x.address_lo = be64(data, at + 8, end)


@helper
def keep_hints(data, x, at, end, text, top):
    """The addresses that an HTTPS or SVCB record hints at, behind its text; the new top."""
    start = top
    top = copy_hints(data, at, end, IPV4_HINT, text, top)
    count4 = (top - start) // 4
    after = copy_hints(data, at, end, IPV6_HINT, text, top)
    x.address_hi = np.uint64(start)
    x.address_lo = np.uint64(count4 << 16 | (after - top) // 16)
    return after


@kernel
def present(data, messages, at, end, records, next_record, text, top, jumps, generic):
    """Turn the data of the records of ``messages[at:end]`` to text, from ``next_record`` of the first on.

    Returns (status, next message, its next record, new top of text, ``generic`` plus the records written in the form of RFC 3597).
    """
    for i in range(at, end):
        m = messages[i]
        first = np.int64(m.first_record)
        budget = TEXT_BASE + TEXT_PER_BYTE * np.int64(m.message_size)
        r = max(first, next_record)
        for k in range(first, r):
            budget -= np.int64(records[k].rdata_size) + np.int64(records[k].zeek_size)
        while r < first + np.int64(m.records):
            x = records[r]
            # a byte of data is eight characters at most, 88 in a type bitmap
            has_bitmap = x.rrtype == NSEC or x.rrtype == NSEC3 or x.rrtype == CSYNC
            if text.size - top < ROOM + (88 if has_bitmap else 8) * np.int64(x.rdata_size):
                return GROW_TEXT, i, r, top, generic
            rrtype, start, owner = np.int64(x.rrtype), np.int64(x.rdata), np.int64(x.zeek)
            stop = start + np.int64(x.rdata_size)
            set_address(data, x, rrtype, start, stop)
            if (m.is_netbios and rrtype == SRV) or (start == stop and (np.int64(m.bits) >> 11) & 15 == UPDATE):
                new_top = put_unknown(text, top, data, start, stop)  # node status; "delete this RRset" (RFC 2136 2.5.2)
            else:
                new_top = put_rdata(data, np.int64(m.position), start, stop, rrtype, text, top, jumps)
            x.rdata = top
            x.rdata_size = max(new_top - top, 0)
            x.zeek = 0
            x.zeek_size = 0
            if new_top >= 0 and rrtype in (HTTPS, SVCB):
                new_top = keep_hints(data, x, start, stop, text, new_top)
            if x.section == 1 and new_top >= 0:
                new_top = add_zeek(data, m, x, owner, start, stop, text, new_top)
            budget -= np.int64(x.rdata_size) + np.int64(x.zeek_size)
            if new_top < 0 or budget < 0:
                m.error = CUT if m.is_cut else (BAD_RDATA if new_top < 0 else TOO_MUCH_TEXT)
                m.records = r - first
                break
            if x.rdata_size > 1 and text[x.rdata] == 92 and text[x.rdata + 1] == 35:
                generic += 1
            top = new_top
            r += 1
            if x.section == 1:
                m.answer_records += 1
                m.matching += 1 if x.rrtype == m.qtype or m.qtype == 255 else 0
    return DONE, end, np.int64(0), top, generic
