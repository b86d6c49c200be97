# mypy: allow-untyped-defs
"""Runs to frames (RFC 9113 4.1): nine bytes of header, then a payload that is collected or, of DATA, only measured.

After missing bytes inside DATA the count goes on; anywhere else the next run that begins like a frame is looked for, and a LOSS row
tells that header blocks may be missing.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, helper, kernel
from analyzer.memory import arena_give, arena_take, block_class, copy_bytes
from analyzer.tables.http2 import DATA, END_STREAM, FIRST_PIECE, LAST_PIECE, LOSS, NOT_READ, PADDED, PREFACE, WINDOW_UPDATE
from analyzer.tables.streams import STREAM_ENDED

# ---- HTTP2_DIRECTION.state
START, HEADER, PAYLOAD, RESYNC, LOST = 0, 1, 2, 3, 4

# ---- the kernel's cursor (int64)
RUN_AT, BYTE_AT, FRAMES, FRAME_ROOM, TOP, ROOM, NEED, LIMIT = range(8)
CURSOR = 8

LAST_KIND = 10  # ALTSVC
LAST_SURE = 9  # CONTINUATION: what follows missing bytes is taken for a frame only when it is of these types
LONGEST = 1 << 20  # a frame of an unknown type that is longer is none
_PREFACE = np.frombuffer(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", np.uint8)
# of each type: stream 0 only (0), not stream 0 (1), both (2); its exact length (0 = any); the flags that it has
_STREAMS = np.array([1, 1, 1, 1, 0, 1, 0, 0, 2, 1], np.int64)
_LENGTHS = np.array([0, 0, 5, 4, 0, 0, 8, 0, 4, 0], np.int64)
_FLAGS = np.array([9, 45, 0, 0, 1, 12, 1, 0, 0, 4], np.int64)


@kernel
def read_frames(data, runs, wanted, directions, frames, payloads, arena, cursor):
    """Read the runs ``wanted`` from cursor[RUN_AT] on; DONE, or GROW_ROWS or GROW_TEXT (cursor[NEED] bytes) before what does not fit."""
    while cursor[RUN_AT] < wanted.size:
        run = runs[wanted[cursor[RUN_AT]]]
        d = directions[2 * np.int64(run.connection) + np.int64(run.sender)]
        if cursor[FRAMES] + 2 > cursor[FRAME_ROOM]:
            return GROW_ROWS
        if cursor[BYTE_AT] < 0:
            if run.gap > 0:
                pass_gap(data, run, np.int64(run.gap), d, frames, arena, cursor)
            cursor[BYTE_AT] = 0
        elif cursor[BYTE_AT] < run.run_size:
            if run.position < 0 and (d.state != PAYLOAD or d.kind != DATA):
                pass_gap(data, run, run.run_size - cursor[BYTE_AT], d, frames, arena, cursor)
                cursor[BYTE_AT] = run.run_size
            elif d.state == PAYLOAD:
                status = take_payload(data, run, d, frames, payloads, arena, cursor)
                if status != DONE:
                    return status
            elif d.state == LOST:
                cursor[BYTE_AT] = run.run_size
            elif d.state == RESYNC:
                at, end = np.int64(run.position), np.int64(run.position) + np.int64(run.run_size)
                if cursor[BYTE_AT] == 0 and at + 9 <= end and looks_like_frame(data, at):
                    d.state = HEADER
                else:
                    cursor[BYTE_AT] = run.run_size
            elif d.state == START:
                take_preface(data, run, d, frames, cursor)
            else:
                take_header(data, run, d, cursor)
        else:
            if run.marks & STREAM_ENDED:
                drop(data, d, arena)
                d.state = LOST
            cursor[BYTE_AT] = -1
            cursor[RUN_AT] += 1
    return DONE


@kernel
def drop_blocks(data, arena, directions, rows):
    """Give back the blocks of connections that leave."""
    for i in range(rows.size):
        for sender in range(2):
            drop(data, directions[2 * rows[i] + sender], arena)


@helper
def drop(data, d, arena):
    """Give back the block that collects a payload."""
    if d.block_size:
        arena_give(data, arena, d.block, d.block_size)
        d.block_size = 0


@helper
def looks_like_frame(data, at):
    """Whether nine bytes are the header of a frame as they are sent."""
    length = np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2])
    kind, bits = np.int64(data[at + 3]), np.int64(data[at + 4])
    stream = np.int64(0)
    for k in range(5, 9):
        stream = stream << 8 | np.int64(data[at + k])
    if kind > LAST_SURE or length > LONGEST or stream >> 31 or bits & ~_FLAGS[kind]:
        return False
    if _STREAMS[kind] != 2 and (_STREAMS[kind] == 1) != (stream > 0):
        return False
    if kind == 4 and length % 6:
        return False
    return _LENGTHS[kind] == 0 or _LENGTHS[kind] == length


@helper
def add_row(run, d, kind, frames, cursor):
    """The next row, for the frame at hand."""
    row = frames[cursor[FRAMES]]
    cursor[FRAMES] += 1
    row.connection = run.connection
    row.sender = run.sender
    row.kind = kind
    row.frame_flags = d.frame_flags
    row.marks = d.marks
    row.stream = d.stream
    row.length = d.length
    row.position = 0
    row.piece_bytes = 0
    row.window_bytes = 0
    row.missing_bytes = 0
    row.first_ts = d.first_ts
    row.first_number = d.first_number
    row.last_ts = run.ts
    row.last_number = run.number
    return row


@helper
def take_preface(data, run, d, frames, cursor):
    """The client's preface (RFC 9113 3.4); an end that begins otherwise begins with a frame."""
    at = cursor[BYTE_AT]
    while at < run.run_size and d.have < _PREFACE.size:
        if data[run.position + at] != _PREFACE[d.have]:
            d.state = HEADER if d.have == 0 else LOST
            if d.have > 0:
                add_row(run, d, LOSS, frames, cursor)
            d.have = 0
            return
        d.have += 1
        at += 1
    cursor[BYTE_AT] = at
    if d.have == _PREFACE.size:
        d.have = 0
        d.state = HEADER
        add_row(run, d, PREFACE, frames, cursor)


