# mypy: allow-untyped-defs
"""What a message says of its lookup: the fields of LOOKUP rows, filled from DNS_MESSAGE rows."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.tables.dns import (
    ANSWER_ONLY,
    ANSWERED,
    FAILED,
    NODATA,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    TRUNCATED,
    UNANSWERED,
)

RESPONSE, AUTHORITATIVE, TRUNCATION, DESIRED, AVAILABLE, AUTHENTIC, CHECKING_DISABLED = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10
UPDATE = 5
COMPARED = 64  # answers of either response that are compared


@helper
def judge(m):
    """The outcome that a response gives its lookup."""
    if m.rcode == 3:
        return NXDOMAIN
    if m.rcode == 2:
        return SERVFAIL
    if m.rcode == 5:
        return REFUSED
    if m.rcode != 0:
        return FAILED
    if m.bits & TRUNCATION:
        return TRUNCATED
    return ANSWERED if m.matching > 0 else NODATA


@helper
def set_records(x, m, records, number):
    """Give the records of a message to a lookup; those it had are let go."""
    for k in range(x.first_record, np.int64(x.first_record) + np.int64(x.records)):
        records[k].lookup = 0
    x.first_record = m.first_record
    x.records = m.records
    for k in range(m.first_record, np.int64(m.first_record) + np.int64(m.records)):
        records[k].lookup = number


@helper
def set_name(x, m):
    """The question of a message becomes that of the lookup."""
    x.qtype = m.qtype
    x.qclass = m.qclass
    x.question_hash = m.question_hash
    x.name = m.name
    x.name_size = m.name_size
    x.zeek_name = m.zeek_name
    x.zeek_name_size = m.zeek_name_size
    x.zeek_qtype = m.zeek_qtype
    x.zeek_qclass = m.zeek_qclass
    x.name_hash = m.name_hash
    x.questions = m.questions


@helper
def start_lookup(x, m, number):
    """A row for a message that opens a lookup or stands alone: what queries and responses have in common."""
    is_answer = (np.int64(m.bits) & RESPONSE) != 0
    x.number = number
    x.connection = m.connection
    x.is_repeat = 0
    x.is_multicast = m.is_multicast
    x.is_netbios = m.is_netbios
    x.is_over = 0
    x.has_query = 0
    x.has_response = 0
    x.outcome = ANSWER_ONLY if is_answer else UNANSWERED
    x.transport = m.transport
    x.id = m.id
    x.opcode = (np.int64(m.bits) >> 11) & 15
    x.error = 0
    x.ip_version = m.ip_version
    x.client_hi = m.dst_hi if is_answer else m.src_hi
    x.client_lo = m.dst_lo if is_answer else m.src_lo
    x.server_hi = m.src_hi if is_answer else m.dst_hi
    x.server_lo = m.src_lo if is_answer else m.dst_lo
    x.client_port = m.dst_port if is_answer else m.src_port
    x.server_port = m.src_port if is_answer else m.dst_port
    x.first_record = 0
    x.records = 0
    x.answer_records = 0
    x.zeek_row = 1
    x.zeek_pair = 0
    x.zeek_answers = 0
    clear_query(x)
    clear_response(x)
    set_name(x, m)


@helper
def clear_query(x):
    """No query seen."""
    x.query_ts = 0
    x.query_number = 0
    x.own_query_ts = 0
    x.last_query_ts = 0
    x.queries = 0
    x.query_bits = -1
    x.query_udp_size = -1
    x.query_options = 0
    x.query_options_size = 0
    x.is_mixed_case = 0
    x.truncated_number = 0
    x.resolution = 0
    x.resolution_ts = 0
    x.resolution_number = 0
    x.searched = 0
    x.nxdomains = 0
    x.dnssec_ok = 0
    x.recursion_desired = 0
    x.checking_disabled = 0
    x.z = 0


@helper
def clear_response(x):
    """No response seen."""
    x.rcode = -1
    x.authoritative = 0
    x.is_truncated = 0
    x.recursion_available = 0
    x.authentic_data = 0
    x.response_ts = 0
    x.response_number = 0
    x.responses = 0
    x.response_bits = -1
    x.response_udp_size = -1
    x.extended_error = -1
    x.extended_error_text = 0
    x.extended_error_text_size = 0
    x.response_options = 0
    x.response_options_size = 0
    x.is_case_changed = 0
    x.conflicts = 0
    x.rejected = 0


@helper
def set_query(x, m):
    """The query's part of a row but for its records."""
    bits = np.int64(m.bits)
    x.has_query = 1
    x.query_ts = m.ts
    x.query_number = m.number
    x.own_query_ts = m.ts
    x.last_query_ts = m.ts
    x.queries = 1
    x.query_bits = bits
    x.query_udp_size = m.udp_size
    x.query_options = m.options
    x.query_options_size = m.options_size
    x.is_mixed_case = m.is_mixed_case
    x.dnssec_ok = m.dnssec_ok
    x.recursion_desired = 1 if bits & DESIRED else 0
    x.checking_disabled = 1 if bits & CHECKING_DISABLED else 0
    x.z = (bits >> 4) & 7
    x.error = m.error


