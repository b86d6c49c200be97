# mypy: allow-untyped-defs
"""How a TCP connection ended, whether its RST fits the end it claims to come from, and where the capture was taken."""

from __future__ import annotations

import numpy as np

from analyzer.connections.resent_kernels import ID_NEAR, ID_STEPS, id_step
from analyzer.kernel import helper
from analyzer.tables.connections import (
    BOTH_FIN,
    HALF_CLOSE,
    IN_THE_MIDDLE,
    NEAR_ORIGINATOR,
    NEAR_RESPONDER,
    ONE_FIN,
    OPEN_END,
    REFUSED,
    RESET_AFTER_FIN,
    RESET_ID_DIFFERS,
    RESET_ONLY,
    RESET_TTL_DIFFERS,
    UNANSWERED,
)

TTL_TOLERANCE = 2  # routes change by a hop or two; a box in the middle is farther away
NEAR_SHARE = 8  # a half of the handshake below an eighth of the whole is the near one


@helper
def check_reset(c, e, f, p):
    """Does the first RST of end ``e`` with flow ``f`` fit what the end has sent before?"""
    if e.packets == 0 or e.rst_number != p.number:
        return
    if abs(np.int64(p.ttl) - np.int64(e.ttl)) > TTL_TOLERANCE:
        c.reset_marks = np.int64(c.reset_marks) | RESET_TTL_DIFFERS
    # An IP id of 0 is what systems send that have forgotten the connection: that is no sign of another sender.
    if np.int64(p.ip_id) > 0 and np.int64(f.ip_id_steps) >= ID_STEPS and abs(id_step(p, f)) >= ID_NEAR:
        c.reset_marks = np.int64(c.reset_marks) | RESET_ID_DIFFERS


@helper
def close_kind(c, e, q):
    """CLOSE_KINDS of a connection that is over, from its two ends in either order."""
    if e.rst_ts != 0 or q.rst_ts != 0:
        if c.synack_ts == 0 and c.syn_ts != 0 and e.payload_bytes + q.payload_bytes == 0 and c.teardown_by_reset != 0:
            return REFUSED if e.packets > 0 and q.packets > 0 else RESET_ONLY
        return RESET_ONLY if c.teardown_by_reset != 0 else RESET_AFTER_FIN
    if e.fin_ts != 0 and q.fin_ts != 0:
        went_on = q.last_payload_number > e.fin_number if e.fin_number < q.fin_number else e.last_payload_number > q.fin_number
        return HALF_CLOSE if went_on else BOTH_FIN
    if e.fin_ts != 0 or q.fin_ts != 0:
        return ONE_FIN
    return UNANSWERED if c.syn_ts != 0 and (e.packets == 0 or q.packets == 0) else OPEN_END


@helper
def vantage(c):
    """VANTAGES of a connection: the half of the handshake that is much the shorter one lies between the capture and its end."""
    if c.syn_ts == 0 or c.synack_ts == 0 or c.ack_ts == 0:
        return 0
    far = np.int64(c.synack_ts) - max(np.int64(c.syn_ts), np.int64(c.last_syn_ts))
    near = np.int64(c.ack_ts) - np.int64(c.synack_ts)
    if far < 0 or near < 0 or far + near == 0:
        return 0
    if near * NEAR_SHARE <= far + near:
        return NEAR_ORIGINATOR
    return NEAR_RESPONDER if far * NEAR_SHARE <= far + near else IN_THE_MIDDLE
