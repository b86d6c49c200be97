# mypy: allow-untyped-defs
"""Entry kernels of stage 4, and what a segment does to the two streams of its connection. The theory is in assembler."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel, seq_diff
from analyzer.streams.block_kernels import (
    BLOCK_TOP,
    FREE_ROWS,
    MAX_BLOCKS,
    NEEDED,
    RUNS,
    give_back,
    retire_first,
)
from analyzer.streams.delivery_kernels import ZERO, close_hole, end_stream, settle, take_bytes, write_run
from analyzer.tables.packets import ACK, ANALYSED, BAD_TRANSPORT_CHECKSUM, FIN, RST, SYN
from analyzer.tables.streams import (
    BY_FINISHED,
    ENDED,
    ENDED_OPEN,
    FIN_SEEN,
    NOTHING,
    OPEN,
    RESET_SEEN,
    WAITING,
)

GROW_BLOCKS = 2
AT_END = np.int64(BY_FINISHED)
TCP = 6
SEQUENCE_MASK = 0xFFFFFFFF
FAR = 1 << 30  # RFC 7323 2.3: no window is larger than 1 GiB, so nothing honest lies farther beyond what was seen
EARLIER = 1 << 20  # how far below its first packet a stream without SYN may still turn out to begin


@helper
def seen_end(s):
    """Offset after the highest byte seen: what sequence numbers are unwrapped against."""
    return max(s.next, s.highest)


@helper
def unwrap(s, seq):
    """Stream offset of a 32-bit sequence number: the one nearest to the highest byte seen (window 2**31)."""
    h = seen_end(s)
    return h + seq_diff(seq, (s.start_seq + h) & SEQUENCE_MASK)


@helper
def take_ack(s, ack):
    """Note how far the other end acknowledges this stream."""
    if s.state == NOTHING or s.state == ENDED:
        return
    offset = unwrap(s, ack)
    if offset > s.acked and offset - seen_end(s) <= FAR:
        s.acked = offset


@helper
def place(s, seq, is_syn):
    """Give the stream its place in sequence space, or correct it while nothing was delivered; False = the packet is to be ignored.

    A SYN decides. Without one the first packet does, but then data a little below it (reordering at the start of the capture) or one
    above it (the first packet was a keep-alive, which repeats the byte before) moves the start.
    """
    is_empty = s.next == 0 and s.blocks == 0
    if is_syn:
        start = (seq + 1) & SEQUENCE_MASK
        is_new = s.start_seq != start or s.end_kind & RESET_SEEN != 0
        if s.state == NOTHING or (is_new and is_empty and s.state != ENDED):
            s.start_seq, s.state = start, OPEN
            s.is_partial, s.end_kind = 0, 0
            s.acked = 0
        elif s.start_seq == start:
            s.is_partial = 0
        else:
            s.ignored_syns += 1
        return s.start_seq == start
    if s.state == NOTHING:
        s.start_seq, s.state, s.is_partial = seq, OPEN, 1
    elif s.is_partial and is_empty and s.end_kind == 0:
        move = seq_diff(seq, s.start_seq)
        if -EARLIER <= move <= 1:
            s.start_seq = seq
            s.acked = max(np.int64(0), s.acked - move)
    return True


@helper
def take_fin(s, end, p):
    """Note where the stream ends. The first FIN counts; one that lies below data seen is a lie."""
    if s.end_kind & FIN_SEEN or s.state == ENDED:
        if end != s.end_offset:
            s.ignored_fins += 1
    elif end < seen_end(s):
        s.ignored_fins += 1
    else:
        s.end_kind |= FIN_SEEN
        s.end_offset, s.end_number, s.end_ts = end, p.number, p.ts


@helper
def mark_reset(s, end, p):
    """A RST of either end: the stream ends at ``end`` unless a FIN said so already."""
    if s.state == NOTHING or s.state == ENDED or s.end_kind & RESET_SEEN:
        return
    if not s.end_kind & FIN_SEEN:
        s.end_offset = end
    s.end_kind |= RESET_SEEN
    s.end_number, s.end_ts = p.number, p.ts


@helper
def take_reset(s, q, p):
    """RST: both streams end. Its own sequence number is believed where it lies just above what was seen (bytes still to come)."""
    if s.state != NOTHING:
        h, offset = seen_end(s), unwrap(s, p.seq)
        if offset - h > FAR or h - offset > FAR:
            s.ignored_resets += 1
            return
        mark_reset(s, offset if h <= offset <= h + EARLIER else h, p)
    mark_reset(q, seen_end(q), p)


@helper
def take_header(s, q, p):
    """What the header of a packet does to its stream ``s`` and the opposite one ``q``; the offsets (start, end) of the payload to take."""
    tcp_flags, length = np.int64(p.tcp_flags), np.int64(p.payload_length)
    if tcp_flags & RST:
        take_reset(s, q, p)
        return ZERO, ZERO
    is_syn = tcp_flags & SYN != 0
    if (is_syn or s.state == NOTHING or length > 0) and not place(s, p.seq, is_syn):
        return ZERO, ZERO
    if tcp_flags & ACK:
        take_ack(q, p.ack)
    start = unwrap(s, (p.seq + (1 if is_syn else 0)) & SEQUENCE_MASK)
    end = start + length
    if length == 0 and tcp_flags & FIN == 0:
        return ZERO, ZERO
    if start - seen_end(s) > FAR:
        s.ignored_far += 1
        return ZERO, ZERO
    if tcp_flags & FIN:
        take_fin(s, end, p)
    if s.end_kind and end > s.end_offset:
        s.after_end_bytes += min(length, end - s.end_offset)
        end = s.end_offset
    return start, end


@helper
def has_room(s, q, control, run_rows, block_rows):
    """Whether runs and blocks hold whatever one packet of this connection can cause; else NEEDED says how many rows to have."""
    held = np.int64(s.blocks)
    rows = control[RUNS] + 3 * (held + np.int64(q.blocks)) + 16
    if rows > run_rows:
        control[NEEDED] = rows
        return GROW_ROWS
    missing = 2 * held + 9 - control[FREE_ROWS] - (block_rows - control[BLOCK_TOP])
    if missing > 0 and block_rows < control[MAX_BLOCKS]:
        control[NEEDED] = min(block_rows + missing, control[MAX_BLOCKS])
        return GROW_BLOCKS
    return DONE


@kernel
def assemble_segments(data, arena, streams, wishes, blocks, runs, control, packets, first, connections):
    """Packets from ``first`` on to runs; (DONE, GROW_ROWS or GROW_BLOCKS, next packet). The number of runs is control[RUNS].

    Helpers get rows rather than tables where they can: an array costs two atomic operations for each call it is handed to.
    """
    n = control[RUNS]
    for i in range(first, packets.shape[0]):
        p = packets[i]
        if p.protocol != TCP or p.connection < 0 or p.outcome != ANALYSED:
            continue
        row = 2 * np.int64(p.connection) + np.int64(p.sender)
        s, q = streams[row], streams[row ^ 1]
        if np.int64(p.marks) & BAD_TRANSPORT_CHECKSUM:
            s.ignored_checksums += 1
            continue
        tcp_flags, length = np.int64(p.tcp_flags), np.int64(p.payload_length)
        if s.state == OPEN and q.state != WAITING and tcp_flags & (SYN | FIN | RST) == 0:
            is_next = length == p.payload_size and p.seq == (s.start_seq + s.next) & SEQUENCE_MASK
            if length == 0 or (is_next and n < runs.shape[0]):
                if tcp_flags & ACK:
                    take_ack(q, p.ack)
                if length > 0:
                    if not wishes[row].is_off:
                        write_run(runs[n], s, row, ZERO, p.offset + p.payload, s.next, length, p.number, p.ts)
                        n += 1
                    s.next += length
                continue
        control[RUNS] = n
        status = has_room(s, q, control, runs.shape[0], blocks.shape[0])
        if status != DONE:
            return status, i
        start, end = take_header(s, q, p)
        if end > start:
            take_bytes(data, arena, s, wishes[row], blocks, runs, control, row, start, end, p)
        if s.blocks > 0 or s.end_kind or s.state == WAITING:
            settle(s, q, wishes[row], connections[row >> 1], blocks, runs, control, row, p)
        if q.blocks > 0 or q.end_kind:
            settle(q, s, wishes[row ^ 1], connections[row >> 1], blocks, runs, control, row ^ 1, p)
        n = control[RUNS]
    control[RUNS] = n
    return DONE, packets.shape[0]


@helper
def finish_stream(s, w, c, blocks, runs, control, row):
    """Give up all holes of a stream whose connection is over, and end it."""
    if s.state == NOTHING or s.state == ENDED:
        return
    while s.blocks > 0:
        close_hole(s, w, blocks, runs, control, row, s.highest, AT_END)
    if s.end_kind & FIN_SEEN:
        close_hole(s, w, blocks, runs, control, row, s.end_offset, AT_END)
    elif s.acked > s.next + 1:  # one byte more than the data is the ACK of a FIN that is not in the capture
        close_hole(s, w, blocks, runs, control, row, s.acked, AT_END)
    marks = ZERO
    if s.end_kind == 0:
        marks |= ENDED_OPEN
        s.end_number, s.end_ts = c.last_number, c.last_ts
    end_stream(s, w, runs, control, row, marks)


@kernel
def finish_streams(streams, wishes, blocks, runs, control, rows, first, connections):
    """End the streams of the connections ``rows`` from ``first`` on; (DONE or GROW_ROWS, next of rows)."""
    for i in range(first, rows.shape[0]):
        row = 2 * rows[i]
        needed = control[RUNS] + np.int64(streams[row].blocks) + np.int64(streams[row + 1].blocks) + 4
        if needed > runs.shape[0]:
            control[NEEDED] = needed
            return GROW_ROWS, i
        for side in range(row, row + 2):
            finish_stream(streams[side], wishes[side], connections[rows[i]], blocks, runs, control, side)
    return DONE, rows.shape[0]


@kernel
def free_blocks(data, arena, streams, blocks, control, rows):
    """Give back what was delivered from the arena, and what the streams of the connections ``rows`` still hold."""
    for i in range(rows.shape[0]):
        for side in range(2):
            row = 2 * rows[i] + side
            s = streams[row]
            while s.blocks > 0:
                retire_first(blocks, control, s, np.int64(blocks[s.head].following[0]))
    give_back(data, arena, blocks, control)
