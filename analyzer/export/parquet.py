"""Parquet: one file per table, with the meaning and unit of every column in its schema.

Times are timestamps in UTC with nanoseconds, lists are lists. Rows are gathered to row groups of some ten thousands, so that a reader
finds few large pieces however many flushes there were; larger ones do not fit the cache and take longer. Least and largest values are
noted of all columns but texts, where they would cost more than they save. A file bears its name when it is whole, which is at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from analyzer.export.files import Layout, chosen_columns, make_folder, telling
from analyzer.export.parts import part_of
from analyzer.report.build import TABLES
from analyzer.report.columns import Column, Sheet, schema_of

GROUP_ROWS: Final = 1 << 15  # rows of a row group
GROUP_BYTES: Final = 64 << 20  # or so many bytes in memory, whatever comes first


def describe(columns: tuple[Column, ...]) -> pa.Schema:
    """The schema of a table, each field with what its column says."""
    fields = []
    for column, field in zip(columns, schema_of(columns), strict=True):
        told = {"meaning": column.meaning, "unit": column.unit, "caveat": column.caveat}
        fields.append(field.with_metadata({name: text for name, text in told.items() if text}))
    return pa.schema(fields)


class _Table:
    """One file: batches wait until they fill a row group."""

    def __init__(self, path: Path, columns: tuple[Column, ...]) -> None:
        self.path = path
        self.columns = columns
        self._schema = describe(columns)
        texts = {field.name for field in self._schema if pa.types.is_large_string(field.type)}
        others = [name for name in self._schema.names if name not in texts]
        with telling(path):
            self._file = parquet.ParquetWriter(
                part_of(path), self._schema, compression="snappy", use_dictionary=sorted(texts), write_statistics=others
            )
        self._waiting: list[pa.RecordBatch] = []
        self._is_open = True

    def write(self, sheet: Sheet) -> None:
        """Append rows."""
        batch = chosen_columns(sheet, self.columns).arrow()
        if batch.num_rows == 0:
            return
        self._waiting.append(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        if sum(one.num_rows for one in self._waiting) >= GROUP_ROWS or sum(one.nbytes for one in self._waiting) >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Write what waits as one row group."""
        table = pa.Table.from_batches(self._waiting, self._schema)
        self._waiting = []
        if table.num_rows:
            with telling(self.path):
                self._file.write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        """Write the rest and give the file its name."""
        if not self._is_open:
            return
        self._is_open = False
        self._flush()
        with telling(self.path):
            self._file.close()
            part_of(self.path).replace(self.path)


class ParquetWriter:
    """Writes every table of the report to ``<folder>/<table>.parquet``."""

    def __init__(self, folder: Path, layout: Layout = TABLES) -> None:
        make_folder(folder)
        self._tables = {name: _Table(folder / f"{name}.parquet", columns) for name, columns in layout.items()}
        self.paths = [table.path for table in self._tables.values()]

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush."""
        for name in batches.keys() & self._tables.keys():
            self._tables[name].write(batches[name])

    def close(self) -> None:
        """Finish all files; may be called twice."""
        for table in self._tables.values():
            table.close()
