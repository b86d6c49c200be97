# mypy: allow-untyped-defs
"""Pairing: messages in order of capture to LOOKUP rows.

A query opens a lookup, a response answers the oldest open lookup of the same connection, client, id and question that is not older than
``wait_ns``. The same query again within ``retry_ns`` of the last, while there is no answer, repeats it; a response when no lookup is open
repeats the newest one it fits; repeats have rows of their own (see tables/dns). A response that fits nothing makes a row without a query.
Multicast messages are never paired for people: each has a row of its own. Zeek's dns.log pairs by the id alone, oldest first, multicast
as well: where that joins two rows, they name each other in ``zeek_pair``.

Open and answered lookups hang in hash chains, newest first, until their connection is flushed. A walk looks at ``STEPS`` rows at most,
so that many lookups with one id cannot make it slow.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel, mix64
from analyzer.messages.dns.frame_kernels import ORPHANS
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

STEPS = 64
RESPONSE, AUTHORITATIVE, TRUNCATION, DESIRED, AVAILABLE, AUTHENTIC, CHECKING_DISABLED = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10

# state (int64): rows used, last number given, rows of the answered list
TOP, NUMBER, ANSWERS = 0, 1, 2


@helper
def hash_key(m, client):
    """Hash of connection, client end and id."""
    return mix64(np.uint64(np.int64(m.connection) << 17 | client << 16 | np.int64(m.id)), np.uint64(0x9E3779B9))


@helper
def find_open(m, key, client, heads, lookups, pending, retry_ns):
    """For a query: the newest unanswered lookup it repeats, row plus one; 0 = none."""
    row = np.int64(heads[key & (heads.size - 1)])
    for _ in range(STEPS):
        if row == 0:
            break
        x = lookups[row - 1]
        if x.connection == m.connection and x.id == m.id and pending[row - 1].client == client and x.has_query:
            if is_same_question(x, m) and x.has_response == 0 and m.ts - x.last_query_ts <= retry_ns:
                return row
        row = np.int64(pending[row - 1].chain)
    return np.int64(0)


@helper
def is_same_question(x, m):
    """Whether a message has the question of a lookup; one without a question (an error, mostly) is taken for any."""
    return m.qtype < 0 or x.qtype < 0 or x.question_hash == m.question_hash


@helper
def find_asked(m, key, client, heads, lookups, pending, wait_ns):
    """For a response: (oldest unanswered lookup it fits, newest answered one, oldest with the id only), rows plus one; 0 = none."""
    row = np.int64(heads[key & (heads.size - 1)])
    waiting, answered, with_id = np.int64(0), np.int64(0), np.int64(0)
    for _ in range(STEPS):
        if row == 0:
            break
        x = lookups[row - 1]
        if x.connection == m.connection and x.id == m.id and pending[row - 1].client == client:
            if not is_same_question(x, m):
                if x.has_response == 0 and x.zeek_pair == 0:
                    with_id = row
            elif x.has_response == 0:
                if m.ts - x.last_query_ts <= wait_ns:
                    waiting = row
            elif answered == 0:
                answered = row
        row = np.int64(pending[row - 1].chain)
    return waiting, answered, with_id


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
    x.last_query_ts = 0
    x.queries = 0
    x.query_bits = -1
    x.query_udp_size = -1
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
    x.rejected = 0


@helper
def set_query(x, m, records):
    """The query's part of a row."""
    bits = np.int64(m.bits)
    x.has_query = 1
    x.query_ts = m.ts
    x.query_number = m.number
    x.last_query_ts = m.ts
    x.queries = 1
    x.query_bits = bits
    x.query_udp_size = m.udp_size
    x.dnssec_ok = m.dnssec_ok
    x.recursion_desired = 1 if bits & DESIRED else 0
    x.checking_disabled = 1 if bits & CHECKING_DISABLED else 0
    x.z = (bits >> 4) & 7
    x.error = m.error
    set_records(x, m, records, x.number)


@helper
def set_response(x, m, records):
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
    x.responses = 1
    x.response_bits = bits
    x.response_udp_size = m.udp_size
    x.extended_error = m.extended_error
    x.extended_error_text = m.extended_error_text
    x.extended_error_text_size = m.extended_error_text_size
    x.rejected = m.rejected
    x.zeek_answers = m.zeek_answers
    x.answer_records = m.answer_records
    if m.error != 0:
        x.error = m.error
    if x.qtype < 0:
        set_name(x, m)
    set_records(x, m, records, x.number)


@helper
def start_pending(e, key, client):
    """The state beside a new row: in no chain, without repeats."""
    e.key = key
    e.client = client
    e.chain = 0
    e.first_repeat = 0
    e.last_repeat = 0
    e.next_repeat = 0
    e.next_join = 0


@helper
def link(heads, pending, row):
    """Put a row at the head of its hash chain."""
    slot = np.int64(pending[row].key) & (heads.size - 1)
    pending[row].chain = heads[slot]
    heads[slot] = row + 1


