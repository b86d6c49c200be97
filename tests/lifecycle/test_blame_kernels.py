"""The kernel alone: phases that are absent and phases of other connections are left alone."""

from __future__ import annotations

from analyzer.lifecycle.blame_kernels import charge
from analyzer.tables.lifecycle import DELAY, PHASE
from analyzer.tables.tls import ABSENT, MEASURED
from tests.lifecycle.builders import fill


def test_only_present_phases_of_the_connection_from_the_first_on() -> None:
    span = {"first_ts": 0, "duration": 100, "basis": MEASURED}
    phases = fill(PHASE, [span, span, span, span, span | {"basis": ABSENT}, span | {"first_ts": 50}])
    delays = fill(DELAY, [{"order": 1, "first_ts": 10, "last_ts": 60}])
    charge(delays, phases, 3, 1)
    assert phases["waited"].tolist() == [0, 0, 0, 0, 0, 10]
    assert (int(delays["phase"][0]), int(delays["phase_ns"][0])) == (2, 10)


def test_the_phase_that_paid_most_is_named() -> None:
    phases = fill(PHASE, [{"first_ts": 0, "duration": 20, "basis": MEASURED}, {"first_ts": 20, "duration": 100, "basis": MEASURED}])
    delays = fill(DELAY, [{"order": 0, "first_ts": 10, "last_ts": 60}])
    charge(delays, phases, 2, 0)
    assert phases["waited"].tolist() == [10, 40]
    assert (int(delays["phase"][0]), int(delays["phase_ns"][0])) == (1, 40)
