"""A part of a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report import choosing
from analyzer.report.choosing import Choice, numbers_of
from analyzer.report.columns import Sheet

CAPTURES = Path(__file__).parents[2] / "captures"


def flushes(name: str, rows: int) -> list[dict[str, Sheet]]:
    options = Options(limits=Limits(arena_bytes=1 << 20))
    return [dict(tables) for tables in Pipeline(options, with_zeek=True, with_heads=True, flush_rows=rows).run([str(CAPTURES / name)])]


def choose(tables: list[dict[str, Sheet]], numbers: list[int]) -> dict[str, list[dict[str, object]]]:
    choice = Choice(lambda sheet: np.isin(numbers_of(sheet, "connection"), numbers))
    kept: dict[str, list[dict[str, object]]] = {}
    for flush in tables:
        for name, sheet in choice.apply(flush).items():
            kept.setdefault(name, []).extend(sheet.to_pylist())
    return kept


@pytest.mark.parametrize("rows", [1, 3, 4000])
def test_other_tables_keep_what_belongs_to_the_connections(rows: int) -> None:
    tables = flushes("https-tls12-resumed.pcapng", rows)
    plain = choose(tables, list(range(1, 100)))
    wanted = next(row for row in reversed(plain["connections"]) if row["dns_lookup"] and row["tls_version"])
    number = int(str(wanted["connection"]))
    kept = choose(tables, [number])
    assert kept["connections"] == [wanted]
    for name in ("milestones", "tcp", "tls", "http", "findings", "connection_certificates"):
        assert kept[name] == [row for row in plain[name] if row["connection"] == number]
    assert [row["lookup"] for row in kept["dns"]] == [wanted["dns_lookup"]]
    assert {row["sha256"] for row in kept["certificates"]} == {row["sha256"] for row in kept["connection_certificates"]}
    assert kept["capture"] == plain["capture"]


@pytest.mark.parametrize("rows", [1, 4000])
def test_nothing_is_told_twice_and_everything_is_everything(rows: int) -> None:
    tables = flushes("page-load.pcapng", rows)
    kept = choose(tables, list(range(1, 1000)))
    for name in tables[-1]:
        whole = [row for flush in tables if name in flush for row in flush[name].to_pylist()]
        assert sorted(map(str, kept[name])) == sorted(map(str, whole))


def test_lookups_that_wait_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = flushes("page-load.pcapng", 1)
    monkeypatch.setattr(choosing, "HELD_LOOKUPS", 0)
    choice = Choice(lambda sheet: np.zeros(sheet.num_rows, np.bool_))
    for flush in tables:
        assert choice.apply(flush)["dns"].num_rows == 0
        assert not choice._lookups
    assert choose(tables, [])["connections"] == []
