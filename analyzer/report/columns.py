"""A column is declared once: name, kind, meaning, unit. The tables are built by it, and ``analyzer columns`` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from analyzer.report.text import TEXT, TIME

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


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema that the columns declare."""
    return pa.schema([(column.name, KINDS[column.kind]) for column in columns])


def make_batch(columns: Sequence[Column], arrays: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """A batch with exactly the declared columns in their order.

    Raises:
        ValueError: an array is missing, not declared, or of another type or length.
    """
    schema = schema_of(columns)
    differing = set(schema.names) ^ set(arrays)
    if differing:
        raise ValueError(f"columns declared and built differ: {', '.join(sorted(differing))}")
    for field in schema:
        if arrays[field.name].type != field.type:
            raise ValueError(f"column {field.name} is declared {field.type} and built {arrays[field.name].type}")
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)
