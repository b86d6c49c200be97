"""Nothing is replaced unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli.output_file import check_file
from analyzer.errors import OutputError


def test_a_new_file_may_be_written_and_an_old_one_only_with_force(tmp_path: Path) -> None:
    check_file(tmp_path / "new", force=False)
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").write_text("mine")
    with pytest.raises(OutputError, match="old is there already"):
        check_file(tmp_path / "old", force=False)
    check_file(tmp_path / "old", force=True)


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path, sentence in (
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "file", "is no folder"),
        (tmp_path / "link", "is there already"),
    ):
        with pytest.raises(OutputError, match=sentence):
            check_file(path, force=False)
