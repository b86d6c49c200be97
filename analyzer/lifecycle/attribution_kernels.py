# mypy: allow-untyped-defs
"""Which lookup gave a connection its address (the evidence by DNS; the theory is in attribution)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, be32, be64, helper, kernel, mix64
from analyzer.tables.dns import CACHED, CANDIDATES, CAUSED, REPEAT

A, CNAME, AAAA, SVCB, HTTPS = 1, 5, 28, 64, 65
TCP = 6
AT_ONCE_NS = 50_000_000  # answers to lookups made at the same time: the first of them is used first
RACES = 4096  # rows; a power of two
ATTEMPT_NS = 2_000_000_000  # RFC 8305 5: an attempt waits for the one before it for this long at most
GRACE_NS = 60_000_000_000  # answers are used a little beyond their TTL
CAUSE_NS = 10_000_000_000  # a connection later than this after the answer was not what the lookup was made for
STEPS = 64  # answers that fit one connection and are looked at
WALK = 4096  # rows of a hash chain looked at for them: what is over stays in the chains until the next sweep, and must not count
SECOND_NS = 1_000_000_000
NOBODY = np.uint64(0)
NO, YES = np.int64(0), np.int64(1)  # literals would compile a helper twice

# state (int64): rows used of KNOWN_NAME and KNOWN_ADDRESS, bytes of text, rows of addresses that the lookup at hand may need
NAMES, ADDRESSES, TEXT, NEEDED = 0, 1, 2, 3


@helper
def hash_pair(a_hi, a_lo, b_hi, b_lo):
    """Hash of two pairs of 64-bit words."""
    return mix64(a_hi ^ np.uint64(mix64(b_lo, b_hi)), a_lo)


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
def add_name(x, lookup, kind, source, text, top):
    """A KNOWN_NAME row for an answered lookup, its name copied to ``text[top:]``; the new top."""
    size = np.int64(lookup.name_size)
    at = np.int64(lookup.name)
    for k in range(size):
        text[top + k] = source[at + k]
    x.question = lookup.name_hash
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
    x.kind = kind
    x.resolution = lookup.resolution
    x.resolution_ts = lookup.resolution_ts
    x.resolution_number = lookup.resolution_number
    x.searched = lookup.searched
    x.cnames = top + size
    x.cnames_size = 0
    return top + size


@helper
def measure(lookup, records, state):
    """Bytes of text that a lookup needs at most; rows of addresses go to the state."""
    needed, more = np.int64(lookup.name_size), np.int64(0)
    for k in range(lookup.first_record, np.int64(lookup.first_record) + np.int64(lookup.answer_records)):
        r = records[k]
        if r.rrtype == CNAME:
            needed += np.int64(r.rdata_size) + 1
        elif r.rrtype == HTTPS or r.rrtype == SVCB:
            more += (np.int64(r.address_lo) >> 16) + (np.int64(r.address_lo) & 0xFFFF)
    state[NEEDED] = more + np.int64(lookup.answer_records)
    return needed


@helper
def add_address(x, row, high, low, ttl, is_hint, addresses, address_heads, any_heads, state):
    """A KNOWN_ADDRESS row of the name ``x``, which is in ``row``."""
    y = addresses[state[ADDRESSES]]
    y.key = hash_pair(x.client_hi, x.client_lo, high, low)
    y.any_key = hash_pair(NOBODY, NOBODY, high, low)
    y.known_name = row
    y.address_hi = high
    y.address_lo = low
    y.ttl = ttl
    y.expires_ts = np.int64(x.response_ts) + np.int64(ttl) * SECOND_NS + GRACE_NS
    y.is_used = 0
    y.is_hint = is_hint
    x.expires_ts = max(np.int64(x.expires_ts), np.int64(y.expires_ts))
    link_address(address_heads, any_heads, addresses, np.int64(state[ADDRESSES]))
    state[ADDRESSES] += 1


@helper
def add_hints(x, row, r, source, addresses, address_heads, any_heads, state):
    """The addresses that an HTTPS record hints at (RFC 9460 7.3)."""
    at, counts = np.int64(r.address_hi), np.int64(r.address_lo)
    for _ in range(counts >> 16):
        add_address(x, row, NOBODY, np.uint64(be32(source, at, at + 4)), r.ttl, YES, addresses, address_heads, any_heads, state)
        at += 4
    for _ in range(counts & 0xFFFF):
        high, low = be64(source, at, at + 8), be64(source, at + 8, at + 16)
        add_address(x, row, high, low, r.ttl, YES, addresses, address_heads, any_heads, state)
        at += 16


@helper
def add_cname(x, r, source, text, top):
    """One step of the way from the name to its addresses; the new top."""
    if x.cnames_size > 0:
        text[top] = 32
        top += 1
    for k in range(np.int64(r.rdata_size)):
        text[top + k] = source[np.int64(r.rdata) + k]
    top += np.int64(r.rdata_size)
    x.cnames_size = top - np.int64(x.cnames)
    return top


@kernel
def learn(lookups, answers, at, records, source, names, name_heads, addresses, address_heads, any_heads, text, state):
    """Keep the answers of ``lookups[answers[at:]]``; (status, next index of answers).

    All addresses of an answer section belong to the name asked for, whatever CNAMEs lie between (RFC 1034 3.6.2).
    """
    for i in range(at, answers.size):
        lookup = lookups[answers[i]]
        qtype = np.int64(lookup.qtype)
        if lookup.is_repeat == REPEAT or lookup.opcode != 0 or lookup.rcode != 0 or lookup.name_size == 0 or qtype not in (A, AAAA, HTTPS):
            continue
        row = np.int64(state[NAMES])
        needed = measure(lookup, records, state)
        if row >= names.size or state[ADDRESSES] + state[NEEDED] > addresses.size:
            return GROW_ROWS, i
        if state[TEXT] + needed > text.size:
            return GROW_TEXT, i
        x = names[row]
        top = add_name(x, lookup, 0 if qtype == A else (1 if qtype == AAAA else 2), source, text, state[TEXT])
        link(name_heads, names, row)
        state[NAMES] += 1
        for k in range(lookup.first_record, np.int64(lookup.first_record) + np.int64(lookup.answer_records)):
            r = records[k]
            if r.rrtype == A or r.rrtype == AAAA:
                add_address(x, row, r.address_hi, r.address_lo, r.ttl, NO, addresses, address_heads, any_heads, state)
            elif r.rrtype == HTTPS:
                add_hints(x, row, r, source, addresses, address_heads, any_heads, state)
            elif r.rrtype == CNAME:
                top = add_cname(x, r, source, text, top)
        state[TEXT] = top
    return DONE, answers.size


@helper
def find_address(c, ends, names, addresses, heads, is_any, seen):
    """The newest answer that explains a connection, row plus one (0 = none), and how many different names do.

    Of several that came at nearly the same time it is the oldest that no connection has used: programs connect in the order of answers.

    ``seen`` gets a row of KNOWN_NAME for each. ``ends``: client and address.
    With ``is_any``: answers to a client of the other address family, 0 when there are several such.
    """
    client_hi, client_lo, address_hi, address_lo = ends
    key = hash_pair(NOBODY if is_any else client_hi, NOBODY if is_any else client_lo, address_hi, address_lo)
    row = np.int64(heads[key & (heads.size - 1)])
    best, candidates, newest_ts = np.int64(0), 0, np.int64(0)
    fitting = 0
    for _ in range(WALK):
        if row == 0 or fitting == STEPS:
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
        fitting += 1
        if best == 0:
            best = this
            newest_ts = np.int64(x.response_ts)
        chosen = addresses[best - 1]
        other = names[chosen.known_name]
        if x.client_lo != other.client_lo or x.client_hi != other.client_hi:
            return np.int64(0), 0
        if y.is_used == 0 and y.is_hint <= chosen.is_hint and newest_ts - np.int64(x.response_ts) <= AT_ONCE_NS:
            best = this
        elif chosen.is_hint and y.is_hint == 0 and other.question == x.question:
            best = this  # the answer that has the address itself
        is_new = True
        for k in range(candidates):
            if names[seen[k]].question == x.question:
                is_new = False
        if is_new:
            seen[candidates] = y.known_name
            candidates += 1
    return best, candidates


@helper
def widen(t, chosen, c, names, heads):
    """Take the other lookups of the same resolution in, as far as they were answered before the connection."""
    row = np.int64(heads[np.int64(chosen.key) & (heads.size - 1)])
    for _ in range(STEPS):
        if row == 0:
            break
        x = names[row - 1]
        row = np.int64(x.chain)
        if x.question != chosen.question or x.client_lo != chosen.client_lo or x.client_hi != chosen.client_hi:
            continue
        if x.resolution != chosen.resolution or x.query_ts == 0 or x.response_number >= c.first_number or x.response_ts > c.first_ts:
            continue
        if t.kind_ns[x.kind] == 0:
            t.kind_ns[x.kind] = np.int64(x.response_ts) - np.int64(x.query_ts)
        if x.lookup == chosen.lookup:
            continue
        t.queries += x.queries
        if x.response_number > t.response_number:
            t.response_ts = x.response_ts
            t.response_number = x.response_number


@helper
def tell(t, x, y, candidates, seen, names):
    """Fill an ATTRIBUTION row from the answer ``y`` to the lookup ``x``."""
    t.candidates = candidates
    t.lookup = x.lookup
    t.query_ts = x.resolution_ts if x.query_ts != 0 else 0
    t.query_number = x.resolution_number if x.query_ts != 0 else 0
    t.response_ts = x.response_ts
    t.response_number = x.response_number
    t.ttl = y.ttl
    t.queries = x.queries
    t.name = x.name
    t.name_size = x.name_size
    t.server_hi = x.server_hi
    t.server_lo = x.server_lo
    t.is_hint = y.is_hint
    t.resolution = x.resolution
    t.searched = x.searched
    t.cnames = x.cnames
    t.cnames_size = x.cnames_size
    kept = 0
    for k in range(candidates):
        other = names[seen[k]]
        if other.question != x.question and kept < CANDIDATES:
            t.other[kept] = other.name
            t.other_size[kept] = other.name_size
            kept += 1


@helper
def race(t, x, y, c, row, port, connections, table, races):
    """Whether this connection is another attempt to reach the name, while the one before to another address had come to nothing yet."""
    e = races[np.int64(x.key) & (races.size - 1)]
    last = connections[e.last_row]
    is_other = y.address_hi != e.address_hi or y.address_lo != e.address_lo
    is_open = e.key == x.key and e.port == port and is_other and last.number == e.last and c.first_ts - last.first_ts <= ATTEMPT_NS
    if is_open and (last.ack_ts == 0 or last.synack_ts == 0 or last.ack_ts >= c.first_ts):
        t.race = e.first
        t.race_ts = e.first_ts
        table[e.last_row].race = e.first
        table[e.last_row].race_ts = e.first_ts
    else:
        e.key = x.key
        e.port = port
        e.first = c.number
        e.first_ts = c.first_ts
    e.last = c.number
    e.last_row = row
    e.address_hi = y.address_hi
    e.address_lo = y.address_lo


@kernel
def attribute(packets, connections, names, name_heads, addresses, address_heads, any_heads, table, seen, races):
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
        tell(t, x, y, candidates, seen, names)
        widen(t, x, c, names, name_heads)
        if c.protocol == TCP:
            port = np.int64(c.a_port) if c.flipped else np.int64(c.b_port)
            race(t, x, y, c, np.int64(p.connection), port, connections, table, races)


@kernel
def relink(names, name_heads, addresses, address_heads, any_heads, state):
    """Hang all rows into new, empty hash chains, oldest first."""
    for row in range(state[NAMES]):
        link(name_heads, names, row)
    for row in range(state[ADDRESSES]):
        link_address(address_heads, any_heads, addresses, row)
