"""The database of a report, read by SQLite itself."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.export.parts import part_of
from analyzer.export.sqlite import FILE, SqliteWriter, quoted
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.build import TABLES, Context, build_tables
from tests.report.rows import CERTIFICATES, make_inputs

CAPTURES = Path(__file__).parents[2] / "captures"


def write(folder: Path, name: str = "page-load.pcapng") -> list[dict[str, object]]:
    writer = SqliteWriter(folder)
    connections: list[dict[str, object]] = []
    for tables in Pipeline(Options(limits=Limits(arena_bytes=1 << 20))).run([str(CAPTURES / name)]):
        writer.write(tables)
        connections += tables["connections"].to_pylist()
    writer.close()
    writer.close()
    return connections


def test_keys_hold_and_values_are_those_of_the_report(tmp_path: Path) -> None:
    expected = write(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert names == {*TABLES, "columns"}
        found = database.execute("SELECT connection, host, duration_ms, tls_resumed FROM connections ORDER BY rowid").fetchall()
        assert found == [
            (row["connection"], row["host"], row["duration_ms"], row["tls_resumed"])
            for row in sorted(expected, key=lambda row: row["connection"])
        ]
        joined = "SELECT count(*) FROM connections c JOIN dns d ON d.lookup = c.dns_lookup WHERE c.host = d.name"
        assert database.execute(joined).fetchone()[0] > 3
        (answers,) = database.execute("SELECT answers FROM dns WHERE answers IS NOT NULL").fetchone()
        assert isinstance(json.loads(answers), list)
        plan = database.execute("EXPLAIN QUERY PLAN SELECT * FROM milestones WHERE connection = 5").fetchone()
        assert "USING INDEX milestones_connection" in plan[-1]
        (when,) = database.execute("SELECT datetime(start_time) FROM connections WHERE connection = 1").fetchone()
        assert when == "2026-11-23 16:26:47"
        described = database.execute("SELECT count(*) FROM columns").fetchone()[0]
        assert described == sum(map(len, TABLES.values()))


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a", "failures.pcapng")
    write(tmp_path / "b", "failures.pcapng")
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()


def test_chosen_columns_leave_out_keys_that_have_no_target(tmp_path: Path) -> None:
    layout = {"tcp": tuple(column for column in TABLES["tcp"] if column.name != "sender")}
    writer = SqliteWriter(tmp_path, layout)
    writer.write(build_tables(*make_inputs(["tls"]), Context(7, CERTIFICATES)))
    writer.close()
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("SELECT connection FROM tcp").fetchall() == [(1,), (1,)]
        assert database.execute("PRAGMA foreign_key_list(tcp)").fetchall() == []


def test_errors_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written there"):
        SqliteWriter(tmp_path / "file")
    part_of(tmp_path / FILE).mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        SqliteWriter(tmp_path)
    assert quoted('a"b') == '"a""b"'


def test_a_row_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    tables = build_tables(*make_inputs(["tls"]), Context(7, CERTIFICATES))
    writer = SqliteWriter(tmp_path)
    writer.write(tables)
    with pytest.raises(OutputError, match="UNIQUE constraint failed"):
        writer.write(tables)
    writer.close()
