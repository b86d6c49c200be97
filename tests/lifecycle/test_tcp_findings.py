"""Each rule about the transport fires where it should, with its frame and amount."""

from __future__ import annotations

from typing import Any

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.tcp_findings import TCP_RULES, icmp_code, tcp_hits
from analyzer.tables.connections import CONN_STATES, HAS_ACK, RESET_TTL_DIFFERS
from tests.lifecycle.builders import MS, finished

OPEN = {"syn_ts": 1, "synack_ts": 2, "ack_ts": 3, "last_number": 30, "last_ts": 40}


def fired(f: Finished) -> list[tuple[int, str, int, int]]:
    found = []
    for hits in tcp_hits(f):
        amounts = np.broadcast_to(hits.amount, len(hits.there))
        found += [(int(at), hits.name, int(hits.number[at]), int(amounts[at])) for at in np.flatnonzero(hits.there)]
    return sorted(found)


def one(connection: dict[str, Any], **tables: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [hit[1:] for hit in fired(finished([connection], **{name: [fields] for name, fields in tables.items()}))]


def test_an_ordinary_connection_has_none() -> None:
    assert one(OPEN) == []


def test_every_rule_is_asked() -> None:
    assert {hits.name for hits in tcp_hits(finished([OPEN]))} == {rule.name for rule in TCP_RULES}


def test_how_the_syn_was_answered() -> None:
    refused = {"syn_ts": 1, "synack_ts": 2, "ack_ts": 3, "conn_state": CONN_STATES.index("REJ"), "teardown_number": 9, "teardown_ts": 4}
    assert one(refused) == [("tcp.refused", 9, 0)]
    assert one({"syn_ts": 1, "syn_number": 4, "conn_state": CONN_STATES.index("S0")}) == [("tcp.no_answer", 4, 0)]
    retried = OPEN | {"syn_ts": 5, "last_syn_ts": 5 + 3000 * MS, "syn_retries": 2, "syn_number": 6}
    assert one(retried) == [("tcp.syn_retry", 6, 3000 * MS)]
    assert one({"syn_ts": 1, "synack_ts": 2, "synack_number": 8}, endpoints_a={"packets": 1}) == [("tcp.half_open", 8, 0)]
    assert one({"first_number": 7}) == [("capture.midstream", 7, 0)]


def test_icmp_errors() -> None:
    error = {"icmp_errors": 1, "icmp_error_number": 5, "ip_version": 4, "icmp_error_type": 3, "icmp_error_code": 1}
    assert one(OPEN | error) == [("tcp.unreachable", 5, 1 << 16 | 3 << 8 | 1)]
    assert one({"protocol": 17} | error) == [("udp.unreachable", 5, 1 << 16 | 3 << 8 | 1)]
    assert one(OPEN | error | {"icmp_error_code": 4, "icmp_error_mtu": 1280}) == [("tcp.fragmentation_needed", 5, 1280)]
    assert icmp_code(finished([error | {"ip_version": 6}]).connections).tolist() == [3 << 8 | 1]


def test_a_black_hole_for_large_packets() -> None:
    end = {"stream_bytes": 5000, "acknowledged": 101, "retransmissions": 3, "data_packets": 9}
    flow = {"segment_max": 1460, "first_retransmission_number": 12}
    peer = {"known": HAS_ACK}
    assert one(OPEN, endpoints_a=end, originator_flows=flow, responder_flows=peer) == [("tcp.pmtu_suspect", 12, 1460)]
    assert one(OPEN, endpoints_b=end, responder_flows=flow, originator_flows=peer) == [("tcp.pmtu_suspect", 12, 1460)]
    assert one(OPEN, endpoints_a=end, originator_flows=flow) == []  # nobody is there to acknowledge
    assert one(OPEN, endpoints_a=end, originator_flows=flow | {"full_rtt_samples": 1}, responder_flows=peer) == []


def test_losses() -> None:
    assert one(OPEN, endpoints_a={"missed_bytes": 100}) == [("tcp.missed_bytes", 30, 100)]
    assert one(OPEN, originator_flows={"zero_window_ns": 150 * MS}) == [("tcp.zero_window", 30, 150 * MS)]
    assert one(OPEN, originator_flows={"zero_window_ns": 50 * MS}) == []
    assert one(OPEN, endpoints_a={"data_packets": 200, "retransmissions": 3}) == [("tcp.retransmissions", 30, 3)]
    assert one(OPEN, endpoints_a={"data_packets": 200, "retransmissions": 11}) == [("tcp.many_retransmissions", 30, 11)]
    assert one(OPEN, endpoints_a={"data_packets": 50, "retransmissions": 11}) == []


def test_waiting_for_losses() -> None:
    slow = {"retransmission_wait_ns": 250 * MS, "longest_wait_ns": 240 * MS, "longest_wait_number": 17}
    assert one(OPEN, responder_flows=slow) == [("tcp.loss_wait", 17, 250 * MS)]
    retried = OPEN | {"syn_ts": 5, "last_syn_ts": 5 + 249 * MS, "syn_retries": 1, "syn_number": 6}
    assert one(retried, originator_flows=slow) == [("tcp.syn_retry", 6, 249 * MS)]


def test_what_does_not_fit() -> None:
    conflict = {"conflicts": 1, "conflict_bytes": 4, "conflict_first_number": 6, "conflict_second_number": 8}
    assert one(OPEN, responder_streams=conflict) == [("tcp.overlap_conflict", 8, 4)]
    assert one(OPEN, originator_streams=conflict, responder_streams=conflict) == [("tcp.overlap_conflict", 8, 8)]
    assert one(OPEN | {"reset_marks": RESET_TTL_DIFFERS}, endpoints_b={"rst_ts": 9, "rst_number": 11}) == [("tcp.reset_differs", 11, 0)]
    assert one(OPEN | {"first_number": 3}, endpoints_b={"ttl": 64, "ttl_other": 50}) == [("tcp.two_places", 3, 0)]
