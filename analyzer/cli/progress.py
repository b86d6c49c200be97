"""A progress bar that appears only when the work takes longer than a second."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from analyzer.cli.environment import Environment

DELAY_S = 1.0


class Bar:
    """Wraps rich.progress; ``update`` is called once per batch with bytes done and bytes in all (None = unknown)."""

    def __init__(self, environment: Environment) -> None:
        console = Console(file=environment.stderr)
        columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("reading", total=None)
        self._began = time.monotonic()
        self._shown = False

    def update(self, done: int, total: int | None) -> None:
        """Show how far we are."""
        if not self._shown and time.monotonic() - self._began > DELAY_S:
            self._progress.start()
            self._shown = True
        if self._shown:
            self._progress.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Remove the bar."""
        if self._shown:
            self._progress.stop()
