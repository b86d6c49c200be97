"""What the terminal can do, and output that always gets through."""

import io

import pytest

from analyzer.cli.environment import NARROWEST, WIDEST, Environment


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_output_to_a_pipe_is_plain() -> None:
    environment = Environment(io.StringIO(), io.StringIO(), variables={})
    assert not environment.has_colour
    assert not environment.shows_progress


@pytest.mark.parametrize(
    ("variables", "expected"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(variables: dict[str, str], *, expected: bool) -> None:
    assert Environment(Terminal(), Terminal(), variables=variables).has_colour is expected


def test_progress_is_for_terminals() -> None:
    assert Environment(io.StringIO(), Terminal(), variables={}).shows_progress
    assert not Environment(io.StringIO(), Terminal(), variables={"NO_PROGRESS": "1"}).shows_progress


def test_width_is_that_of_the_terminal_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    for told, width in (("20", NARROWEST), ("80", 80), ("500", WIDEST)):
        monkeypatch.setenv("COLUMNS", told)
        assert Environment(io.StringIO(), io.StringIO()).width == width


def test_what_the_encoding_lacks_is_escaped() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Environment(out, io.StringIO(), variables={}).say("host…\udcff")
    out.flush()
    assert raw.getvalue() == b"host\\u2026\\udcff\n"


def test_warnings_cannot_move_the_cursor() -> None:
    err = io.StringIO()
    Environment(io.StringIO(), err, variables={}).warn("bad\x1b[2J name")
    assert err.getvalue() == "bad\\x1b[2J name\n"


def test_closed_output_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    environment = Environment(variables={})
    environment.say("nobody hears this")
    environment.warn("nor this")
