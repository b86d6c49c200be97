"""Parquet files, read by pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet

from analyzer.errors import OutputError
from analyzer.export import parquet as ours
from analyzer.export.parquet import ParquetWriter
from analyzer.report.build import TABLES, Context, build_tables
from tests.report.rows import CERTIFICATES, make_inputs


def write(folder: Path) -> ParquetWriter:
    context = Context(7, CERTIFICATES)
    writer = ParquetWriter(folder)
    for kinds in (["dns", "tls", "http", "icmp"], ["tls"], []):
        writer.write(build_tables(*make_inputs(kinds), context))
    return writer


@pytest.mark.parametrize("rows", [1, 3, 1 << 15])
def test_the_files_hold_the_tables(tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "GROUP_ROWS", rows)
    writer = write(tmp_path)
    assert not [path for path in writer.paths if path.exists()]
    writer.close()
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.parquet" for name in TABLES)
    frame = pd.read_parquet(tmp_path / "connections.parquet")
    assert frame["connection"].tolist() == [4, 3, 2, 1, 1]
    assert str(frame["start_time"][0]) == "2023-11-14 22:13:20.004000+00:00"
    assert pd.read_parquet(tmp_path / "dns.parquet")["answers"][0].tolist() == ["192.0.2.1", "edge.example.net"]
    for name, columns in TABLES.items():
        schema = parquet.read_schema(tmp_path / f"{name}.parquet")
        assert schema.names == [column.name for column in columns]
        assert [field.metadata[b"meaning"].decode() for field in schema] == [column.meaning for column in columns]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name).close()
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written there"):
        ParquetWriter(tmp_path / "file")
