"""SQLite: the whole report in one file, ``report.sqlite``, with keys between the tables and indexes, as datasette and others show it.

Times are ISO 8601 in UTC with nanoseconds, truths 0 or 1, lists JSON arrays. The table ``columns`` says what every column means. The
file bears its name when it is whole, which is at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from analyzer.errors import OutputError
from analyzer.export.files import Layout, chosen_columns, make_folder, telling
from analyzer.export.parts import part_of
from analyzer.report.build import TABLES
from analyzer.report.built import TIME, TRUTH, Built, ListColumn, NumberColumn
from analyzer.report.columns import Column, Sheet

FILE: Final = "report.sqlite"
DICTIONARY: Final = "columns"
_TYPES: Final = {"number": "INTEGER", "truth": "INTEGER", "milliseconds": "REAL"}  # all others: TEXT
_KEYS: Final = {
    "connections": ("connection",),
    "tcp": ("connection", "sender"),
    "tls": ("connection",),
    "certificates": ("sha256",),
    "http": ("connection", "index"),
    "dns": ("lookup",),
}
_REFERENCES: Final = {("connection_certificates", "sha256"): "certificates", ("connections", "dns_lookup"): "dns"}
_INDEXES: Final = {
    "connections": ("start_time", "host", "originator_ip", "responder_ip", "service"),
    "milestones": ("step",),
    "dns": ("name", "client_ip"),
    "tls": ("sni", "ja4"),
    "http": ("host", "status"),
    "certificates": ("subject",),
    "findings": ("rule", "severity"),
    "capture": ("group",),
}


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def create_table(name: str, columns: tuple[Column, ...], layout: Layout) -> str:
    """The statement that makes one table."""
    names = [column.name for column in columns]
    lines = [f"{quoted(column.name)} {_TYPES.get(column.kind, 'TEXT')}" for column in columns]
    key = [one for one in _KEYS.get(name, ()) if one in names]
    if key and len(key) == len(_KEYS[name]):
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    for column in names:
        other = _REFERENCES.get((name, column), "connections" if column == "connection" and name != "connections" else "")
        target = _KEYS[other][0] if other else ""
        if other in layout and target in [one.name for one in layout[other]]:
            lines.append(f"FOREIGN KEY ({quoted(column)}) REFERENCES {quoted(other)} ({quoted(target)})")
    return f"CREATE TABLE {quoted(name)} ({', '.join(lines)})"


def create_indexes(name: str, columns: tuple[Column, ...]) -> Iterator[str]:
    """The statements that make the indexes of one table."""
    for column in columns:
        is_link = (column.name == "connection" or (name, column.name) in _REFERENCES) and _KEYS.get(name, ("",))[0] != column.name
        if is_link or column.name in _INDEXES.get(name, ()):
            yield f"CREATE INDEX {quoted(f'{name}_{column.name}')} ON {quoted(name)} ({quoted(column.name)})"


def values_of(column: Built) -> list[Any]:
    """A column as SQLite takes it."""
    if isinstance(column, ListColumn):
        return [None if one is None else json.dumps(one, ensure_ascii=False) for one in column.to_pylist()]
    if not isinstance(column, NumberColumn):
        return column.to_pylist()
    if column.type == TIME:
        ns = np.ascontiguousarray(column.values, np.int64).view("datetime64[ns]")
        told = [f"{text}Z" for text in np.datetime_as_string(ns, unit="ns").tolist()]
    elif column.type == TRUTH:
        told = (column.values != 0).astype(np.int64).tolist()
    else:
        return column.to_pylist()
    there = column.is_there()
    return told if there.all() else [value if is_so else None for value, is_so in zip(told, there.tolist(), strict=True)]


class SqliteWriter:
    """Writes the tables of the report to ``<folder>/report.sqlite``, flush by flush."""

    def __init__(self, folder: Path, layout: Layout = TABLES) -> None:
        make_folder(folder)
        self._layout = layout
        self._path = folder / FILE
        self.paths = [self._path]
        with telling(self._path):
            part_of(self._path).unlink(missing_ok=True)
        with self._failing():
            self._database = sqlite3.connect(part_of(self._path), isolation_level=None, check_same_thread=False)
        self._is_open = True
        with self._failing():
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            for name, columns in layout.items():
                self._database.execute(create_table(name, columns, layout))
            self._describe()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Errors of SQLite become a sentence."""
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(f"{self._path}: cannot be written ({error}). Choose another folder with -o.") from error

    def _describe(self) -> None:
        """The data dictionary."""
        fields = ("table_name", "column_name", "kind", "unit", "meaning", "caveat")
        self._database.execute(
            f"CREATE TABLE {DICTIONARY} ({', '.join(f'{name} TEXT' for name in fields)}, PRIMARY KEY ({fields[0]}, {fields[1]}))"
        )
        rows = [(name, c.name, c.kind, c.unit, c.meaning, c.caveat) for name, columns in self._layout.items() for c in columns]
        self._database.executemany(f"INSERT INTO {DICTIONARY} VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - a name of ours

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush."""
        with self._failing():
            self._database.execute("BEGIN")
            for name in self._layout:
                if name in batches and batches[name].num_rows:
                    sheet = chosen_columns(batches[name], self._layout[name])
                    marks = ", ".join("?" * len(sheet.columns))
                    rows = zip(*map(values_of, sheet.columns), strict=True)
                    self._database.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)  # noqa: S608 - a name of ours
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Make the indexes and give the file its name; may be called twice."""
        if not self._is_open:
            return
        self._is_open = False
        with self._failing():
            for name, columns in self._layout.items():
                for statement in create_indexes(name, columns):
                    self._database.execute(statement)
            self._database.close()
        with telling(self._path):
            part_of(self._path).replace(self._path)
