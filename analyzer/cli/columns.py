"""``analyzer columns``: the data dictionary."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analyzer.cli.environment import Environment
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.report.columns import Column

MEANING = 40  # columns: where less than that is left beside the name, meanings stand below the names


def describe(column: Column, name_width: int, width: int) -> list[str]:
    """The lines of one column: name, kind and unit, what it means and when not to trust it."""
    kind = column.kind if column.unit in ("", "ms") else f"{column.kind}, {column.unit}"
    meaning = column.meaning + (f" ({column.caveat})" if column.caveat else "")
    head = f"  {column.name:{name_width}}  {kind:14}  "
    if width - len(head) >= MEANING:
        return textwrap.wrap(meaning, width, initial_indent=head, subsequent_indent=" " * len(head))
    indent = " " * 6
    return [f"  {column.name}  ({kind})", *textwrap.wrap(meaning, width, initial_indent=indent, subsequent_indent=indent)]


def as_markdown(tables: Mapping[str, Sequence[Column]]) -> list[str]:
    """The data dictionary as a Markdown document: a table for each table of the report."""
    lines = ["# Data dictionary", "", "Every column of every table of the report. This page is made by `analyzer columns --markdown`.", ""]
    lines += [f"- [{name}](#{name}): {len(columns)} columns" for name, columns in tables.items()]
    for name, columns in tables.items():
        lines += ["", f"## {name}", "", "| column | kind | meaning |", "| --- | --- | --- |"]
        for column in columns:
            kind = column.kind if column.unit in ("", "ms") else f"{column.kind}, {column.unit}"
            meaning = column.meaning + (f" ({column.caveat})" if column.caveat else "")
            lines.append(f"| `{column.name}` | {kind} | {meaning.replace('``', '`').replace('|', '/')} |")
    return lines


def run_columns(table: str, environment: Environment, *, markdown: bool = False) -> int:
    """Print the columns of one table or of all."""
    from analyzer.report.build import dictionary

    tables = dictionary()
    if table and table not in tables:
        raise UsageError(f"no table is called {table}. Tables: {', '.join(tables)}.")
    chosen = {name: columns for name, columns in tables.items() if table in ("", name)}
    if markdown:
        environment.say("\n".join(as_markdown(chosen)))
        return 0
    for number, (name, columns) in enumerate(chosen.items()):
        name_width = max(len(column.name) for column in columns)
        lines = [line for column in columns for line in describe(column, name_width, environment.width)]
        environment.say("\n".join([*([""] if number else []), f"{name}: {len(columns)} columns", *lines]))
    return 0
