"""What of a report is wanted."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from analyzer.cli import run
from analyzer.cli.shaping import Shape, choose_columns, read_key
from analyzer.errors import UsageError
from analyzer.report.build import TABLES

CAPTURES = Path(__file__).parents[2] / "captures"
PAGE = str(CAPTURES / "page-load.pcapng")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_columns_by_table() -> None:
    layout = choose_columns("host, connection,dns.name")
    assert [column.name for column in layout["connections"]] == ["host", "connection"]
    assert [column.name for column in layout["dns"]] == ["name"]
    assert layout["tls"] == TABLES["tls"]
    assert Shape().layout() is TABLES


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("hots", "connections has no column hots. Did you mean host"),
        ("dns.zzzzz", "dns has no column zzzzz. All: analyzer columns dns"),
        ("nope.name", "no table is called nope"),
        (" , ", "--columns is a list"),
    ],
)
def test_columns_that_are_not_there(words: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose_columns(words)


def test_keys(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_key(str(tmp_path / "missing"))
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(UsageError, match="fewer than 16 bytes"):
        read_key(str(tmp_path / "key"))
    assert Shape().redactor() is None
    assert Shape(redact=True).redactor() is not None


def test_where_and_columns(tmp_path: Path) -> None:
    words = [
        "--where",
        "service == 'https' and tls_handshake_ms > 24",
        "--columns",
        "connection,tls_handshake_ms",
        "-f",
        "csv",
        "-f",
        "parquet",
    ]
    assert run(["analyze", PAGE, "-o", str(tmp_path), "--quiet", *words]) == 0
    rows = read(tmp_path / "connections.csv")
    assert rows
    assert all(list(row) == ["connection", "tls_handshake_ms"] and float(row["tls_handshake_ms"]) > 24 for row in rows)
    assert {row["connection"] for row in read(tmp_path / "tls.csv")} == {row["connection"] for row in rows}


@needs_tshark
def test_a_display_filter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    http = str(CAPTURES / "http-plain.pcapng")  # of two files the frames are counted apart
    words = ["--display-filter", "tcp.flags.syn == 1 && ip.dst == 198.51.100.12"]
    assert run(["analyze", http, PAGE, "-o", str(tmp_path / "a"), "--quiet", *words]) == 0
    assert [row["host"] for row in read(tmp_path / "a" / "connections.csv")] == ["api.example.net"]
    assert run(["analyze", PAGE, "-o", str(tmp_path / "b"), "--display-filter", "tcp &&"]) == 2
    assert "--display-filter tcp &&: " in capsys.readouterr().err
    assert run(["analyze", "-", "--display-filter", "tcp"]) == 2
    assert not (tmp_path / "b").exists()


def test_a_report_to_give_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(32))
    for name in ("a", "b"):
        assert run(["analyze", PAGE, "-o", str(tmp_path / name), "--redact", "--redact-key", str(key), "--json", "-f", "jsonl"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert json.loads(told[0])["captures"] == json.loads(told[1])["captures"]
    assert "page-load" not in told[0].replace(str(tmp_path), "")
    for path in (tmp_path / "a").iterdir():
        content = path.read_text()
        assert content == (tmp_path / "b" / path.name).read_text()
        assert "192.0.2.10" not in content
        assert "www.example" not in content
        assert "page-load" not in content
