"""CSV: UTF-8, RFC 4180, a header row, one file per table.

Absent is an empty field; an empty text is ``""``. Times are ISO 8601 in UTC with nanoseconds, durations decimal milliseconds, lists
joined by ``;``. Text that a spreadsheet would run as a formula gets a ``'`` before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from analyzer.errors import OutputError
from analyzer.export.cells import Lines, kind_of
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet, schema_of


class CsvWriter:
    """Writes every table of the report to ``<folder>/<table>.csv``, flush by flush."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, BinaryIO] = {}
        self._lines: dict[str, Lines] = {}
        self.paths: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, columns in TABLES.items():
                schema = schema_of(columns)
                path = folder / f"{name}.csv"
                self._files[name] = path.open("wb")
                self._files[name].write((",".join(schema.names) + "\r\n").encode())
                self._lines[name] = Lines(schema.names, [kind_of(kind) for kind in schema.types])
                self.paths.append(path)
        except OSError as error:
            self.close()
            raise OutputError(f"{folder}: the report cannot be written there ({error.strerror}). Choose another folder with -o.") from error

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush."""
        for name in batches.keys() & self._files.keys():
            try:
                for piece in self._lines[name].csv(batches[name]):
                    self._files[name].write(piece)
            except OSError as error:
                raise OutputError(f"{self._files[name].name}: cannot be written ({error.strerror}).") from error

    def close(self) -> None:
        """Close all files; may be called twice."""
        for file in self._files.values():
            file.close()
