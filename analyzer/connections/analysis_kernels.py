# mypy: allow-untyped-defs
"""What each TCP packet says about loss, windows and round trips: the tests of Wireshark's tcp.analysis in their order.

`analyze_segment` is called after `tcp_kernels.take_segment` for each TCP packet with a good checksum. ``f`` is the FLOW of the end that
sent it, ``r`` that of the other end. The order of the tests is that of Wireshark, and so are their conditions, so that the counts can be
compared; what a segment below the highest byte *is* has a second answer of our own (resent_kernels).
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.resent_kernels import has_acknowledged, note_ip_id, take_resent
from analyzer.connections.round_trip_kernels import acknowledge_segments, add_segment
from analyzer.connections.wait_kernels import begin_closed
from analyzer.kernel import be32, helper, seq_diff, u8
from analyzer.tables.connections import (
    HAS_ACK,
    HAS_CONTIGUOUS,
    HAS_NEXT,
    HAS_PACKET,
    HAS_SYN,
    HAS_TSVAL,
    IDLE_KEEP_ALIVE,
    IDLE_RETRANSMISSION,
    IDLE_ZERO_WINDOW,
    KEEP_ALIVE,
    SACKS,
    UNSEEN_IS_COUNTED,
    WINDOW_IS_OF_SYN,
    WINDOW_PROBE,
)
from analyzer.tables.packets import ACK, FIN, HAS_TIMESTAMPS, RST, SYN

SEQ_SPACE = 0xFFFFFFFF
NOT_OFFERED = 255  # ENDPOINT.window_scale
LARGEST_SCALE = 14  # RFC 7323 2.3
TIMESTAMPS_ONLY = 12  # bytes of options that hold timestamps and padding
OPTION_END, OPTION_NOTHING, OPTION_SACK = 0, 1, 5


@helper
def begin_flow(e, f):
    """What the SYN said that came before a connection was given its flows: it was the only packet of its end."""
    if e.packets > 0:
        f.next_seq = np.int64(e.last_seq) & SEQ_SPACE
        f.next_ts = e.first_ts
        f.contiguous_seq = f.next_seq
        f.window = e.window_first
        f.last_ts = e.first_ts
        f.known = HAS_NEXT | HAS_CONTIGUOUS | HAS_PACKET | HAS_SYN | WINDOW_IS_OF_SYN


@helper
def read_sacks(data, p, f, ack):
    """Keep the blocks above ``ack`` that a packet reports (RFC 2018); the first one below it is a DSACK (RFC 2883)."""
    at = np.int64(p.offset) + np.int64(p.tcp_options)
    end = at + np.int64(p.tcp_options_size)
    count = 0
    while at < end:
        kind, length = u8(data, at, end), u8(data, at + 1, end)
        if kind == OPTION_END:
            break
        if kind == OPTION_NOTHING:
            at += 1
            continue
        if length < 2 or at + length > end:
            break
        if kind == OPTION_SACK:
            for k in range(min((length - 2) // 8, SACKS)):
                first, past = be32(data, at + 2 + 8 * k, end), be32(data, at + 6 + 8 * k, end)
                if seq_diff(first, ack) < 0:
                    f.dsacks = np.int64(f.dsacks) + (1 if k == 0 else 0)
                elif seq_diff(past, first) > 0:
                    f.sack_start[count] = first
                    f.sack_end[count] = past
                    count += 1
            break
        at += length
    f.sacks = count


@helper
def judge_pure_ack(f, r, p):
    """An ACK without data that repeats the one before: new window, answer to a probe, or duplicate. Whether it is a duplicate."""
    window = np.int64(p.window)
    if window != np.int64(f.window):
        f.window_updates = np.int64(f.window_updates) + (1 if window != 0 else 0)
        return False
    if np.int64(r.last_kind) == (KEEP_ALIVE if window != 0 else WINDOW_PROBE):
        return False
    if window == 0:
        return False
    f.duplicate_count = np.int64(f.duplicate_count) + 1
    f.duplicate_acks = np.int64(f.duplicate_acks) + 1
    if np.int64(f.duplicate_count) == 3:
        f.triple_duplicate_acks = np.int64(f.triple_duplicate_acks) + 1
    return True


@helper
def scale_of(e, q, f, r):
    """Shift count of the windows that end ``q`` with flow ``r`` advertises; -1 = its SYN was not seen (RFC 7323: both must offer)."""
    known = np.int64(r.known)
    if not known & HAS_SYN:
        return np.int64(-1)
    is_refused = np.int64(f.known) & HAS_SYN and np.int64(e.window_scale) == NOT_OFFERED
    if np.int64(q.window_scale) == NOT_OFFERED or is_refused or known & WINDOW_IS_OF_SYN:
        return np.int64(0)
    return min(np.int64(q.window_scale), LARGEST_SCALE)


@helper
def note_window(state, f, p, tcp_flags):
    """Times without a window."""
    if np.int64(p.window) == 0:
        if not tcp_flags & (SYN | FIN | RST):
            f.zero_windows = np.int64(f.zero_windows) + 1
            if f.zero_since == 0:
                f.zero_since = p.ts
                f.zero_number = p.number
                f.zero_window_episodes = np.int64(f.zero_window_episodes) + 1
    elif f.zero_since != 0 and not tcp_flags & RST:
        f.zero_window_ns += max(np.int64(p.ts) - np.int64(f.zero_since), 0)
        begin_closed(state, np.int64(f.zero_since), np.int64(f.zero_number))
        f.zero_since = 0


@helper
def note_idle(f, r, p, kind, is_needed):
    """The longest silence of this end, and what ended it."""
    idle = np.int64(p.ts) - np.int64(f.last_ts)
    if np.int64(f.known) & HAS_PACKET and idle > f.idle_max_ns:
        f.idle_max_ns = idle
        f.idle_end_number = p.number
        cause = 0
        if is_needed:
            cause = IDLE_RETRANSMISSION
        elif kind == KEEP_ALIVE:
            cause = IDLE_KEEP_ALIVE
        elif kind == WINDOW_PROBE or r.zero_since != 0:
            cause = IDLE_ZERO_WINDOW
        f.idle_cause = cause


@helper
def classify(e, q, f, r, p, tcp_flags, ahead):
    """Wireshark's tests before that for retransmissions; ``ahead``: how far the packet begins beyond the highest byte sent.

    KEEP_ALIVE, WINDOW_PROBE or 0; whether it is a duplicate ACK.
    """
    size, seq = np.int64(p.payload_length), np.int64(p.seq)
    has_next = np.int64(f.known) & HAS_NEXT != 0
    if size == 1 and has_next and ahead == 0 and np.int64(r.known) & HAS_PACKET and np.int64(r.window) == 0:
        f.window_probes = np.int64(f.window_probes) + 1
        return WINDOW_PROBE, False
    if has_next and ahead > 0 and not tcp_flags & RST:
        f.lost_segments = np.int64(f.lost_segments) + 1
        if f.hole_ts == 0 or np.int64(e.ranges) <= 1:
            f.hole_ts = p.ts
            f.hole_number = p.number
    if tcp_flags & (SYN | FIN | RST):
        return 0, False
    if has_next and ahead == -1 and size <= 1:
        f.keep_alives = np.int64(f.keep_alives) + 1
        return KEEP_ALIVE, False
    if size > 0:
        scale = scale_of(e, q, f, r)
        if scale >= 0 and seq_diff(seq + size, r.last_ack + (np.int64(r.window) << scale)) == 0:
            f.window_full = np.int64(f.window_full) + 1
    elif has_next and ahead == 0 and p.ack == f.last_ack:
        return 0, judge_pure_ack(f, r, p)
    return 0, False


@helper
def take_acknowledgement(data, segments, state, f, r, p, is_duplicate):
    """What the ACK of a packet says: progress, bytes not seen, holes that the receiver reports."""
    ack = np.int64(p.ack)
    known = np.int64(r.known)
    if known & (HAS_CONTIGUOUS | UNSEEN_IS_COUNTED) == HAS_CONTIGUOUS and seq_diff(ack, r.contiguous_seq) > 0:
        f.acked_unseen = np.int64(f.acked_unseen) + 1
        if r.contiguous_seq == r.next_seq:
            r.known = known | UNSEEN_IS_COUNTED
        r.contiguous_seq = r.next_seq
    is_progress = np.int64(f.known) & HAS_ACK == 0 or seq_diff(ack, f.last_ack) > 0
    room = np.int64(p.tcp_options_size)
    if room > TIMESTAMPS_ONLY or (room > 0 and not np.int64(p.marks) & HAS_TIMESTAMPS):
        read_sacks(data, p, f, ack)
    else:
        f.sacks = 0
    if is_duplicate or np.int64(f.sacks) > 0:
        if f.report_ts == 0:
            f.report_ts = p.ts
    elif is_progress:
        f.report_ts = 0
    if is_progress and np.int64(r.first_segment) != 0:
        if r.initial_window == 0:
            r.initial_window = r.max_in_flight
        acknowledge_segments(segments, state, r, ack, np.int64(p.ts))


@helper
def advance_flow(segments, state, f, r, p, end, size):
    """The packet carries the highest byte so far."""
    f.next_seq = end
    f.next_ts = p.ts
    known = np.int64(f.known) & ~UNSEEN_IS_COUNTED
    if np.int64(p.marks) & HAS_TIMESTAMPS:
        f.last_tsval = p.tsval
        known |= HAS_TSVAL
    f.known = known
    if size > 0:
        f.segment_max = max(np.int64(f.segment_max), size)
        add_segment(segments, state, f, end, size, np.int64(p.ts), np.int64(p.number))
        if has_acknowledged(r):
            f.max_in_flight = max(np.int64(f.max_in_flight), seq_diff(end, r.last_ack))


@helper
def analyze_segment(data, segments, state, c, e, q, f, r, p, news):
    """One TCP packet from end ``e`` to ``q``; ``news``: whether its payload brought anything new (see resent_kernels)."""
    tcp_flags, size, seq = np.int64(p.tcp_flags), np.int64(p.payload_length), np.int64(p.seq)
    length = size + (1 if tcp_flags & (SYN | FIN) else 0)
    end = (seq + length) & SEQ_SPACE
    known = np.int64(f.known)
    ahead = seq_diff(seq, f.next_seq) if known & HAS_NEXT else np.int64(0)
    kind, is_duplicate = classify(e, q, f, r, p, tcp_flags, ahead)
    if p.ack != f.last_ack:
        f.duplicate_count = 0
    is_needed = False
    goes_on = ahead == -1 and size > 1 and not tcp_flags & SYN  # with the byte of a probe, which may not have been taken, and new ones
    if ahead < 0 and length > 0 and kind != KEEP_ALIVE and not goes_on:
        is_needed = take_resent(segments, state, c, e, f, r, p, end, news)
    else:
        if size > 0 and kind == 0 and has_acknowledged(r) and seq_diff((seq + size) & SEQ_SPACE, r.last_ack) <= 0:
            f.wireshark_spurious_retransmissions = np.int64(f.wireshark_spurious_retransmissions) + 1
        note_ip_id(p, f)
    if p.window == 0 or f.zero_since != 0:
        note_window(state, f, p, tcp_flags)
    note_idle(f, r, p, kind, is_needed)
    if kind != WINDOW_PROBE:
        if not known & HAS_NEXT or seq_diff(end, f.next_seq) > 0:
            advance_flow(segments, state, f, r, p, end, size)
        if not known & HAS_CONTIGUOUS or seq == f.contiguous_seq:
            f.contiguous_seq = f.next_seq
        known = np.int64(f.known) | HAS_NEXT | HAS_CONTIGUOUS
    if tcp_flags & ACK:
        if not tcp_flags & RST:
            take_acknowledgement(data, segments, state, f, r, p, is_duplicate)
        known |= HAS_ACK
    f.last_ack = p.ack
    f.last_ts = p.ts
    f.window = p.window
    f.last_kind = kind
    f.known = (known | HAS_PACKET | HAS_SYN | WINDOW_IS_OF_SYN) if tcp_flags & SYN else (known | HAS_PACKET) & ~WINDOW_IS_OF_SYN
