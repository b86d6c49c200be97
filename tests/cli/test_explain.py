"""The command: a story on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import run

CAPTURES = Path(__file__).parents[2] / "captures"
HTTPS = str(CAPTURES / "https-tls13.pcapng")


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
