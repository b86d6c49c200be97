"""The table of formats."""

from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.export.writers import FORMATS, ZEEK_FORMATS, open_writers


def test_each_format_is_opened_once(tmp_path: Path) -> None:
    writers = open_writers(["csv", "zeek-json", "csv"], tmp_path)
    assert [type(writer) for writer in writers] == [FORMATS["csv"], FORMATS["zeek-json"]]
    for writer in writers:
        writer.close()
    assert set(FORMATS) >= ZEEK_FORMATS


def test_an_unknown_format_is_named_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"xlsx: no such format. Formats: csv, zeek-json"):
        open_writers(["csv", "xlsx"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
