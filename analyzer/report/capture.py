"""Table ``capture``: where the packets came from, what became of every one, and what makes numbers unreliable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.text import texts

COLUMNS = (
    Column("file", "text", "capture file or interface; empty: all together"),
    Column("group", "text", "what kind of fact: file, note, packets, outcome, unknown_link_type, bytes, quality, or a protocol"),
    Column("name", "text", "which fact"),
    Column("value", "text", "its value"),
    Column("unit", "text", "unit of the value"),
    Column("meaning", "text", "what it says"),
    Column("affects", "text", "columns that it makes unreliable"),
)


@dataclass(frozen=True)
class CaptureFact:
    """One row of the capture table."""

    group: str
    name: str
    value: str
    meaning: str
    unit: str = ""
    affects: str = ""
    file: str = ""


def build_capture(facts: Iterable[CaptureFact]) -> Sheet:
    """Facts as a report table; a rare thing, so a plain loop."""
    rows = list(facts)
    return make_sheet(COLUMNS, {column.name: texts([getattr(fact, column.name) for fact in rows]) for column in COLUMNS})
