"""The chapter about DNS."""

from __future__ import annotations

import pytest

from analyzer.story.lookup import answer_text, tell_lookup, tell_questions, ttl_text
from tests.story.stories import case, text

ROW = {"outcome": "answered", "rcode": "NOERROR", "answers": [], "answer_types": [], "answer_ttls_s": []}


def test_the_lookup_that_caused_a_connection() -> None:
    one = tell_lookup(case("https-tls13"))
    assert one is not None
    assert "so this lookup made the client connect" in text(one)
    assert one.frames == (3, 5, 4, 6)
    assert one.steps[1].text.endswith("no such record: the name exists, but not with this type")


def test_an_answer_known_before() -> None:
    one = tell_lookup(case("failures", number=25))
    assert one is not None
    assert "No lookup was needed" in text(one)
    assert "The client called it www.example.org." in text(one)


def test_no_lookup_to_be_seen() -> None:
    one = tell_lookup(case("keep-alive"))
    assert one is not None
    assert "none in this capture" in one.title
    assert tell_lookup(case("missing-syn")) is None
    assert tell_lookup(case("https-tls13", number=1)) is None


def test_what_a_resolver_was_asked() -> None:
    one = tell_questions(case("https-tls13", number=1))
    assert one is not None
    assert "connection 2 to www.example.org" in text(one)
    failed = tell_questions(case("failures", number=1))
    assert failed is not None
    assert "2 questions have no usable answer: nxdomain." in text(failed)
    assert tell_questions(case("https-tls13")) is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "an answer without records"),
        ({"answers": ["192.0.2.1"], "answer_types": ["A"], "answer_ttls_s": [60]}, "192.0.2.1 (valid for 60 seconds)"),
        (
            {"answers": ["b.example", "192.0.2.1"], "answer_types": ["CNAME", "A"], "answer_ttls_s": [300, 60]},
            "b.example (CNAME); then 192.0.2.1 (valid for 60 seconds)",
        ),
        ({"outcome": "nxdomain", "answers": ["b.example"], "answer_types": ["CNAME"], "answer_ttls_s": [1]},
         "b.example (CNAME) (valid for 1 second); the name does not exist (NXDOMAIN)"),
        ({"outcome": "failed", "rcode": "NOTAUTH"}, "the server answered with NOTAUTH"),
        ({"outcome": None}, "the outcome is unknown"),
    ],
)  # fmt: skip
def test_answers_in_words(row: dict[str, object], words: str) -> None:
    assert answer_text({**ROW, **row}) == words


def test_times_to_live() -> None:
    assert [ttl_text(seconds) for seconds in (1, 300, 86_400)] == ["1 second", "300 s", "24 h 0 min"]
