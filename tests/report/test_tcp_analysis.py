"""The TCP analysis as columns of ``connections``."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.report.build import Context, build_tables
from analyzer.report.tcp_analysis import ANALYSIS_COLUMNS
from analyzer.tables.connections import CLOSE_KINDS, HALF_CLOSE, NEAR_ORIGINATOR, NEAR_RESPONDER, RESET_ID_DIFFERS, RESET_TTL_DIFFERS
from tests.report.rows import CERTIFICATES, make_inputs

MS = 1_000_000


def row_of(inputs: tuple[Any, ...]) -> dict[str, Any]:
    row: dict[str, Any] = build_tables(*inputs, Context(7, CERTIFICATES))["connections"].to_pylist()[0]
    return row


def test_both_ends() -> None:
    inputs = make_inputs(["tls"])
    flows = inputs[0].responder_flows
    flows["retransmission_wait_ns"] = 1_500_000
    flows["rtt_samples"], flows["rtt_sum_ns"], flows["rtt_min_ns"], flows["rtt_p95_ns"] = 4, 40 * MS, 2 * MS, 30 * MS
    row = row_of(inputs)
    assert (row["tcp_responder_retransmission_wait_ms"], row["tcp_originator_retransmission_wait_ms"]) == (1.5, 0.0)
    assert [row[f"tcp_responder_rtt_{name}"] for name in ("min_ms", "mean_ms", "p95_ms")] == [2.0, 10.0, 30.0]
    assert [row[f"tcp_originator_rtt_{name}"] for name in ("min_ms", "mean_ms", "p95_ms")] == [None, None, None]


def test_how_it_ended() -> None:
    inputs = make_inputs(["tls"])
    c = inputs[0].connections
    c["close_kind"], c["vantage"], c["irtt_ns"] = HALF_CLOSE, NEAR_ORIGINATOR, 25 * MS
    row = row_of(inputs)
    assert (row["tcp_close"], row["tcp_vantage"], row["tcp_round_trip_ms"]) == (CLOSE_KINDS[HALF_CLOSE][0], "originator", 25.0)
    assert (row["tcp_vantage_basis"], row["tcp_bounds"], row["tcp_proxy"], row["tcp_reset_differs"]) == ("handshake", None, None, None)


def test_what_a_place_beside_the_responder_bounds() -> None:
    inputs = make_inputs(["tls"])
    inputs[0].connections["vantage"] = NEAR_RESPONDER
    inputs[0].originators["ttl"] = 60
    assert row_of(inputs)["tcp_bounds"] == "server_wait, by tcp_synack_to_ack"


@pytest.mark.parametrize(
    ("marks", "expected"), [(RESET_TTL_DIFFERS, "ttl"), (RESET_ID_DIFFERS, "ip id"), (RESET_TTL_DIFFERS | RESET_ID_DIFFERS, "ttl, ip id")]
)
def test_a_reset_that_does_not_fit(marks: int, expected: str) -> None:
    inputs = make_inputs(["tls"])
    inputs[0].connections["reset_marks"] = marks
    assert row_of(inputs)["tcp_reset_differs"] == expected


@pytest.mark.parametrize(
    ("version", "kind", "code", "expected"),
    [(4, 3, 4, "unreachable, code 4"), (6, 2, 0, "packet too big, code 0"), (4, 99, 1, "type 99, code 1")],
)
def test_icmp_errors(version: int, kind: int, code: int, expected: str) -> None:
    inputs = make_inputs(["tls"])
    c = inputs[0].connections
    c["ip_version"], c["icmp_errors"], c["icmp_error_type"], c["icmp_error_code"] = version, 1, kind, code
    c["icmp_error_number"], c["icmp_error_mtu"] = 9, 1400
    row = row_of(inputs)
    assert (row["icmp_error"], row["icmp_error_frame"], row["icmp_error_mtu"]) == (expected, 9, 1400)


def test_other_protocols_have_none_of_it() -> None:
    row = row_of(make_inputs(["icmp"]))
    assert {row[column.name] for column in ANALYSIS_COLUMNS} == {None}
