"""Every fact about the outside world in one object, so that tests can give another one."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass, field
from typing import TextIO

from analyzer.cli.layout import printable

NARROWEST = 60  # columns: below that, lines wrap where they want
WIDEST = 160  # more is harder to read, not easier


class ReaderGoneError(Exception):
    """Whoever read our standard output has gone (``| head``); no BrokenPipeError, for which typer has an exit status of its own."""


@dataclass
class Environment:
    """Where output goes and what the terminal can do. ``width``: columns to fill."""

    stdout: TextIO = field(default_factory=lambda: sys.stdout or io.StringIO())  # None: closed before we began
    stderr: TextIO = field(default_factory=lambda: sys.stderr or io.StringIO())
    width: int = 0
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        columns = self.width or shutil.get_terminal_size((100, 24)).columns
        self.width = min(max(columns, NARROWEST), WIDEST)

    @property
    def shows_progress(self) -> bool:
        """Progress is for people: on a terminal only."""
        return self.stderr.isatty() and "NO_PROGRESS" not in self.variables

    @property
    def has_colour(self) -> bool:
        """Colour on a terminal, unless NO_COLOR is set (no-color.org)."""
        return self.stdout.isatty() and not self.variables.get("NO_COLOR") and self.variables.get("TERM") != "dumb"

    def say(self, text: str = "") -> None:
        """Lines on standard output; what its encoding does not have is escaped."""
        encoding = self.stdout.encoding or "utf-8"
        try:
            self.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def warn(self, line: str) -> None:
        """One line on standard error."""
        self.stderr.write(printable(line) + "\n")
        self.stderr.flush()
