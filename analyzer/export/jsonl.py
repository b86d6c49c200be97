"""JSON lines: one object a line (RFC 8259), one file per table.

Absent fields are left out. Times are ISO 8601 in UTC with nanoseconds, durations numbers of milliseconds with at most six decimals,
lists arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analyzer.export.cells import Lines, kind_of
from analyzer.export.files import Layout, LineFiles, chosen_columns
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet, schema_of


class JsonLinesWriter:
    """Writes every table of the report to ``<folder>/<table>.jsonl``, flush by flush."""

    def __init__(self, folder: Path, layout: Layout = TABLES) -> None:
        self._layout = layout
        self._files = LineFiles(folder, list(layout), ".jsonl")
        self._lines: dict[str, Lines] = {}
        self.paths = self._files.paths
        for name, columns in layout.items():
            schema = schema_of(columns)
            self._lines[name] = Lines(schema.names, [kind_of(kind) for kind in schema.types])

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush."""
        for name in batches.keys() & self._layout.keys():
            self._files.write(name, self._lines[name].json(chosen_columns(batches[name], self._layout[name])))

    def close(self) -> None:
        """Close all files; may be called twice."""
        self._files.close()
