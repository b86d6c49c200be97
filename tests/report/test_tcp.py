"""The table ``tcp``: one row for each end that sent a packet."""

from __future__ import annotations

from typing import Any

from analyzer.report.build import Context, build_tables
from analyzer.tables.connections import BY_CONTENT, BY_TIME, IDLE_RETRANSMISSION
from analyzer.tables.streams import BY_MEMORY_BUDGET
from tests.report.rows import CERTIFICATES, make_inputs

MS = 1_000_000


def rows_of(inputs: tuple[Any, ...]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = build_tables(*inputs, Context(7, CERTIFICATES))["tcp"].to_pylist()
    return rows


def test_one_row_for_each_end_of_each_tcp_connection() -> None:
    inputs = make_inputs(["dns", "tls", "icmp", "http"])
    assert [(row["connection"], row["sender"]) for row in rows_of(inputs)] == [
        (3, "originator"),
        (3, "responder"),
        (1, "originator"),
        (1, "responder"),
    ]
    inputs[0].responders["packets"] = 0
    assert [(row["connection"], row["sender"]) for row in rows_of(inputs)] == [(3, "originator"), (1, "originator")]


def test_counts_waits_and_frames() -> None:
    inputs = make_inputs(["tls"])
    flows = inputs[0].responder_flows
    flows["fast_retransmissions"], flows["idle_max_ns"], flows["idle_cause"], flows["idle_end_number"] = 3, 7 * MS, IDLE_RETRANSMISSION, 8
    flows["zero_window_ns"], flows["first_loss_number"] = 1_500_000, 4
    originator, responder = rows_of(inputs)
    assert (responder["fast_retransmissions"], responder["zero_window_ms"], responder["first_loss_frame"]) == (3, 1.5, 4)
    assert (responder["longest_silence_ms"], responder["silence_cause"], responder["longest_silence_frame"]) == (7.0, "retransmission", 8)
    assert (originator["fast_retransmissions"], originator["silence_cause"], originator["first_loss_frame"]) == (0, None, None)


def test_round_trips() -> None:
    inputs = make_inputs(["tls"])
    flows = inputs[0].originator_flows
    flows["rtt_samples"], flows["rtt_sum_ns"], flows["rtt_min_ns"], flows["rtt_max_ns"], flows["rtt_p95_ns"] = (
        4,
        40 * MS,
        2 * MS,
        30 * MS,
        29 * MS,
    )
    flows["full_rtt_samples"], flows["full_rtt_sum_ns"], flows["full_rtt_min_ns"] = 2, 24 * MS, 10 * MS
    originator, responder = rows_of(inputs)
    assert [originator[f"rtt_{name}_ms"] for name in ("min", "mean", "max", "p95")] == [2.0, 10.0, 30.0, 29.0]
    assert [originator[f"full_rtt_{name}_ms"] for name in ("min", "mean")] == [10.0, 12.0]
    assert (originator["handshake_rtt_ms"], responder["handshake_rtt_ms"]) == (1.0, 10.0)
    assert {responder[name] for name in responder if name.startswith(("rtt_m", "full_rtt_m"))} == {None}


def test_sizes_and_speed() -> None:
    inputs = make_inputs(["http"])
    end = inputs[0].responders
    end["data_packets"], end["payload_bytes"], end["stream_bytes"], end["missed_bytes"] = 4, 4001, 3000, 500
    end["first_payload_ts"], end["last_payload_ts"] = 5 * MS, 25 * MS
    row = rows_of(inputs)[1]
    assert (row["segment_mean_bytes"], row["goodput_bits"], row["hops"]) == (1000, 1_000_000, 0)
    end["stream_bytes"] = 1 << 62  # what a lie about sequence numbers may give
    assert rows_of(inputs)[1]["goodput_bits"] == 1 << 62


def test_offers_are_those_of_a_syn_that_was_seen() -> None:
    inputs = make_inputs(["http"])
    assert [(row["mss"], row["window_scale"], row["sack"]) for row in rows_of(inputs)] == [(1460, 7, False)] * 2
    inputs[0].connections["synack_ts"] = 0
    assert [(row["mss"], row["sack"]) for row in rows_of(inputs)] == [(1460, False), (None, None)]


def test_rules_and_reasons_are_named() -> None:
    inputs = make_inputs(["http"])
    inputs[0].originator_flows["judged_by"][:, [BY_CONTENT, BY_TIME]] = [2, 1]
    stream = inputs[0].originator_streams
    stream["gaps_by_reason"][:, BY_MEMORY_BUDGET - 1] = 1
    stream["conflicts"], stream["conflict_first_number"], stream["conflict_second_number"] = 1, 3, 9
    originator, responder = rows_of(inputs)
    assert (originator["decided_by"], originator["decisions"]) == (["content", "time"], [2, 1])
    assert originator["given_up_because"] == ["memory_budget"]
    assert [originator[f"conflict_{name}"] for name in ("first_frame", "second_frame", "was_acked")] == [3, 9, False]
    assert [responder[name] for name in ("decided_by", "decisions", "given_up_because", "conflict_was_acked")] == [None] * 4
