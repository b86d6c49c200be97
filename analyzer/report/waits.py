"""Table ``waits``: every time a connection stood still because of TCP, which frame was to blame, and what it cost which phase."""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.text import chosen, counts, ints, milliseconds, times
from analyzer.tables import Rows
from analyzer.tables.connections import WAIT_KINDS
from analyzer.tables.lifecycle import PHASES

SIDES: Final = ("originator", "responder")
COLUMNS: Final = (
    Column("connection", "number", "number of the connection"),
    Column("data_of", "text", "whose data had to wait: originator or responder"),
    Column("kind", "text", "; ".join(f"{name}: {meaning}" for name, meaning in WAIT_KINDS)),
    Column("start_time", "time", "since when", "UTC", "a loss: when the segment was sent first, or when the hole it left was visible"),
    Column("wait_ms", "milliseconds", "how long", "ms"),
    Column(
        "cause_frame", "number", "frame that was sent again or closed the window", caveat="not captured: the first frame beyond the hole"
    ),
    Column("end_frame", "number", "frame that ended it"),
    Column("phase", "text", "phase that it cost most"),
    Column("phase_ms", "milliseconds", "what it cost that phase", "ms", "what another wait covers counts once, for the first"),
)


def build_waits(delays: Rows, identity: Identity) -> Sheet:
    """DELAY rows as a report table."""
    if len(delays) == 0:
        return empty_sheet(COLUMNS)
    known = delays["phase"] >= 0
    return make_sheet(
        COLUMNS,
        {
            "connection": ints(identity.numbers[delays["order"].astype(np.int64)]),
            "data_of": chosen(SIDES, delays["from_responder"]),
            "kind": chosen([name for name, _ in WAIT_KINDS], delays["kind"]),
            "start_time": times(delays["first_ts"]),
            "wait_ms": milliseconds(delays["last_ts"] - delays["first_ts"]),
            "cause_frame": counts(delays["first_number"]),
            "end_frame": counts(delays["last_number"]),
            "phase": chosen(PHASES, delays["phase"], known),
            "phase_ms": milliseconds(delays["phase_ns"], known),
        },
    )
