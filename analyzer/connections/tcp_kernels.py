# mypy: allow-untyped-defs
"""One TCP packet of a connection: sequence space, history, states, closing. The order of the steps is Zeek's and matters.

Sequence numbers are kept as 64 bits whose upper half counts wraps; ``relative`` numbers count from start_seq, so that the first
byte after the SYN is 1. An end whose SYN was not seen gets a start_seq as though there had been one.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.gap_kernels import SEQ_SPACE, acknowledge, add_data, is_data_pending
from analyzer.connections.history_kernels import CARET, LETTER_H, LETTER_T, LETTER_W, add_letter, cased, note_flags, note_scaled
from analyzer.connections.resent_kernels import NOTHING_NEW, SOMETHING_NEW, UNKNOWN_NEWS
from analyzer.connections.state_kernels import apply_entry, transition
from analyzer.connections.states import BEGINS_ATTEMPT, CLOSES, FLIPS
from analyzer.kernel import helper, seq_diff
from analyzer.tables.connections import (
    CLOSE_DEFERRED,
    CLOSED,
    ESTABLISHED,
    INACTIVE,
    IS_CLOSED,
    IS_PARTIAL,
    ORIGINATOR_SEEN,
    PARTIAL,
    RESET,
    RESPONDER_SEEN,
    SYN_ACK_SENT,
    SYN_SENT,
)
from analyzer.tables.packets import ACK, FIN, HAS_SACK_PERMITTED, HAS_TIMESTAMPS, RST, SYN

ATTEMPT_NS = 5_000_000_000  # Zeek's tcp_attempt_delay
TOO_LARGE_JUMP = 1 << 20  # a SYN or RST further away than this says nothing about the stream


@helper
def relative_seq(seq, last, start):
    """A 32-bit number relative to ``start``, unwrapped against the 64-bit ``last``; negative = before the start."""
    wraps, low = last >> 32, last & SEQ_SPACE
    delta = seq_diff(seq, low)
    if delta < 0 and wraps > 0 and seq > low:
        wraps -= 1
    elif delta > 0 and seq < low:
        wraps += 1
    if wraps == 0 and last <= SEQ_SPACE:
        return seq_diff(seq, start)
    return (wraps << 32) + seq - start


@helper
def advance(last, seq):
    """The 64-bit number after ``last`` whose lower half is ``seq``."""
    wraps = last >> 32
    if seq < last & SEQ_SPACE:
        wraps += 1
    return wraps << 32 | seq


@helper
def flip_roles(c, e, q):
    """Originator and responder change places. What history has seen belongs to the role, what was sent to the end."""
    c.flipped = 1 - np.int64(c.flipped)
    marks = np.int64(c.marks) & ~(ORIGINATOR_SEEN | RESPONDER_SEEN | IS_PARTIAL)
    if np.int64(c.marks) & ORIGINATOR_SEEN:
        marks |= RESPONDER_SEEN
    if np.int64(c.marks) & RESPONDER_SEEN:
        marks |= ORIGINATOR_SEEN
    c.marks = marks
    seen = np.int64(e.history_seen)
    e.history_seen = q.history_seen
    q.history_seen = seen
    add_letter(c, CARET)


@helper
def note_first(c, tcp_flags, is_originator):
    """Whether the connection is partial: its first packets are not those of a handshake."""
    marks = np.int64(c.marks)
    if is_originator:
        if not marks & ORIGINATOR_SEEN:
            marks &= ~IS_PARTIAL
            if tcp_flags & (SYN | ACK) != SYN:
                marks |= IS_PARTIAL
    elif not marks & (RESPONDER_SEEN | IS_PARTIAL) and not tcp_flags & SYN:
        marks |= IS_PARTIAL
    c.marks = marks


@helper
def begin_sequence(e, is_syn, seq, length):
    """Where the stream of the sender begins, when this packet (of ``length`` in sequence space) says so."""
    state = np.int64(e.state)
    if state == INACTIVE and not is_syn:
        before = (seq - 1) & SEQ_SPACE
        e.start_seq = before
        e.ack_seq = before
        e.last_seq = before + 1  # so that the first packet is no retransmission
    elif is_syn:
        is_open = state in (SYN_SENT, SYN_ACK_SENT)
        is_other = is_open and seq != e.start_seq
        is_first = state == INACTIVE or (state == RESET and np.int64(e.prev_state) == INACTIVE)
        if is_first or is_other or state in (ESTABLISHED, PARTIAL):
            e.start_seq = seq
            e.ack_seq = seq
            e.last_seq = seq + length


@helper
def take_ack(e, ack, is_rst):
    """An ACK for the stream of ``e``: its relative number (0 = of no use); raises ack_seq."""
    if np.int64(e.state) == INACTIVE:  # nothing of it was seen: take the ACK as the one of its SYN
        before = (ack - 1) & SEQ_SPACE
        e.start_seq = before
        e.ack_seq = before
        e.last_seq = before
        return np.int64(1)
    known = np.int64(e.ack_seq)
    relative = relative_seq(ack, known, np.int64(e.start_seq))
    if relative < 0:
        return np.int64(0)
    delta = seq_diff(ack, known & SEQ_SPACE)
    if not is_rst and delta > 0 and not (ack == 0 and delta > TOO_LARGE_JUMP):
        e.ack_seq = advance(known, ack)
    return relative


@helper
def take_seq(c, e, tcp_flags, end, size, is_originator):
    """Raise last_seq to the end of this segment; a segment that did not advance it is Zeek's T."""
    last = np.int64(e.last_seq)
    delta = seq_diff(end, last & SEQ_SPACE)
    if tcp_flags & (SYN | RST) and abs(delta) > TOO_LARGE_JUMP:
        return
    if tcp_flags & FIN and last & SEQ_SPACE == (np.int64(e.start_seq) + 1) & SEQ_SPACE:
        if delta > 0 or delta < -TOO_LARGE_JUMP:
            e.last_seq = advance(last, end)  # nothing but SYN and FIN was seen: more than 2 GB may lie between
        return
    if np.int64(e.state) == RESET:
        return
    if delta > 0:
        e.last_seq = advance(last, end)
        return
    if size == 0:
        return
    e.resent_segments = np.int64(e.resent_segments) + 1
    note_scaled(c, np.int64(e.resent_segments), cased(LETTER_T, is_originator))


