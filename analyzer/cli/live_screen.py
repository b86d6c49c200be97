"""What is seen of a live capture: on a terminal a table that is drawn anew in place, with the log above it; else lines."""

from __future__ import annotations

import io
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from analyzer.cli.environment import Environment, ReaderGoneError
from analyzer.cli.layout import clip, printable, span
from analyzer.cli.live_lines import ObjectLines, finished_lines, heading

if TYPE_CHECKING:
    from analyzer.cli.live import Run
    from analyzer.report.columns import Sheet
    from analyzer.report.flight import Flight

REDRAW_S = 0.5
MOST_LINES = 100  # finished connections that are shown of one flush: nobody reads more
MOST_FLIGHTS = 16
LONG_NS = 1_000_000_000  # a wait as long as this stands out
YELLOW, BOLD, PLAIN = "\x1b[33m", "\x1b[1m", "\x1b[0m"
CLEAR_BELOW, HIDE_CURSOR, SHOW_CURSOR = "\x1b[J", "\x1b[?25l", "\x1b[?25h"


class Screen(Protocol):
    """Where a live capture is shown. ``wants_end``: the user asks for the end."""

    wants_end: bool

    def update(self, tables: Mapping[str, Sheet]) -> None:
        """Show what has ended (empty: nothing) and what is in flight now."""


class Silence:
    """Nothing is shown."""

    wants_end = False

    def update(self, tables: Mapping[str, Sheet]) -> None:
        """Nothing is shown."""


class LineScreen:
    """Lines to a pipe or file, at once; text or JSON objects."""

    def __init__(self, environment: Environment, *, is_json: bool) -> None:
        self.wants_end = False
        self._environment = environment
        self._objects = ObjectLines() if is_json else None
        if not is_json:
            environment.say(heading())

    def update(self, tables: Mapping[str, Sheet]) -> None:
        """A line for each connection that has ended."""
        if not tables:
            return
        if self._objects is not None:
            for text in self._objects.texts(tables):
                self._environment.say(text.rstrip("\n"))
        else:
            for line in finished_lines(tables):
                self._environment.say(line)
        try:
            self._environment.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderGoneError from error


class Warnings(io.TextIOBase):
    """Standard error while the table stands on the same terminal: what is written there goes above the table."""

    def __init__(self, screen: TerminalScreen) -> None:
        self._screen = screen

    def write(self, text: str) -> int:
        """Lines for the log."""
        self._screen.draw(text.splitlines())
        return len(text)

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


