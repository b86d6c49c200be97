"""Pages for tests: sheets of a capture, as they are or with another text in every text column."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa

from analyzer.html.collecting import Collector
from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.report.built import TEXT, from_arrow
from analyzer.report.columns import Sheet

CAPTURES = Path(__file__).parents[2] / "captures"
KEPT = {"severity", "rule", "basis", "transport", "step", "outcome", "amount_unit", "group", "value", "name"}  # words of this program


@cache
def flushes(name: str) -> tuple[dict[str, Sheet], ...]:
    path = next(CAPTURES.glob(f"{name}.pcap*"))
    keys = CAPTURES / f"{name}.keylog.txt"
    options = Options(keylog=(keys,) if keys.exists() else ())
    return tuple(dict(tables) for tables in Pipeline(options).run([str(path)]))


def collected(*names: str) -> Collector:
    collector = Collector()
    for name in names:
        for tables in flushes(name):
            collector.add(tables)
    return collector


def poisoned(sheet: Sheet, payload: str) -> Sheet:
    """The sheet with the payload in every text that could come from the network (where there is one)."""
    columns = []
    for field, column in zip(sheet.schema, sheet.columns, strict=True):
        array = column.arrow()
        is_ours = field.name in KEPT or field.name.endswith("_basis")
        if is_ours or field.type not in (TEXT, pa.list_(TEXT)):
            columns.append(column)
        elif field.type == TEXT:
            columns.append(from_arrow(pa.array([None if value is None else payload for value in array.to_pylist()], TEXT)))
        else:
            lists = [None if value is None else [payload] * len(value) for value in array.to_pylist()]
            columns.append(from_arrow(pa.array(lists, pa.list_(TEXT))))
    return Sheet(sheet.schema, columns, sheet.num_rows)
