"""The progress bar: late, and gone afterwards."""

import io

import pytest

from analyzer.cli import progress
from analyzer.cli.environment import Environment


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def make_bar(monkeypatch: pytest.MonkeyPatch, delay: float) -> tuple[progress.Bar, Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "DELAY_S", delay)
    screen = Terminal()
    return progress.Bar(Environment(io.StringIO(), screen, variables={})), screen


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, screen = make_bar(monkeypatch, 3600.0)
    bar.update(10, 100)
    bar.close()
    assert screen.getvalue() == ""


def test_longer_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, screen = make_bar(monkeypatch, -1.0)
    bar.update(50_000_000, 100_000_000)
    bar.close()
    assert "reading" in screen.getvalue()
    assert "50.0/100.0 MB" in screen.getvalue()
