"""Names of files that are not finished."""

from __future__ import annotations

from pathlib import Path

from analyzer.export.parts import part_of


def test_an_unfinished_file_is_hidden_beside_the_finished_one() -> None:
    assert part_of(Path("folder/a.parquet")) == Path("folder/.a.parquet.part")