@helper
def join(row, is_answer, s, lookups, pending):
    """Multicast: join with the oldest unpaired message of the other kind, else wait in the queue of one's own kind."""
    other = np.int64(s.first_query if is_answer else s.first_reply)
    x = lookups[row]
    if other > 0 and lookups[other - 1].id == x.id:
        following = pending[other - 1].next_join
        if is_answer:
            s.first_query = following
        else:
            s.first_reply = following
        x.zeek_pair = lookups[other - 1].number
        x.zeek_row = 0
        lookups[other - 1].zeek_pair = x.number
        return
    last = np.int64(s.last_reply if is_answer else s.last_query)
    is_first = (s.first_reply if is_answer else s.first_query) == 0
    if not is_first:
        pending[last - 1].next_join = row + 1
    if is_answer:
        s.last_reply = row + 1
        if is_first:
            s.first_reply = row + 1
    else:
        s.last_query = row + 1
        if is_first:
            s.first_query = row + 1


@helper
def repeat_query(m, row, lookups, pending, first):
    """The new row ``row`` repeats the query of the lookup ``first``."""
    x, e = lookups[first], pending[first]
    x.queries += 1
    x.last_query_ts = m.ts
    lookups[row].is_repeat = 1
    if e.first_repeat == 0:
        e.first_repeat = row + 1
    else:
        pending[np.int64(e.last_repeat) - 1].next_repeat = row + 1
    e.last_repeat = row + 1


@helper
def pair_query(m, row, key, heads, lookups, pending, records, state, retry_ns):
    """A query to a single host: a new lookup or a repeated one; either takes the new row."""
    client = np.int64(m.sender)
    first = find_open(m, key, client, heads, lookups, pending, retry_ns)
    if first == 0:
        state[NUMBER] += 1
    start_lookup(lookups[row], m, state[NUMBER] if first == 0 else np.int64(lookups[first - 1].number))
    start_pending(pending[row], key, client)
    set_query(lookups[row], m, records)
    if first == 0:
        link(heads, pending, row)
    else:
        repeat_query(m, row, lookups, pending, first - 1)
    state[TOP] += 1


@helper
def pair_response(m, row, key, heads, lookups, pending, records, state, wait_ns, counters):
    """A response from a single host: fills the row of its query or repeat, or takes the new row; the row it went to."""
    client = 1 - np.int64(m.sender)
    waiting, answered, with_id = find_asked(m, key, client, heads, lookups, pending, wait_ns)
    if waiting > 0:
        set_response(lookups[waiting - 1], m, records)
        return waiting - 1
    if answered > 0:
        e = pending[answered - 1]
        lookups[answered - 1].responses += 1
        if e.first_repeat > 0:
            row = np.int64(e.first_repeat) - 1
            e.first_repeat = pending[row].next_repeat
            set_response(lookups[row], m, records)
            return row
    else:
        state[NUMBER] += 1
        counters[ORPHANS] += 1
    start_lookup(lookups[row], m, state[NUMBER] if answered == 0 else np.int64(lookups[answered - 1].number))
    start_pending(pending[row], key, client)
    set_response(lookups[row], m, records)
    if answered == 0:
        link(heads, pending, row)
    else:
        lookups[row].is_repeat = 1
    if with_id > 0 and answered == 0:
        lookups[row].zeek_row = 0
        lookups[row].zeek_pair = lookups[with_id - 1].number
        lookups[with_id - 1].zeek_pair = lookups[row].number
    state[TOP] += 1
    return row


@kernel
def pair(messages, order, at, records, lookups, pending, heads, streams, state, answers, counters, retry_ns, wait_ns):
    """DNS_MESSAGE rows ``order[at:]`` to LOOKUP rows; (status, next index of order).

    ``answers`` gets the rows whose response came now, in order; it is as long as ``order``.
    """
    for i in range(at, order.size):
        m = messages[order[i]]
        row = np.int64(state[TOP])
        if row >= lookups.size:
            return GROW_ROWS, i
        is_answer = (np.int64(m.bits) & RESPONSE) != 0
        key = hash_key(m, 1 - np.int64(m.sender) if is_answer else np.int64(m.sender))
        if m.is_multicast:
            state[NUMBER] += 1
            state[TOP] += 1
            start_lookup(lookups[row], m, state[NUMBER])
            start_pending(pending[row], key, np.int64(m.sender))
            if is_answer:
                set_response(lookups[row], m, records)
            else:
                set_query(lookups[row], m, records)
            join(row, is_answer, streams[2 * np.int64(m.connection)], lookups, pending)
        elif is_answer:
            row = pair_response(m, row, key, heads, lookups, pending, records, state, wait_ns, counters)
            answers[state[ANSWERS]] = row
            state[ANSWERS] += 1
        else:
            pair_query(m, row, key, heads, lookups, pending, records, state, retry_ns)
    return DONE, order.size


@kernel
def relink(lookups, pending, heads, top):
    """Hang the rows into new, empty hash chains, oldest first."""
    for row in range(top):
        x = lookups[row]
        if x.connection >= 0 and x.is_repeat == 0 and x.is_multicast == 0:
            link(heads, pending, row)
