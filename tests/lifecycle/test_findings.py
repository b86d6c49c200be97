"""Each rule fires where it should, with its frame and amount, and stays silent on an ordinary connection."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.findings import RULES, Validity, build_findings
from analyzer.tables.connections import CONN_STATES
from analyzer.tables.dns import OUTCOMES
from analyzer.thresholds import Thresholds
from tests.lifecycle.builders import MS, finished, set_step

GOOD = {"cipher_suite": 0xC02F, "secure_renegotiation": 1, "extended_master_secret": 1}  # nothing weak to find
NONE = Validity(np.zeros(1, np.int64), np.zeros(1, np.int64))


def hits(f, validity=NONE):
    return [(int(row.order), RULES[row.rule].name, int(row.number), int(row.amount)) for row in build_findings(f, validity)]


def test_an_ordinary_connection_has_no_findings():
    ordinary = {"syn_ts": 1, "synack_ts": 2, "conn_state": CONN_STATES.index("SF")}
    asked = {"connection": 5, "has_request": 1, "has_response": 1, "response_complete": 1, "status": 200}
    assert hits(finished([ordinary], exchanges=[asked])) == []


def test_handshake_rules():
    handshakes = [
        {"seen": 1, "alert_level": 2, "alert_code": 45, "version": 0x0303, **GOOD},
        {"seen": 1},
        {"seen": 1, "version": 0x0301, **GOOD},
        {"seen": 1, "version": 0x0304, **GOOD},
    ]
    f = finished([{"syn_ts": 1}] * 4, handshakes=handshakes)
    for row in f.handshakes:
        set_step(row, "client_hello", (10, 2))
    for row in f.handshakes[[0, 2, 3]]:
        set_step(row, "server_hello", (20, 3))
    set_step(f.handshakes[0], "server_hello", (20, 3))
    set_step(f.handshakes[0], "alert", (30, 8))
    set_step(f.handshakes[2], "server_hello", (20, 4))
    set_step(f.handshakes[3], "server_hello", (90, 6))
    set_step(f.handshakes[3], "hello_retry_request", (40, 4))
    set_step(f.handshakes[3], "second_client_hello", (60, 5))
    f.endpoints_b["packets"] = 1  # a ClientHello of a one-sided capture is answered elsewhere
    assert hits(f) == [
        (0, "tls.alert_fatal", 8, 45),
        (1, "tls.no_server_hello", 2, 0),
        (2, "tls.old_version", 4, 0x0301),
        (3, "tls.hello_retry", 4, 50 * MS),
    ]


def test_certificates_are_judged_at_capture_time_and_only_the_servers_leaf():
    day = 86_400_000_000_000
    validity = Validity(np.array([10 * day, 0]), np.array([20 * day, 5 * day]))
    links = [
        {"connection": 5, "certificate": 0, "ts": 21 * day, "number": 3},
        {"connection": 6, "certificate": 0, "ts": 9 * day, "number": 4},
        {"connection": 7, "certificate": 0, "ts": 15 * day, "number": 5},
        {"connection": 7, "certificate": 1, "place": 1, "ts": 15 * day, "number": 5},
        {"connection": 7, "certificate": 1, "from_client": 1, "ts": 15 * day, "number": 6},
    ]
    f = finished([{"syn_ts": 1}] * 3, chain_links=links)
    assert hits(f, validity) == [(0, "tls.certificate_expired", 3, day), (1, "tls.certificate_not_yet_valid", 4, day)]


def test_a_finding_on_a_lookup_belongs_to_its_connection():
    gone = {"outcome": OUTCOMES.index("nxdomain"), "nxdomains": 1}
    lookups = [{**gone, "connection": 6, "response_number": 2}, {**gone, "connection": 5, "response_number": 9}]
    assert hits(finished([{"protocol": 17}] * 2, lookups=lookups)) == [(0, "dns.nxdomain", 9, 0), (1, "dns.nxdomain", 2, 0)]


def test_exchange_rules():
    answered = {"connection": 5, "has_request": 1, "has_response": 1, "response_complete": 1}
    exchanges = [
        {**answered, "status": 503, "response_first_number": 7},
        {**answered, "status": 404, "response_first_number": 8},
        {**answered, "status": 200, "request_last_ts": 1, "response_first_ts": 1 + 2000 * MS, "response_first_number": 9},
        {"connection": 6, "has_request": 1, "request_first_number": 12},
    ]
    f = finished([{"syn_ts": 1}, {"syn_ts": 1, "teardown_by_reset": 1}], exchanges=exchanges)
    assert hits(f) == [
        (0, "http.server_error", 7, 503),
        (0, "http.client_error", 8, 404),
        (0, "http.slow", 9, 2000 * MS),
        (1, "tcp.reset_mid_exchange", 12, 0),
        (1, "http.unanswered", 12, 0),
    ]


def test_rules_are_named_once():
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_thresholds_and_severities():
    answered = {"connection": 5, "has_query": 1, "has_response": 1, "query_ts": 1, "response_ts": 1 + 300 * MS, "outcome": 1}
    f = finished([{"first_ts": 1, "syn_ts": 1, "synack_ts": 2}], lookups=[answered, {**answered, "response_ts": 1 + 1500 * MS}])
    names = [RULES[row.rule].name for row in build_findings(f, NONE)]
    assert names == ["dns.slow", "dns.very_slow"]
    strict = Thresholds(dns_slow_ms=400, severities=(("dns.very_slow", "off"),))
    assert len(build_findings(f, NONE, strict)) == 0
