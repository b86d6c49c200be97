"""The table ``waits``."""

from __future__ import annotations

from analyzer.report.build import Context, Lifecycle, build_tables
from analyzer.tables.connections import ZERO_WINDOW_WAIT
from analyzer.tables.lifecycle import DELAY, PHASES
from tests.lifecycle.builders import fill
from tests.report.rows import CERTIFICATES, START, make_inputs

MS = 1_000_000


def test_a_wait_names_its_frames_and_its_phase() -> None:
    finished, told = make_inputs(["dns", "tls"])
    delay = {"order": 1, "from_responder": 1, "kind": ZERO_WINDOW_WAIT, "phase": PHASES.index("response_receive"), "phase_ns": 2 * MS}
    place = {"first_ts": START, "last_ts": START + 3 * MS, "first_number": 4}
    delays = fill(DELAY, [delay | place, {"order": 0, "phase": -1, "first_ts": START, "last_ts": START}])
    batch = build_tables(finished, Lifecycle(told.phases, told.steps, delays, told.found), Context(7, CERTIFICATES))["waits"]
    first, second = ({name: value for name, value in row.items() if name != "start_time"} for row in batch.to_pylist())
    assert first == {
        "connection": 1,
        "data_of": "responder",
        "kind": "zero window",
        "wait_ms": 3.0,
        "cause_frame": 4,
        "end_frame": None,
        "phase": "response_receive",
        "phase_ms": 2.0,
    }
    assert (second["connection"], second["phase"], second["phase_ms"], second["cause_frame"]) == (2, None, None, None)
