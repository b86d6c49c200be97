# mypy: allow-untyped-defs
"""Times in which a stream stood still because of TCP, as rows: what a lifecycle phase spent on them is told from these.

Whoever finds the end of a wait, deep inside the analysis of a packet, notes when it began in the tracker's state; `track` writes the row
after the packet. So no helper on the way is handed the table.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.tables.connections import MOST_WAITS, RETRANSMISSION_WAIT, SYN_WAIT, ZERO_WINDOW_WAIT
from analyzer.tables.packets import SYN

# positions in the tracker's state: rows of the table in use; the wait that this packet ends for its own stream, and for that of the
# other end (since when, by which frame; 0 = none)
WAITS_USED, LOST_TS, LOST_NUMBER, CLOSED_TS, CLOSED_NUMBER = 8, 9, 10, 11, 12
WAIT_ROWS = 1 << 20  # of all connections that are not over: 48 MB


@helper
def begin_lost(state, since, number):
    """The packet at hand was sent again: its stream has waited for it since then, for what frame ``number`` carried (0 = unknown)."""
    state[LOST_TS] = since
    state[LOST_NUMBER] = number


@helper
def begin_closed(state, since, number):
    """The packet at hand opens a window that frame ``number`` closed then."""
    state[CLOSED_TS] = since
    state[CLOSED_NUMBER] = number


@helper
def write_wait(waits, state, f, p, sender, kind, since, number):
    """One row about the stream of flow ``f``; over the limits nothing."""
    at = state[WAITS_USED]
    if np.int64(f.waits) >= MOST_WAITS or at >= waits.shape[0]:
        return
    f.waits = np.int64(f.waits) + 1
    w = waits[at]
    w.connection = p.connection
    w.sender = sender
    w.kind = kind
    w.first_ts = since
    w.first_number = number
    w.last_ts = p.ts
    w.last_number = p.number
    state[WAITS_USED] = at + 1


@helper
def write_waits(waits, state, f, r, p):
    """The rows of the waits that packet ``p`` of flow ``f`` has ended."""
    sender = np.int64(p.sender)
    if state[LOST_TS] != 0:
        kind = SYN_WAIT if np.int64(p.tcp_flags) & SYN else RETRANSMISSION_WAIT
        write_wait(waits, state, f, p, sender, kind, state[LOST_TS], state[LOST_NUMBER])
    if state[CLOSED_TS] != 0 and p.ts > state[CLOSED_TS]:
        write_wait(waits, state, r, p, 1 - sender, ZERO_WINDOW_WAIT, state[CLOSED_TS], state[CLOSED_NUMBER])
    state[LOST_TS] = 0
    state[CLOSED_TS] = 0
