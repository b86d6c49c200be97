"""Files of a report: opened together, errors as sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.export.files import LineFiles, chosen_columns, make_folder, telling
from analyzer.report.columns import Column, make_sheet
from analyzer.report.text import texts

A, B = Column("a", "text", "first"), Column("b", "text", "second")


def test_lines_are_appended_until_the_end(tmp_path: Path) -> None:
    files = LineFiles(tmp_path / "new" / "folder", ["one", "two"], ".txt")
    files.write("one", [b"a\n", memoryview(b"b\n")])
    files.write("one", [b"c\n"])
    files.close()
    files.close()
    assert [path.read_bytes() for path in files.paths] == [b"a\nb\nc\n", b""]


def test_errors_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "two.txt").mkdir()
    with pytest.raises(OutputError, match="cannot be written there"):
        make_folder(tmp_path / "file")
    with pytest.raises(OutputError, match=r"two.txt: cannot be written \(Is a directory\)"):
        LineFiles(tmp_path, ["one", "two"], ".txt")
    with pytest.raises(OutputError, match=r"x: cannot be written \(No space left on device\)"), telling(Path("x")):
        raise OSError(28, "No space left on device")


def test_only_the_chosen_columns_are_left() -> None:
    sheet = make_sheet((A, B), {"a": texts(["1"]), "b": texts(["2"])})
    assert chosen_columns(sheet, (A, B)) is sheet
    assert chosen_columns(sheet, (B,)).to_pylist() == [{"b": "2"}]
