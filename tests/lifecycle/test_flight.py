"""What each open connection waits for, as its packets tell."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.lifecycle.flight import PHASES, find_flights, tls_phase
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION, ENDPOINT, IS_CLOSED, WAS_RETURNED
from analyzer.tables.tls import HANDSHAKE, STEP_CODES

SECOND = 1_000_000_000
NOW = 100 * SECOND


def tables(*rows: dict[str, int]) -> tuple[Rows, Rows]:
    """Connections with the fields given; ``sent`` and ``received``: seconds of the last payload of originator and responder."""
    connections, endpoints = new_table(CONNECTION, len(rows)), new_table(ENDPOINT, 2 * len(rows))
    for row, fields in enumerate(rows):
        connections[row].number, connections[row].protocol = row + 1, 6
        for name, value in fields.items():
            if name not in ("sent", "received"):
                connections[row][name] = value * SECOND if name.endswith("_ts") else value
        flipped = fields.get("flipped", 0)
        for end, name in ((flipped, "sent"), (1 - flipped, "received")):
            endpoints[2 * row + end].last_payload_ts = endpoints[2 * row + end].first_payload_ts = fields.get(name, 0) * SECOND
    return connections, endpoints


def look(*rows: dict[str, int]) -> list[tuple[int, str, int]]:
    flights = find_flights(*tables(*rows), len(rows), NOW, 10)
    numbers, since = (flights.rows + 1).tolist(), (flights.since_ns // SECOND).tolist()
    return list(zip(numbers, [PHASES[code] for code in flights.phases], since, strict=True))


@pytest.mark.parametrize(
    ("fields", "phase", "since"),
    [
        ({"syn_ts": 90}, "waiting for SYN+ACK", 90),
        ({"syn_ts": 90, "synack_ts": 91}, "waiting for the ACK of SYN+ACK", 91),
        ({"syn_ts": 90, "synack_ts": 91, "ack_ts": 92}, "connected, nothing sent", 0),
        ({"syn_ts": 90, "synack_ts": 91, "ack_ts": 92, "sent": 93}, "waiting for the answer", 93),
        ({"syn_ts": 90, "synack_ts": 91, "ack_ts": 92, "sent": 93, "received": 94}, "idle", 94),
        ({"sent": 93, "received": 100}, "receiving", 100),
        ({"sent": 93, "received": 100, "flipped": 1}, "receiving", 100),
        ({"sent": 93, "received": 94, "teardown_ts": 96}, "closing", 96),
        ({"protocol": 17, "sent": 95}, "waiting for the answer", 95),
        ({"protocol": 1, "sent": 95}, "idle", 95),
    ],
)
def test_phases(fields: dict[str, int], phase: str, since: int) -> None:
    assert look(fields) == [(1, phase, since)]


def test_what_is_over_is_left_out() -> None:
    over = ({"marks": WAS_RETURNED}, {"marks": IS_CLOSED, "teardown_ts": 90}, {"teardown_ts": 90, "teardown_end_ts": 91})
    assert look(*over, {"syn_ts": 99}) == [(4, "waiting for SYN+ACK", 99)]


def test_who_waits_longest_comes_first_and_idle_ones_last() -> None:
    rows = ({"sent": 50, "received": 51}, {"syn_ts": 99}, {"sent": 99, "received": 100}, {"syn_ts": 80})
    assert [number for number, _, _ in look(*rows)] == [4, 2, 3, 1]
    flights = find_flights(*tables(*rows), 4, NOW, 2)
    assert (len(flights.rows), flights.total, flights.waiting) == (2, 4, 2)
    assert len(find_flights(*tables(), 0, NOW, 2).rows) == 0


def handshake(**steps: int) -> Rows:
    row: Rows = new_table(HANDSHAKE, 1)[0]
    row.seen = 1
    for name, ts in steps.items():
        row.step_ts[STEP_CODES[name]] = np.array([ts, ts])
    return row


def test_steps_of_tls() -> None:
    assert tls_phase(new_table(HANDSHAKE, 1)[0]) is None
    assert tls_phase(handshake()) is None
    assert tls_phase(handshake(client_hello=5)) == ("waiting for ServerHello", 5)
    assert tls_phase(handshake(client_hello=5, server_hello=6)) == ("TLS handshake, server's flight", 6)
    assert tls_phase(handshake(client_hello=5, server_hello=6, server_finished=7)) == ("waiting for Finished of the client", 7)
    assert tls_phase(handshake(client_hello=5, server_hello=6, client_finished=7)) == ("waiting for Finished of the server", 7)
    assert tls_phase(handshake(client_hello=5, server_hello=6, client_finished=8, server_finished=7)) is None