@helper
def close_end(c, e, q):
    """An end has closed, unless bytes are still awaited; with both closed, one reset or the other never seen, only stragglers follow."""
    if is_data_pending(e, q):
        c.marks = np.int64(c.marks) | CLOSE_DEFERRED
        return
    c.marks = np.int64(c.marks) & ~CLOSE_DEFERRED
    e.did_close = 1
    if np.int64(e.state) == RESET or np.int64(q.did_close) != 0 or np.int64(q.state) == INACTIVE:
        c.marks = np.int64(c.marks) | IS_CLOSED


@helper
def check_end(c, e, q):
    """Notice that the stream of ``e`` has come to its end; a close that waited for this happens now."""
    state = np.int64(e.state)
    if np.int64(e.did_eof) == 0 and (e.fin_offset != 0 or state in (CLOSED, RESET)) and not is_data_pending(e, q):
        e.did_eof = 1
        if np.int64(c.marks) & CLOSE_DEFERRED:
            close_end(c, e, q)
            c.marks = np.int64(c.marks) & ~CLOSE_DEFERRED


@helper
def note_options(e, p):
    """What a SYN offers."""
    marks = np.int64(p.marks)
    e.window_scale = p.window_scale
    e.has_sack = 1 if marks & HAS_SACK_PERMITTED else 0
    e.has_timestamps = 1 if marks & HAS_TIMESTAMPS else 0
    e.mss = p.mss


@helper
def note_handshake(c, q, p, tcp_flags, is_originator):
    """Times and frames of SYN, SYN+ACK and the ACK of that."""
    if tcp_flags & (SYN | FIN | RST) == SYN:
        if tcp_flags & ACK:
            if c.synack_ts == 0:
                c.synack_ts = p.ts
                c.synack_number = p.number
        elif c.syn_ts == 0:
            c.syn_ts = p.ts
            c.syn_number = p.number
            c.last_syn_ts = p.ts
        elif c.synack_ts == 0:
            c.last_syn_ts = p.ts
            c.syn_retries = np.int64(c.syn_retries) + 1
    elif is_originator and c.synack_ts != 0 and c.ack_ts == 0 and tcp_flags & (ACK | RST) == ACK:
        if seq_diff(np.int64(p.ack), np.int64(q.start_seq) & SEQ_SPACE) >= 1:
            c.ack_ts = p.ts
            c.ack_number = p.number
            if c.syn_ts != 0:
                c.irtt_ns = max(np.int64(p.ts) - max(np.int64(c.syn_ts), np.int64(c.last_syn_ts)), 0)


@helper
def note_teardown(c, e, q, p, tcp_flags, ack):
    """Times and frames of FIN and RST, and of the end: the ACK of the last FIN, or the RST. ``ack`` is relative to the peer."""
    if tcp_flags & (FIN | RST) and c.teardown_ts == 0:
        c.teardown_ts = p.ts
        c.teardown_number = p.number
        c.teardown_sender = p.sender
        c.teardown_by_reset = 1 if tcp_flags & RST else 0
    if tcp_flags & FIN and e.fin_ts == 0:
        e.fin_ts = p.ts
        e.fin_number = p.number
    if tcp_flags & RST and e.rst_ts == 0:
        e.rst_ts = p.ts
        e.rst_number = p.number
    if tcp_flags & ACK and q.fin_offset != 0 and ack >= q.fin_offset:
        q.fin_is_acked = 1
    both = np.int64(e.fin_is_acked) != 0 and np.int64(q.fin_is_acked) != 0
    if c.teardown_end_ts == 0 and (tcp_flags & RST or both):
        c.teardown_end_ts = p.ts
        c.teardown_end_number = p.number


