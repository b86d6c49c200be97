"""A whole story: chapters in their order, findings worst first, nothing that says None."""

from __future__ import annotations

import pytest

from analyzer.story.telling import finding_words, measured, tell
from tests.story.stories import CAPTURES, cases, story, text

NAMES = sorted(path.stem for path in CAPTURES.glob("*.pcap*"))


def test_the_order_of_a_request() -> None:
    told = story("https-tls13", with_keys=True)
    assert [chapter.topic for chapter in told.chapters] == ["lookup", "transport", "security", "request", "response", "ending"]
    assert told.subject == "https://www.example.org/report"
    assert told.outcome == "268.4 ms, closed normally (SF, ShADadFf)"
    assert told.ends == "192.0.2.10:57652 -> 198.51.100.10:443"
    assert told.gist.startswith("Nothing stands out.")


def test_the_worst_comes_first() -> None:
    told = story("lossy-path")
    assert [row["severity"] for row in told.findings] == ["error", "warning"]
    assert "more than 5 % of the data segments" in told.gist
    assert story("zero-window").gist.startswith("Most of the time (98%) went into: response")


@pytest.mark.parametrize("name", NAMES)
def test_every_connection_has_a_story(name: str) -> None:
    for number, one in cases(name).items():
        told = tell(one)
        assert told.chapters, number
        words = "\n".join([told.subject, told.outcome, told.gist, told.ends, *map(text, told.chapters)])
        assert "None" not in words, (number, words)
        assert ".." not in words.replace("...", ""), (number, words)
        for chapter in told.chapters:
            assert all(isinstance(frame, int) and frame > 0 for frame in chapter.frames), (number, chapter.title)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"amount": 0, "amount_unit": None}, ""),
        ({"amount": 12, "amount_unit": "code", "detail": "handshake_failure"}, "handshake_failure"),
        ({"amount": 1_500_000_000, "amount_unit": "ns"}, "1.5 s"),
        ({"amount": 1, "amount_unit": "bytes"}, "1 byte"),
        ({"amount": 1, "amount_unit": "count"}, "once"),
        ({"amount": 4000, "amount_unit": "count"}, "4,000 times"),
    ],
)
def test_findings_in_words(finding: dict[str, object], words: str) -> None:
    assert measured(finding) == words
    assert finding_words({"meaning": "so it is", **finding}) == (f"so it is: {words}" if words else "so it is")
