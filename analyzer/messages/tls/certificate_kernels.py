# mypy: allow-untyped-defs
"""Certificate messages (RFC 5246 7.4.2, RFC 8446 4.4.2) to distinct certificates: cut, hash, compare; stapled OCSP responses."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, be16, be24, helper, kernel, u8
from analyzer.messages.tls.digest_kernels import add_distinct, find_distinct, hash_bytes
from analyzer.messages.tls.hello_kernels import copy_to_text
from analyzer.tables.tls import ERROR_CODES

BAD_LIST, TOO_LONG = np.int64(ERROR_CODES["certificate_list"]), np.int64(ERROR_CODES["chain_too_long"])
CERTIFICATE = np.int64(0)  # DISTINCT.kind
STAPLE_MAX = 1 << 16  # bytes of an OCSP response: with a chain of its own it has a few thousand


@helper
def cut_chain(data, m, from_client, is_tls13, spans, used, limit):
    """The certificates of a Certificate message as CERTIFICATE_SPAN rows from ``used`` on: (rows used, error)."""
    at, end = np.int64(m.position), np.int64(m.position) + np.int64(m.length)
    if is_tls13:  # a request context before the list
        at += 1 + max(u8(data, at, end), np.int64(0))
    total = be24(data, at, end)
    if total < 0 or at + 3 + total > end:
        return used, BAD_LIST
    error = np.int64(0) if at + 3 + total == end else np.int64(BAD_LIST)
    end = at + 3 + total
    at += 3
    place = np.int64(0)
    while at < end:
        size = be24(data, at, end)
        if size <= 0 or at + 3 + size > end:
            return used, np.int64(BAD_LIST)
        if place == limit:
            return used, np.int64(TOO_LONG)
        span = spans[used]
        span.connection = m.connection
        span.certificate = -1
        span.place = place
        span.from_client = from_client
        span.position = at + 3
        span.length = size
        span.number = m.last_number
        span.ts = m.last_ts
        used += 1
        place += 1
        at += 3 + size
        if is_tls13:  # extensions after each certificate
            size = be16(data, at, end)
            if size < 0 or at + 2 + size > end:
                return used, np.int64(BAD_LIST)
            at += 2 + size
    return used, error


@helper
def leaf_status(data, m):
    """Position of the status_request extension's body of the first certificate (RFC 8446 4.4.2.1), 0 = none."""
    end = np.int64(m.position) + np.int64(m.length)
    at = np.int64(m.position) + 4 + max(u8(data, np.int64(m.position), end), np.int64(0))
    at += 3 + max(be24(data, at, end), np.int64(0))
    stop = min(at + 2 + be16(data, at, end), end)
    at += 2
    while at + 4 <= stop:
        if be16(data, at, stop) == 5:
            return at + 4
        at += 4 + be16(data, at + 2, stop)
    return np.int64(0)


@helper
def keep_staple(data, at, end, h, text, top):
    """A CertificateStatus (RFC 6066 8) at ``at``: keep the first OCSP response of the connection; the new top of the text."""
    size = be24(data, at + 1, end)
    if u8(data, at, end) != 1 or size <= 0 or size > STAPLE_MAX or at + 4 + size > end or h.staple_size > 0:
        return top
    h.staple = top
    h.staple_size = size
    h.staple_key = hash_bytes(data, at + 4, size, np.int64(0))
    return copy_to_text(data, at + 4, size, text, top)


@kernel
def match_certificates(data, spans, i, used, table, slots, store, state):
    """Give spans[i:used] the numbers of their certificates; new ones get a row of ``table`` and a copy in ``store``.

    ``state`` is int64: [rows of table, top of store, rows that are in slots]. Answers (status, next span).
    """
    while state[2] < state[0]:  # slots are new
        key = table[state[2]].hash
        slot = key & (slots.size - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (slots.size - 1)
        slots[slot] = state[2]
        state[2] += 1
    while i < used:
        span = spans[i]
        at, size = np.int64(span.position), np.int64(span.length)
        if state[0] >= table.shape[0] or 2 * state[0] >= slots.size:
            return GROW_ROWS, i
        if state[1] + size > store.size:
            return GROW_TEXT, i
        key = hash_bytes(data, at, size, CERTIFICATE)
        row = find_distinct(table, slots, store, data, at, size, CERTIFICATE, key)
        if row < 0:
            row = add_distinct(table, slots, store, state, data, at, size, CERTIFICATE, key, -1 - row)
            state[2] = state[0]
        span.certificate = row
        i += 1
    return DONE, i