@helper
def set_response(x, m, records, text):
    """The response's part of a row."""
    bits = np.int64(m.bits)
    x.has_response = 1
    x.is_over = 1
    x.outcome = judge(m) if x.has_query else ANSWER_ONLY
    x.rcode = m.rcode
    x.authoritative = 1 if bits & AUTHORITATIVE else 0
    x.is_truncated = 1 if bits & TRUNCATION else 0
    x.recursion_available = 1 if bits & AVAILABLE else 0
    x.authentic_data = 1 if bits & AUTHENTIC else 0
    x.response_ts = m.ts
    x.response_number = m.number
    x.responses += 1
    x.response_bits = bits
    x.response_udp_size = m.udp_size
    x.response_options = m.options
    x.response_options_size = m.options_size
    x.is_case_changed = 1 if x.is_mixed_case and m.qtype >= 0 and is_case_changed(x, m, text) else 0
    x.extended_error = m.extended_error
    x.extended_error_text = m.extended_error_text
    x.extended_error_text_size = m.extended_error_text_size
    x.rejected = m.rejected
    x.zeek_answers = m.zeek_answers
    if m.error != 0:
        x.error = m.error
    if x.qtype < 0:
        set_name(x, m)
    if x.opcode == UPDATE and x.records > 0:  # what is to be changed stands in the query (RFC 2136 3.8)
        return
    x.answer_records = m.answer_records
    set_records(x, m, records, x.number)


@helper
def is_same_text(text, at, other, size):
    """Whether two spans of one size have the same bytes."""
    k = 0
    while k < size and text[at + k] == text[other + k]:
        k += 1
    return k == size


@helper
def is_case_changed(x, m, text):
    """Whether a response has the name of its query, which is the same without case, in other letters."""
    return x.name_size == m.name_size and not is_same_text(text, np.int64(x.name), np.int64(m.name), np.int64(x.name_size))


@helper
def is_same_data(a, b, text):
    """Whether two records have the same type and data."""
    if a.rrtype != b.rrtype or a.rdata_size != b.rdata_size:
        return False
    return is_same_text(text, np.int64(a.rdata), np.int64(b.rdata), np.int64(a.rdata_size))


@helper
def is_conflicting(x, m, records, text):
    """Whether a second response says something else than the first: the code, how many answers, or an answer the first has not."""
    if (np.int64(m.bits) ^ np.int64(x.response_bits)) & (TRUNCATION | 15) or m.answer_records != x.answer_records:
        return True
    count = np.int64(m.answer_records)
    if count > COMPARED:
        count = np.int64(COMPARED)
    for i in range(np.int64(m.first_record), np.int64(m.first_record) + count):
        is_there = count < m.answer_records  # too many to tell
        for k in range(np.int64(x.first_record), np.int64(x.first_record) + count):
            if is_same_data(records[i], records[k], text):
                is_there = True
                break
        if not is_there:
            return True
    return False