@helper
def is_lone_synack(c):
    """Whether all that is known is a SYN+ACK that was taken for the originator's (it may be a stealth scan)."""
    return np.int64(c.history_size) == 1 and np.int64(c.history[0]) == LETTER_H


@helper
def apply_transition(entry, c, e, q, p):
    """New states of both ends, and what follows from them for the connection."""
    was_inactive = np.int64(e.state) == INACTIVE
    apply_entry(entry, e, q)
    if entry & FLIPS:
        flip_roles(c, e, q)
        c.marks = np.int64(c.marks) | ORIGINATOR_SEEN
    elif was_inactive and np.int64(e.state) == ESTABLISHED and not np.int64(p.tcp_flags) & SYN:
        c.marks = np.int64(c.marks) & ~IS_PARTIAL  # only its SYN was missed
    if entry & BEGINS_ATTEMPT:
        c.attempt_deadline = np.int64(p.ts) + ATTEMPT_NS
    seen = ORIGINATOR_SEEN if np.int64(p.sender) == np.int64(c.flipped) else RESPONDER_SEEN
    c.marks = np.int64(c.marks) | seen


@helper
def take_segment(transitions, c, e, q, p):
    """One TCP packet from end ``e`` to ``q``; its checksum is good. Whether its payload brought anything new."""
    tcp_flags, size, seq = np.int64(p.tcp_flags), np.int64(p.payload_length), np.int64(p.seq)
    is_originator = np.int64(p.sender) == np.int64(c.flipped)
    if not tcp_flags & (SYN | FIN | RST) and (tcp_flags & ACK or size > 0) and is_lone_synack(c):
        flip_roles(c, e, q)
        c.history[0] = CARET
        c.history[1] = LETTER_H + 32
        c.marks = np.int64(c.marks) | ORIGINATOR_SEEN | RESPONDER_SEEN
        is_originator = not is_originator
    note_first(c, tcp_flags, is_originator)
    is_syn = tcp_flags & SYN != 0
    length = (0 if tcp_flags & RST else size) + (1 if is_syn else 0) + (1 if tcp_flags & FIN else 0)
    end = (seq + length) & SEQ_SPACE
    begin_sequence(e, is_syn, seq, length)
    relative = relative_seq(seq, np.int64(e.last_seq), np.int64(e.start_seq))
    note_flags(c, e, tcp_flags, relative, size, is_originator)
    if np.int64(p.window) == 0 and not tcp_flags & RST and np.int64(q.state) != CLOSED and np.int64(e.state) != RESET:
        e.zero_windows = np.int64(e.zero_windows) + 1
        note_scaled(c, np.int64(e.zero_windows), cased(LETTER_W, is_originator))
    if np.int64(e.did_close) == 0 or np.int64(q.did_close) == 0:
        c.productive_ts = p.ts
    if tcp_flags & FIN:
        e.fin_offset = relative + length
    ack = np.int64(0)
    if tcp_flags & ACK:
        ack = take_ack(q, np.int64(p.ack), tcp_flags & RST != 0)
    take_seq(c, e, tcp_flags, end, size, is_originator)
    entry = transition(transitions, e, q, tcp_flags, (1 if is_originator else 0) | (2 if size > 0 else 0))
    apply_transition(entry, c, e, q, p)
    if tcp_flags & ACK:
        if acknowledge(c, q, e, ack, np.int64(p.sender) != np.int64(c.flipped)):
            check_end(c, q, e)
    news = np.int64(NOTHING_NEW)
    if size > 0 and not tcp_flags & RST and relative >= 0:
        if np.int64(p.payload_size) < size or np.int64(e.is_skipping) != 0:
            news = np.int64(UNKNOWN_NEWS)
        elif add_data(c, e, q, relative + (1 if is_syn else 0), size):
            news = np.int64(SOMETHING_NEW)
    check_end(c, e, q)
    if entry & CLOSES:
        close_end(c, e, q)
    if is_syn:
        note_options(e, p)
    note_handshake(c, q, p, tcp_flags, np.int64(p.sender) == np.int64(c.flipped))
    if tcp_flags & (FIN | RST) or c.teardown_ts != 0:
        note_teardown(c, e, q, p, tcp_flags, ack)
    return news
