# mypy: allow-untyped-defs
"""Which lookups belong together: A, AAAA and HTTPS of one name, names tried by a search list, and TCP after a truncated answer.

One *resolution* is what a client asks to learn one name: a lookup joins that of the same client and name while one of its lookups waits
for an answer, or within 50 ms of the last answer (RFC 8305 3: Resolution Delay) when its type has not been asked yet. A name that is
asked for within 100 ms after another one with the same first label did not exist goes on with the resolution of that one: so stub
resolvers walk their search domains.

The tables have fixed sizes: what is asked lately is found, what is overwritten is merely not joined.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, mix64
from analyzer.tables.dns import NXDOMAIN, SUPERSEDED, TRUNCATED

A, AAAA, SVCB, HTTPS = 1, 28, 64, 65
TCP = 6
RESOLUTIONS, SEARCHES, TRUNCATIONS = 8192, 1024, 1024  # rows; powers of two
OPEN_NS = 15_000_000_000  # a resolver that asks on for longer has given up in between
RESOLUTION_DELAY_NS = 50_000_000
SEARCH_NS = 100_000_000
TCP_WAIT_NS = 5_000_000_000


@helper
def kind_of(qtype):
    """The bit of a type that is asked for to connect; 0 for others."""
    if qtype == A:
        return 1
    if qtype == AAAA:
        return 2
    return 4 if qtype in (HTTPS, SVCB) else 0


@helper
def hash_client(x):
    """Hash of the address that asks, never 0."""
    return mix64(x.client_hi, x.client_lo) | 1


@helper
def hash_client_name(x):
    """Hash of the address that asks and the name, never 0."""
    return mix64(np.uint64(x.name_hash), np.uint64(hash_client(x))) | 1


@helper
def hash_label(x, text):
    """Hash of the first label of a name without case."""
    h = np.int64(1)
    for k in range(x.name, np.int64(x.name) + np.int64(x.name_size)):
        byte = np.int64(text[k])
        if byte == 46:
            break
        h = ((h ^ (byte | 32)) * 16777619) & 0x3FFFFFFFFF
    return h


@helper
def start_resolution(e, x, key, kind, searches, text):
    """A new resolution; it goes on with the last name of this client when that did not exist a moment ago."""
    if e.key != key:
        e.nxdomains = 0
        e.nxdomain = 0
    e.key = key
    e.number = x.number
    e.first_ts = x.query_ts
    e.first_number = x.query_number
    e.kinds = kind
    e.open_lookups = 1
    e.searched = 0
    client = hash_client(x)
    s = searches[client & (searches.size - 1)]
    if s.key != client or x.query_ts - s.last_ts > SEARCH_NS or s.name_hash == x.name_hash or s.label_hash != hash_label(x, text):
        return
    e.number = s.number
    e.first_ts = s.first_ts
    e.first_number = s.first_number
    e.searched = s.searched


@helper
def join_resolution(x, resolutions, searches, text):
    """Say which resolution a new lookup belongs to; it has its number and its query."""
    x.resolution = x.number
    x.resolution_ts = x.query_ts
    x.resolution_number = x.query_number
    kind = kind_of(x.qtype)
    if kind == 0 or x.opcode != 0:
        return
    key = hash_client_name(x)
    e = resolutions[key & (resolutions.size - 1)]
    if e.key == key and x.query_ts <= e.until_ts and (e.open_lookups > 0 or np.int64(e.kinds) & kind == 0):
        e.kinds = np.int64(e.kinds) | kind
        e.open_lookups += 1
    else:
        start_resolution(e, x, key, kind, searches, text)
    e.until_ts = np.int64(x.query_ts) + OPEN_NS
    x.resolution = e.number
    x.resolution_ts = e.first_ts
    x.resolution_number = e.first_number
    x.searched = e.searched


@helper
def close_resolution(x, resolutions, searches, text):
    """A lookup was answered: how long others may join its resolution, and what the client may try next.

    A truncated answer does not count: the client asks again over TCP.
    """
    if kind_of(x.qtype) == 0 or x.opcode != 0 or x.outcome == TRUNCATED:
        return
    key = hash_client_name(x)
    e = resolutions[key & (resolutions.size - 1)]
    if e.key != key:
        return
    if e.number == x.resolution and e.open_lookups > 0:
        e.open_lookups -= 1
        if e.open_lookups == 0:
            e.until_ts = np.int64(x.response_ts) + RESOLUTION_DELAY_NS
    if x.outcome != NXDOMAIN:
        return
    if e.nxdomain != x.resolution:
        e.nxdomain = x.resolution
        e.nxdomains += 1
    x.nxdomains = e.nxdomains
    client = hash_client(x)
    s = searches[client & (searches.size - 1)]
    s.key = client
    s.name_hash = x.name_hash
    s.label_hash = hash_label(x, text)
    s.number = x.resolution
    s.first_ts = x.resolution_ts
    s.first_number = x.resolution_number
    s.last_ts = x.response_ts
    s.searched = np.int64(x.searched) + 1


@helper
def hash_truncated(x):
    """Hash of client, server and question, never 0."""
    ends = mix64(x.server_hi ^ np.uint64(x.question_hash), x.server_lo)
    return mix64(np.uint64(ends), np.uint64(hash_client(x))) | 1


@helper
def keep_truncated(x, row, truncations):
    """Remember a lookup over UDP whose answer was truncated."""
    key = hash_truncated(x)
    e = truncations[key & (truncations.size - 1)]
    e.key = key
    e.row = row + 1
    e.number = x.number


@helper
def find_truncated(x, lookups, truncations):
    """The lookup over UDP that a new one over TCP goes on with, row plus one; 0 = none."""
    key = hash_truncated(x)
    e = truncations[key & (truncations.size - 1)]
    if e.key != key or e.row == 0:
        return np.int64(0)
    y = lookups[np.int64(e.row) - 1]
    if y.number != e.number or y.connection < 0 or y.is_repeat or y.outcome != TRUNCATED:
        return np.int64(0)
    return np.int64(e.row) if x.query_ts - y.response_ts <= TCP_WAIT_NS else np.int64(0)


@helper
def supersede(x, y):
    """The lookup ``x`` over TCP goes on with ``y``, which was truncated over UDP."""
    x.number = y.number
    x.query_ts = y.query_ts
    x.query_number = y.query_number
    x.queries = np.int64(y.queries) + 1
    x.responses = y.responses
    x.truncated_number = y.response_number
    x.resolution = y.resolution
    x.resolution_ts = y.resolution_ts
    x.resolution_number = y.resolution_number
    x.searched = y.searched
    y.is_repeat = SUPERSEDED
