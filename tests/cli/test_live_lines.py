"""Lines of finished connections."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from analyzer.cli.live_lines import ObjectLines, finished_lines, heading
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline, Tables
from analyzer.report.build import TABLES

CAPTURES = Path(__file__).parents[2] / "captures"


@cache
def tables() -> Tables:
    (flush,) = Pipeline(Options(limits=Limits(arena_bytes=4 << 20))).run([str(CAPTURES / "https-tls13.pcapng")])
    return flush


def test_a_line_for_each() -> None:
    lines = finished_lines(tables())
    assert lines[0].split()[:5] == ["16:26:14", "2", "www.example.org", "https", "SF"]
    assert "dns 30.7 tcp 30.5 tls 32.6 wait 111.9 recv 60.6" in lines[0]
    assert lines[1].split()[3:5] == ["dns", "SF"]
    assert lines[0].index("dns 30.7") == heading().index("phases")


def test_names_are_shorter_on_a_narrow_terminal() -> None:
    assert len(heading(79)) == len(heading()) - 12
    assert finished_lines(tables(), width=79)[0].index("dns 30.7") == heading(79).index("phases")


def test_no_more_than_are_read() -> None:
    assert finished_lines(tables(), 1)[1:] == ["... and 1 more"]
    assert len(finished_lines(tables(), 2)) == 2


def test_objects_have_all_columns() -> None:
    rows = [json.loads(line) for text in ObjectLines().texts(tables()) for line in text.splitlines()]
    assert [row["connection"] for row in rows] == [2, 1]
    assert set(rows[0]) <= {column.name for column in TABLES["connections"]}
    assert rows[0]["host"] == "www.example.org"