@helper
def take_header(data, run, d, cursor):
    """Bytes of a frame's header."""
    at = cursor[BYTE_AT]
    if d.have == 0:
        d.first_ts = run.ts
        d.first_number = run.number
    while at < run.run_size and d.have < 9:
        d.head[d.have] = data[run.position + at]
        d.have += 1
        at += 1
    cursor[BYTE_AT] = at
    if d.have < 9:
        return
    d.have = 0
    d.length = np.int64(d.head[0]) << 16 | np.int64(d.head[1]) << 8 | np.int64(d.head[2])
    d.kind = d.head[3]
    d.frame_flags = d.head[4]
    stream = np.int64(0)
    for k in range(5, 9):
        stream = stream << 8 | np.int64(d.head[k])
    d.stream = stream & 0x7FFFFFFF
    d.remaining = d.length
    d.pad = 0
    d.marks = FIRST_PIECE
    d.state = PAYLOAD
    if d.length == 0:  # its payload is taken with the next byte or, at the end of the run, now
        cursor[BYTE_AT] = at - 1
        d.remaining = -1


@helper
def take_payload(data, run, d, frames, payloads, arena, cursor):
    """Bytes of a payload: DATA gives a row for what the run has of it, others when they are whole."""
    at = cursor[BYTE_AT]
    if d.remaining < 0:  # an empty one: no byte of the run belongs to it
        d.remaining = 0
        cursor[BYTE_AT] = at + 1
        d.state = HEADER
        if d.kind <= LAST_KIND:
            row = add_row(run, d, d.kind, frames, cursor)
            row.marks = FIRST_PIECE | LAST_PIECE
        return DONE
    n = min(run.run_size - at, np.int64(d.remaining))
    if d.kind == DATA:
        take_data(data, run, at, n, d, frames, cursor)
    elif d.kind > LAST_KIND:
        d.remaining -= n
        if d.remaining == 0:
            d.state = HEADER
    else:
        status = collect(data, run, at, n, d, frames, payloads, arena, cursor)
        if status != DONE:
            return status
    cursor[BYTE_AT] = at + n
    return DONE


@helper
def take_data(data, run, at, n, d, frames, cursor):
    """A piece of DATA: how much of it is body, padding left out (RFC 9113 6.1)."""
    begin = np.int64(d.length) - np.int64(d.remaining)
    is_padded = np.int64(d.frame_flags) & PADDED
    if is_padded and begin == 0 and run.position >= 0:
        d.pad = data[run.position + at]
    first, last = begin, begin + n
    if is_padded:
        first, last = max(first, np.int64(1)), min(last, np.int64(d.length) - np.int64(d.pad))
    d.remaining -= n
    row = add_row(run, d, d.kind, frames, cursor)
    row.piece_bytes = max(last - first, np.int64(0))
    row.position = run.position + at + first - begin if run.position >= 0 else np.int64(-1)
    row.window_bytes = n
    if d.remaining == 0:
        row.marks = np.int64(row.marks) | LAST_PIECE
        d.state = HEADER
    d.marks = 0


