"""A column is declared once: name, kind, meaning, unit. The tables are built by it, and ``analyzer columns`` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyarrow as pa

from analyzer.report.built import TEXT, TIME, Built, from_arrow
from analyzer.tables import Ints

KINDS: Final[dict[str, pa.DataType]] = {
    "number": pa.int64(),
    "milliseconds": pa.float64(),
    "time": TIME,
    "text": TEXT,
    "truth": pa.bool_(),
    "texts": pa.list_(TEXT),
    "numbers": pa.list_(pa.int64()),
}
"""Kind of a column -> its Arrow type. Every kind may be null: null means absent."""


@dataclass(frozen=True)
class Column:
    """One column of a report table.

    Attributes:
        name: as in CSV headers and DataFrames; a unit ends the name (``_ms``, ``_bytes``).
        kind: a key of KINDS.
        meaning: what it says, in a sentence without full stop.
        unit: of the numbers, empty when they count or name something.
        caveat: when not to trust it.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    caveat: str = ""


@cache
def schema_of(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema that the columns declare."""
    return pa.schema([(column.name, KINDS[column.kind]) for column in columns])


class Sheet:
    """One table of one flush: declared columns as they were built, and as Arrow for whoever asks."""

    def __init__(self, schema: pa.Schema, columns: Sequence[Built], rows: int) -> None:
        self.schema = schema
        self.columns = list(columns)
        self.num_rows = rows

    @classmethod
    def of(cls, table: Sheet | pa.RecordBatch) -> Sheet:
        """A sheet of a batch; a sheet is one already."""
        return table if isinstance(table, Sheet) else cls(table.schema, [from_arrow(array) for array in table.columns], table.num_rows)

    def built(self, name: str) -> Built:
        """One column as it was built."""
        place: int = self.schema.get_field_index(name)
        return self.columns[place]

    def column(self, name: str) -> pa.Array:
        """One column as Arrow has it."""
        return self.built(name).arrow()

    __getitem__ = column

    def slice(self, at: int, rows: int) -> Sheet:
        """Some rows."""
        return Sheet(self.schema, [column.slice(at, rows) for column in self.columns], max(0, min(rows, self.num_rows - at)))

    def take(self, places: Ints) -> Sheet:
        """Rows by their places (int64); -1 = a row of nulls."""
        return Sheet(self.schema, [column.take(places) for column in self.columns], len(places))

    def select(self, names: Sequence[str]) -> pa.RecordBatch:
        """Some columns as an Arrow batch."""
        return pa.RecordBatch.from_arrays([self.column(name) for name in names], list(names))

    def arrow(self) -> pa.RecordBatch:
        """The whole table as an Arrow batch."""
        return pa.RecordBatch.from_arrays([column.arrow() for column in self.columns], schema=self.schema)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Rows as dicts."""
        rows: list[dict[str, Any]] = self.arrow().to_pylist()
        return rows


@cache
def empty_sheet(columns: tuple[Column, ...]) -> Sheet:
    """A sheet of no rows: what most flushes have of most protocols."""
    schema = schema_of(columns)
    return Sheet(schema, [from_arrow(pa.nulls(0, field.type)) for field in schema], 0)


def make_sheet(columns: Sequence[Column], built: Mapping[str, Built | pa.Array]) -> Sheet:
    """A sheet with exactly the declared columns in their order.

    Raises:
        ValueError: a column is missing, not declared, or of another type or length.
    """
    schema = schema_of(tuple(columns))
    differing = set(schema.names) ^ set(built)
    if differing:
        raise ValueError(f"columns declared and built differ: {', '.join(sorted(differing))}")
    for field in schema:
        if built[field.name].type != field.type:
            raise ValueError(f"column {field.name} is declared {field.type} and built {built[field.name].type}")
    found = [built[name] for name in schema.names]
    rows = len(found[0])
    if any(len(column) != rows for column in found):
        raise ValueError("columns differ in length")
    return Sheet(schema, [from_arrow(column) if isinstance(column, pa.Array) else column for column in found], rows)
