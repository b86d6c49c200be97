"""The chapters about the transport."""

from __future__ import annotations

import pytest

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
