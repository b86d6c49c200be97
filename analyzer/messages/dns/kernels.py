# mypy: allow-untyped-defs
"""Parsing: the bytes of a message to the fields of its DNS_MESSAGE row and its RESOURCE_RECORD rows with their names (RFC 1035 4.1).

A second pass (present_kernels) turns the data of the records to text: until then ``rdata`` is where it lies in memory, and ``zeek``
where the owner name lies. Two passes, because a kernel compiles fast when few helpers hang below it.

A message is read until its end or its first mistake, which is its ``error``: records before that stay. Text is bounded, for compression
lets few bytes name much text: at most ``TEXT_PER_BYTE`` bytes a byte of the message (and ``TEXT_BASE``), then reading stops.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, be16, be32, helper, kernel
from analyzer.messages.dns.edns_kernels import put_option
from analyzer.messages.dns.name_kernels import decode_netbios, fold_name, hash_byte, put_netbios, read_name
from analyzer.messages.dns.text_kernels import SPACE, put, put_bytes
from analyzer.tables.dns import BAD_NAME, BAD_QUESTION, BAD_RDATA, BAD_RECORD, CUT, NO_ERROR, TOO_MUCH_TEXT, TWO_OPTS

OPT = 41
RESPONSE = 0x8000
TEXT_BASE, TEXT_PER_BYTE = 8192, 16
NAME_ROOM = 2048  # two names as text: 255 bytes, four characters each
EXTENDED_ERROR = 15


@helper
def clear_message(m, records_top):
    """Nothing read yet."""
    m.error = NO_ERROR
    m.rejected = 0
    m.qtype = -1
    m.qclass = -1
    m.question_hash = 0
    m.name_hash = 0
    m.is_mixed_case = 0
    m.name = 0
    m.name_size = 0
    m.zeek_name = 0
    m.zeek_name_size = 0
    m.zeek_qtype = -1
    m.zeek_qclass = -1
    m.first_record = records_top
    m.answer_records = 0
    m.records = 0
    m.matching = 0
    m.zeek_answers = 0
    m.udp_size = -1
    m.dnssec_ok = 0
    m.extended_error = -1
    m.extended_error_text = 0
    m.extended_error_text_size = 0
    m.options = 0
    m.options_size = 0


@helper
def has_both_cases(text, at, end):
    """Whether there are letters of both cases."""
    kinds = 0
    for k in range(at, end):
        byte = np.int64(text[k])
        if 97 <= (byte | 32) <= 122:
            kinds |= 1 if byte >= 97 else 2
    return kinds == 3


@helper
def read_question(data, m, at, end, text, top, jumps):
    """The first question; (position after it or -1 with m.error, new top)."""
    after, name_end, h, is_plain = read_name(data, np.int64(m.position), end, at, text, top, jumps)
    if after < 0:
        m.error = BAD_NAME
        return after, top
    m.name = top
    m.name_size = name_end - top
    if be16(data, after + 2, end) < 0:
        m.error = BAD_QUESTION
        return np.int64(-1), name_end
    m.qtype = be16(data, after, end)
    m.qclass = be16(data, after + 2, end)
    m.name_hash = h
    for k in range(4):
        h = hash_byte(h, np.int64(data[after + k]))
    m.question_hash = h
    if m.is_netbios:
        decoded = put_netbios(data, at, text, top)
        name_end = decoded if decoded > top else name_end
        m.name_size = name_end - top
    elif not is_plain:
        m.is_mixed_case = 1 if has_both_cases(text, top, name_end) else 0
    if is_plain and m.questions == 1 and not m.is_netbios:
        m.zeek_name = top
        m.zeek_name_size = name_end - top
    return after + 4, name_end


@helper
def read_questions(data, m, end, text, top, jumps):
    """All questions: the first is kept, of the last what Zeek logs; (position after them or -1 with m.error, new top).

    A question takes five bytes at least, so their number cannot make this slow.
    """
    last = np.int64(m.position) + 12
    at, questions = last, np.int64(m.questions)
    if questions > 0:
        at, top = read_question(data, m, at, end, text, top, jumps)
    for _ in range(1, questions):
        if at < 0:
            break
        last = at
        at, _, _, _ = read_name(data, np.int64(m.position), end, at, text, top, jumps)
        if at < 0 or at + 4 > end:
            m.error = BAD_NAME if at < 0 else BAD_QUESTION
            at = np.int64(-1)
        else:
            at += 4
    if at >= 0 and questions > 0:
        m.zeek_qtype = be16(data, at - 4, end)
        m.zeek_qclass = be16(data, at - 2, end)
        if m.zeek_name_size == 0 and m.bits & RESPONSE == 0:
            name_end = decode_netbios(data, last, text, top) if m.is_netbios else top
            if name_end == top:
                name_end = fold_name(data, np.int64(m.position), last, text, top)
            m.zeek_name = top
            m.zeek_name_size = name_end - top
            top = name_end
    if m.bits & RESPONSE:
        m.zeek_name_size = 0
    return at, top


@helper
def read_opt(data, m, at, fixed, end, text, top):
    """The OPT pseudo-record (RFC 6891 6.1.2): fixed part at ``fixed``, options in ``data[at:end]``; the new top."""
    if m.udp_size >= 0:  # a second one is an error of the sender (6.1.1)
        m.error = TWO_OPTS
        return top
    m.udp_size = be16(data, fixed + 2, end)
    ttl = be32(data, fixed + 4, end)
    m.rcode = (ttl >> 24) << 4 | (np.int64(m.bits) & 15)
    m.dnssec_ok = (ttl >> 15) & 1
    first, last = at, end
    while at < end:
        code, size = be16(data, at, end), be16(data, at + 2, end)
        if size < 0 or at + 4 + size > end:
            m.error = BAD_RDATA
            last = at
            break
        if code == EXTENDED_ERROR and m.extended_error < 0 and size >= 2:
            m.extended_error = be16(data, at + 4, end)
            m.extended_error_text = top
            m.extended_error_text_size = size - 2
            top = put_bytes(text, top, data, at + 6, at + 4 + size)
        at += 4 + size
    start, at = top, first
    while at < last:
        code, size = be16(data, at, end), be16(data, at + 2, end)
        top = put_option(data, code, at + 4, at + 4 + size, text, put(text, top, SPACE) if top > start else top)
        at += 4 + size
    m.options = start
    m.options_size = top - start
    return top


@helper
def read_record(data, m, x, section, at, end, text, top, jumps):
    """One record, its data still as on the wire; (position after it, or -1 with m.error, new top, 1 when it is a row)."""
    x.zeek = at
    if m.name_size > 0 and be16(data, at, end) == 0xC00C:  # the name asked for
        x.name = m.name
        x.name_size = m.name_size
        fixed, name_end = at + 2, top
    else:
        fixed, name_end, _, _ = read_name(data, np.int64(m.position), end, at, text, top, jumps)
        x.name = top
        x.name_size = name_end - top
    size = be16(data, fixed + 8, end) if fixed >= 0 else np.int64(-1)
    if size < 0 or fixed + 10 + size > end:
        m.error = BAD_NAME if fixed < 0 else BAD_RECORD
        return np.int64(-1), top, 0
    at = fixed + 10
    rrtype = be16(data, fixed, end)
    if rrtype == OPT and section == 3:
        top = read_opt(data, m, at, fixed, at + size, text, top)
        return (at + size if m.error == NO_ERROR else np.int64(-1)), top, 0
    x.lookup = 0
    x.section = section
    x.rrtype = rrtype
    x.rrclass = be16(data, fixed + 2, end)
    x.ttl = be32(data, fixed + 4, end)
    x.rdata = at
    x.rdata_size = size
    return at + size, name_end, 1


@helper
def parse_message(data, m, records, r, text, top, jumps):
    """Read one message; (status, new top of records, new top of text)."""
    start, first, base = np.int64(m.position), r, top
    end = start + np.int64(m.message_size)
    clear_message(m, r)
    if text.size - top < 2 * NAME_ROOM:
        return GROW_TEXT, first, base
    m.id, m.bits, m.questions = be16(data, start, end), be16(data, start + 2, end), be16(data, start + 4, end)
    m.rcode = np.int64(m.bits) & 15
    total = be16(data, start + 6, end) + be16(data, start + 8, end) + be16(data, start + 10, end)
    if m.bits & RESPONSE and ((total == 0 and m.questions > 0) or (m.rcode != 0 and m.questions == 0)):
        m.rejected = 1
    at, top = read_questions(data, m, end, text, top, jumps)
    for section in range(1, 4):
        for _ in range(be16(data, start + 4 + 2 * section, end)):
            if m.error != NO_ERROR or at < 0:
                break
            if at >= end:
                m.error = BAD_RECORD
                break
            if top - base > TEXT_BASE + TEXT_PER_BYTE * m.message_size:
                m.error = TOO_MUCH_TEXT
                break
            if r >= records.size:
                return GROW_ROWS, first, base
            if text.size - top < NAME_ROOM + 8 * np.int64(m.message_size):  # a byte of an option is eight characters at most
                return GROW_TEXT, first, base
            at, top, is_row = read_record(data, m, records[r], section, at, end, text, top, jumps)
            if is_row:
                r += 1
    m.records = r - first
    if m.error != NO_ERROR and m.is_cut:
        m.error = CUT
    return DONE, r, top


@kernel
def parse(data, messages, at, end, records, records_top, text, text_top, jumps):
    """Read ``messages[at:end]`` but for the data of their records; (status, next message, new top of records, new top of text)."""
    for i in range(at, end):
        status, r, top = parse_message(data, messages[i], records, records_top, text, text_top, jumps)
        if status != DONE:
            return status, i, records_top, text_top
        records_top = r
        text_top = top
    return DONE, end, records_top, text_top
