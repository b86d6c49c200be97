# mypy: allow-untyped-defs
"""A segment that lies below the highest byte sent: was it sent again, or only overtaken on its way?

Two answers, kept apart. *Wireshark's* (`judge_as_wireshark`) is a guess by time, for those who compare. *Ours* (`judge`) asks the
evidence first, in this order, and counts which rule decided (FLOW.judged_by):

1. timestamps (RFC 7323): a TSval older than that of the highest byte was sent before it, a newer one after it;
2. IP identification, of an end that has counted it up for a while: the same with the number of the packet;
3. bytes that the receiver had acknowledged, or that the capture had seen: they were sent again;
4. a hole is filled. A sender does not know of a hole before the receiver has reported it (duplicate ACK or SACK), and it needs a round
   trip from here to react; without a report it waits for its timer, 200 ms at least (RFC 6298 says 1 s, no system waits so long);
5. nothing is known of the receiver: Wireshark's guess.

A packet that was sent before the highest byte and brings nothing new is a double of the network or of the capture (duplicated_packets):
neither lost nor sent again.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.round_trip_kernels import make_ambiguous
from analyzer.connections.wait_kernels import begin_lost
from analyzer.kernel import helper, seq_diff
from analyzer.tables.connections import (
    BY_ACK,
    BY_CONTENT,
    BY_IP_ID,
    BY_REPORT,
    BY_TIME,
    BY_TIMESTAMPS,
    HAS_ACK,
    HAS_IP_ID,
    HAS_TSVAL,
)
from analyzer.tables.packets import ACK, HAS_TIMESTAMPS, SYN

NOTHING_NEW, SOMETHING_NEW, UNKNOWN_NEWS = 0, 1, 2  # what take_segment says of a payload
OUT_OF_ORDER, RETRANSMISSION, DUPLICATED = 1, 2, 3  # verdicts

FAST_NS = 20_000_000  # Wireshark: a retransmission this soon after the ACK that asks for it is a fast one
GUESS_NS = 3_000_000  # Wireshark: so long a segment may be overtaken when the round trip is not known
TIMER_NS = 200_000_000  # the shortest retransmission timer in use
ID_STEPS = 3  # so many packets must have counted the IP identification up before it is believed
ID_NEAR = 1000  # a larger step is not counting


@helper
def id_step(p, f):
    """Signed distance of the IP identification from the last one in order; 0 also when there is none to compare."""
    if np.int64(p.ip_id) <= 0 or not np.int64(f.known) & HAS_IP_ID:
        return np.int64(0)
    return ((np.int64(p.ip_id) - np.int64(f.last_ip_id) + 0x8000) & 0xFFFF) - 0x8000


@helper
def note_ip_id(p, f):
    """Follow the IP identification of packets that come in order."""
    if np.int64(p.ip_id) <= 0:
        return
    step = id_step(p, f)
    f.ip_id_steps = min(np.int64(f.ip_id_steps) + 1, 1000) if 0 < step < ID_NEAR else 0
    f.last_ip_id = p.ip_id
    f.known = np.int64(f.known) | HAS_IP_ID


@helper
def send_order(p, f):
    """(-1 sent before the highest byte, 1 sent after it, 0 not known; the rule that says so)."""
    if np.int64(p.marks) & HAS_TIMESTAMPS and np.int64(f.known) & HAS_TSVAL:
        later = seq_diff(p.tsval, f.last_tsval)
        if later != 0:
            return (np.int64(1) if later > 0 else np.int64(-1)), np.int64(BY_TIMESTAMPS)
    if np.int64(f.ip_id_steps) >= ID_STEPS and np.int64(p.ip_id) > 0:
        step = id_step(p, f)
        if abs(step) < ID_NEAR:
            return (np.int64(1) if step > 0 else np.int64(-1)), np.int64(BY_IP_ID)
    return np.int64(0), np.int64(0)


@helper
def is_sacked(r, seq, end):
    """Whether the receiver's last packet reported these bytes."""
    is_inside = False
    for k in range(np.int64(r.sacks)):
        is_inside |= seq_diff(seq, r.sack_start[k]) >= 0 and seq_diff(end, r.sack_end[k]) <= 0
    return is_inside


@helper
def has_acknowledged(r):
    """Whether last_ack is an acknowledgement (a RST without ACK leaves 0 there)."""
    return np.int64(r.known) & HAS_ACK != 0 and r.last_ack != 0


@helper
def is_acknowledged(r, seq, end):
    """Whether the receiver, whose flow is ``r``, has said that it has these bytes."""
    return has_acknowledged(r) and (seq_diff(end, r.last_ack) <= 0 or is_sacked(r, seq, end))


@helper
def is_asked_for(r, seq):
    """Whether the receiver asks for the segment at ``seq``: by two duplicate ACKs, or by SACK of bytes beyond."""
    is_asked = np.int64(r.duplicate_count) >= 2 and r.last_ack == seq
    for k in range(np.int64(r.sacks)):
        is_asked |= seq_diff(seq, r.sack_start[k]) < 0
    return is_asked


@helper
def reaction_ns(c, is_originator):
    """Round trip from here to the sender, from the handshake; -1 = not known."""
    if c.synack_ts == 0 or (is_originator and c.ack_ts == 0) or (not is_originator and c.syn_ts == 0):
        return np.int64(-1)
    since = np.int64(c.synack_ts) if is_originator else max(np.int64(c.syn_ts), np.int64(c.last_syn_ts))
    until = np.int64(c.ack_ts) if is_originator else np.int64(c.synack_ts)
    return max(until - since, 0)


