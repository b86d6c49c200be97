# mypy: allow-untyped-defs
"""Runs of one end of a WebSocket to what it carried (RFC 6455 5.2). Payloads are skipped, but for the code and reason of a close."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.tables.websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    INTERRUPTED,
    LONE_CONTINUATION,
    LONG_CONTROL,
    MASKING,
    MISSING,
    PING,
    PONG,
    REASON,
    RESERVED,
    SHORT_CLOSE,
    TEXT,
)

NO_STATUS = 1005


@kernel
def read_frames(data, runs, wanted, ends, clients):
    """Read the runs ``wanted``; ``clients``: by connection, 1 + the sender that is the client."""
    for k in range(wanted.size):
        run = runs[wanted[k]]
        e = ends[2 * np.int64(run.connection) + np.int64(run.sender)]
        is_client = clients[run.connection] == 1 + np.int64(run.sender)
        if run.run_size > 0:
            if e.first_ts == 0:
                e.first_ts = run.ts
            e.last_ts = run.ts
        if run.gap > 0 and e.is_lost == 0:
            pass_missing(e, np.int64(run.gap), run)
        at = np.int64(0)
        while at < run.run_size and e.is_lost == 0:
            if run.position < 0:
                pass_missing(e, run.run_size - at, run)
                at = np.int64(run.run_size)
            elif e.remaining > 0:
                n = min(np.int64(e.remaining), run.run_size - at)
                if e.opcode == CLOSE:
                    read_close(data, run.position + at, n, e)
                e.remaining -= n
                at += n
                if e.remaining == 0:
                    end_frame(e)
            else:
                e.head[e.have] = data[run.position + at]
                e.have += 1
                at += 1
                if e.have == header_size(e):
                    begin_frame(e, run, is_client)


@helper
def header_size(e):
    """Bytes of the header by what is there of it."""
    if e.have < 2:
        return 2
    size = np.int64(2)
    length = np.int64(e.head[1]) & 127
    if length == 126:
        size += 2
    elif length == 127:
        size += 8
    return size + 4 if np.int64(e.head[1]) & 128 else size


@helper
def fail(e, code, run):
    """Something is wrong; the first thing stays."""
    if e.error == 0:
        e.error = code
        e.error_number = run.number


@helper
def pass_missing(e, gap, run):
    """Bytes that nobody saw: inside a payload they are skipped, elsewhere the frames are lost."""
    fail(e, MISSING, run)
    if e.remaining < gap or (e.remaining == gap and e.have > 0):
        e.is_lost = 1
        return
    e.remaining -= gap
    if e.remaining == 0:
        end_frame(e)


@helper
def begin_frame(e, run, is_client):
    """A header is whole."""
    first, second = np.int64(e.head[0]), np.int64(e.head[1])
    e.is_final = first >> 7
    e.opcode = first & 15
    e.is_masked = second >> 7
    length = second & 127
    if length >= 126:
        size, length = 2 if length == 126 else 8, np.int64(0)
        if size == 8 and e.head[2] & 128:  # longer than any number (RFC 6455 5.2)
            fail(e, LONG_CONTROL, run)
            e.is_lost = 1
            return
        for k in range(size):
            length = length << 8 | np.int64(e.head[2 + k])
    e.payload = length
    e.remaining = length
    e.have = e.have if e.opcode == CLOSE else 0  # of a close frame its mask is needed
    e.frames += 1
    if (e.is_masked == 1) != is_client:
        fail(e, MASKING, run)
    opcode = np.int64(e.opcode)
    if opcode >= 8:
        if length > 125 or e.is_final == 0:
            fail(e, LONG_CONTROL, run)
    elif opcode == CONTINUATION:
        e.fragments += 1
        if e.in_message == 0:
            fail(e, LONE_CONTINUATION, run)
    else:
        if e.in_message:
            fail(e, INTERRUPTED, run)
        e.in_message = 1
        if first & 64:
            e.compressed += 1
        if opcode == TEXT:
            e.text_messages += 1
        elif opcode == BINARY:
            e.binary_messages += 1
    if opcode > PONG or BINARY < opcode < CLOSE:
        fail(e, RESERVED, run)
    if opcode == CLOSE and e.close_code == 0:
        e.close_code = 1 + NO_STATUS
        e.close_number = run.number
        e.close_ts = run.ts
        if length == 1:
            fail(e, SHORT_CLOSE, run)
    if e.remaining == 0:
        end_frame(e)


@helper
def read_close(data, at, n, e):
    """Bytes of a close frame: two of the code, then the reason, unmasked (RFC 6455 5.3)."""
    done = np.int64(e.payload) - np.int64(e.remaining)
    mask = np.int64(e.have) - 4
    for k in range(n):
        place = done + k
        byte = np.int64(data[at + k])
        if e.is_masked:
            byte ^= np.int64(e.head[mask + place % 4])
        if place == 0:
            e.close_code = 1 + (byte << 8)
        elif place == 1:
            e.close_code = np.int64(e.close_code) + byte
        elif place < 2 + REASON:
            e.reason[place - 2] = byte
            e.reason_length = place - 1


@helper
def end_frame(e):
    """A frame is over."""
    e.have = 0
    opcode = np.int64(e.opcode)
    if opcode == PING:
        e.pings += 1
    elif opcode == PONG:
        e.pongs += 1
    elif opcode == CLOSE:
        e.is_lost = 1  # nothing may follow
    elif opcode <= BINARY:
        e.payload_bytes += e.payload
        if e.is_final:
            e.in_message = 0
            e.messages += 1
