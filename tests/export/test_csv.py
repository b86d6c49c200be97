"""The CSV files of a report."""

import csv
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.export.csv import CsvWriter
from analyzer.report.build import TABLES, Context, build_tables
from tests.report.rows import CERTIFICATES, make_inputs


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_hold_the_tables(tmp_path: Path) -> None:
    context = Context(7, CERTIFICATES)
    flushes = [build_tables(*make_inputs(kinds), context) for kinds in (["dns", "tls", "http", "icmp"], ["tls"])]
    writer = CsvWriter(tmp_path / "new" / "folder")
    for batches in flushes:
        writer.write(batches)
    writer.close()
    writer.close()
    assert [path.name for path in writer.paths] == [f"{name}.csv" for name in TABLES]
    connections = read(tmp_path / "new" / "folder" / "connections.csv")
    assert [row["connection"] for row in connections] == ["4", "3", "2", "1", "1"]
    assert connections[0]["start_time"] == "2023-11-14T22:13:20.004000000Z"
    assert connections[1]["duration_ms"] == "1.000001"
    assert connections[1]["tls_resumed"] == "false"
    assert connections[0]["tls_version"] == ""
    assert read(tmp_path / "new" / "folder" / "http.csv")[1]["url"] == '\'=cmd|" /C calc",\\x1b[1m'
    assert read(tmp_path / "new" / "folder" / "dns.csv")[0]["answers"] == "192.0.2.1;edge.example.net"
    for path in writer.paths:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file))
        assert header == [column.name for column in TABLES[path.stem]]
        assert {len(line) for line in lines} <= {len(header)}


def test_an_empty_report_has_headers_only(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path)
    writer.write(build_tables(*make_inputs([]), Context(7)))
    writer.close()
    for name, columns in TABLES.items():
        assert (tmp_path / f"{name}.csv").read_bytes() == (",".join(column.name for column in columns) + "\r\n").encode()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written there"):
        CsvWriter(tmp_path / "file")
