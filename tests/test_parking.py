"""Parked connections: nobody can tell from the report, and memory does not follow a flood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analyzer.options import Limits, Options
from analyzer.parking import BLOCK, FULLNESS, Packed
from analyzer.pipeline import Pipeline
from tests.bench.flood import write_flood

CAPTURES = Path(__file__).parents[1] / "captures"
ARENA = 4 << 20


def analyse(path: Path, flush_rows: int = 50, **limits: int) -> tuple[dict[str, list[dict[str, Any]]], int, Pipeline]:
    """Rows of all tables but ``capture``, and the largest number of connections that were parked at a time."""
    pipeline = Pipeline(Options(limits=Limits(arena_bytes=ARENA, **limits)), flush_rows=flush_rows)
    parts: dict[str, list[pa.RecordBatch]] = {}
    parked = [0]
    for tables in pipeline.run([str(path)], advance=lambda *_: parked.append(pipeline._parking.parked)):
        for name, sheet in tables.items():
            parts.setdefault(name, []).append(sheet.arrow())
    return {name: pa.Table.from_batches(part).to_pylist() for name, part in parts.items() if name != "capture"}, max(parked), pipeline


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred SYNs, half of them answered, each sent again after 1 s and 3 s: what is parked is spoken to again."""
    path = tmp_path_factory.mktemp("flood") / "flood.pcap"
    write_flood(path, 200, seconds=2.0, answered=0.5, retries=2)
    return path


@pytest.mark.parametrize(("hot", "packets"), [(1, 5), (8, 40), (60, 100)])
def test_nobody_can_tell_that_a_connection_was_parked(flood: Path, hot: int, packets: int) -> None:
    expected, none, _ = analyse(flood, hot_connections=1 << 20)
    got, most, pipeline = analyse(flood, hot_connections=hot, packets_per_batch=packets)
    assert none == 0
    assert most > 100
    assert got == expected
    assert len(got["connections"]) == 200
    assert pipeline.evicted == 0
    assert max(row["history"] for row in got["connections"]) == "Sh"
    assert len(got["waits"]) > 100


@pytest.mark.parametrize("name", ["page-load.pcapng", "failures.pcapng", "port-reuse.pcap", "two-interfaces.pcapng"])
def test_recordings_are_told_the_same(name: str) -> None:
    expected, _, _ = analyse(CAPTURES / name)
    got, _, _ = analyse(CAPTURES / name, hot_connections=0, packets_per_batch=3)
    assert got == expected


def test_tables_do_not_grow_with_a_flood(flood: Path) -> None:
    _, _, pipeline = analyse(flood, flush_rows=1, hot_connections=4, packets_per_batch=8)
    assert pipeline._tracker.used <= 24


def test_over_the_memory_limit_the_parked_are_ended_first_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.options.LEAST_CONNECTIONS", 40)
    path = tmp_path / "flood.pcap"
    write_flood(path, 300, seconds=2.0)
    tables, most, pipeline = analyse(path, flush_rows=7, memory_bytes=0, packets_per_batch=16)
    assert 150 < most < 300
    assert pipeline.evicted > 50
    assert sorted(row["connection"] for row in tables["connections"]) == list(range(1, 301))
    assert {row["state"] for row in tables["connections"]} == {"S0"}


def test_what_is_in_flight_counts_them(flood: Path) -> None:
    pipeline = Pipeline(Options(limits=Limits(arena_bytes=ARENA, hot_connections=4, packets_per_batch=50)))
    seen = []
    for _ in pipeline.run([str(flood)], advance=lambda *_: seen.append(pipeline.in_flight(3)[0])):
        pass
    assert max(flights.total for flights in seen) == 200
    assert max(flights.waiting for flights in seen) == 200


def test_words_are_packed_by_column() -> None:
    words = np.zeros((100, 30), np.uint64)
    words[:, 3] = np.arange(100) + (1 << 40)
    words[7, 29] = np.iinfo(np.uint64).max
    packed = Packed(words)
    assert (packed.widen(packed.unpack()) == words).all()
    assert packed.widen(packed.unpack()[[7]]).tolist() == [words[7].tolist()]
    for empty in (np.zeros((5, 4), np.uint64), np.zeros((0, 5), np.uint64)):
        packed = Packed(empty)
        assert packed.widen(packed.unpack()).shape == empty.shape


def test_a_block_that_is_nearly_empty_is_given_up(flood: Path) -> None:
    """What is left of it comes back, too, so that memory follows what is parked."""
    assert BLOCK // FULLNESS > 1
    _, most, pipeline = analyse(flood, hot_connections=64, packets_per_batch=30)
    blocks = pipeline._parking._blocks
    assert most > 100
    assert blocks.count(None) == len(blocks)
