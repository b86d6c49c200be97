"""Steps are written in order whatever the order in which they are found, and a table that is full is gone on with."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.kernel import DONE, GROW_ROWS
from analyzer.lifecycle.milestone_kernels import LONGEST_MOVE, PER_CONNECTION, PER_EXCHANGE, ROWS, STATE_SIZE, write_steps
from analyzer.lifecycle.milestones import MILESTONES, build_milestones
from analyzer.tables import new_table
from analyzer.tables.lifecycle import MILESTONE
from tests.lifecycle.builders import finished

TIMES = st.integers(0, 6)
CONNECTION_FIELDS = ("syn", "synack", "ack", "teardown", "teardown_end")
CONNECTION_STEPS = ("syn", "syn_ack", "handshake_ack", "teardown_start", "teardown_end")
EXCHANGE_FIELDS = ("request_first", "info", "response_first")


def rows_of(times: dict[str, int]) -> dict[str, int]:
    """Fields of a row: the frame of each time is the time itself."""
    return {f"{name}_{kind}": value for name, value in times.items() for kind in ("ts", "number")}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(CONNECTION_FIELDS, TIMES)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.fixed_dictionaries(dict.fromkeys(EXCHANGE_FIELDS, TIMES))), max_size=6),
)
def test_steps_are_those_of_a_sorted_list(connections, exchanges):
    exchanges = sorted(((at % len(connections), times) for at, times in exchanges), key=lambda one: one[0])
    f = finished(
        [rows_of(times) for times in connections],
        exchanges=[{"connection": 5 + at, "index": k + 1, **rows_of(times)} for k, (at, times) in enumerate(exchanges)],
    )
    expected = [
        (order, times[field], times[field], MILESTONES.index(step), 0)
        for order, times in enumerate(connections)
        for field, step in zip(CONNECTION_FIELDS, CONNECTION_STEPS, strict=True)
        if times[field]
    ]
    expected += [
        (order, times[field], times[field], MILESTONES.index(step), k + 1)
        for k, (order, times) in enumerate(exchanges)
        for field, step in zip(EXCHANGE_FIELDS, ("request", "informational_response", "response"), strict=True)
        if times[field]
    ]
    rows = build_milestones(f)
    assert [(int(r.order), int(r.first_ts), int(r.first_number), int(r.step), int(r.exchange)) for r in rows] == sorted(expected)


def test_a_full_table_is_left_as_it_was():
    f = finished([{"syn_ts": 1, "syn_number": 1}] * 2)
    nothing = np.zeros(2, np.int64)
    tables = (f.connections, f.originators, f.responders, f.handshakes, f.quic, f.attributions, f.exchanges, nothing, nothing)
    steps, state = new_table(MILESTONE, PER_CONNECTION), np.zeros(STATE_SIZE, np.int64)
    assert write_steps(0, *tables, steps, state) == (GROW_ROWS, 1)
    assert state[ROWS] == 1
    assert write_steps(1, *tables, new_table(MILESTONE, 2 * PER_CONNECTION + PER_EXCHANGE), state) == (DONE, 2)


def test_exchanges_in_reverse_are_put_in_order_too():
    count = LONGEST_MOVE + 100
    exchanges = [
        {"connection": 5, "index": k + 1, "request_first_ts": 9 * count - k, "request_first_number": 9 * count - k} for k in range(count)
    ]
    rows = build_milestones(finished([{}], exchanges=exchanges))
    assert len(rows) == count
    assert (np.diff(rows["first_ts"]) > 0).all()
