# mypy: allow-untyped-defs
"""Pairing: messages in order of capture to LOOKUP rows.

A query opens a lookup, a response answers the oldest open lookup of the same connection, client, id and question that is not older than
``wait_ns``. The same query again within ``retry_ns`` of the last, while there is no answer, repeats it; a response when no lookup is open
repeats the newest one it fits; repeats have rows of their own (see tables/dns). A response that fits nothing makes a row without a query.
Multicast messages are never paired for people: each has a row of its own. Zeek's dns.log pairs by the id alone, oldest first, multicast
as well: where that joins two rows, they name each other in ``zeek_pair``.

Open and answered lookups hang in hash chains, newest first, until their connection is flushed. A walk looks at ``STEPS`` rows at most,
so that many lookups with one id cannot make it slow. Over the limit of rows, messages that would need a new one are shed and counted.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel, mix64
from analyzer.messages.dns.frame_kernels import ORPHANS, SHED, TCP
from analyzer.messages.dns.lookup_kernels import RESPONSE, is_conflicting, set_query, set_records, set_response, start_lookup
from analyzer.messages.dns.resolution_kernels import close_resolution, find_truncated, join_resolution, keep_truncated, supersede
from analyzer.tables.dns import REPEAT, TRUNCATED

STEPS = 64

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
    x, y, e = lookups[first], lookups[row], pending[first]
    x.queries += 1
    x.last_query_ts = m.ts
    y.is_repeat = REPEAT
    y.resolution = x.resolution
    if e.first_repeat == 0:
        e.first_repeat = row + 1
    else:
        pending[np.int64(e.last_repeat) - 1].next_repeat = row + 1
    e.last_repeat = row + 1


@helper
def pair_query(m, row, key, heads, lookups, pending, records, text, recent, state, retry_ns):
    """A query to a single host: a new lookup or a repeated one; either takes the new row."""
    resolutions, searches, truncations = recent
    client = np.int64(m.sender)
    first = find_open(m, key, client, heads, lookups, pending, retry_ns)
    x = lookups[row]
    start_lookup(x, m, state[NUMBER] + 1 if first == 0 else np.int64(lookups[first - 1].number))
    start_pending(pending[row], key, client)
    set_query(x, m)
    if first > 0:
        repeat_query(m, row, lookups, pending, first - 1)
    else:
        before = find_truncated(x, lookups, truncations) if m.transport == TCP else np.int64(0)
        if before > 0:
            supersede(x, lookups[before - 1])
        else:
            state[NUMBER] += 1
            join_resolution(x, resolutions, searches, text)
        link(heads, pending, row)
    set_records(x, m, records, np.int64(x.number))
    state[TOP] += 1


@helper
def answer(x, row, m, records, text, recent):
    """A response fills the row of its query."""
    resolutions, searches, truncations = recent
    set_response(x, m, records, text)
    if x.is_repeat:
        return
    close_resolution(x, resolutions, searches, text)
    if x.outcome == TRUNCATED and m.transport != TCP:
        keep_truncated(x, row, truncations)


@helper
def pair_response(m, row, key, heads, lookups, pending, records, text, recent, state, wait_ns, counters):
    """A response from a single host: fills the row of its query or repeat, or takes the new row; the row it went to."""
    client = 1 - np.int64(m.sender)
    waiting, answered, with_id = find_asked(m, key, client, heads, lookups, pending, wait_ns)
    if waiting > 0:
        answer(lookups[waiting - 1], waiting - 1, m, records, text, recent)
        return waiting - 1
    if answered > 0:
        x, e = lookups[answered - 1], pending[answered - 1]
        x.responses += 1
        if x.has_query and is_conflicting(x, m, records, text):
            x.conflicts += 1
        if e.first_repeat > 0:
            row = np.int64(e.first_repeat) - 1
            e.first_repeat = pending[row].next_repeat
            set_response(lookups[row], m, records, text)
            return row
    else:
        state[NUMBER] += 1
        counters[ORPHANS] += 1
    start_lookup(lookups[row], m, state[NUMBER] if answered == 0 else np.int64(lookups[answered - 1].number))
    start_pending(pending[row], key, client)
    set_response(lookups[row], m, records, text)
    if answered == 0:
        link(heads, pending, row)
    else:
        lookups[row].is_repeat = REPEAT
    if with_id > 0 and answered == 0:
        lookups[row].zeek_row = 0
        lookups[row].zeek_pair = lookups[with_id - 1].number
        lookups[with_id - 1].zeek_pair = lookups[row].number
    state[TOP] += 1
    return row


@helper
def add_multicast(m, row, key, is_answer, lookups, pending, records, text, streams, state):
    """A multicast message: a row of its own."""
    x = lookups[row]
    state[NUMBER] += 1
    state[TOP] += 1
    start_lookup(x, m, state[NUMBER])
    start_pending(pending[row], key, np.int64(m.sender))
    if is_answer:
        set_response(x, m, records, text)
    else:
        set_query(x, m)
        set_records(x, m, records, np.int64(x.number))
    join(row, is_answer, streams[2 * np.int64(m.connection)], lookups, pending)


@kernel
def pair(messages, order, at, records, text, lookups, pending, heads, streams, recent, state, answers, counters, waits):
    """DNS_MESSAGE rows ``order[at:]`` to LOOKUP rows; (status, next index of order).

    ``answers`` gets the rows whose response came now, in order; it is as long as ``order``. ``recent``: the tables of
    resolution_kernels. ``waits``: within how long a query is a repeated one, a response fits, and how many rows there may be.
    """
    retry_ns, wait_ns, most = waits
    for i in range(at, order.size):
        m = messages[order[i]]
        row = np.int64(state[TOP])
        is_answer = (np.int64(m.bits) & RESPONSE) != 0
        client = 1 - np.int64(m.sender) if is_answer else np.int64(m.sender)
        key = hash_key(m, client)
        if row >= most and not (is_answer and find_asked(m, key, client, heads, lookups, pending, wait_ns)[0] > 0):
            counters[SHED] += 1
            continue
        if row >= lookups.size:
            return GROW_ROWS, i
        if m.is_multicast:
            add_multicast(m, row, key, is_answer, lookups, pending, records, text, streams, state)
        elif is_answer:
            row = pair_response(m, row, key, heads, lookups, pending, records, text, recent, state, wait_ns, counters)
            answers[state[ANSWERS]] = row
            state[ANSWERS] += 1
        else:
            pair_query(m, row, key, heads, lookups, pending, records, text, recent, state, retry_ns)
    return DONE, order.size


@kernel
def relink(lookups, pending, heads, top):
    """Hang the rows into new, empty hash chains, oldest first."""
    for row in range(top):
        x = lookups[row]
        if x.connection >= 0 and x.is_repeat != REPEAT and x.is_multicast == 0:
            link(heads, pending, row)
