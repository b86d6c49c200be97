"""CSV: UTF-8, RFC 4180, a header row, one file per table.

Absent is an empty field; an empty text is ``""``. Times are ISO 8601 in UTC with nanoseconds, durations decimal milliseconds, lists
joined by ``;``. Text that a spreadsheet would run as a formula gets a ``'`` before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analyzer.export.cells import Lines, kind_of
from analyzer.export.files import Layout, LineFiles, chosen_columns
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet, schema_of


class CsvWriter:
    """Writes every table of the report to ``<folder>/<table>.csv``, flush by flush."""

    def __init__(self, folder: Path, layout: Layout = TABLES) -> None:
        self._layout = layout
        self._files = LineFiles(folder, list(layout), ".csv")
        self._lines: dict[str, Lines] = {}
        self.paths = self._files.paths
        for name, columns in layout.items():
            schema = schema_of(columns)
            self._lines[name] = Lines(schema.names, [kind_of(kind) for kind in schema.types])
            self._files.write(name, [(",".join(schema.names) + "\r\n").encode()])

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush."""
        for name in batches.keys() & self._layout.keys():
            self._files.write(name, self._lines[name].csv(chosen_columns(batches[name], self._layout[name])))

    def close(self) -> None:
        """Close all files; may be called twice."""
        self._files.close()
