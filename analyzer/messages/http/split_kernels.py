# mypy: allow-untyped-defs
"""Pieces of the framing kernel that find one head in a run, or collect it from many in a block of the arena."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, helper
from analyzer.memory import arena_give, arena_take, block_class, copy_bytes
from analyzer.messages.http.head_kernels import HEAD_AT, HEAD_CODE, HEAD_STOP, LINE, LINES, next_blank, scan_head, skip_blank, trim
from analyzer.messages.http.message_kernels import (
    CLIENT,
    IS_CONNECT,
    LOST,
    SERVER,
    TO_CLOSE,
    TUNNEL,
    count_body,
    room_for_head,
)
from analyzer.messages.http.pairing_kernels import BYTE_AT, HEAD_LIMIT, answered, note
from analyzer.messages.http.probe_kernels import begins_with
from analyzer.tables.http import BY_CLOSE, HTTP_ERROR_CODES

BAD_START_LINE = HTTP_ERROR_CODES["bad_start_line"]
HEAD_TOO_LARGE = HTTP_ERROR_CODES["head_too_large"]
NO_MEMORY = HTTP_ERROR_CODES["no_memory"]
METHOD_LIMIT = 64  # characters; more is no method

HEAD_FOUND = 3  # beside DONE and the GROW statuses: a head is to be read now

NEITHER, REQUEST, RESPONSE, TOO_SHORT = 0, 1, 2, 3  # what bytes begin with

_HTTP = np.frombuffer(b"HTTP/", np.uint8)
_ICY = np.frombuffer(b"ICY ", np.uint8)
_GET = np.frombuffer(b"GET ", np.uint8)


@helper
def judge_start(data, at, end, role):
    """NEITHER, REQUEST or RESPONSE by the first bytes of a head, TOO_SHORT to say; looser than the probe (RFC 9110 5.6.2 tokens)."""
    if role != CLIENT:
        found = max(begins_with(data, at, end, _HTTP), begins_with(data, at, end, _ICY))
        if found == 1:
            return RESPONSE
        if begins_with(data, at, end, _HTTP) < 0 or begins_with(data, at, end, _ICY) < 0:
            return TOO_SHORT
        if role == SERVER:
            return NEITHER
    start = at
    while at < end:
        byte = np.int64(data[at])
        if byte == 32 or byte == 9:
            return REQUEST if at > start else NEITHER
        is_letter = 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122
        is_mark = byte == 33 or 35 <= byte <= 39 or byte == 42 or byte == 43 or byte == 45 or byte == 46 or 94 <= byte <= 96
        if not is_letter and not is_mark and byte != 124 and byte != 126:
            return NEITHER
        at += 1
        if at - start > METHOD_LIMIT:
            return NEITHER
    return TOO_SHORT


@helper
def is_simple_request(data, at, end):
    """Whether a first line is the whole ``GET target`` of HTTP/0.9 (RFC 1945 5)."""
    if begins_with(data, at, end, _GET) != 1:
        return False
    end = trim(data, at, end)
    target = skip_blank(data, at + 4, end)
    return target < end and next_blank(data, target, end) == end


@helper
def drop_block(data, arena, stream):
    """Give back the block that collected a head."""
    if stream.block_size:
        arena_give(data, arena, stream.block, stream.block_size)
        stream.block_size = 0
    stream.have = 0
    stream.line = 0
    stream.is_judged = 0


@helper
def extend_block(data, arena, stream, need):
    """Make the block hold ``need`` bytes, what it has moved along; False when the arena is full."""
    if stream.block_size >= need:
        return True
    size = np.int64(64) << block_class(need)
    block = arena_take(data, arena, size)
    if block < 0:
        return False
    have = np.int64(stream.have)
    if stream.block_size:
        copy_bytes(data, stream.block, block, have)
        arena_give(data, arena, stream.block, stream.block_size)
    stream.block = block
    stream.block_size = size
    return True


@helper
def take_head(data, run, stream, pairing, exchanges, arena, lines, facts, counts, cursor):
    """Go on with a head from cursor[BYTE_AT] on: find its end, else keep what came of it. DONE, HEAD_FOUND or a GROW status."""
    start, end = run.position + cursor[BYTE_AT], run.position + run.run_size
    have = np.int64(stream.have)
    if have == 0:
        while start < end and (data[start] == 13 or data[start] == 10):  # RFC 9112 2.2
            start += 1
        cursor[BYTE_AT] = start - run.position
        if start == end:
            return DONE
        stream.first_ts = run.ts
        stream.first_number = run.number
        stream.first_offset = run.offset + cursor[BYTE_AT]
        if stream.role == 0 and pairing.client:
            stream.role = CLIENT if pairing.client == 1 + np.int64(run.sender) else SERVER
    taken = min(end - start, cursor[HEAD_LIMIT] - have)
    head, limit, line = start, start + taken, start
    if have > 0:
        if not extend_block(data, arena, stream, have + taken):
            return shed(data, run, stream, pairing, exchanges, arena, counts)
        copy_bytes(data, start, stream.block + have, taken)
        head = np.int64(stream.block)
        limit, line = head + have + taken, head + stream.line
    begins = judge_start(data, head, limit, stream.role)
    if begins == NEITHER:
        return leave_http(data, run, stream, pairing, exchanges, arena, counts)
    stop = scan_head(data, line, head + have, limit, lines, facts)
    if stream.role != SERVER and begins == REQUEST and stream.is_judged == 0:
        stop = judge_first_line(data, head, limit, stop, stream, lines, facts)
    if stop < 0 and limit - head < cursor[HEAD_LIMIT]:
        return keep_part(data, run, start, taken, have, head, stream, pairing, exchanges, arena, facts, counts, cursor)
    code = np.int64(0)
    if stop < 0:
        code, stop = np.int64(HEAD_TOO_LARGE), limit
    status = room_for_head(stop - head, cursor)
    if status != DONE:
        return status
    if begins != TOO_SHORT:
        stream.role = CLIENT if begins == REQUEST else SERVER
    if have > 0:
        scan_head(data, head, head, stop, lines, facts)
    if facts[LINES] == 0:  # not even the first line ends
        facts[LINES] = 1
        lines[1] = stop
    cursor[BYTE_AT] += taken - (limit - stop)
    stream.next_offset = run.offset + cursor[BYTE_AT]
    facts[HEAD_AT] = head
    facts[HEAD_STOP] = stop
    facts[HEAD_CODE] = code
    return HEAD_FOUND


@helper
def judge_first_line(data, head, limit, stop, stream, lines, facts):
    """Where the head ends, looked at once when its first line is whole: an HTTP/0.9 request is one line."""
    end = head
    while end < limit and data[end] != 10:
        end += 1
    if end == limit:
        return stop
    if is_simple_request(data, head, end):
        facts[LINES] = 1
        lines[0] = head
        lines[1] = end + 1
        return end + 1
    stream.is_judged = 1
    return stop


@helper
def keep_part(data, run, start, taken, have, head, stream, pairing, exchanges, arena, facts, counts, cursor):
    """Keep the part of a head that came (``taken`` bytes at ``start``) in the block."""
    if have == 0:
        if not extend_block(data, arena, stream, taken):
            return shed(data, run, stream, pairing, exchanges, arena, counts)
        copy_bytes(data, start, stream.block, taken)
    stream.have = have + taken
    stream.line = facts[LINE] - head
    cursor[BYTE_AT] += taken
    return DONE


@helper
def shed(data, run, stream, pairing, exchanges, arena, counts):
    """No room for a part of a head: the stream is read no further."""
    note(exchanges, np.int64(pairing.last) - 1, NO_MEMORY, run.number, counts)
    drop_block(data, arena, stream)
    stream.state = LOST
    stream.exchange = 0
    return DONE


@helper
def leave_http(data, run, stream, pairing, exchanges, arena, counts):
    """Bytes that begin no head: an HTTP/0.9 answer, what a client sends ahead into its CONNECT tunnel, or garbage."""
    have = np.int64(stream.have)
    stream.have = 0
    stream.exchange = 0
    if stream.role == SERVER and pairing.waiting > 0 and exchanges[pairing.first_waiting - 1].version == 9:
        x = np.int64(pairing.first_waiting) - 1
        answered(exchanges, pairing)
        row = exchanges[x]
        row.has_response = 1
        row.response_version = 9
        row.response_framing = BY_CLOSE
        row.response_first_ts = stream.first_ts
        row.response_first_number = stream.first_number
        stream.exchange = x + 1
        stream.state = TO_CLOSE
        count_body(exchanges, stream, have, run)
    elif stream.role == CLIENT and pairing.waiting > 0 and exchanges[pairing.last_waiting - 1].kind == IS_CONNECT:
        stream.exchange = pairing.last_waiting
        stream.state = TUNNEL
        count_body(exchanges, stream, have, run)
    else:
        note(exchanges, np.int64(pairing.last) - 1, BAD_START_LINE, run.number, counts)
        stream.state = LOST
    drop_block(data, arena, stream)
    return DONE


@helper
def find_cut_head(data, run, code, stream, pairing, exchanges, arena, lines, facts, counts, cursor):
    """The whole lines of a head whose end will never come. HEAD_FOUND, DONE when there are none, or a GROW status."""
    block, have = np.int64(stream.block), np.int64(stream.have)
    status = room_for_head(have, cursor)
    if status != DONE:
        return status
    begins = judge_start(data, block, block + have, stream.role)
    scan_head(data, block, block, block + have, lines, facts)
    if facts[LINES] > 0 and begins in (REQUEST, RESPONSE):
        stream.role = CLIENT if begins == REQUEST else SERVER
        facts[HEAD_AT] = block
        facts[HEAD_STOP] = block + have
        facts[HEAD_CODE] = code
        return HEAD_FOUND
    note(exchanges, np.int64(pairing.last) - 1, code, run.number, counts)
    drop_block(data, arena, stream)
    return DONE
