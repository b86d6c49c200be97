"""The chapter about TLS."""

from __future__ import annotations

import pytest

from analyzer.story.security import round_trips, tell_security
from tests.story.stories import case, cases, text


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("https-tls13", 2, "a full handshake: 32.6 ms for 1 round trip."),
        ("https-tls12-ecdsa", 2, "for 2 round trips"),
        ("https-tls12-ecdsa", 2, "authentication: ECDSA"),
        ("https-tls12-resumed", 4, "a resumed handshake"),
        ("https-tls13-hrr", 2, "(one of them because of a HelloRetryRequest)"),
        ("https-tls13-hrr", 2, "the server wants secp384r1: one more round trip"),
        ("one-sided", 2, "what the server answered is not in the capture"),
        ("proxy-connect", 2, "TLS began inside a tunnel through a proxy."),
    ],
)
def test_handshakes(name: str, number: int, words: str) -> None:
    one = tell_security(case(name, number=number))
    assert one is not None
    assert words in text(one)


def test_with_keys_nothing_is_inferred() -> None:
    one = tell_security(case("https-tls13", with_keys=True))
    assert one is not None
    assert "The server showed a certificate for CN=www.example.org" in text(one)
    assert "It is for the name asked for." in text(one)
    assert {step.basis for step in one.steps} == {"measured"}
    closed = tell_security(case("https-tls13"))
    assert closed is not None
    assert "it can be seen only with the keys" in text(closed)


def test_failed_handshakes_say_why() -> None:
    alerts = [one for one in cases("failures").values() if one.one("tls") and one.one("tls")["alert_level"] == "fatal"]
    assert alerts
    for one in alerts:
        told = tell_security(one)
        assert told is not None
        assert "ended it with the alert" in text(told)


def test_round_trips() -> None:
    row = {"version": "TLS 1.2", "resumed": False, "is_retried": False}
    assert round_trips(row) == 2
    assert round_trips({**row, "resumed": True}) == 1
    assert round_trips({**row, "version": "TLS 1.3", "is_retried": True}) == 2


def test_no_tls_no_chapter() -> None:
    assert tell_security(case("http-plain")) is None
