"""Folders of tables that follow each other in time."""

from __future__ import annotations

import csv
from pathlib import Path

from analyzer.export.outputs import SECOND, Outputs
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline

CAPTURES = Path(__file__).parents[2] / "captures"
HOUR = 3600
NOW = 1_795_473_736 * SECOND  # 2026-11-23 22:42:16


def test_without_rotation_there_is_one_folder(tmp_path: Path) -> None:
    outputs = Outputs(("csv",), tmp_path / "r", 0, dict)
    outputs.advance(NOW)
    outputs.advance(NOW + 10 * HOUR * SECOND)
    outputs.close()
    assert outputs.folders == [tmp_path / "r"]
    assert (tmp_path / "r" / "connections.csv").exists()


def test_each_span_of_time_has_its_folder(tmp_path: Path) -> None:
    parts = []

    def end_part() -> dict[str, object]:
        parts.append(1)
        return {}

    outputs = Outputs(("csv", "zeek-json"), tmp_path, HOUR, end_part)  # type: ignore[arg-type]
    assert outputs.paths == []
    for minutes in (0, 10, 20, 30, 200):
        outputs.advance(NOW + minutes * 60 * SECOND)
    assert len(outputs.paths) > 5
    outputs.close()
    outputs.close()
    assert [folder.name for folder in outputs.folders] == ["2026-11-23T22-00-00Z", "2026-11-23T23-00-00Z", "2026-11-24T02-00-00Z"]
    assert len(parts) == 2
    assert all((folder / "conn.log").exists() for folder in outputs.folders)


def test_rows_stand_in_the_folder_of_their_time(tmp_path: Path) -> None:
    pipeline = Pipeline(Options(limits=Limits(arena_bytes=4 << 20)), flush_rows=1)

    def end_part() -> dict[str, object]:
        pipeline.begin_part()
        return {"capture": pipeline.capture_table()}

    outputs = Outputs(("csv",), tmp_path, HOUR, end_part)  # type: ignore[arg-type]
    for hour, tables in enumerate(pipeline.run([str(CAPTURES / "page-load.pcapng")])):
        outputs.advance(NOW + hour * HOUR * SECOND)
        outputs.write(tables)
    outputs.close()
    rows = [list(csv.DictReader((folder / "connections.csv").read_text().splitlines())) for folder in outputs.folders]
    assert sum(map(len, rows)) == 14
    assert len(rows) > 3
    assert all(len((folder / "capture.csv").read_text().splitlines()) > 5 for folder in outputs.folders)
