"""Table ``milestones``: one row per step of a connection, with its frames."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.milestones import MILESTONES
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.text import chosen, counts, ints, milliseconds, times
from analyzer.tables import Ints, Rows
from analyzer.tables.tls import BASES

COLUMNS = (
    Column("connection", "number", "number of the connection"),
    Column("step", "text", "what happened: " + ", ".join(MILESTONES)),
    Column("exchange", "number", "rank of the HTTP exchange it belongs to", caveat="empty where it belongs to none"),
    Column("time", "time", "capture time of its first byte", "UTC"),
    Column("since_start_ms", "milliseconds", "time since the first packet of the connection", "ms", "negative for the lookup before it"),
    Column("took_ms", "milliseconds", "from its first to its last byte", "ms"),
    Column("first_frame", "number", "frame of its first byte"),
    Column("last_frame", "number", "frame of its last byte"),
    Column("basis", "text", "how it is known: measured, inferred (from record sizes), bounded (a limit only)"),
)


def build_milestones_table(milestones: Rows, identity: Identity, first_ts: Ints) -> Sheet:
    """MILESTONE rows as a report table; ``first_ts`` (n,) is the first packet's time of each connection of the flush."""
    m = milestones
    order = m["order"].astype(np.int64)
    return make_sheet(
        COLUMNS,
        {
            "connection": ints(identity.numbers[order]),
            "step": chosen(MILESTONES, m["step"]),
            "exchange": counts(m["exchange"]),
            "time": times(m["first_ts"]),
            "since_start_ms": milliseconds(m["first_ts"] - first_ts[order]),
            "took_ms": milliseconds(m["last_ts"] - m["first_ts"]),
            "first_frame": counts(m["first_number"]),
            "last_frame": counts(m["last_number"]),
            "basis": chosen(BASES, m["basis"]),
        },
    )
