"""The table of formats."""

from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.export.csv import CsvWriter
from analyzer.export.writers import FORMATS, TABULAR, ZEEK_FORMATS, Writer, check_formats, open_writers
from analyzer.export.zeek import ZeekJsonWriter
from analyzer.report.build import Context, build_tables
from tests.report.rows import CERTIFICATES, make_inputs


def test_each_format_is_opened_once(tmp_path: Path) -> None:
    writers = open_writers(["csv", "zeek-json", "csv"], tmp_path)
    assert [type(writer) for writer in writers] == [CsvWriter, ZeekJsonWriter]
    for writer in writers:
        writer.close()
    assert set(FORMATS) >= ZEEK_FORMATS
    assert set(FORMATS) >= set(TABULAR)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_which_files_it_writes(name: str, tmp_path: Path) -> None:
    (writer,) = open_writers([name], tmp_path)
    writer.write(build_tables(*make_inputs(["dns", "tls", "http"]), Context(7, CERTIFICATES, with_zeek=True, with_heads=True)))
    writer.close()
    writer.close()
    assert sorted(writer.paths) == sorted(tmp_path.iterdir())


def test_logs_of_the_same_name_are_not_written_twice() -> None:
    with pytest.raises(UsageError, match="files of the same names"):
        check_formats(["zeek", "csv", "zeek-json"])


def test_nothing_stays_open_when_one_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Writer] = []

    def refuse(folder: Path) -> Writer:
        raise UsageError(str(folder))

    def note(folder: Path, _layout: object) -> Writer:
        opened.append(CsvWriter(folder))
        return opened[0]

    monkeypatch.setitem(TABULAR, "csv", note)
    monkeypatch.setitem(FORMATS, "zeek", refuse)
    with pytest.raises(UsageError):
        open_writers(["csv", "zeek"], tmp_path)
    with pytest.raises(ValueError, match="closed file"):
        opened[0].write(build_tables(*make_inputs(["dns"]), Context(7)))


def test_an_unknown_format_is_named_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"xlsx: no such format. Formats: csv, jsonl, parquet, "):
        open_writers(["csv", "xlsx"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
