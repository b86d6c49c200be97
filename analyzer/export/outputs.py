"""The tables of a capture that does not end: written as they come, to a folder of their own for each span of time where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from analyzer.export.writers import Writer, open_writers
from analyzer.report.columns import Sheet

SECOND = 1_000_000_000


class Outputs:
    """All formats of one report. ``rotate_s``: begin another folder after so many seconds of capture time, 0 = never.

    ``part`` is called when a folder is complete: it answers the last tables of that folder.
    """

    def __init__(self, formats: Sequence[str], folder: Path, rotate_s: float, part: Callable[[], Mapping[str, Sheet]]) -> None:
        self._formats, self._folder, self._part = formats, folder, part
        self._rotate_ns = int(rotate_s * SECOND)
        self._until_ns = 0
        self._writers: list[Writer] = []
        self.folders: list[Path] = []
        if not self._rotate_ns:
            self._open(folder)

    @property
    def paths(self) -> list[Path]:
        """The files that are being written."""
        return [path for writer in self._writers for path in writer.paths]

    def _open(self, folder: Path) -> None:
        self.folders.append(folder)
        self._writers = open_writers(self._formats, folder)

    def advance(self, now_ns: int) -> None:
        """Begin the next folder when it is time: spans are whole multiples of their length since midnight UTC."""
        if not self._rotate_ns or now_ns < self._until_ns:
            return
        if self._writers:
            self.write(self._part())
            self.close()
        begin = now_ns - now_ns % self._rotate_ns
        self._until_ns = begin + self._rotate_ns
        self._open(self._folder / f"{datetime.fromtimestamp(begin // SECOND, UTC):%Y-%m-%dT%H-%M-%SZ}")

    def write(self, tables: Mapping[str, Sheet]) -> None:
        """Append tables in all formats."""
        for writer in self._writers:
            writer.write(tables)

    def close(self) -> None:
        """Finish all files; may be called twice."""
        for writer in self._writers:
            writer.close()
        self._writers = []
