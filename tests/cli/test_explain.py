"""The command: a story on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import run
from analyzer.cli.environment import Environment
from analyzer.cli.explain import story_lines, waterfall
from analyzer.story.chapters import Bar, Chapter, Step, Story

CAPTURES = Path(__file__).parents[2] / "captures"
HTTPS = str(CAPTURES / "https-tls13.pcapng")
EVIL = "\x1b[2Jevil\u202e\r\n"


@pytest.mark.parametrize("width", ["60", "80", "160"])
def test_a_story_fits_the_terminal(width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert run(["explain", HTTPS, "2"]) == 0
    printed = capsys.readouterr().out
    assert "1 DNS lookup" in printed
    assert "analyzer slice" in printed
    assert "RFC" not in printed
    filters = ("(frame.number", "  analyzer", str(CAPTURES))
    assert all(len(line) <= int(width) or any(word in line for word in filters) for line in printed.splitlines())


def test_teaching_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", HTTPS, "www.example.org", "--teach", "--keylog", str(CAPTURES / "https-tls13.keylog.txt")]) == 0
    printed = capsys.readouterr().out
    assert "GET https://www.example.org/report" in printed
    assert "RFC 8446" in printed


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["77"], 2, "there is no connection 77"),
        (["2", "--checksums", "maybe"], 2, "--checksums is ignore or verify"),
        (["2", "--keylog", "nowhere.txt"], 2, "there is no file nowhere.txt"),
    ],
)
def test_refusals(words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", HTTPS, *words]) == status
    assert sentence in capsys.readouterr().err


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
    for line in story_lines(told, Environment(width=80), capture=EVIL, teach=True):
        assert not {"\x1b", "\r", "\n", "\u202e"} & set(line)
        assert len(line) < 200


def test_bars_are_drawn_in_their_place() -> None:
    bars = [
        Bar("dns", "DNS lookup", -50.0, 50.0),
        Bar("tcp_to_tls", "before TLS", 0.0, 10.0, is_gap=True),
        Bar("tls_handshake", "TLS", 10.0, 140.0, "inferred"),
    ]
    drawn = list(waterfall(bars, 80))
    assert drawn[0].index("#") < drawn[1].index("..") < drawn[2].index("=")
    assert drawn[2].endswith("<- most of the time")
    assert "= inferred" in drawn[3]
    assert list(waterfall([], 80)) == []
