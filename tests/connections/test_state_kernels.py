"""conn_state: one conversation for every value."""

from __future__ import annotations

import pytest

from tests.connections.rows import HANDSHAKE, client, run, server, timed

CLOSE = (client("FA", seq=1, ack=1), server("FA", seq=1, ack=2), client("A", seq=2, ack=2))
CASES = {
    "S0": (client("S"),),
    "S1": HANDSHAKE,
    "SF": HANDSHAKE + CLOSE,
    "REJ": (client("S"), server("RA", ack=1)),
    "S2": (*HANDSHAKE, client("FA", seq=1, ack=1)),
    "S3": (*HANDSHAKE, server("FA", seq=1, ack=1)),
    "RSTO": (*HANDSHAKE, client("R", seq=1)),
    "RSTR": (*HANDSHAKE, server("R", seq=1)),
    "RSTOS0": (client("S"), client("R", seq=1)),
    "RSTRH": (server("SA", ack=1, src_port=443), server("R", seq=1, src_port=443)),
    "SH": (client("S"), client("F", seq=1)),
    "SHR": (server("SA", ack=1), server("F", seq=1)),
    "OTH": (client("A", 10, seq=1), server("A", 10, seq=1)),
}


@pytest.mark.parametrize("state", CASES)
def test_conn_state(state: str) -> None:
    (facts,) = run(timed(CASES[state]))
    assert facts["conn_state"] == state


def test_reset_of_both_without_payload_is_a_rejection() -> None:
    (facts,) = run(timed([*HANDSHAKE, client("R", seq=1), server("R", seq=1)]))
    assert facts["conn_state"] == "REJ"


def test_fin_then_reset_then_fin_is_a_normal_end() -> None:
    (facts,) = run(timed([*HANDSHAKE, client("FA", seq=1, ack=1), client("R", seq=2), server("FA", seq=1, ack=2)]))
    assert facts["conn_state"] == "SF"
    assert facts["history"] == "ShAFRf"


def test_rejected_attempt_needs_nothing_else_of_the_originator() -> None:
    """S, then R, but an ACK in between: no RSTOS0."""
    (facts,) = run(timed([client("S"), client("A", seq=1), client("R", seq=1)]))
    assert facts["conn_state"] == "OTH"


@pytest.mark.parametrize(("senders", "state"), [("c", "S0"), ("s", "SHR"), ("cs", "SF")])
def test_udp(senders: str, state: str) -> None:
    """A first packet from the server's port makes the other end the originator."""
    sides = {"c": client("", 5, dst_port=53, protocol=17), "s": server("", 5, src_port=53, protocol=17)}
    (facts,) = run(timed([sides[letter] for letter in senders]))
    assert facts["conn_state"] == state
