"""The data dictionary on the terminal."""

import io

import pytest

from analyzer.cli.columns import run_columns
from analyzer.cli.environment import Environment
from analyzer.errors import UsageError
from analyzer.report.build import dictionary


def columns(table: str, width: int) -> list[str]:
    out = io.StringIO()
    assert run_columns(table, Environment(out, io.StringIO(), width, {})) == 0
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 160])
@pytest.mark.parametrize("table", dictionary())
def test_every_column_and_every_meaning_fits(table: str, width: int) -> None:
    lines = columns(table, width)
    assert lines[0] == f"{table}: {len(dictionary()[table])} columns"
    assert all(len(line) <= width for line in lines)
    told = "".join("".join(lines).split())  # a long word may be broken at a hyphen
    for column in dictionary()[table]:
        assert column.name in told
        for word in column.meaning.split():
            assert word in told


def test_all_tables_without_a_name() -> None:
    lines = columns("", 100)
    assert [line.split(":")[0] for line in lines if line.endswith(" columns")] == list(dictionary())


def test_an_unknown_table_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"no table is called nope\. Tables: connections"):
        columns("nope", 80)
