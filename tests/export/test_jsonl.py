"""The JSON lines of a report."""

from __future__ import annotations

import json
from pathlib import Path

from analyzer.export.jsonl import JsonLinesWriter
from analyzer.report.build import TABLES, Context, build_tables
from tests.report.rows import CERTIFICATES, make_inputs


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_files_hold_the_tables(tmp_path: Path) -> None:
    context = Context(7, CERTIFICATES)
    flushes = [build_tables(*make_inputs(kinds), context) for kinds in (["dns", "tls", "http", "icmp"], ["tls"])]
    writer = JsonLinesWriter(tmp_path)
    for batches in flushes:
        writer.write(batches)
    writer.close()
    writer.close()
    assert [path.name for path in writer.paths] == [f"{name}.jsonl" for name in TABLES]
    for name in TABLES.keys() - {"capture"}:
        expected = [row for batches in flushes if name in batches for row in batches[name].to_pylist()]
        found = read(tmp_path / f"{name}.jsonl")
        assert len(found) == len(expected)
        for row, line in zip(expected, found, strict=True):
            assert line.keys() == {key for key, value in row.items() if value is not None}
    (first, *_) = read(tmp_path / "connections.jsonl")
    assert first["start_time"] == "2023-11-14T22:13:20.004000000Z"
    assert read(tmp_path / "dns.jsonl")[0]["answers"] == ["192.0.2.1", "edge.example.net"]


def test_chosen_columns(tmp_path: Path) -> None:
    layout = {"connections": tuple(column for column in TABLES["connections"] if column.name in ("connection", "service"))}
    writer = JsonLinesWriter(tmp_path, layout)
    writer.write(build_tables(*make_inputs(["dns"]), Context(7)))
    writer.close()
    assert (tmp_path / "connections.jsonl").read_text() == '{"connection":1,"service":"dns"}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["connections.jsonl"]
