"""A line for each connection that has ended, as soon as it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from analyzer.cli.connection_table import PHASE_LABELS, name_of
from analyzer.cli.layout import clip, milliseconds, printable
from analyzer.export.cells import Lines, kind_of
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet, schema_of
from analyzer.report.summary import SHOWN_PHASES, Summary, dicts

COLUMNS: Final = (*Summary.COLUMNS, *(f"{name}_ms" for name in SHOWN_PHASES), "findings")
HOST: Final = 30  # columns of a name; on a narrow terminal ...
NARROW: Final = 110
NARROW_HOST: Final = 18


def host_columns(width: int | None) -> int:
    """Columns of a name; ``width``: of the terminal, None = no terminal."""
    return HOST if width is None or width >= NARROW else NARROW_HOST


def heading(width: int | None = None) -> str:
    """What stands above the lines."""
    return f"{'start':8}  {'#':>6}  {'connection':{host_columns(width)}}  {'service':8}  {'state':6}  {'ms':>9}  phases, findings"


def line_of(row: dict[str, Any], columns: int = HOST) -> str:
    """One connection in one line."""
    start = row["start_time"].strftime("%H:%M:%S") if row["start_time"] is not None else "."
    phases = " ".join(f"{PHASE_LABELS[name]} {milliseconds(row[f'{name}_ms'])}" for name in SHOWN_PHASES if row[f"{name}_ms"] is not None)
    remarks = "  ".join(part for part in (phases, " ".join(row["findings"] or ())) if part)
    host = clip(printable(name_of(row)), columns)
    service, state = row["service"] or row["transport"], row["state"] or "."
    total = milliseconds(row["duration_ms"])
    return f"{start}  {row['connection']:>6}  {host:{columns}}  {service:8}  {state:6}  {total:>9}  {remarks}".rstrip()


def finished_lines(tables: Mapping[str, Sheet], most: int | None = None, width: int | None = None) -> list[str]:
    """The connections of one flush, a line each; beyond ``most`` only their number."""
    sheet = tables["connections"]
    shown = sheet.num_rows if most is None else min(most, sheet.num_rows)
    batch: pa.RecordBatch = sheet.slice(0, shown).select(COLUMNS)
    lines = [line_of(row, host_columns(width)) for row in dicts(batch)]
    return lines if shown == sheet.num_rows else [*lines, f"... and {sheet.num_rows - shown:,} more"]


class ObjectLines:
    """Each connection as one JSON object, with all columns of the table."""

    def __init__(self) -> None:
        schema = schema_of(TABLES["connections"])
        self._lines = Lines(schema.names, [kind_of(kind) for kind in schema.types])

    def texts(self, tables: Mapping[str, Sheet]) -> Iterator[str]:
        """Whole lines, many in one text."""
        for piece in self._lines.json(tables["connections"]):
            yield bytes(piece).decode()
