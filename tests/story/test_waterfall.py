"""Where each phase lies in time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from analyzer.story.waterfall import LABELS, dominant, draw_bars, whole_ms
from tests.story.stories import case


def test_phases_follow_each_other() -> None:
    bars = draw_bars(case("https-tls13", with_keys=True))
    assert [bar.label for bar in bars] == ["DNS lookup", "TCP handshake", "TLS handshake", "request", "server", "response"]
    assert bars[0].start_ms == pytest.approx(-31.1915)
    assert bars[1].start_ms == 0
    for before, after in pairwise(bars):
        assert after.start_ms >= before.start_ms
    assert whole_ms(bars) == pytest.approx(268.4, abs=0.1)
    assert dominant(bars) is None
    assert all(bar.frames for bar in bars)


def test_further_exchanges_have_their_own_bars() -> None:
    bars = [bar for bar in draw_bars(case("http-plain")) if bar.phase == "exchange"]
    assert [bar.label for bar in bars][:2] == ["GET /style.css", "HEAD /map.png"]


@pytest.mark.parametrize(
    ("name", "number", "label"),
    [
        ("failures", 9, "TCP: refused"),
        ("failures", 11, "TCP: no answer"),
        ("failures", 29, "waiting in vain"),
        ("failures", 16, "TLS: not completed"),
        ("half-close", 1, "data"),
    ],
)
def test_failures_and_other_data(name: str, number: int, label: str) -> None:
    bars = draw_bars(case(name, number=number))
    assert label in [bar.label for bar in bars]
    found = next(bar for bar in bars if bar.label == label)
    assert found.took_ms > 0


def test_lookups_of_a_resolver() -> None:
    assert [bar.label for bar in draw_bars(case("https-tls13", number=1))] == ["A www.example.org", "AAAA www.example.org"]
    assert draw_bars(case("failures", number=4)) == ()  # one packet takes no time


def test_one_that_dominates() -> None:
    slowest = dominant(draw_bars(case("zero-window")))
    assert slowest is not None
    assert slowest.phase == "response_receive"
    assert slowest.phase in LABELS
