"""``analyzer columns``: the data dictionary."""

from __future__ import annotations

from tabulate import tabulate

from analyzer.cli.environment import Environment
from analyzer.errors import UsageError


def run_columns(table: str, environment: Environment) -> int:
    """Print the columns of one table or of all."""
    from analyzer.report.build import dictionary

    tables = dictionary()
    if table and table not in tables:
        raise UsageError(f"no table is called {table}. Tables: {', '.join(tables)}.")
    for name, columns in tables.items():
        if table and name != table:
            continue
        rows = [
            (column.name, column.kind, column.unit, column.meaning + (f" ({column.caveat})" if column.caveat else "")) for column in columns
        ]
        widths = [None, None, None, max(30, environment.width - 52)]
        environment.say(f"{name}: {len(columns)} columns")
        environment.say(
            tabulate(rows, ("column", "type", "unit", "meaning"), tablefmt="simple", disable_numparse=True, maxcolwidths=widths)
        )
        environment.say()
    return 0
