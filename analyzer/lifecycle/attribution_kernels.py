# mypy: allow-untyped-defs
"""Which lookup gave a connection its address (the evidence by DNS; the theory is in attribution)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, helper, kernel, mix64
from analyzer.tables.dns import CACHED, CAUSED

A, AAAA, HTTPS = 1, 28, 65
GRACE_NS = 60_000_000_000  # answers are used a little beyond their TTL
CAUSE_NS = 10_000_000_000  # a connection later than this after the answer was not what the lookup was made for
STEPS = 64  # answers looked at for one connection
SECOND_NS = 1_000_000_000
NOBODY = np.uint64(0)
NO, YES = np.int64(0), np.int64(1)  # literals would compile a helper twice

# state (int64): rows used of KNOWN_NAME and KNOWN_ADDRESS, bytes of text
NAMES, ADDRESSES, TEXT = 0, 1, 2


@helper
def hash_pair(a_hi, a_lo, b_hi, b_lo):
    """Hash of two pairs of 64-bit words."""
    return mix64(a_hi ^ np.uint64(mix64(b_lo, b_hi)), a_lo)


@helper
def fold_hash(text, at, size):
    """Hash of a name without case, 62 bits in two interleaved halves."""
    h, g = np.int64(0x811C9DC5), np.int64(0x1000193)
    for k in range(at, at + size):
        byte = np.int64(text[k])
        if 65 <= byte <= 90:
            byte += 32
        h = ((h ^ byte) * 16777619) & 0x7FFFFFFF
        g = ((g + byte) * 0x45D9F3B) & 0x7FFFFFFF
    return h << 31 | g


@helper
def link(heads, table, row):
    """Put a row at the head of its hash chain."""
    slot = np.int64(table[row].key) & (heads.size - 1)
    table[row].chain = heads[slot]
    heads[slot] = row + 1


@helper
def link_address(heads, any_heads, table, row):
    """Put a row at the head of its two hash chains: that of its client, and that of all clients."""
    link(heads, table, row)
    slot = np.int64(table[row].any_key) & (any_heads.size - 1)
    table[row].any_chain = any_heads[slot]
    any_heads[slot] = row + 1


@helper
def add_name(x, lookup, source, text, top):
    """A KNOWN_NAME row for an answered lookup, its name copied to ``text[top:]``."""
    size = np.int64(lookup.name_size)
    at = np.int64(lookup.name)
    for k in range(size):
        text[top + k] = source[at + k]
    x.question = fold_hash(source, at, size)
    x.key = hash_pair(lookup.client_hi, lookup.client_lo, np.uint64(x.question), np.uint64(0))
    x.lookup = lookup.number
    x.client_hi = lookup.client_hi
    x.client_lo = lookup.client_lo
    x.server_hi = lookup.server_hi
    x.server_lo = lookup.server_lo
    x.query_ts = lookup.query_ts
    x.query_number = lookup.query_number
    x.response_ts = lookup.response_ts
    x.response_number = lookup.response_number
    x.queries = lookup.queries
    x.expires_ts = np.int64(lookup.response_ts) + GRACE_NS
    x.name = top
    x.name_size = size


@kernel
def learn(lookups, answers, at, records, source, names, name_heads, addresses, address_heads, any_heads, text, state):
    """Keep the answers of ``lookups[answers[at:]]``; (status, next index of answers).

    All addresses of an answer section belong to the name asked for, whatever CNAMEs lie between (RFC 1034 3.6.2).
    """
    for i in range(at, answers.size):
        lookup = lookups[answers[i]]
        qtype = np.int64(lookup.qtype)
        if lookup.is_repeat or lookup.opcode != 0 or lookup.rcode != 0 or lookup.name_size == 0 or qtype not in (A, AAAA, HTTPS):
            continue
        row = np.int64(state[NAMES])
        if row >= names.size or state[ADDRESSES] + lookup.answer_records > addresses.size:
            return GROW_ROWS, i
        if state[TEXT] + lookup.name_size > text.size:
            return GROW_TEXT, i
        x = names[row]
        add_name(x, lookup, source, text, state[TEXT])
        link(name_heads, names, row)
        state[NAMES] += 1
        state[TEXT] += lookup.name_size
        for k in range(lookup.first_record, np.int64(lookup.first_record) + np.int64(lookup.records)):
            r = records[k]
            if r.section != 1 or (r.rrtype != A and r.rrtype != AAAA):
                continue
            y = addresses[state[ADDRESSES]]
            y.key = hash_pair(x.client_hi, x.client_lo, r.address_hi, r.address_lo)
            y.any_key = hash_pair(NOBODY, NOBODY, r.address_hi, r.address_lo)
            y.known_name = row
            y.address_hi = r.address_hi
            y.address_lo = r.address_lo
            y.ttl = r.ttl
            y.expires_ts = np.int64(x.response_ts) + np.int64(r.ttl) * SECOND_NS + GRACE_NS
            y.is_used = 0
            x.expires_ts = max(np.int64(x.expires_ts), np.int64(y.expires_ts))
            link_address(address_heads, any_heads, addresses, np.int64(state[ADDRESSES]))
            state[ADDRESSES] += 1
    return DONE, answers.size


@helper
def find_address(c, ends, names, addresses, heads, is_any, seen):
    """The newest answer that explains a connection, row plus one (0 = none), and how many different names do.

    ``ends``: client and address. With ``is_any``: answers to a client of the other address family, 0 when there are several such.
    """
    client_hi, client_lo, address_hi, address_lo = ends
    key = hash_pair(NOBODY if is_any else client_hi, NOBODY if is_any else client_lo, address_hi, address_lo)
    row = np.int64(heads[key & (heads.size - 1)])
    best, candidates = np.int64(0), 0
    for _ in range(STEPS):
        if row == 0:
            break
        y, this = addresses[row - 1], row
        x = names[y.known_name]
        row = np.int64(y.any_chain if is_any else y.chain)
        is_client = x.client_lo == client_lo and x.client_hi == client_hi
        if is_any:
            is_client = (x.client_hi == NOBODY) != (client_hi == NOBODY)
        if not is_client or y.address_lo != address_lo or y.address_hi != address_hi:
            continue
        if x.response_number >= c.first_number or c.first_ts > y.expires_ts or x.response_ts > c.first_ts:
            continue
        if best == 0:
            best = this
        other = names[addresses[best - 1].known_name]
        if x.client_lo != other.client_lo or x.client_hi != other.client_hi:
            return np.int64(0), 0
        is_new = True
        for k in range(candidates):
            if seen[k] == x.question:
                is_new = False
        if is_new:
            seen[candidates] = x.question
            candidates += 1
    return best, candidates


@helper
def widen(t, chosen, c, names, heads):
    """Take the other lookups of the same resolution in: same client and name, overlapping in time, answered before the connection."""
    row = np.int64(heads[np.int64(chosen.key) & (heads.size - 1)])
    for _ in range(STEPS):
        if row == 0:
            break
        x = names[row - 1]
        row = np.int64(x.chain)
        if x.question != chosen.question or x.client_lo != chosen.client_lo or x.client_hi != chosen.client_hi or x.lookup == chosen.lookup:
            continue
        if x.query_ts == 0 or x.response_number >= c.first_number or x.response_ts > c.first_ts:
            continue
        if x.query_ts > chosen.response_ts or chosen.query_ts > x.response_ts or chosen.query_ts == 0:
            continue
        t.queries += x.queries
        if x.query_number < t.query_number:
            t.query_ts = x.query_ts
            t.query_number = x.query_number
        if x.response_number > t.response_number:
            t.response_ts = x.response_ts
            t.response_number = x.response_number


@kernel
def attribute(packets, connections, names, name_heads, addresses, address_heads, any_heads, table, seen):
    """Fill the ATTRIBUTION row of every connection whose first packet is in ``packets``, in order of capture."""
    for i in range(packets.size):
        p = packets[i]
        if p.connection < 0 or p.sender != 0:  # the sender of the first packet is end 0 by definition
            continue
        c = connections[p.connection]
        if c.first_number != p.number:
            continue
        ends = (c.a_hi, c.a_lo, c.b_hi, c.b_lo)
        if c.flipped:
            ends = (c.b_hi, c.b_lo, c.a_hi, c.a_lo)
        best, candidates = find_address(c, ends, names, addresses, address_heads, NO, seen)
        if best == 0:
            best, candidates = find_address(c, ends, names, addresses, any_heads, YES, seen)
        if best == 0:
            continue
        y, t = addresses[best - 1], table[p.connection]
        x = names[y.known_name]
        t.basis = CAUSED if y.is_used == 0 and c.first_ts - x.response_ts <= CAUSE_NS else CACHED
        y.is_used = 1
        t.candidates = candidates
        t.lookup = x.lookup
        t.query_ts = x.query_ts
        t.query_number = x.query_number
        t.response_ts = x.response_ts
        t.response_number = x.response_number
        t.ttl = y.ttl
        t.queries = x.queries
        t.name = x.name
        t.name_size = x.name_size
        t.server_hi = x.server_hi
        t.server_lo = x.server_lo
        widen(t, x, c, names, name_heads)


@kernel
def relink(names, name_heads, addresses, address_heads, any_heads, state):
    """Hang all rows into new, empty hash chains, oldest first."""
    for row in range(state[NAMES]):
        link(name_heads, names, row)
    for row in range(state[ADDRESSES]):
        link_address(address_heads, any_heads, addresses, row)
