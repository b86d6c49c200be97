"""The committed example report is what the program writes today, byte for byte; reports/README.md says how to renew it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import run
from analyzer.cli.output_folder import MARK

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "example"


def test_the_example_report_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["analyze", "captures/page-load.pcapng", "-o", str(tmp_path / "report"), "--quiet"]) == 0
    fresh = {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir() if path.name != MARK}
    kept = {path.name: path.read_bytes() for path in EXAMPLE.iterdir() if path.name != MARK}
    assert sorted(fresh) == sorted(kept)
    for name, content in fresh.items():
        assert content.decode().splitlines() == kept[name].decode().splitlines(), f"{name}: see reports/README.md"
        assert content == kept[name]


def test_the_example_names_no_place_of_a_machine() -> None:
    for path in EXAMPLE.iterdir():
        if path.name != MARK:
            assert b"/home/" not in path.read_bytes()
            assert str(ROOT).encode() not in path.read_bytes()
