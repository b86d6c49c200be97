# mypy: allow-untyped-defs
"""The framing kernel: RUN rows of HTTP connections to EXCHANGE rows, one state a stream (RFC 9112 6.3 and 7.1)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, helper, kernel
from analyzer.memory import arena_give
from analyzer.messages.http.chunk_kernels import read_chunk_framing
from analyzer.messages.http.content_kernels import add_piece, look_at_body, room_for_piece
from analyzer.messages.http.message_kernels import (
    BODY,
    CHUNK_DATA,
    CHUNK_END,
    CLIENT,
    GAP_IN_HEAD,
    HEAD,
    LOST,
    RESYNC,
    SERVER,
    TO_CLOSE,
    TRAILER,
    TUNNEL,
    count_body,
    finish_message,
    read_head,
)
from analyzer.messages.http.pairing_kernels import BYTE_AT, KEEPS_HEADS, RUN_AT, note
from analyzer.messages.http.probe_kernels import looks_like_request, looks_like_response
from analyzer.messages.http.split_kernels import HEAD_FOUND, drop_block, find_cut_head, take_head
from analyzer.tables.http import HTTP_ERROR_CODES
from analyzer.tables.streams import ENDED_BY_RESET, ENDED_OPEN, STREAM_ENDED

HEAD_CUT = HTTP_ERROR_CODES["head_cut"]
GAP_IN_FRAMING = HTTP_ERROR_CODES["gap_in_framing"]
FAR = np.int64(1) << 61  # further than any stream goes


@kernel
def frame(data, runs, wanted, streams, pairings, exchanges, tunnels, pieces, text, coded, arena, lines, facts, counts, cursor):
    """Read the runs ``wanted`` from cursor[RUN_AT] on; DONE, or GROW_ROWS or GROW_TEXT when a head does not fit.

    ``cursor`` then says where to go on: the run, and the byte in it (-1: not begun). All arrays are as ``Http`` makes them.
    """
    while cursor[RUN_AT] < wanted.size:
        run = runs[wanted[cursor[RUN_AT]]]
        stream = streams[2 * np.int64(run.connection) + np.int64(run.sender)]
        if cursor[BYTE_AT] < 0 and is_all_body(run, stream):
            count_body(exchanges, stream, run.run_size, run)
            stream.remaining -= run.run_size  # of a body that runs to the close it means nothing
            stream.next_offset = run.offset + run.run_size
            cursor[RUN_AT] += 1
            continue
        pairing = pairings[run.connection]
        status = DONE
        if cursor[BYTE_AT] < 0 and run.gap == 0:
            cursor[BYTE_AT] = 0
        elif cursor[BYTE_AT] < 0:
            status = pass_gap(data, run, run.gap, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
            if status == DONE:
                cursor[BYTE_AT] = 0
        elif cursor[BYTE_AT] < run.run_size:
            status = take_bytes(data, run, stream, pairing, exchanges, pieces, text, coded, arena, lines, facts, counts, cursor)
        else:
            stream.next_offset = run.offset + run.run_size
            status = end_run(data, run, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
            if status == DONE:
                wish(stream)
                cursor[BYTE_AT] = -1
                cursor[RUN_AT] += 1
        if status == HEAD_FOUND:
            read_head(data, run, stream, pairing, streams, exchanges, tunnels, text, lines, facts, counts, cursor)
            drop_block(data, arena, stream)
        elif status != DONE:
            return status
    return DONE


@kernel
def drop_blocks(data, arena, streams, rows):
    """Give back the blocks of streams that leave before their end was seen."""
    for i in range(rows.size):
        for sender in range(2):
            stream = streams[2 * rows[i] + sender]
            if stream.block_size:
                arena_give(data, arena, stream.block, stream.block_size)
                stream.block_size = 0


@helper
def is_all_body(run, stream):
    """Whether a run only moves a body on: most runs do, and they need no more than this."""
    state = stream.state
    if run.gap != 0 or run.marks & STREAM_ENDED or stream.wants > 0:
        return False
    return state == TO_CLOSE or (state in (BODY, CHUNK_DATA) and stream.remaining > run.run_size)


@helper
def wish(stream):
    """Say how far the bytes of the stream are only counted."""
    stream.skip_until = 0
    if stream.wants > 0 and stream.state != LOST:
        return
    if stream.state == BODY or stream.state == CHUNK_DATA:
        stream.skip_until = stream.next_offset + min(np.int64(stream.remaining), FAR)
    elif stream.state == TO_CLOSE or stream.state == LOST:
        stream.skip_until = FAR


@helper
def take_bytes(data, run, stream, pairing, exchanges, pieces, text, coded, arena, lines, facts, counts, cursor):
    """Take bytes of a run from cursor[BYTE_AT] on, as the state of its stream says: at least one, or the state changes."""
    at, state = cursor[BYTE_AT], stream.state
    left = run.run_size - at
    if state in (BODY, CHUNK_DATA):
        n = min(left, np.int64(stream.remaining))
        if stream.wants > 0:
            status = look_at_body(data, run, at, n, stream, exchanges, pieces, text, coded, cursor)
            if status != DONE:
                return status
        count_body(exchanges, stream, n, run)
        stream.remaining -= n
        cursor[BYTE_AT] += n
        if stream.remaining == 0:
            if state == BODY:
                finish_message(exchanges, stream, 1)
            else:
                stream.state = CHUNK_END
        return DONE
    if state in (TO_CLOSE, LOST, TUNNEL):
        if state == TO_CLOSE and stream.wants > 0:
            status = look_at_body(data, run, at, left, stream, exchanges, pieces, text, coded, cursor)
            if status != DONE:
                return status
        count_body(exchanges, stream, left, run)
        cursor[BYTE_AT] += left
        return DONE
    if run.position < 0:
        status = pass_gap(data, run, left, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
        if status == DONE:
            cursor[BYTE_AT] += left
        return status
    if state == HEAD:
        return take_head(data, run, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
    if state == RESYNC:
        start, end = run.position + at, run.position + run.run_size
        is_head = stream.role != CLIENT and looks_like_response(data, start, end) == 1
        if not is_head and stream.role != SERVER:
            is_head = looks_like_request(data, start, end) == 1
        if at == 0 and is_head:
            stream.state = HEAD
            stream.is_after_gap = 1
        else:
            cursor[BYTE_AT] += left
        return DONE
    keeps = state == TRAILER and cursor[KEEPS_HEADS] != 0 and stream.exchange > 0
    if keeps:
        status = room_for_piece(left, cursor)
        if status != DONE:
            return status
    x, have = np.int64(stream.exchange) - 1, np.int64(stream.have)
    cursor[BYTE_AT] = read_chunk_framing(data, run, at, stream, exchanges, counts, cursor)
    n = cursor[BYTE_AT] - at
    if keeps and (have + n > 2 or (data[run.position + at] != 13 and data[run.position + at] != 10)):  # more than the empty line
        add_piece(data, run.position + at, n, x, 3 if stream.role == SERVER else 2, pieces, coded, cursor)
    return DONE


@helper
def pass_gap(data, run, gap, stream, pairing, exchanges, arena, lines, facts, counts, cursor):
    """Go on after ``gap`` bytes that nobody saw: in a body they count as missing, anywhere else the next head is looked for."""
    state = stream.state
    if gap <= 0 or state in (RESYNC, TUNNEL):
        return DONE
    x = np.int64(stream.exchange) - 1
    stream.wants = 0  # what follows cannot be decoded, and is not the start
    if state == HEAD:
        if stream.have > 0:
            status = find_cut_head(data, run, GAP_IN_HEAD, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
            if status != DONE:
                return status
        stream.state = RESYNC
        return DONE
    if state in (TO_CLOSE, LOST):
        if x >= 0:
            count_missing(exchanges[x], stream, gap)
        return DONE
    if state in (BODY, CHUNK_DATA):
        n = min(gap, np.int64(stream.remaining))
        count_missing(exchanges[x], stream, n)
        stream.remaining -= n
        if stream.remaining > 0:
            return DONE
        if gap == n and state == CHUNK_DATA:
            stream.state = CHUNK_END
            return DONE
        if state == BODY:
            finish_message(exchanges, stream, 1)
            if gap > n:
                stream.state = RESYNC
            return DONE
    note(exchanges, x, GAP_IN_FRAMING, run.number, counts)
    finish_message(exchanges, stream, 0)
    stream.state = RESYNC
    return DONE


@helper
def count_missing(row, stream, n):
    """Count ``n`` bytes of a body that nobody saw."""
    row.missing_bytes += n
    if stream.role != SERVER:
        row.request_missing_bytes += n


@helper
def end_run(data, run, stream, pairing, exchanges, arena, lines, facts, counts, cursor):
    """When nothing follows: the end of a body that runs to the close, a cut for any other message."""
    if run.marks & STREAM_ENDED == 0:
        return DONE
    if stream.state == HEAD and stream.have > 0:
        status = find_cut_head(data, run, HEAD_CUT, stream, pairing, exchanges, arena, lines, facts, counts, cursor)
        if status != DONE:
            return status
    if stream.state == TO_CLOSE and run.marks & (ENDED_BY_RESET | ENDED_OPEN) == 0:
        finish_message(exchanges, stream, 1)
    drop_block(data, arena, stream)
    stream.exchange = 0
    stream.state = LOST
    return DONE