@helper
def collect(data, run, at, n, d, frames, payloads, arena, cursor):
    """A payload that is read: a row when it is whole, its bytes in ``payloads``; GROW_TEXT before that when they do not fit."""
    length = np.int64(d.length)
    begin = length - np.int64(d.remaining)
    is_read = np.int64(d.marks) & NOT_READ == 0 and length <= cursor[LIMIT]
    is_whole = begin + n == length
    if is_read and is_whole and cursor[TOP] + length > cursor[ROOM]:
        cursor[NEED] = length
        return GROW_TEXT
    if is_read and begin == 0 and not is_whole:
        size = np.int64(64) << block_class(length)
        block = arena_take(data, arena, size)
        if block >= 0:
            d.block = block
            d.block_size = size
        is_read = block >= 0
    if not is_read:
        d.marks = np.int64(d.marks) | NOT_READ
    elif d.block_size:
        copy_bytes(data, run.position + at, d.block + begin, n)
    d.remaining -= n
    if not is_whole:
        return DONE
    row = add_row(run, d, d.kind, frames, cursor)
    row.marks = np.int64(row.marks) | LAST_PIECE
    if is_read:
        source = np.int64(d.block) if d.block_size else run.position + at
        row.position = cursor[TOP]
        row.piece_bytes = length
        for k in range(length):
            payloads[cursor[TOP] + k] = data[source + k]
        cursor[TOP] += length
    drop(data, d, arena)
    d.state = HEADER
    return DONE


@helper
def pass_gap(data, run, gap, d, frames, arena, cursor):
    """Go on after ``gap`` bytes that nobody saw."""
    if d.state == RESYNC or d.state == LOST:
        return
    if d.state == PAYLOAD and d.remaining >= gap and (d.kind == DATA or d.kind > LAST_KIND):
        d.remaining -= gap
        if d.kind == DATA:
            row = add_row(run, d, DATA, frames, cursor)
            row.position = -1
            row.missing_bytes = gap
            row.window_bytes = gap
            d.marks = 0
            if d.remaining == 0:
                row.marks = np.int64(row.marks) | LAST_PIECE
        if d.remaining == 0:
            d.state = HEADER
        return
    drop(data, d, arena)
    d.have = 0
    d.state = RESYNC
    add_row(run, d, LOSS, frames, cursor)


@kernel
def account(frames, slots, exchanges, flows, links, payloads):
    """Count the DATA of streams and the time in which flow control held it up (RFC 9113 5.2).

    ``slots``: for each frame 1 + the EXCHANGE row (and HTTP2_FLOW row) of its stream, 0 = none; ``links``: HTTP2_FLOW by connection.
    """
    for i in range(frames.size):
        f = frames[i]
        sender = np.int64(f.sender)
        if f.kind == WINDOW_UPDATE and f.piece_bytes == 4:
            step = np.int64(0)
            for k in range(4):
                step = step << 8 | np.int64(payloads[f.position + k])
            step &= 0x7FFFFFFF
            if f.stream == 0:
                open_window(links[f.connection], 1 - sender, step, f)
            elif slots[i] > 0:
                open_window(flows[slots[i] - 1], 1 - sender, step, f)
        elif f.kind == DATA:
            use_window(links[f.connection], sender, f)
            if slots[i] > 0:
                flow, x = flows[slots[i] - 1], exchanges[slots[i] - 1]
                before = np.int64(flow.stall_ns[sender])
                use_window(flow, sender, f)
                x.stall_ns += np.int64(flow.stall_ns[sender]) - before
                count_data(x, f)


@helper
def open_window(flow, sender, step, f):
    """``sender`` may send ``step`` bytes more."""
    flow.window[sender] += step
    if flow.closed_ts[sender] > 0 and flow.window[sender] > 0:
        flow.waited[sender] += max(np.int64(f.last_ts) - np.int64(flow.closed_ts[sender]), np.int64(0))
        flow.closed_ts[sender] = 0


@helper
def use_window(flow, sender, f):
    """DATA was sent: what its sender waited for before was a stall."""
    flow.stall_ns[sender] += flow.waited[sender]
    flow.waited[sender] = 0
    flow.window[sender] -= np.int64(f.window_bytes)
    flow.closed_ts[sender] = np.int64(f.last_ts) if flow.window[sender] <= 0 else np.int64(0)


@helper
def count_data(x, f):
    """Bytes of a body; the message reaches to this frame, if not further: trailers were read before."""
    is_over = np.int64(f.marks) & LAST_PIECE != 0 and np.int64(f.frame_flags) & END_STREAM != 0
    x.missing_bytes += f.missing_bytes
    if f.sender == x.client:
        x.request_missing_bytes += f.missing_bytes
        x.request_body_bytes += f.piece_bytes
        if f.last_ts >= x.request_last_ts:
            x.request_last_ts = f.last_ts
            x.request_last_number = f.last_number
        if is_over:
            x.request_complete = 1
    else:
        x.response_body_bytes += f.piece_bytes
        if f.last_ts >= x.response_last_ts:
            x.response_last_ts = f.last_ts
            x.response_last_number = f.last_number
        if is_over:
            x.response_complete = 1
