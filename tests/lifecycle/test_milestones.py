"""Steps become rows in order, with the frames that show them."""

from __future__ import annotations

from analyzer.lifecycle.milestones import MILESTONES, build_milestones
from analyzer.tables.dns import CAUSED
from analyzer.tables.tls import INFERRED, MEASURED
from tests.lifecycle.builders import MS, finished, set_step


def test_steps_are_ordered_by_connection_then_time():
    opened = {"syn_ts": 10 * MS, "syn_number": 3, "synack_ts": 20 * MS, "synack_number": 4, "ack_ts": 21 * MS, "ack_number": 5}
    f = finished(
        [{"teardown_ts": 99 * MS, "teardown_number": 40}, opened],
        handshakes=[{}, {"seen": 1}],
        attributions=[{}, {"basis": CAUSED, "query_ts": 1 * MS, "query_number": 1, "response_ts": 5 * MS, "response_number": 2}],
        exchanges=[
            {
                "connection": 6,
                "index": 1,
                "request_first_ts": 60 * MS,
                "request_first_number": 9,
                "request_last_ts": 61 * MS,
                "request_last_number": 10,
            },
        ],
    )
    set_step(f.handshakes[1], "client_hello", (30, 6), (31, 7))
    set_step(f.handshakes[1], "client_finished", (50, 8), basis=INFERRED)
    rows = build_milestones(f)
    steps = [(int(r.order), MILESTONES[r.step], int(r.first_number), int(r.last_number), int(r.exchange), int(r.basis)) for r in rows]
    assert steps == [
        (0, "teardown_start", 40, 40, 0, MEASURED),
        (1, "dns_query", 1, 1, 0, MEASURED),
        (1, "dns_answer", 2, 2, 0, MEASURED),
        (1, "syn", 3, 3, 0, MEASURED),
        (1, "syn_ack", 4, 4, 0, MEASURED),
        (1, "handshake_ack", 5, 5, 0, MEASURED),
        (1, "client_hello", 6, 7, 0, MEASURED),
        (1, "client_finished", 8, 8, 0, INFERRED),
        (1, "request", 9, 10, 1, MEASURED),
    ]


def test_no_connections_no_rows():
    assert len(build_milestones(finished([]))) == 0
