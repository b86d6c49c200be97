# mypy: allow-untyped-defs
"""The state table as kernels use it, and conn_state."""

from __future__ import annotations

import numpy as np

from analyzer.connections.states import PEER_SHIFT, RESET_AFTER_CLOSED
from analyzer.kernel import helper
from analyzer.tables.connections import CLOSED, CONN_STATES, ESTABLISHED, INACTIVE, PARTIAL, RESET, SYN_ACK_SENT, SYN_SENT
from analyzer.tables.packets import ACK, FIN, RST, SYN

OTH, S0, S1, SF, REJ = (CONN_STATES.index(name) for name in ("OTH", "S0", "S1", "SF", "REJ"))
S2, S3, RSTO, RSTR, RSTOS0 = (CONN_STATES.index(name) for name in ("S2", "S3", "RSTO", "RSTR", "RSTOS0"))
RSTRH, SH, SHR = (CONN_STATES.index(name) for name in ("RSTRH", "SH", "SHR"))

HISTORY_CARET, HISTORY_S, HISTORY_R = ord("^"), ord("S"), ord("R")
# originator's letters that rule out RSTOS0
HISTORY_H, HISTORY_A, HISTORY_F, HISTORY_G, HISTORY_I, HISTORY_Q = (ord(letter) for letter in "HAFGIQ")


@helper
def transition(transitions, e, q, tcp_flags, bits):
    """Entry of the state table; ``bits``: 1 the sender is the originator, 2 there is payload."""
    is_after_close = np.int64(q.state) == RESET and np.int64(q.prev_state) == CLOSED
    peer = np.int64(RESET_AFTER_CLOSED) if is_after_close else np.int64(q.state)
    flags = (tcp_flags & (FIN | SYN | RST)) | (8 if tcp_flags & ACK else 0)
    return transitions[np.int64(e.state) << 9 | peer << 6 | flags << 2 | bits]


@helper
def set_state(e, state):
    """Change the state of an end and remember the one before."""
    if np.int64(e.state) != state:
        e.prev_state = e.state
        e.state = state


@helper
def apply_entry(entry, e, q):
    """Give both ends the states of a table entry."""
    set_state(q, entry >> PEER_SHIFT & 7)
    set_state(e, entry & 7)


@helper
def is_rejected_attempt(c):
    r"""Whether the whole history matches ``\^?S[^HAFGIQ]*R.*``: a SYN, then a RST, and nothing in between that needs an answer."""
    k, size = 0, np.int64(c.history_size)
    if k < size and np.int64(c.history[k]) == HISTORY_CARET:
        k += 1
    if k >= size or np.int64(c.history[k]) != HISTORY_S:
        return False
    for i in range(k + 1, size):
        letter = np.int64(c.history[i])
        if letter == HISTORY_R:
            return True
        if letter in (HISTORY_H, HISTORY_A, HISTORY_F):
            return False
        if letter in (HISTORY_G, HISTORY_I, HISTORY_Q):
            return False
    return False


@helper
def tcp_conn_state(c, originator, responder):
    """conn_state of a TCP connection that is over, tested in exactly this order; stream_bytes must be set."""
    o, r = np.int64(originator.state), np.int64(responder.state)
    o_is_idle = o in (INACTIVE, PARTIAL)
    r_is_idle = r in (INACTIVE, PARTIAL)
    if r == RESET:
        nothing_sent = originator.stream_bytes == 0 and responder.stream_bytes == 0
        if o in (SYN_SENT, SYN_ACK_SENT) or (o == RESET and nothing_sent):
            return REJ
        return RSTRH if o_is_idle else RSTR
    if o == RESET:
        if r_is_idle:
            return RSTOS0 if is_rejected_attempt(c) else OTH
        return RSTO
    if o == CLOSED and r == CLOSED:
        return SF
    if o == CLOSED:
        return SH if r_is_idle else S2
    if r == CLOSED:
        return SHR if o_is_idle else S3
    if o == SYN_SENT and r == INACTIVE:
        return S0
    if o == ESTABLISHED and r == ESTABLISHED:
        return S1
    return OTH


@helper
def udp_conn_state(originator, responder):
    """conn_state of UDP: who has spoken (state is not INACTIVE)."""
    o, r = np.int64(originator.state) != INACTIVE, np.int64(responder.state) != INACTIVE
    if o:
        return SF if r else S0
    return SHR if r else OTH
