# mypy: allow-untyped-defs
"""Runs of stream bytes to TLS_MESSAGE rows: records, handshake messages over records and over runs, gaps.

Headers are taken byte by byte into the row of the stream, so a header that is cut anywhere needs no case of its own, and all that
is known between two bytes is in that row: where a batch ends cannot matter. A handshake message that lies wholly in one run and
record is a span in place; any other gets a block of the arena of its exact length once its four header bytes are known. Bodies of
protected records are stepped over, but those of a connection whose client random is in the key log: they are handed on whole.

Every step of the loop takes at least one byte or ends a run, and makes at most one row.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, helper, kernel, u8
from analyzer.memory import arena_give, arena_take, copy_bytes
from analyzer.messages.tls.hello_kernels import is_tls13_server_hello
from analyzer.messages.tls.probe_kernels import MAX_RECORD, is_record_version, is_ssl2_hello
from analyzer.messages.tls.row_kernels import add_message, add_note, drop_body, drop_message, is_known, take_body
from analyzer.tables.streams import NOT_KEPT, STREAM_ENDED
from analyzer.tables.tls import AFTER_GAP, DAMAGED, ENDED, ERROR_CODES, FRAMING, IN_ARENA, KEYED, LOST, PROTECTED, SSL2, STOPPED

RECORD_HEADER = np.int64(ERROR_CODES["record_header"])
TOO_LONG = np.int64(ERROR_CODES["handshake_too_long"])
NOT_STORED = np.int64(ERROR_CODES["handshake_not_kept"])
BAD_TYPE = np.int64(ERROR_CODES["handshake_type"])
GAP = np.int64(ERROR_CODES["gap"])
CUT_SHORT = np.int64(ERROR_CODES["cut_short"])
NOTHING, APPLICATION_DATA, HANDSHAKE = np.int64(0), np.int64(23), np.int64(22)
HIDDEN, CUT, OVER = np.int64(AFTER_GAP), np.int64(DAMAGED | PROTECTED), np.int64(ENDED)


@helper
def end_message(data, messages, used, s, peer, r, known):
    """A handshake message is complete: its row."""
    marks = np.int64(s.message_marks)
    used = add_message(messages, used, s, r, HANDSHAKE, marks, np.int64(s.message_error))
    m = messages[used - 1]
    m.handshake_type = s.message_type
    m.length = s.message_length
    m.first_ts = s.message_ts
    m.first_number = s.message_number
    if marks & DAMAGED == 0:
        m.position = max(np.int64(s.message), 0)  # an empty body is nowhere, but it was kept
        if np.int64(s.message_type) == 2 and marks & SSL2 == 0:
            if is_tls13_server_hello(data, np.int64(m.position), np.int64(m.position) + np.int64(s.message_length)):
                s.is_tls13 = 1
                peer.is_tls13 = 1
        if np.int64(s.message_type) == 1 and marks & SSL2 == 0 and known.size > 0:
            if is_known(known, data, np.int64(m.position) + 2, np.int64(m.position) + np.int64(s.message_length)):
                s.is_keyed = 1
                peer.is_keyed = 1
                m.marks = marks | KEYED
    s.message_have = 0
    s.message_marks = 0  # the block, if any, now belongs to the row
    s.message_error = 0
    s.message = -1
    s.message_filled = 0
    s.message_length = 0
    return used


@helper
def is_handshake_type(kind):
    """Handshake types of the IANA registry that TLS over TCP uses (67 next_protocol, 254 message_hash)."""
    return kind <= 6 or kind == 8 or 11 <= kind <= 16 or 20 <= kind <= 25 or kind == 67 or kind == 254


@helper
def take_message_header(byte, s, r, limit):
    """One of the four bytes before a handshake message: type, length (24 bits)."""
    have = np.int64(s.message_have)
    if have == 0:
        s.message_type = byte
        s.message_ts = r.ts
        s.message_number = r.number
        s.message_length = 0
        s.message_filled = 0
        s.message = -1
        s.message_marks = 0
        s.message_error = 0
        if not is_handshake_type(byte):
            s.skips_messages = 1
            return
    else:
        s.message_length = np.int64(s.message_length) << 8 | byte
    s.message_have = have + 1
    if have == 3 and np.int64(s.message_length) > limit:
        s.message_marks = DAMAGED
        s.message_error = TOO_LONG


@helper
def take_message(data, arena, at, n, s, r, limit):
    """Up to ``n`` bytes of a handshake record in clear at ``at``; how many were taken (at least one)."""
    if s.skips_messages:
        return n
    if s.message_have < 4:
        take_message_header(np.int64(data[at]), s, r, limit)
        return 1
    length, filled = np.int64(s.message_length), np.int64(s.message_filled)
    n = min(n, length - filled)
    if filled == 0 and np.int64(s.message_marks) & DAMAGED == 0:
        if n == length:
            s.message = at
        else:
            s.message = arena_take(data, arena, length)
            s.message_marks = np.int64(s.message_marks) | IN_ARENA
            if s.message < 0:
                s.message_marks = DAMAGED
                s.message_error = NOT_STORED
    if np.int64(s.message_marks) & IN_ARENA:
        copy_bytes(data, at, np.int64(s.message) + filled, n)
    s.message_filled = filled + n
    return n


@helper
def open_record(messages, used, s, r):
    """All five header bytes are there: is it a record?"""
    kind, version, length = np.int64(s.content_type), np.int64(s.version), np.int64(s.length)
    if 20 <= kind <= 24 and is_record_version(version) and length <= MAX_RECORD:
        s.left = length
        s.records += 1
        s.is_damaged = 0
        s.is_ssl2 = 0
        s.alert = 0
        s.skips_messages = 0
        s.body = -1
        s.body_first = 0
        return used
    if s.records == 0 and is_ssl2_hello(kind, version & 255, length if version & 255 == 1 else 0):
        size = (kind << 8 | version >> 8) & 0x7FFF
        if size >= 9:  # 5 bytes were taken as a header: two of the record, then type and version (or session hit and type)
            s.message_type = 1 if version & 255 == 1 else 2
            s.is_ssl2 = 1
            s.content_type = 22
            s.version = length if version & 255 == 1 else 2
            s.left = size - 3
            s.length = size
            s.records = 1
            s.message_have = 4
            s.message_length = size - 3
            s.message_filled = 0
            s.message_marks = SSL2
            s.message_ts = s.first_ts
            s.message_number = s.first_number
            s.body = -1
            return used
    if s.records == 0:  # the capture begins inside a record: wait for a run that begins with one
        s.status = LOST
        s.header_have = 0
        return add_note(messages, used, s, r, HIDDEN, NOTHING)
    s.status = STOPPED
    return add_note(messages, used, s, r, NOTHING, RECORD_HEADER)


@helper
def take_header(data, at, end, messages, used, s, peer, r):
    """Bytes of the record header: type, version (2), length (2). (next position, rows used)."""
    have = np.int64(s.header_have)
    if have == 0:
        s.first_ts = r.ts
        s.first_number = r.number
        s.peer_ts = peer.data_ts
        s.peer_number = peer.data_number
        s.peer_records = peer.data_records
        if at + 5 <= end:  # nearly always
            s.content_type = data[at]
            s.version = be16(data, at + 1, end)
            s.length = be16(data, at + 3, end)
            s.header_have = 5
            return at + 5, open_record(messages, used, s, r)
        s.content_type = data[at]
        s.version = 0
        s.length = 0
    elif have <= 2:
        s.version = np.int64(s.version) << 8 | np.int64(data[at])
    else:
        s.length = np.int64(s.length) << 8 | np.int64(data[at])
    s.header_have = have + 1
    if have == 4:
        return at + 1, open_record(messages, used, s, r)
    return at + 1, used


@helper
def is_clear_handshake(s):
    """The record holds handshake messages that can be read."""
    return s.content_type == 22 and (s.is_protected == 0 or s.is_tls13 == 1)


@helper
def close_record(messages, used, s, r):
    """The last byte of a record that is no handshake record in clear: its row (and those of a handshake record that was skipped)."""
    s.header_have = 0
    kind = np.int64(s.content_type)
    marks = np.int64(DAMAGED) if s.is_damaged else NOTHING
    if kind == 20:
        s.is_protected = 1
        return add_message(messages, used, s, r, kind, marks, NOTHING)
    if kind == 21 and np.int64(s.length) == 2 and s.is_damaged == 0:
        used = add_message(messages, used, s, r, kind, marks, NOTHING)
        messages[used - 1].alert = s.alert
        return used
    if kind == 23:
        s.data_records += 1
        s.data_ts = r.ts
        s.data_number = r.number
    if kind == 22 and is_clear_handshake(s):
        if s.skips_messages:
            s.skips_messages = 0
            return add_message(messages, used, s, r, kind, marks, NOTHING if s.is_damaged else BAD_TYPE)
        return used
    used = add_message(messages, used, s, r, kind, marks | PROTECTED, NOTHING)
    if s.body >= 0:
        m = messages[used - 1]
        m.position = s.body
        if s.body_size > 0:
            m.marks = np.int64(m.marks) | IN_ARENA
        s.body_size = 0  # the block, if any, now belongs to the row
        s.body = -1
    return used


@helper
def step(data, arena, at, end, messages, used, s, peer, r, limit, known):
    """Take bytes from ``at`` on: (next position, rows used)."""
    if s.header_have < 5:
        at, used = take_header(data, at, end, messages, used, s, peer, r)
        if s.status != FRAMING or s.header_have < 5 or s.left > 0:
            return at, used
        return at, close_record(messages, used, s, r)
    n = min(np.int64(s.left), end - at)
    if is_clear_handshake(s):
        n = take_message(data, arena, at, n, s, r, limit)
        s.left -= n
        if s.message_have == 4 and np.int64(s.message_filled) == np.int64(s.message_length):
            used = end_message(data, messages, used, s, peer, r, known)
            if s.is_ssl2 and np.int64(messages[used - 1].handshake_type) == 2:  # what follows is SSLv2 in both directions
                s.status = STOPPED
                peer.status = STOPPED
        if s.left == 0:
            used = close_record(messages, used, s, r)
        return at + n, used
    if s.content_type == 21 and np.int64(s.length) == 2:
        n = 1
        s.alert = np.int64(s.alert) << 8 | np.int64(data[at])
    elif s.is_keyed and s.content_type != 20 and s.is_damaged == 0:
        take_body(data, arena, at, n, s, r)
    s.left -= n
    if s.left == 0:
        used = close_record(messages, used, s, r)
    return at + n, used


@helper
def skip_gap(data, arena, gap, messages, used, s, r):
    """``gap`` bytes are missing before run ``r``: at most two rows."""
    if s.header_have == 5 and gap <= s.left and not is_clear_handshake(s):
        drop_body(data, arena, s)
        s.is_damaged = 1
        s.left -= gap
        if s.left == 0:
            used = close_record(messages, used, s, r)
        return used
    if s.header_have == 5 and gap <= s.left:
        s.is_damaged = 1
        rest = np.int64(s.message_length) - np.int64(s.message_filled)
        if s.skips_messages == 0 and s.message_have == 4 and gap < rest:
            if np.int64(s.message_marks) & IN_ARENA:
                arena_give(data, arena, np.int64(s.message), np.int64(s.message_length))
            s.message_marks = DAMAGED
            s.message_error = GAP
            s.message = -1
            s.message_filled = np.int64(s.message_filled) + gap
        else:
            drop_message(data, arena, s)
            s.skips_messages = 1
            used = add_note(messages, used, s, r, NOTHING, GAP)
        s.left -= gap
        if s.left == 0:
            used = close_record(messages, used, s, r)
        return used
    drop_message(data, arena, s)
    s.header_have = 0
    s.left = 0
    s.status = LOST
    used = add_note(messages, used, s, r, HIDDEN, NOTHING)
    messages[used - 1].length = min(gap, np.int64(1) << 30)
    return used


@helper
def is_record_start(data, at, end):
    """Five bytes that can be a record header: where a lost stream goes on (a guess that is wrong once in millions)."""
    kind, length = u8(data, at, end), be16(data, at + 3, end)
    return 20 <= kind <= 24 and is_record_version(be16(data, at + 1, end)) and 0 < length <= MAX_RECORD


@helper
def end_stream(data, arena, messages, used, s, r):
    """Nothing follows: a record that was cut short has a row when it carries data; at most one row."""
    if s.status == FRAMING and (s.header_have > 0 or s.message_have > 0):
        if s.header_have == 5 and s.content_type == 23:
            s.length = np.int64(s.length) - s.left
            used = add_message(messages, used, s, r, APPLICATION_DATA, CUT, CUT_SHORT)
        else:
            used = add_note(messages, used, s, r, NOTHING, CUT_SHORT)
    drop_message(data, arena, s)
    s.status = STOPPED
    return used


@kernel
def frame_runs(data, arena, runs, wanted, k, at, messages, streams, limit, known):
    """Frame runs[wanted[k]], runs[wanted[k + 1]], ... from position ``at`` of the first (-1 = its start).

    ``known``: the first 8 bytes of the client randoms in the key log (uint64, sorted). Fills ``messages`` from row 0;
    answers (status, k, at, rows): with GROW_ROWS call again from (k, at) after using or moving the rows.
    """
    used = 0
    while k < wanted.size:
        r = runs[wanted[k]]
        sender = np.int64(r.sender)
        s = streams[2 * np.int64(r.connection) + sender]
        peer = streams[2 * np.int64(r.connection) + 1 - sender]
        is_kept = np.int64(r.marks) & NOT_KEPT == 0
        start = np.int64(r.position) if is_kept else np.int64(0)
        end = start + np.int64(r.run_size) if is_kept else np.int64(0)
        if used + 3 > messages.shape[0]:
            return GROW_ROWS, k, at, used
        if at < 0:
            gap = np.int64(r.gap) + (np.int64(0) if is_kept else np.int64(r.run_size))
            if gap > 0 and s.status == FRAMING:
                used = skip_gap(data, arena, gap, messages, used, s, r)
            at = start
            if s.status == LOST and end > at:
                if is_record_start(data, at, end):
                    s.status = FRAMING
                else:
                    at = end
        while at < end and s.status == FRAMING:
            if used + 2 > messages.shape[0]:
                return GROW_ROWS, k, at, used
            at, used = step(data, arena, at, end, messages, used, s, peer, r, limit, known)
        at = end
        if s.status == STOPPED:
            drop_message(data, arena, s)
        if np.int64(r.marks) & STREAM_ENDED:
            if used + 2 > messages.shape[0]:
                return GROW_ROWS, k, at, used
            if s.status != STOPPED:
                used = end_stream(data, arena, messages, used, s, r)
            if s.is_keyed:  # what is inside ends, too
                used = add_note(messages, used, s, r, OVER, NOTHING)
                messages[used - 1].alert = r.marks
        k += 1
        at = np.int64(-1)
    return DONE, k, at, used


@kernel
def give_back(data, arena, messages, used, streams, rows):
    """Free the blocks of ``messages`` (they die with the batch) and those of the streams of the connection ``rows`` that are let go."""
    for i in range(used):
        m = messages[i]
        if np.int64(m.marks) & IN_ARENA and m.position >= 0:
            arena_give(data, arena, np.int64(m.position), np.int64(m.length))
            m.position = -1
    for i in range(rows.size):
        for side in range(2):
            drop_message(data, arena, streams[2 * rows[i] + side])
