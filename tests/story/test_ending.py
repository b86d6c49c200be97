"""How it ended."""

from __future__ import annotations

import pytest

from analyzer.story.ending import outcome_words, tell_ending
from tests.story.stories import case, text


@pytest.mark.parametrize(
    ("name", "number", "outcome", "words"),
    [
        ("https-tls13", 2, "closed normally (SF, ShADadFf)", "a normal end"),
        ("half-close", 1, "closed one direction after the other", "went on listening"),
        ("failures", 27, "reset by the server", "broke the connection off with RST"),
        ("https-tls12-resumed", 2, "closed, then reset", "closes without reading everything"),
        ("missing-syn", 1, "under way before the capture, closed one", "went on listening"),
        ("one-sided", 2, "closed by one end only", "the other end did not within the capture"),
    ],
)
def test_endings(name: str, number: int, outcome: str, words: str) -> None:
    one = case(name, number=number)
    assert outcome_words(one).startswith(outcome)
    told = tell_ending(one)
    assert told is not None
    assert words in text(told)


def test_nothing_to_end() -> None:
    assert tell_ending(case("failures", number=9)) is None
    assert tell_ending(case("https-tls13", number=1)) is None
    assert outcome_words(case("failures", number=9)) == "refused (REJ, Sr)"
    assert outcome_words(case("failures", number=4)) == "never answered (S0, D)"
