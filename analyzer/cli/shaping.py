"""What of a report is wanted, and how much of it may be seen: --where, --display-filter, --columns, --redact."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analyzer.errors import UsageError
from analyzer.options import Options

if TYPE_CHECKING:
    from analyzer.export.files import Layout
    from analyzer.report.columns import Sheet
    from analyzer.report.redaction import Redactor
    from analyzer.tables import Ints

    Step = Callable[[Mapping[str, Sheet]], dict[str, Sheet]]


@dataclass(frozen=True)
class Shape:
    """The options as typed."""

    where: str = ""
    display_filter: str = ""
    columns: str = ""
    redact: bool = False
    redact_key: str = ""

    def layout(self) -> Layout:
        """The tables with the columns that are written. Raises UsageError."""
        from analyzer.report.build import TABLES

        return choose_columns(self.columns) if self.columns else TABLES

    def redactor(self) -> Redactor | None:
        """What masks the report. Raises UsageError."""
        if not (self.redact or self.redact_key):
            return None
        from analyzer.report.redaction import Redactor

        return Redactor(read_key(self.redact_key) if self.redact_key else b"")

    def steps(self, captures: Sequence[str], options: Options, redactor: Redactor | None) -> list[Step]:
        """What is done to the tables of each flush before they are shown and written, in this order. Raises UsageError."""
        steps: list[Step] = []
        if self.where:
            from analyzer.report.choosing import Choice
            from analyzer.report.where import Where

            steps.append(Choice(Where(self.where)).apply)
        if self.display_filter:
            steps.append(filter_step(self.display_filter, captures, options))
        if redactor is not None:
            steps.append(redactor.apply)
        return steps


def choose_columns(words: str) -> Layout:
    """The layout of a list as ``connection,host,dns.name``: a bare name is a column of connections; tables without one stay whole.

    Raises:
        UsageError: there is no such column.
    """
    from analyzer.report.build import TABLES

    chosen: dict[str, list[str]] = {}
    for word in dict.fromkeys(one.strip() for one in words.split(",") if one.strip()):
        table, dot, name = word.rpartition(".")
        table = table if dot else "connections"
        if table not in TABLES:
            raise UsageError(f"--columns: no table is called {table}. Tables: {', '.join(TABLES)}.")
        names = [column.name for column in TABLES[table]]
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UsageError(f"--columns: {table} has no column {name}.{hint} All: analyzer columns {table}")
        chosen.setdefault(table, []).append(name)
    if not chosen:
        raise UsageError("--columns is a list of columns as connection,host,dns.name.")
    layout = dict(TABLES)
    for table, some in chosen.items():
        by_name = {column.name: column for column in TABLES[table]}
        layout[table] = tuple(by_name[name] for name in some)
    return layout


def read_key(path: str) -> bytes:
    """The key of a file. Raises UsageError."""
    try:
        key = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"--redact-key: {path} cannot be read ({error.strerror}).") from error
    if len(key) < 16:
        raise UsageError(f"--redact-key: {path} holds fewer than 16 bytes. Make a key: head -c 32 /dev/urandom > {path}")
    return key


def filter_step(display_filter: str, captures: Sequence[str], options: Options) -> Step:
    """Keep the connections that a frame belongs to which Wireshark's filter matches; the captures are read once more for that."""
    from analyzer.report.choosing import Choice, numbers_of
    from analyzer.selection import find_owners
    from analyzer.tshark import key_preferences, read_fields

    if "-" in captures or any("://" in capture for capture in captures):
        raise UsageError("--display-filter reads a capture twice: save it to a file first.")

    def frames_of(path: str) -> Ints:
        rows = read_fields(path, ["frame.number"], display_filter, key_preferences(options.keylog))
        return np.fromiter((int(row[0]) for row in rows), np.int64)

    owners = find_owners(captures, frames_of, options)
    return Choice(lambda sheet: np.isin(numbers_of(sheet, "connection"), owners)).apply
