# mypy: allow-untyped-defs
"""When a connection is over: a capture time computed from its own packets, so that it does not depend on batches.

Without `--zeek-timeouts`: UDP, ICMP and the rest when idle for their limit; TCP only `closed_linger_ns` after it has closed (each straggler
moves that), never for being idle (0 = never).

With it, Zeek's timers, counted from the packet's own time even where the clock has gone back: an unanswered SYN is given up 5 s
after it, whatever is sent again; idle TCP after 300 s, and after 60 s while no end has left the handshake; 5 s after the close was
complete, fixed. Zeek's DNS analyser looks every 10 s since the connection began whether nothing came for 9 s; its look happens with
the next packet of the capture, so the time of the packet before matters when packets are rare.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.key_kernels import ICMP, ICMP6, TCP
from analyzer.kernel import helper
from analyzer.tables.connections import CLOSED, INACTIVE, IS_CLOSED, IS_DNS, RESET, SYN_ACK_SENT, SYN_SENT

SECOND = 1_000_000_000
ZEEK_HANDSHAKE_IDLE_NS = 60 * SECOND
ZEEK_TCP_IDLE_NS = 300 * SECOND
ZEEK_CLOSE_NS = 5 * SECOND  # tcp_close_delay, tcp_reset_delay
DNS_SLACK_NS = SECOND

# positions in the limits array
ZEEK_TIMEOUTS, UDP_IDLE, DNS_IDLE, ICMP_IDLE, CLOSED_LINGER, LIMITS = 0, 1, 2, 3, 4, 5


@helper
def in_handshake(e):
    """Whether an end has sent at most the opening of a handshake."""
    return np.int64(e.state) <= SYN_ACK_SENT


@helper
def zeek_tcp_deadline(c, originator, responder, now):
    """Deadline of a TCP connection by Zeek's timers."""
    waits = np.int64(originator.state) == SYN_SENT or np.int64(originator.state) == SYN_ACK_SENT
    if in_handshake(originator) and in_handshake(responder):
        deadline = now + ZEEK_HANDSHAKE_IDLE_NS
        if waits and np.int64(responder.state) == INACTIVE and c.attempt_deadline != 0:
            deadline = min(deadline, np.int64(c.attempt_deadline))
        return deadline
    return now + ZEEK_TCP_IDLE_NS


@helper
def has_ended(e):
    """Whether an end has sent FIN or RST."""
    return np.int64(e.state) == CLOSED or np.int64(e.state) == RESET


@helper
def set_deadline(limits, c, originator, responder, now, was_closed):
    """Move the deadline after a packet; ``now`` is the capture's time, ``was_closed``: the close was complete before it."""
    protocol = np.int64(c.protocol)
    if limits[ZEEK_TIMEOUTS] != 0:
        now = np.int64(c.last_ts)
    is_closed = np.int64(c.marks) & IS_CLOSED != 0
    if protocol == TCP and limits[ZEEK_TIMEOUTS] != 0:
        if not is_closed:
            c.deadline = zeek_tcp_deadline(c, originator, responder, now)
        elif not was_closed:
            c.deadline = now + ZEEK_CLOSE_NS
    elif protocol == TCP:
        is_reset = np.int64(originator.state) == RESET or np.int64(responder.state) == RESET
        if is_closed or is_reset or (has_ended(originator) and has_ended(responder)):
            c.deadline = now + limits[CLOSED_LINGER]
    elif protocol in (ICMP, ICMP6):
        c.deadline = now + limits[ICMP_IDLE]
    elif np.int64(c.marks) & IS_DNS == 0:
        c.deadline = now + limits[UDP_IDLE]
    elif limits[ZEEK_TIMEOUTS] == 0:
        c.deadline = now + limits[DNS_IDLE]
    else:
        period = limits[DNS_IDLE]
        quiet = now + period - DNS_SLACK_NS - np.int64(c.first_ts)
        c.deadline = np.int64(c.first_ts) + (quiet + period - 1) // period * period


@helper
def is_past(limits, c, now, before):
    """Whether a packet at ``now`` comes too late for the connection; ``before`` is the capture time of the packet before it."""
    if c.deadline != 0 and c.deadline <= now:
        return True
    if limits[ZEEK_TIMEOUTS] != 0 and np.int64(c.marks) & IS_DNS != 0:
        period = limits[DNS_IDLE]
        looks = max(before - np.int64(c.first_ts), 0) // period + 1
        return np.int64(c.first_ts) + looks * period <= now and now - np.int64(c.productive_ts) >= period - DNS_SLACK_NS
    return False
