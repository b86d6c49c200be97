"""Who is to blame: which part of each phase went into waiting for TCP to repair a loss, to get an answer to a SYN, or to get room.

A wait (WAIT, one row per repair) is a span of time in which a stream stood still; a phase is a span of the connection's life. Where they
overlap, the phase waited. Both streams of a connection count, and time in which both stood still counts once: so PHASE.waited never
exceeds the duration. A wait is charged in full although some of it may have been the other end's thinking time, which no capture can
tell apart: read it as "would have been shorter by up to this".
"""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.blame_kernels import charge
from analyzer.lifecycle.finished import Finished
from analyzer.tables import Rows, join_tables, new_table, take_rows
from analyzer.tables.connections import ZERO_WINDOW_WAIT
from analyzer.tables.lifecycle import DELAY, PHASES

FIRST_PHASE = PHASES.index("tcp_connect")  # what comes before is another connection's


def build_delays(finished: Finished, phases: Rows) -> Rows:
    """DELAY rows ordered by (output position of the connection, beginning); sets PHASE.waited of ``phases`` (n, len(PHASES))."""
    waits, c = finished.waits, finished.connections
    closed = [_windows_never_opened(finished, side) for side in range(2)]
    if len(waits) + sum(map(len, closed)) == 0:
        return new_table(DELAY, 0)
    told = new_table(DELAY, len(waits))
    order = finished.order_of(waits["connection"].astype(np.int64))
    told["order"], told["kind"] = order, waits["kind"]
    told["from_responder"] = waits["sender"] != c["flipped"][order]
    for name in ("first_ts", "first_number", "last_ts", "last_number"):
        told[name] = waits[name]
    delays = join_tables([told, *closed])
    delays = take_rows(delays, np.lexsort((delays["last_ts"], delays["first_ts"], delays["order"])))
    charge(delays, phases.reshape(-1), len(PHASES), FIRST_PHASE)
    return delays


def _windows_never_opened(finished: Finished, side: int) -> Rows:
    """Waits for a window that was still closed when the connection was over; ``side``: 1 = the responder's."""
    flows, c = (finished.originator_flows, finished.responder_flows)[side], finished.connections
    at = np.flatnonzero((flows["zero_since"] != 0) & (c["last_ts"] > flows["zero_since"]))
    table = new_table(DELAY, len(at))
    table["order"], table["kind"], table["from_responder"] = at, ZERO_WINDOW_WAIT, 1 - side
    table["first_ts"], table["first_number"] = flows["zero_since"][at], flows["zero_number"][at]
    table["last_ts"] = c["last_ts"][at]
    return table
