"""Every step of a connection as a row: what happened, when, in which frames."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE
from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.milestone_kernels import IS_DISORDERED, PER_CONNECTION, PER_EXCHANGE, ROWS, STATE_SIZE, write_steps
from analyzer.tables import Rows, grow_table, new_table, take_rows
from analyzer.tables.lifecycle import EXCHANGE_STEPS, LOOKUP_STEPS, MILESTONE, QUIC_STEPS, TRANSPORT_STEPS
from analyzer.tables.tls import STEPS

MILESTONES = LOOKUP_STEPS + TRANSPORT_STEPS + STEPS + EXCHANGE_STEPS + QUIC_STEPS


def build_milestones(finished: Finished) -> Rows:
    """MILESTONE rows ordered by (output position of the connection, time, frame, step)."""
    counts = finished.exchange_counts
    table = new_table(MILESTONE, 8 * len(counts) + PER_CONNECTION)
    state = np.zeros(STATE_SIZE, np.int64)
    ends = (finished.originators, finished.responders)
    told = (finished.handshakes, finished.quic, finished.attributions, finished.exchanges)
    rows = [one.view(np.recarray) for one in (finished.connections, *ends, *told)]
    at, status = 0, -1
    while status != DONE:
        status, at = write_steps(
            at,
            *rows,
            finished.first_exchange,
            counts,
            table,
            state,
        )
        if status != DONE:  # at least as much room as the next connection needs, so that the next call gets further
            table = grow_table(table, int(state[ROWS]) + PER_CONNECTION + PER_EXCHANGE * int(counts[at]))
    table = table[: state[ROWS]].view(np.recarray)
    if state[IS_DISORDERED]:
        return take_rows(table, np.lexsort((table["step"], table["first_number"], table["first_ts"], table["order"])))
    return table