@helper
def judge_filler(c, f, r, p):
    """(verdict, rule) of a segment that fills a hole, when its packet does not say when it was sent."""
    ts = np.int64(p.ts)
    if np.int64(r.known) & HAS_ACK:
        if r.report_ts == 0:
            waited = ts - (np.int64(f.hole_ts) if f.hole_ts != 0 else np.int64(f.next_ts))
            return (OUT_OF_ORDER if waited < TIMER_NS else RETRANSMISSION), BY_REPORT
        reaction = reaction_ns(c, np.int64(p.sender) == np.int64(c.flipped))
        if reaction >= 0:
            return (OUT_OF_ORDER if ts - np.int64(r.report_ts) < reaction else RETRANSMISSION), BY_REPORT
    limit = np.int64(c.irtt_ns) if c.irtt_ns != 0 else GUESS_NS
    return (OUT_OF_ORDER if ts - np.int64(f.next_ts) < limit else RETRANSMISSION), BY_TIME


@helper
def judge(c, f, r, p, end, news):
    """(verdict, rule) by the evidence; ``end``: one past its last byte, FIN counted."""
    seq = np.int64(p.seq)
    order, rule = send_order(p, f)
    is_acked = is_acknowledged(r, seq, end)
    if order < 0:
        is_new = news == SOMETHING_NEW or (news == UNKNOWN_NEWS and not is_acked)
        return (OUT_OF_ORDER if is_new else DUPLICATED), rule
    if order > 0:
        return RETRANSMISSION, rule
    if is_acked:
        return RETRANSMISSION, BY_ACK
    if news == NOTHING_NEW or seq_diff(end, f.next_seq) > 0:
        return RETRANSMISSION, BY_CONTENT
    return judge_filler(c, f, r, p)


@helper
def judge_as_wireshark(c, f, r, p, end):
    """Count the segment in one of Wireshark's four classes (tcp.analysis, tested in its order)."""
    seq, size, ts = np.int64(p.seq), np.int64(p.payload_length), np.int64(p.ts)
    is_acked = has_acknowledged(r)
    limit = np.int64(c.irtt_ns) if c.irtt_ns != 0 else GUESS_NS
    if size > 0 and is_acked and seq_diff((seq + size) & 0xFFFFFFFF, r.last_ack) <= 0:
        f.wireshark_spurious_retransmissions = np.int64(f.wireshark_spurious_retransmissions) + 1
    elif np.int64(r.duplicate_count) >= 2 and r.last_ack == seq and 0 <= ts - np.int64(r.last_ts) < FAST_NS:
        f.wireshark_fast_retransmissions = np.int64(f.wireshark_fast_retransmissions) + 1
    elif 0 <= ts - np.int64(f.next_ts) < limit and seq_diff(end, f.next_seq) != 0:
        f.wireshark_out_of_order = np.int64(f.wireshark_out_of_order) + 1
    else:
        f.wireshark_retransmissions = np.int64(f.wireshark_retransmissions) + 1


@helper
def count_wait(segments, state, c, f, p, news):
    """The time that the stream has waited for this retransmission; overlapping waits count once."""
    ts, since, lost = np.int64(p.ts), np.int64(f.next_ts), np.int64(0)
    first = segments[f.first_segment]
    if news == SOMETHING_NEW and f.hole_ts != 0:
        since, lost = np.int64(f.hole_ts), np.int64(f.hole_number)
    elif np.int64(f.first_segment) != 0 and seq_diff(p.seq, first.end_seq) < 0:
        since, lost = np.int64(first.ts), np.int64(first.number)
    elif np.int64(p.tcp_flags) & SYN:
        lost = np.int64(c.synack_number) if np.int64(p.tcp_flags) & ACK else np.int64(c.syn_number)
    since = max(since, np.int64(f.waited_until))
    wait = ts - since
    if wait > 0:
        begin_lost(state, since, lost)
        f.retransmission_wait_ns += wait
        if wait > f.longest_wait_ns:
            f.longest_wait_ns = wait
            f.longest_wait_number = p.number
    f.waited_until = ts
    if f.first_retransmission_number == 0:
        f.first_retransmission_number = p.number
        f.first_loss_number = lost


@helper
def take_resent(segments, state, c, e, f, r, p, end, news):
    """A segment below the highest byte sent; whether it is a retransmission that was needed."""
    judge_as_wireshark(c, f, r, p, end)
    verdict, rule = judge(c, f, r, p, end, news)
    f.judged_by[rule] = np.int64(f.judged_by[rule]) + 1
    make_ambiguous(f, np.int64(p.seq))
    is_needed = False
    if verdict == OUT_OF_ORDER:
        e.out_of_order = np.int64(e.out_of_order) + 1
    elif verdict == DUPLICATED:
        f.duplicated_packets = np.int64(f.duplicated_packets) + 1
    else:
        e.retransmissions = np.int64(e.retransmissions) + 1
        is_needed = not is_acknowledged(r, np.int64(p.seq), end)
        if not is_needed:
            f.spurious_retransmissions = np.int64(f.spurious_retransmissions) + 1
        else:
            if is_asked_for(r, np.int64(p.seq)) and np.int64(p.ts) - np.int64(r.last_ts) < FAST_NS:
                f.fast_retransmissions = np.int64(f.fast_retransmissions) + 1
            count_wait(segments, state, c, f, p, news)
    if np.int64(e.ranges) == 0:
        f.hole_ts = 0
    return is_needed