class TerminalScreen:
    """A table of what is in flight, drawn in place; what has ended goes into the log above it."""

    def __init__(self, run: Run) -> None:
        self.wants_end = False
        self._run = run
        self._environment = run.environment
        self._drawn = 0  # lines of the table that stand on the terminal
        self._last = 0.0
        self._began = time.monotonic()
        self._before = (self._began, 0, 0)
        self._rates = (0.0, 0.0)
        self.draw([heading(self._columns())])

    def update(self, tables: Mapping[str, Sheet]) -> None:
        """Log what has ended, and draw the table anew when it is time."""
        self.wants_end = self.wants_end or asks_for_end()
        if tables or time.monotonic() - self._last >= REDRAW_S:
            self.draw(finished_lines(tables, MOST_LINES, self._columns()) if tables else [])

    def draw(self, log: Sequence[str]) -> None:
        """Lines for the log, then the table."""
        lines = os.get_terminal_size(self._environment.stdout.fileno()).lines
        width = self._columns()
        table = self._table(width, min(MOST_FLIGHTS, max(1, lines - 6)))
        up = f"\x1b[{self._drawn}A\r" if self._drawn else "\r"
        text = up + CLEAR_BELOW + "".join(f"{line}\n" for line in [*(clip(line, width) for line in log), *table])
        self._drawn = len(table)
        self._last = time.monotonic()
        self._environment.stdout.write(HIDE_CURSOR + text)
        self._environment.stdout.flush()

    def _columns(self) -> int:
        """Columns that a line may fill: the last one stays free, where some terminals wrap."""
        return max(os.get_terminal_size(self._environment.stdout.fileno()).columns - 1, 20)

    def close(self) -> None:
        """Leave the log, take the table away."""
        up = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        self._drawn = 0
        self._environment.stdout.write(up + CLEAR_BELOW + SHOW_CURSOR)
        self._environment.stdout.flush()

    def _table(self, width: int, most: int) -> list[str]:
        """Rates and drops, then what is in flight."""
        pipeline = self._run.pipeline
        flights, shown = pipeline.in_flight(most)
        now_ns = max(pipeline.now_ns, time.time_ns())
        rows = [clip(flight_line(flight, now_ns, width), width) for flight in shown]
        if self._environment.has_colour:
            rows = [
                f"{YELLOW}{row}{PLAIN}" if flight.is_waiting and now_ns - flight.since_ns >= LONG_NS else row
                for row, flight in zip(rows, shown, strict=True)
            ]
        more = flights.total - len(shown)
        rows += [f"        ... and {more:,} more"] if more else []
        return ["", *self._status(width, flights.total, flights.waiting), clip(flight_heading(width), width), *rows]

    def _status(self, width: int, in_flight: int, waiting: int) -> list[str]:
        """How long, how much, how fast, what is lost."""
        pipeline, session = self._run.pipeline, self._run.session
        now = time.monotonic()
        packets, size = pipeline.quality.packets, pipeline.quality.bytes_captured
        then, packets_then, size_then = self._before
        if now - then >= 1:
            self._rates = (packets - packets_then) / (now - then), (size - size_then) / (now - then)
            self._before = now, packets, size
        elapsed = int(now - self._began)
        dropped = session.engine.dropped
        kernel = "told at the end" if dropped is None else f"{dropped:,}"
        recorder = session.feed.recorder
        kept = f"  kept {recorder.bytes_written / 1e6:,.1f} MB" if recorder is not None else ""
        first = (
            f"{session.name}  {elapsed // 3600:02}:{elapsed // 60 % 60:02}:{elapsed % 60:02}  {packets:,} packets"
            f"  {self._rates[0]:,.0f}/s  {self._rates[1] * 8 / 1e6:,.1f} Mbit/s  {in_flight:,} in flight ({waiting:,} waiting)"
            f"  {self._run.summary.connections:,} ended"
        )
        second = f"dropped by the kernel {kernel}  only counted {pipeline.undissected:,}  ended for memory {pipeline.evicted:,}{kept}"
        bold = (BOLD, PLAIN) if self._environment.has_colour else ("", "")
        return [f"{bold[0]}{clip(first, width)}{bold[1]}", clip(second, width)]


def flight_columns(width: int) -> tuple[int, int]:
    """Columns of the name and of the phase on a terminal so wide."""
    room = width - 33  # number, service, time and the gaps have the rest
    name = max(16, min(30, room * 3 // 8))
    return name, max(20, min(34, room - name))


def flight_heading(width: int) -> str:
    """What stands above what is in flight."""
    name, phase = flight_columns(width)
    return f"{'#':>6}  {'in flight':{name}}  {'service':7}  {'phase':{phase}}  {'for':>12}"


def flight_line(flight: Flight, now_ns: int, width: int) -> str:
    """One connection in flight."""
    lasts = span(max(now_ns - flight.since_ns, 0))
    phase = f"{flight.phase}, {flight.remark}" if flight.remark else flight.phase
    host_columns, phase_columns = flight_columns(width)
    host = clip(printable(flight.host), host_columns)
    return (
        f"{flight.number:>6}  {host:{host_columns}}  {clip(flight.service, 7):7}  {clip(phase, phase_columns):{phase_columns}}  {lasts:>12}"
    )


def asks_for_end() -> bool:
    """Whether q was pressed."""
    if not sys.stdin or not sys.stdin.isatty():
        return False
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and b"q" in os.read(sys.stdin.fileno(), 64)


@contextmanager
def single_keys() -> Iterator[None]:
    """Keys are read as they are pressed, and not shown."""
    if not sys.stdin or not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def open_screen(run: Run) -> Iterator[Screen]:
    """What suits the output: a table on a terminal, lines elsewhere, nothing when that is asked for."""
    environment, analysis = run.environment, run.request.analysis
    if analysis.json:
        yield LineScreen(environment, is_json=True)
    elif analysis.quiet:
        yield Silence()
    elif not environment.stdout.isatty() or environment.variables.get("TERM") == "dumb":
        yield LineScreen(environment, is_json=False)
    else:
        screen, stderr = TerminalScreen(run), environment.stderr
        try:
            with single_keys():
                if stderr.isatty():
                    environment.stderr = cast("TextIO", Warnings(screen))
                yield screen
        finally:
            environment.stderr = stderr
            screen.close()
