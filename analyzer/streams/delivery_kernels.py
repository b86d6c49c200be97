# mypy: allow-untyped-defs
"""How bytes are put in order and delivered as runs, and when a hole is given up. The theory is in assembler."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.streams.block_kernels import GAP_ACKED_BYTES, GAP_WAIT_NS, POLICY, RUNS, STORED, cut, find, retire_first, store
from analyzer.streams.overlap_kernels import compare, new_wins
from analyzer.tables.streams import (
    BY_ACKNOWLEDGED,
    BY_WAITED,
    ENDED,
    ENDED_BY_RESET,
    FIN_SEEN,
    FROM_ARENA,
    NOT_KEPT,
    NOTHING,
    OPEN,
    RESET_SEEN,
    STREAM_ENDED,
    WAITING,
)

# Numba compiles a helper once more for each argument that is a literal: these are none.
ZERO = np.int64(0)
IN_ARENA = np.int64(FROM_ARENA)


@helper
def write_run(r, s, row, marks, position, offset, size, number, ts):
    """Fill the RUN row ``r`` of stream ``s``; the gap that was pending is told now."""
    r.connection, r.sender = row >> 1, row & 1
    r.marks = marks
    r.gap = s.pending_gap
    r.position, r.run_size = position, size
    r.offset = offset
    r.number, r.ts = number, ts
    s.pending_gap = 0


@helper
def emit(s, w, runs, control, row, marks, position, offset, size, number, ts):
    """Append a run, unless nobody reads the stream. There is room: has_room saw to it."""
    if position < 0:
        marks = NOT_KEPT
        s.not_kept_bytes += size
    if not w.is_off:
        n = control[RUNS]
        write_run(runs[n], s, row, marks, position, offset, size, number, ts)
        control[RUNS] = n + 1


@helper
def deliver_blocks(s, w, blocks, runs, control, row):
    """Deliver the blocks that no hole separates from what was delivered."""
    while s.blocks > 0:
        block = np.int64(blocks[s.head].following[0])
        b = blocks[block]
        if b.offset > s.next:
            return
        retire_first(blocks, control, s, block)
        emit(s, w, runs, control, row, IN_ARENA, b.position, b.offset, b.block_size, b.number, b.ts)
        s.next = b.offset + b.block_size


@helper
def close_hole(s, w, blocks, runs, control, row, end, reason):
    """Give up the lowest hole, up to the first block or to ``end``, whichever is lower, and deliver what it kept waiting."""
    if s.blocks > 0:
        end = min(end, blocks[blocks[s.head].following[0]].offset)
    missing = end - s.next
    if missing > 0:
        s.gaps += 1
        s.gaps_by_reason[reason - 1] += 1
        s.missing_bytes += missing
        s.pending_gap += missing
        s.next = end
    deliver_blocks(s, w, blocks, runs, control, row)


@helper
def end_stream(s, w, runs, control, row, marks):
    """Emit the run that ends a stream, with the frame of its FIN or RST."""
    if s.end_kind & RESET_SEEN:
        marks |= ENDED_BY_RESET
    emit(s, w, runs, control, row, marks | STREAM_ENDED, ZERO, s.next, ZERO, s.end_number, s.end_ts)
    s.state = ENDED


@helper
def round_trip_ns(c, number):
    """Round trip of the handshake as known at frame ``number``: SYN to ACK, or SYN+ACK to ACK; 0 = unknown.

    The row may be ahead of the packet (stage 3 has read the whole batch), hence the frame number.
    """
    if c.ack_number == 0 or c.ack_number > number:
        return np.int64(0)
    if c.syn_number != 0:
        return max(np.int64(0), c.ack_ts - max(c.syn_ts, c.last_syn_ts))
    return max(np.int64(0), c.ack_ts - c.synack_ts) if c.synack_number != 0 else np.int64(0)


@helper
def find_reason(s, q, c, control, end, since, p):
    """Why the hole below ``end``, beyond which bytes arrived at ``since``, is given up as of packet ``p``; 0 = it is not."""
    # An ACK counts as far as data (or the FIN) beyond the hole was seen: the rest of what it says is a claim, too.
    beyond = min(s.acked, max(s.highest, s.end_offset + 1 if s.end_kind & FIN_SEEN else 0)) - end
    if beyond >= control[GAP_ACKED_BYTES]:
        return BY_ACKNOWLEDGED
    wait = max(4 * round_trip_ns(c, p.number), control[GAP_WAIT_NS])
    if p.ts - since < wait or (beyond <= 0 and q.state != NOTHING):
        return 0
    return BY_WAITED


@helper
def settle(s, q, w, c, blocks, runs, control, row, p):
    """Deliver what can be, as of packet ``p`` of the same connection (either direction), give up holes, and end a stream that is whole."""
    if s.state == NOTHING or s.state == ENDED:
        return
    deliver_blocks(s, w, blocks, runs, control, row)
    while s.blocks > 0 or s.end_kind:
        s.state = WAITING
        if s.blocks > 0:
            first = blocks[blocks[s.head].following[0]]
            end, since = first.offset, first.ts
        elif s.next >= s.end_offset:
            # A refused SYN may be sent again: the end of a stream without a byte is told when the connection is over.
            if s.next > 0 or s.end_kind & FIN_SEEN:
                end_stream(s, w, runs, control, row, ZERO)
            return
        elif s.end_kind & FIN_SEEN:
            end, since = s.end_offset, s.end_ts
        else:
            return  # where a RST says the stream ends is only a claim
        reason = find_reason(s, q, c, control, end, since, p)
        if reason == 0:
            return
        close_hole(s, w, blocks, runs, control, row, end, reason)
    s.state = OPEN


@helper
def take_bytes(data, arena, s, w, blocks, runs, control, row, start, end, p):
    """Put payload at the offsets ``start`` to ``end`` in its place, piece by piece, lowest first.

    Each turn of the loop deals with at least one byte, or moves STREAM.next up (a hole closed for want of room), or frees the bytes at
    the place of the turn (the old copy loses), after which the next turn fills it.
    """
    seen = max(s.next, s.highest)
    is_keep_alive = p.payload_length == 1 and end == seen  # RFC 9293 3.8.4: repeats the last byte, or garbage in its place
    s.highest = max(seen, end)
    kept_end = min(end, start + p.payload_size)
    source = p.offset + p.payload - start
    if start > s.next:
        s.buffered_segments += 1
    at = start
    while at < end:
        if at < s.next:
            piece_end = min(end, s.next)
            s.duplicate_bytes += 0 if is_keep_alive else piece_end - at
            at = piece_end
            continue
        piece_end = min(end, kept_end) if at < kept_end else end
        position = source + at if at < kept_end else np.int64(-1)
        block = find(blocks, control, s.head, at)
        old_end = blocks[block].offset + blocks[block].block_size
        if at < old_end:
            piece_end = min(piece_end, old_end)
            if not is_keep_alive:
                s.duplicate_bytes += piece_end - at
                compare(data, blocks, s, block, at, piece_end, position, p.number)
                if (
                    new_wins(control[POLICY], start, end, blocks[block].segment_start, blocks[block].segment_end)
                    and cut(data, arena, blocks, control, s, block, at, piece_end) == STORED
                ):
                    continue
            at = piece_end
            continue
        after = np.int64(blocks[block].following[0])
        if after != 0:
            piece_end = min(piece_end, blocks[after].offset)
        if at == s.next:
            emit(s, w, runs, control, row, ZERO, position, at, piece_end - at, p.number, p.ts)
            s.next = piece_end
            at = piece_end
            continue
        if w.is_off or piece_end <= w.skip_until:
            position = np.int64(-1)
        refused = store(data, arena, blocks, control, s, at, piece_end - at, position, p.number, p.ts, start, end)
        if refused == STORED:
            at = piece_end
        else:
            close_hole(s, w, blocks, runs, control, row, at, refused)
