"""A live source gives the report that the same bytes give as a file, however they come and however often time is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.feed import Feed
from analyzer.capture.live.source import LiveSource
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.build import TABLES
from tests.capture.live.lab import CAPTURES
from tests.capture.live.scripted import Scripted

LIMITS = Limits(arena_bytes=4 << 20)
NAMES = ["page-load.pcapng", "failures.pcapng", "dns-variety.pcapng", "two-interfaces.pcapng"]


def contents(flushes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    tables = {name: [flush[name].arrow() for flush in flushes if name in flush] for name in TABLES}
    found = {name: pa.Table.from_batches(batches).to_pylist() for name, batches in tables.items()}
    found["capture"] = [row for row in found["capture"] if row["group"] not in ("file", "note")]
    return found


def run_live(engine: Scripted, most: int | None = None) -> tuple[Pipeline, list[dict[str, Any]]]:
    pipeline = Pipeline(Options(limits=LIMITS))
    feed = Feed(engine, LiveOptions(("lo",)))
    feed.start()
    with LiveSource(feed, "lo", pipeline.memory, LIMITS) as source:
        flushes = []
        for tables in pipeline.read(source):
            flushes += [tables] if tables else []
            if len(flushes) == most:
                pipeline.stop()
        return pipeline, flushes


def from_file(path: Path) -> list[dict[str, Any]]:
    return list(Pipeline(Options(limits=LIMITS)).run([str(path)]))


@pytest.mark.parametrize("piece", [500, 40_000])
@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_that_of_the_file(name: str, piece: int) -> None:
    content = (CAPTURES / name).read_bytes()
    _, flushes = run_live(Scripted(content, max(piece, len(content) // 50)))
    assert contents(flushes) == contents(from_file(CAPTURES / name))


@pytest.mark.parametrize("name", NAMES)
def test_time_that_passes_ends_what_is_idle_and_changes_nothing_else(name: str) -> None:
    """Ticks of a clock that is far ahead: everything with a deadline leaves before the end."""
    content = (CAPTURES / name).read_bytes()
    _, flushes = run_live(Scripted(content, 1 << 18, is_endless=True), most=1)
    assert len(flushes) >= 2
    assert contents(flushes) == contents(from_file(CAPTURES / name))


def test_what_comes_too_fast_is_counted_and_not_dissected() -> None:
    content = (CAPTURES / "page-load.pcapng").read_bytes()
    pipeline = Pipeline(Options(limits=LIMITS))
    feed = Feed(Scripted(content, 1 << 18), LiveOptions(("lo",)))
    feed.fifo.capacity = 1  # a queue that is always too full
    feed.start()
    feed._thread.join()
    feed.fifo.held += 10
    with LiveSource(feed, "lo", pipeline.memory, LIMITS) as source:
        feed.fifo.is_closed = True
        flushes = [tables for tables in pipeline.read(source) if tables]
    rows = contents(flushes)
    counted = {row["name"]: int(row["value"]) for row in rows["capture"] if row["group"] == "connections"}
    assert counted["packets_counted_only"] == pipeline.quality.packets > 0
    assert len(rows["connections"]) > 5
    assert {row["service"] for row in rows["connections"]} == {None}


def test_how_it_ended_is_a_note() -> None:
    pipeline, _ = run_live(Scripted((CAPTURES / "http-plain.pcapng").read_bytes(), 1 << 18, trouble="lo is down."))
    assert pipeline.notes == ["lo ended by itself: lo is down."]
    pipeline, flushes = run_live(Scripted(b"", 1))
    assert pipeline.quality.packets == 0
    assert len(flushes) == 1
