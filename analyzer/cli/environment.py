"""Every fact about the outside world in one object, so that tests can give another one."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Environment:
    """Where output goes and what the terminal can do."""

    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    width: int = 0
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        if self.width == 0:
            self.width = shutil.get_terminal_size((100, 24)).columns

    @property
    def shows_progress(self) -> bool:
        """Progress is for people: on a terminal only."""
        return self.stderr.isatty() and "NO_PROGRESS" not in self.variables

    @property
    def has_colour(self) -> bool:
        """Colour on a terminal, unless NO_COLOR is set (no-color.org)."""
        return self.stdout.isatty() and not self.variables.get("NO_COLOR")

    def say(self, line: str = "") -> None:
        """One line on standard output."""
        self.stdout.write(line + "\n")

    def warn(self, line: str) -> None:
        """One line on standard error."""
        self.stderr.write(line + "\n")
        self.stderr.flush()
