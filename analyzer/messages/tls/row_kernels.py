# mypy: allow-untyped-defs
"""Pieces of framing: rows of messages, and the blocks that hold messages and records which come in pieces."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be64, helper
from analyzer.memory import arena_give, arena_take, copy_bytes
from analyzer.tables.tls import IN_ARENA, KEYED

NOTHING = np.int64(0)


@helper
def add_message(messages, used, s, r, content_type, marks, error):
    """One row about the record that ``s`` is in, ending at run ``r``."""
    m = messages[used]
    m.connection = r.connection
    m.sender = r.sender
    m.content_type = content_type
    m.handshake_type = -1
    m.marks = marks | KEYED if s.is_keyed else marks
    m.error = error
    m.version = s.version
    m.length = s.length
    m.alert = 0
    m.position = -1
    m.first_ts = s.first_ts
    m.first_number = s.first_number
    m.last_ts = r.ts
    m.last_number = r.number
    m.peer_ts = s.peer_ts
    m.peer_number = s.peer_number
    m.peer_records = s.peer_records
    m.first_part = s.body_first
    return used + 1


@helper
def add_note(messages, used, s, r, marks, error):
    """A row that says only that something is wrong or missing at run ``r``."""
    used = add_message(messages, used, s, r, NOTHING, marks, error)
    messages[used - 1].first_ts = r.ts
    messages[used - 1].first_number = r.number
    return used


@helper
def drop_body(data, arena, s):
    """Forget the protected record in progress."""
    if s.body_size > 0:
        arena_give(data, arena, np.int64(s.body), np.int64(s.body_size))
    s.body_size = 0
    s.body = -1


@helper
def drop_message(data, arena, s):
    """Forget the handshake message and the record in progress."""
    drop_body(data, arena, s)
    if np.int64(s.message_marks) & IN_ARENA:
        arena_give(data, arena, np.int64(s.message), np.int64(s.message_length))
    s.message_have = 0
    s.message_marks = 0
    s.message_error = 0
    s.message = -1
    s.message_filled = 0
    s.message_length = 0


@helper
def is_known(known, data, at, end):
    """Whether the key log may have secrets of this client random: its first 8 bytes are among ``known`` (uint64, sorted)."""
    low, high = np.int64(0), np.int64(known.size)
    if at + 32 > end:
        return False
    wanted = be64(data, at, end)
    while low < high:
        middle = (low + high) // 2
        if known[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < known.size and known[low] == wanted


@helper
def take_body(data, arena, at, n, s, r):
    """Keep ``n`` bytes of a protected record at ``at``: whole in place, else in a block of its length."""
    left, length = np.int64(s.left), np.int64(s.length)
    if left == length:
        s.body_first = n if np.int64(s.first_number) == np.int64(r.number) else 0
        if n == length:
            s.body = at
            return
        s.body = arena_take(data, arena, length)
        s.body_size = length if s.body >= 0 else 0
    if s.body_size > 0:
        copy_bytes(data, at, np.int64(s.body) + length - left, n)
