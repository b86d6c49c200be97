"""Phases of one HTTPS request, of reused connections, and of half-seen ones."""

from __future__ import annotations

from analyzer.lifecycle.phases import build_phases
from analyzer.tables.dns import CACHED, CAUSED
from analyzer.tables.lifecycle import PHASES
from analyzer.tables.tls import BASES, INFERRED
from tests.lifecycle.builders import MS, finished, set_step

OPENED = {"syn_ts": 100 * MS, "syn_number": 3, "synack_ts": 120 * MS, "synack_number": 4, "ack_ts": 121 * MS, "ack_number": 5}
CLOSED = {"teardown_ts": 400 * MS, "teardown_number": 20, "teardown_end_ts": 420 * MS, "teardown_end_number": 22}
ASKED = {"basis": CAUSED, "query_ts": 80 * MS, "query_number": 1, "response_ts": 95 * MS, "response_number": 2}


def place(field, ms, number):
    return {f"{field}_ts": ms * MS, f"{field}_number": number}


EXCHANGE = {
    "connection": 5,
    "index": 1,
    **place("request_first", 130, 6),
    **place("request_last", 131, 7),
    **place("response_first", 171, 9),
    **place("response_last", 181, 12),
}


def named(table, row=0):
    """Phase -> (ms, first frame, last frame, basis) of the phases that are there."""
    return {
        name: (float(p["duration"]) / MS, int(p["first_number"]), int(p["last_number"]), BASES[p["basis"]])
        for name, p in zip(PHASES, table[row], strict=True)
        if p["basis"]
    }


def test_plain_http_from_lookup_to_teardown():
    phases = build_phases(finished([{**OPENED, **CLOSED}], attributions=[ASKED], exchanges=[EXCHANGE]))
    assert named(phases) == {
        "dns": (15.0, 1, 2, "measured"),
        "dns_to_connect": (5.0, 2, 3, "measured"),
        "tcp_connect": (21.0, 3, 5, "measured"),
        "request_wait": (9.0, 5, 6, "measured"),
        "request_send": (1.0, 6, 7, "measured"),
        "server_wait": (40.0, 7, 9, "measured"),
        "response_receive": (10.0, 9, 12, "measured"),
        "keepalive_idle": (219.0, 12, 20, "measured"),
        "teardown": (20.0, 20, 22, "measured"),
    }


def test_tls13_handshake_ends_with_the_clients_finished_and_says_how_it_is_known():
    f = finished(
        [OPENED], handshakes=[{"seen": 1, "version": 0x0304, **place("last_request", 160, 11), **place("first_response", 190, 12)}]
    )
    h = f.handshakes[0]
    set_step(h, "client_hello", (122, 6), (123, 7))
    set_step(h, "server_finished", (145, 9), basis=INFERRED)
    set_step(h, "client_finished", (150, 10), basis=INFERRED)
    set_step(h, "first_client_data", (155, 11), basis=INFERRED)
    phases = named(build_phases(f))
    assert phases["tcp_to_tls"] == (1.0, 5, 6, "measured")
    assert phases["tls_handshake"] == (28.0, 6, 10, "inferred")
    assert phases["request_wait"] == (5.0, 10, 11, "inferred")
    assert phases["request_send"] == (5.0, 11, 11, "bounded")
    assert phases["server_wait"] == (30.0, 11, 12, "bounded")
    assert "response_receive" not in phases


def test_tls12_handshake_ends_with_the_later_finished_and_needs_both():
    both, one = {"seen": 1, "version": 0x0303}, {"seen": 1, "version": 0x0303}
    f = finished([OPENED, OPENED], handshakes=[both, one])
    for row in f.handshakes:
        set_step(row, "client_hello", (122, 6))
        set_step(row, "client_finished", (150, 10))
    set_step(f.handshakes[0], "server_finished", (170, 11))
    phases = build_phases(f)
    assert named(phases, 0)["tls_handshake"] == (48.0, 6, 11, "measured")
    assert "tls_handshake" not in named(phases, 1)


def test_idle_time_ends_with_the_next_request():
    second = {**EXCHANGE, "index": 2, **place("request_first", 200, 15)}
    phases = named(build_phases(finished([{**OPENED, **CLOSED}], exchanges=[EXCHANGE, second])))
    assert phases["keepalive_idle"] == (19.0, 12, 15, "measured")


def test_a_cached_answer_is_no_phase_and_a_missing_syn_leaves_phases_absent():
    f = finished([{"first_ts": 1, **CLOSED}], attributions=[{**ASKED, "basis": CACHED}], exchanges=[EXCHANGE])
    assert named(build_phases(f)).keys() == {"request_send", "server_wait", "response_receive", "keepalive_idle", "teardown"}


def test_an_early_answer_keeps_its_sign():
    early = {**EXCHANGE, **place("response_first", 130, 8)}
    assert named(build_phases(finished([OPENED], exchanges=[early])))["server_wait"] == (-1.0, 7, 8, "measured")


def test_nothing_finished_is_an_empty_table():
    assert build_phases(finished([])).shape == (0, len(PHASES))
