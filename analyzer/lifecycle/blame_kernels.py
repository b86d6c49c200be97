# mypy: allow-untyped-defs
"""Laying the waits of a connection over its phases."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import kernel
from analyzer.tables.tls import ABSENT


@kernel
def charge(delays, phases, count, first):
    """Add what each wait costs to PHASE.waited, and note the phase that it costs most.

    ``delays`` are ordered by (order, first_ts); ``phases`` holds ``count`` rows for each connection, of which those from ``first`` on take
    part. What an earlier wait of the same connection has covered is not counted again.
    """
    order, covered = np.int64(-1), np.int64(0)
    for i in range(delays.size):
        d = delays[i]
        if d.order != order:
            order, covered = np.int64(d.order), np.int64(0)
        since, until = max(np.int64(d.first_ts), covered), np.int64(d.last_ts)
        covered = max(covered, until)
        d.phase = -1
        for k in range(first, count):
            phase = phases[order * count + k]
            if np.int64(phase.basis) == ABSENT:
                continue
            cost = min(until, np.int64(phase.first_ts) + np.int64(phase.duration)) - max(since, np.int64(phase.first_ts))
            if cost > 0:
                phase.waited += cost
                if cost > d.phase_ns:
                    d.phase = k
                    d.phase_ns = cost
