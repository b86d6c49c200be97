"""The table of a live capture, drawn on a terminal of our own."""

from __future__ import annotations

import os
import pty
import re
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from analyzer.cli import live_screen
from analyzer.cli.environment import Environment, ReaderGoneError
from analyzer.cli.live_lines import heading
from analyzer.cli.live_screen import LineScreen, Silence, TerminalScreen, flight_line, open_screen
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline, Tables
from analyzer.report.flight import Flight

CAPTURE = Path(__file__).parents[2] / "captures" / "https-tls13.pcapng"


@contextmanager
def terminal() -> Iterator[tuple[Environment, int]]:
    """An environment on a terminal, and where what is drawn there can be read."""
    outside, inside = pty.openpty()
    termios.tcsetwinsize(inside, (30, 100))
    with os.fdopen(inside, "w") as stream:
        yield Environment(stdout=stream, stderr=stream, variables={"TERM": "xterm"}), outside
    os.close(outside)


def drawn(outside: int) -> str:
    return os.read(outside, 1 << 16).decode()


def run_of(environment: Environment, pipeline: Pipeline, **request: Any) -> Any:
    analysis = SimpleNamespace(**{"json": False, "quiet": False, **request})
    session = SimpleNamespace(name="eth0", engine=SimpleNamespace(dropped=request.get("dropped")), feed=SimpleNamespace(recorder=None))
    return SimpleNamespace(
        environment=environment,
        pipeline=pipeline,
        session=session,
        request=SimpleNamespace(analysis=analysis),
        summary=SimpleNamespace(connections=1),
    )


def in_the_middle(packets: int) -> Pipeline:
    """A pipeline that has seen so many packets of a recording."""
    pipeline = Pipeline(Options(limits=Limits(arena_bytes=4 << 20, packets_per_batch=packets)))
    found: list[Any] = []

    def look(*_: int | None) -> None:
        pipeline.now_ns = pipeline.quality.last_ts
        found.append(pipeline.in_flight(20))

    for _ in pipeline.run([str(CAPTURE)], look):
        pass
    pipeline.now_ns = 1 << 62  # whatever the clock of this machine says: a long time has passed
    pipeline.in_flight = lambda _most: found[0]  # type: ignore[method-assign]
    return pipeline


def flush() -> Tables:
    (tables,) = Pipeline(Options(limits=Limits(arena_bytes=4 << 20))).run([str(CAPTURE)])
    return tables


def test_a_table_in_place_and_a_log_above() -> None:
    with terminal() as (environment, outside):
        screen = TerminalScreen(run_of(environment, in_the_middle(12)))
        first = drawn(outside)
        assert heading(99)[:20] in first
        assert "dropped by the kernel told at the end" in first
        assert "\x1b[33m" in first  # it has waited for long, by today's clock
        assert "TLS handshake, server's flight" in first
        screen.update({})  # too early to draw anew
        screen.update(flush())
        second = drawn(outside)
        up = re.search(r"\x1b\[(\d+)A\r\x1b\[J", second)
        assert up is not None
        table = first[first.index(heading(99)[:20]) :].count("\r\n") - 1
        assert int(up[1]) == table
        assert second.index("www.example.org") < second.index("in flight")
        screen.close()
        assert drawn(outside).endswith("\x1b[J\x1b[?25h")


def test_warnings_go_above_the_table_and_q_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_screen, "asks_for_end", lambda: True)
    with terminal() as (environment, outside):
        before = environment.stderr
        with open_screen(run_of(environment, in_the_middle(12), dropped=7)) as screen:
            assert "dropped by the kernel 7" in drawn(outside)
            environment.warn("analyzer: something happened")
            assert "something happened" in drawn(outside)
            assert environment.stderr.isatty()
            screen.update({})
            assert screen.wants_end
        assert environment.stderr is before


def test_a_line_of_what_is_in_flight() -> None:
    flight = Flight(17, "www.example.org", "tls", "waiting for ServerHello", 1_000_000_000, "1 SYN retry", is_waiting=True)
    assert flight_line(flight, 2_800_000_000, 120).split("  ")[-1].strip() == "1.8 s"
    assert "waiting for ServerHello, 1 SYN re…" in flight_line(flight, 0, 120)
    assert "15 min 0.0 s" in flight_line(flight, 901_000_000_000, 60)
    assert "\x1b" not in flight_line(Flight(1, "\x1b[2J", "", "idle", 0, "", is_waiting=False), 0, 120)


class Gone:
    """A pipe that nobody reads."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        raise BrokenPipeError

    def isatty(self) -> bool:
        return False


def test_lines_for_a_pipe(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as stream:
        environment = Environment(stdout=stream)
        with open_screen(run_of(environment, Pipeline(Options()))) as screen:
            assert isinstance(screen, LineScreen)
            screen.update({})
            screen.update(flush())
        assert (tmp_path / "out").read_text().splitlines()[0] == heading()
        assert len((tmp_path / "out").read_text().splitlines()) == 3
    with pytest.raises(ReaderGoneError):
        LineScreen(Environment(stdout=cast("Any", Gone())), is_json=True).update(flush())
    with open_screen(run_of(environment, Pipeline(Options()), quiet=True)) as screen:
        assert isinstance(screen, Silence)
        screen.update({})
