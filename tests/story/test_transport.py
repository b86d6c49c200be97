"""The chapters about the transport."""

from __future__ import annotations

import pytest

from analyzer.story.case import Case
from analyzer.story.ending import outcome_words
from analyzer.story.transport import tell_opening, tell_repairs
from tests.story.stories import case, text


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("https-tls13", 2, "the capture was taken near the client"),
        ("failures", 9, "refused with RST"),
        ("failures", 11, "The SYN was sent 7 times"),
        ("failures", 13, "no such machine there (host unreachable)"),
        ("failures", 6, "nothing listens on this port"),
        ("failures", 7, "destination unreachable"),
        ("failures", 4, "UDP does not tell whether anything arrived"),
        ("lossy-path", 2, "The SYN had to be sent twice"),
        ("missing-syn", 1, "is not in the capture"),
        ("one-sided", 2, "the answers took a path that was not captured"),
        ("tcp-fast-open", 4, "TCP Fast Open"),
    ],
)
def test_openings(name: str, number: int, words: str) -> None:
    one = tell_opening(case(name, number=number))
    assert one is not None
    assert words in text(one)
    assert one.frames


def test_losses_and_what_they_cost() -> None:
    one = tell_repairs(case("lossy-path"))
    assert one is not None
    assert "sent 7 segments of 146 again" in text(one)
    assert "during the response" in text(one)
    assert tell_repairs(case("https-tls13")) is None
    assert tell_repairs(case("failures", number=11)) is None  # repeated SYNs belong to the handshake
    window = tell_repairs(case("zero-window"))
    assert window is not None
    assert "zero window" in text(window)


def test_nobody_answers_for_a_group() -> None:
    one = case("failures", number=4)
    group = Case({**one.connection, "responder_ip": "224.0.0.251", "responder_packets": 0, "state": "S0"}, one.tables)
    told = tell_opening(group)
    assert told is not None
    assert "nobody answers from it" in text(told)
    assert outcome_words(group).startswith("sent to a group")
    assert not Case({"responder_ip": "masked"}).is_to_a_group
    sent = tell_opening(case("lossy-path", number=2))
    assert sent is not None
    assert "not sent again" not in text(sent)


def test_a_syn_seen_at_two_places_was_not_sent_again() -> None:
    one = case("lossy-path", number=2)
    waits = [{**row, "wait_ms": 0.5} for row in one.rows("waits") if row["kind"] == "syn retry"]
    told = tell_opening(Case(one.connection, {**one.tables, "waits": waits}))
    assert told is not None
    assert "it was seen at several places, not sent again" in text(told)
