# mypy: allow-untyped-defs
"""Which bytes of a stream are missing, by the connection's own account (Zeek's rule).

The reassembler of `streams/` decides late and on evidence what is lost; conn.log's missed_bytes and G follow a simpler rule that
needs no bytes, only ranges: *an ACK from the other end for bytes that were not seen is a gap at once*, and what arrives for it
later is thrown away. It counts only while both ends are established or have closed from there.

State of an end, relative to start_seq (its first byte is 1): ``in_order`` - complete or given up to here; ``acknowledged`` - the other
end said it has everything below; ``RANGES`` ranges beyond a hole, ascending, never touching. Invariant: acknowledged and in_order
never go back, every range starts beyond in_order. With more holes than that at once the smallest is taken for filled (marked).

A stream is no longer followed when more than 16 KiB wait beyond a hole and nothing was ever acknowledged, or more than 10 MiB wait
for an acknowledgement: that ACKs are missing says nothing about the data.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.history_kernels import LETTER_G, LETTER_X, add_letter, cased, note_scaled
from analyzer.kernel import helper
from analyzer.tables.connections import CLOSED, CUT_SHORT, ESTABLISHED, IS_PARTIAL, RANGES, RANGES_MERGED, RESET

BEYOND_HOLE_WITHOUT_ACKS = 16_384
UNACKNOWLEDGED = 10 << 20
SEQ_SPACE = 0xFFFFFFFF


@helper
def is_clean(e):
    """Established, or closed from there: only then is a gap believed."""
    state = np.int64(e.state)
    return state == ESTABLISHED or (state == CLOSED and np.int64(e.prev_state) == ESTABLISHED)


@helper
def is_unacknowledged(e):
    """Whether nothing but its SYN has ever been acknowledged."""
    return e.ack_seq == e.start_seq or e.ack_seq == e.start_seq + 1


@helper
def stream_size(e, q):
    """Payload bytes of an end by sequence space: up to its highest byte sent or acknowledged, without SYN and FIN."""
    rejected = np.int64(e.prev_state) == 1 and np.int64(e.state) == RESET and np.int64(q.state) == 0
    if rejected and not is_unacknowledged(e):
        return np.int64(0)  # a half-open connection was discovered: these numbers belong to an older one
    span = max(np.int64(e.last_seq), np.int64(e.ack_seq)) - np.int64(e.start_seq)
    if span > 0:
        span -= 1
    if span > 0 and e.fin_offset != 0:
        span -= 1
    return max(span, 0)


@helper
def take_range(e, k):
    """Remove range ``k``."""
    for i in range(k, np.int64(e.ranges) - 1):
        e.range_start[i] = e.range_start[i + 1]
        e.range_end[i] = e.range_end[i + 1]
    e.ranges = np.int64(e.ranges) - 1


@helper
def absorb(e):
    """Move in_order over the ranges it has reached."""
    while np.int64(e.ranges) > 0 and e.range_start[0] <= e.in_order:
        e.in_order = max(np.int64(e.in_order), np.int64(e.range_end[0]))
        take_range(e, np.int64(0))


@helper
def merge_nearest(c, e):
    """Make room for a range: take the smallest hole between two ranges for filled."""
    best, smallest = 0, np.int64(1) << 62
    for i in range(np.int64(e.ranges) - 1):
        hole = np.int64(e.range_start[i + 1]) - np.int64(e.range_end[i])
        if hole < smallest:
            best, smallest = i, hole
    e.range_end[best] = e.range_end[best + 1]
    take_range(e, best + 1)
    c.marks = np.int64(c.marks) | RANGES_MERGED


@helper
def add_range(c, e, start, end):
    """Add [start, end) beyond the hole; whether it brought anything new."""
    k, count = 0, np.int64(e.ranges)
    while k < count and e.range_end[k] < start:
        k += 1
    if k < count and e.range_start[k] <= end:  # touches range k: grow it, and swallow what it reaches
        if e.range_start[k] <= start and e.range_end[k] >= end:
            return False
        e.range_start[k] = min(np.int64(e.range_start[k]), start)
        e.range_end[k] = max(np.int64(e.range_end[k]), end)
        while k + 1 < np.int64(e.ranges) and e.range_start[k + 1] <= e.range_end[k]:
            e.range_end[k] = max(np.int64(e.range_end[k]), np.int64(e.range_end[k + 1]))
            take_range(e, k + 1)
        return True
    if count == RANGES:
        merge_nearest(c, e)
        add_apart(e, start, end)
    else:
        insert_range(e, k, start, end)
    return True


@helper
def insert_range(e, k, start, end):
    """Put a range at place ``k``."""
    for back in range(np.int64(e.ranges) - k):
        i = np.int64(e.ranges) - back
        e.range_start[i] = e.range_start[i - 1]
        e.range_end[i] = e.range_end[i - 1]
    e.range_start[k] = start
    e.range_end[k] = end
    e.ranges = np.int64(e.ranges) + 1


@helper
def add_apart(e, start, end):
    """Insert a range that touches none, unless merging has just covered it."""
    k = 0
    while k < np.int64(e.ranges) and e.range_end[k] < start:
        k += 1
    if k < np.int64(e.ranges) and e.range_start[k] <= start:
        return
    insert_range(e, k, start, end)


@helper
def report_gap(c, e, q, size, is_originator):
    """Count a gap in the stream of ``e``."""
    if is_clean(e) and is_clean(q):
        e.missed_bytes += size
        e.gaps = np.int64(e.gaps) + 1
        note_scaled(c, np.int64(e.gaps), cased(LETTER_G, is_originator))


@helper
def acknowledge(c, e, q, up_to, is_originator):
    """The other end has everything of ``e`` below ``up_to``: what was not seen is a gap. Whether this was news."""
    if e.fin_offset != 0 and up_to >= e.fin_offset:
        up_to = np.int64(e.fin_offset) - 1
    if up_to <= e.acknowledged:
        return False
    if up_to > e.in_order and not (up_to <= 2 and np.int64(c.marks) & IS_PARTIAL):
        if np.int64(e.is_skipping) == 0:
            while np.int64(e.ranges) > 0 and e.range_start[0] < up_to:
                report_gap(c, e, q, np.int64(e.range_start[0]) - np.int64(e.in_order), is_originator)
                e.in_order = e.range_end[0]
                take_range(e, np.int64(0))
            if up_to > e.in_order:
                report_gap(c, e, q, up_to - np.int64(e.in_order), is_originator)
        e.in_order = max(np.int64(e.in_order), up_to)
    e.acknowledged = up_to
    absorb(e)
    return True


@helper
def note_cut_short(c):
    """X, once: the stream of an end is no longer followed."""
    if not np.int64(c.marks) & CUT_SHORT:
        c.marks = np.int64(c.marks) | CUT_SHORT
        add_letter(c, LETTER_X)


@helper
def add_data(c, e, q, start, size):
    """Payload of ``e`` at relative sequence number ``start``; whether it brought anything new."""
    end = start + size
    acked = np.int64(e.ack_seq) - np.int64(e.start_seq)
    if np.int64(e.is_skipping) != 0 or end <= acked or end <= e.acknowledged:
        return False
    start = max(start, acked, np.int64(e.acknowledged))
    if start > e.in_order:
        is_new = add_range(c, e, start, end)
    else:
        is_new = end > e.in_order
        if is_new:
            e.in_order = end
            absorb(e)
        if is_unacknowledged(e) and stream_size(e, q) > BEYOND_HOLE_WITHOUT_ACKS:
            e.acknowledged = max(np.int64(e.acknowledged), np.int64(e.in_order))
    count = np.int64(e.ranges)
    waiting = np.int64(e.in_order) - np.int64(e.acknowledged)
    for i in range(count):
        waiting += np.int64(e.range_end[i]) - np.int64(e.range_start[i])
    beyond = np.int64(e.range_end[count - 1]) - np.int64(e.in_order) if count > 0 else 0
    if (beyond > BEYOND_HOLE_WITHOUT_ACKS and is_unacknowledged(e)) or waiting > UNACKNOWLEDGED:
        e.is_skipping = 1
        note_cut_short(c)
        e.ranges = 0
        e.acknowledged = max(np.int64(e.acknowledged), np.int64(e.in_order))
    return is_new


@helper
def is_data_pending(e, q):
    """Whether bytes of ``e`` are still awaited, or bytes of the peer still unacknowledged: then its close does not count yet."""
    if np.int64(e.is_skipping) != 0:
        return False
    delivered = np.int64(e.start_seq) + np.int64(e.in_order)
    last = np.int64(e.last_seq)
    if last < delivered:
        return False
    if delivered != last - 1 and delivered != last:
        return True
    has_unacknowledged = np.int64(q.ranges) > 0 or q.in_order > q.acknowledged
    return np.int64(e.state) != RESET and has_unacknowledged
