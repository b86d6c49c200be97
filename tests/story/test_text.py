"""A story as lines: fitted, safe, its bars in their place."""

from __future__ import annotations

from analyzer.story.chapters import Bar, Chapter, Step, Story
from analyzer.story.text import story_lines, waterfall_lines
from tests.story.stories import story

EVIL = "\x1b[2Jevil\u202e\r\n"


def test_text_from_the_network_cannot_move_the_cursor() -> None:
    finding = {"severity": "error", "rule": "x.y", "subject": EVIL, "meaning": EVIL, "detail": None, "amount": 0, "amount_unit": None}
    told = Story(
        number=1,
        ends=EVIL,
        subject=EVIL,
        outcome=EVIL,
        gist=EVIL,
        bars=(Bar("data", EVIL, 0.0, 5.0),),
        chapters=(Chapter("data", "Data", EVIL, (1,), (EVIL,), (Step(1.0, EVIL, EVIL, (1,)),), (("fact", EVIL),)),),
        findings=({**finding, "frame": 3, "frames": [2, 3], "explanation": "because", "advice": "do it"},),
        display_filter=EVIL,
    )
    for line in story_lines(told, 80, teach=True):
        assert not {"\x1b", "\r", "\n", "\u202e"} & set(line)
        assert len(line) < 200


def test_bars_are_drawn_in_their_place() -> None:
    bars = [
        Bar("dns", "DNS lookup", -50.0, 50.0),
        Bar("tcp_to_tls", "before TLS", 0.0, 10.0, is_gap=True),
        Bar("tls_handshake", "TLS", 10.0, 140.0, "inferred"),
    ]
    drawn = list(waterfall_lines(bars, 80))
    assert drawn[0].index("#") < drawn[1].index("..") < drawn[2].index("=")
    assert drawn[2].endswith("<- most of the time")
    assert "= inferred" in drawn[3]
    assert list(waterfall_lines([], 80)) == []


def test_teaching_and_colour() -> None:
    told = story("lossy-path")
    plain, taught = "\n".join(story_lines(told)), "\n".join(story_lines(told, teach=True, colour=True))
    assert "RFC" not in plain
    assert "\x1b" not in plain
    assert "RFC 9293" in taught
    assert "\x1b[31merror\x1b[0m" in taught
    assert "Why it matters:" in plain
