"""Waits laid over phases: who waited, for which frame, and what it cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.lifecycle.blame import FIRST_PHASE, build_delays
from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.phases import build_phases
from analyzer.tables import new_table
from analyzer.tables.connections import RETRANSMISSION_WAIT, SYN_WAIT, ZERO_WINDOW_WAIT
from analyzer.tables.lifecycle import PHASE, PHASES
from analyzer.tables.tls import MEASURED
from tests.lifecycle.builders import MS, finished


def wait(sender: int, kind: int, first: tuple[int, int], last: tuple[int, int], connection: int = 5) -> dict[str, int]:
    places = {"first_ts": first[0] * MS, "first_number": first[1], "last_ts": last[0] * MS, "last_number": last[1]}
    return {"connection": connection, "sender": sender, "kind": kind, **places}


def told(f: Finished) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    phases = build_phases(f)
    delays = build_delays(f, phases)
    rows = [
        (int(d.from_responder), int(d.kind), int(d.last_number), PHASES[d.phase] if d.phase >= 0 else None, int(d.phase_ns)) for d in delays
    ]
    return rows, {name: int(phases[0, k]["waited"]) // MS for k, name in enumerate(PHASES) if phases[0, k]["waited"]}


HANDSHAKE = {"syn_ts": 10 * MS, "syn_number": 1, "synack_ts": 1030 * MS, "ack_ts": 1040 * MS, "ack_number": 4}


def test_a_repeated_syn_costs_the_handshake() -> None:
    rows, waited = told(finished([HANDSHAKE], waits=[wait(0, SYN_WAIT, (10, 1), (1010, 2))]))
    assert rows == [(0, SYN_WAIT, 2, "tcp_connect", 1000 * MS)]
    assert waited == {"tcp_connect": 1000}


def test_both_ends_waiting_at_once_count_once() -> None:
    closing = {"teardown_ts": 2000 * MS, "teardown_number": 9, "teardown_end_ts": 3000 * MS, "teardown_end_number": 12}
    waits = [wait(1, RETRANSMISSION_WAIT, (2100, 9), (2500, 10)), wait(0, RETRANSMISSION_WAIT, (2200, 9), (2600, 11))]
    rows, waited = told(finished([HANDSHAKE | closing], waits=waits))
    assert rows == [(1, RETRANSMISSION_WAIT, 10, "teardown", 400 * MS), (0, RETRANSMISSION_WAIT, 11, "teardown", 100 * MS)]
    assert waited == {"teardown": 500}


def test_roles_follow_the_originator() -> None:
    rows, _ = told(finished([HANDSHAKE | {"flipped": 1}], waits=[wait(0, RETRANSMISSION_WAIT, (2100, 9), (2500, 10))]))
    assert rows == [(1, RETRANSMISSION_WAIT, 10, None, 0)]


def test_a_window_that_never_opened_waits_to_the_end() -> None:
    closing = {
        "teardown_ts": 2000 * MS,
        "teardown_number": 9,
        "teardown_end_ts": 3000 * MS,
        "teardown_end_number": 12,
        "last_ts": 3000 * MS,
    }
    f = finished([HANDSHAKE | closing], originator_flows=[{"zero_since": 1500 * MS, "zero_number": 7}])
    rows, waited = told(f)
    assert rows == [(1, ZERO_WINDOW_WAIT, 0, "teardown", 1000 * MS)]
    assert waited == {"teardown": 1000}


def test_no_waits_no_rows() -> None:
    assert told(finished([HANDSHAKE, {}])) == ([], {})
    assert told(finished([HANDSHAKE])) == ([], {})


SPANS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 30)), max_size=12)


@given(SPANS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), min_size=4, max_size=4))
def test_against_a_set_of_milliseconds(spans: list[tuple[int, int, int]], bounds: list[tuple[int, int]]) -> None:
    """The slow twin: a phase waits in those ticks that some wait of its connection covers."""
    f = finished(
        [{} for _ in bounds],
        waits=[wait(0, RETRANSMISSION_WAIT, (1 + begin, 1), (1 + begin + size, 2), 5 + connection) for connection, begin, size in spans],
    )
    phases = new_table(PHASE, len(bounds) * len(PHASES)).reshape(len(bounds), len(PHASES)).view(np.recarray)
    column = phases[:, FIRST_PHASE]
    column["first_ts"] = [(1 + begin) * MS for begin, _ in bounds]
    column["duration"] = [size * MS for _, size in bounds]
    column["basis"] = MEASURED
    delays = build_delays(f, phases)
    for order, (begin, size) in enumerate(bounds):
        ticks = {tick for connection, first, length in spans if connection == order for tick in range(first, first + length)}
        assert phases[order, FIRST_PHASE]["waited"] == len(ticks & set(range(begin, begin + size))) * MS
    assert int(phases["waited"].sum()) == int(delays["phase_ns"].sum())
