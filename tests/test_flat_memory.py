"""Memory follows the connections that are open, not the length of the capture: the tables of all stages after one and after many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dpkt
import numpy as np

from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline

CAPTURES = Path(__file__).parents[1] / "captures"
RECORDED = ("https-tls13.pcapng", "http-plain.pcapng", "dns-variety.pcapng")
APART = 400  # seconds between copies: nothing of one is open when the next begins


def write_copies(path: Path, copies: int) -> None:
    """The recordings one after the other, all of that several times, later each time."""
    packets: list[tuple[float, bytes]] = []
    for k, name in enumerate(RECORDED):
        with (CAPTURES / name).open("rb") as file:
            recorded = list(dpkt.pcapng.Reader(file))
        packets += [(ts - recorded[0][0] + k * APART, content) for ts, content in recorded]
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for copy in range(copies):
            for ts, content in packets:
                writer.writepkt(content, 1_700_000_000 + copy * APART * len(RECORDED) + ts)


def table_bytes(owner: Any, depth: int = 2) -> int:
    """Bytes of all arrays of an object and of the objects it owns."""
    total = 0
    for value in getattr(owner, "__dict__", {}).values():
        if isinstance(value, np.ndarray):
            total += value.nbytes
        elif depth and type(value).__module__.startswith("analyzer."):
            total += table_bytes(value, depth - 1)
    return total


def analyse(path: Path) -> tuple[Pipeline, int]:
    """The pipeline after all packets, and the connections it has seen."""
    pipeline = Pipeline(Options(limits=Limits(packets_per_batch=64, arena_bytes=1 << 20)), flush_rows=8)
    rows = [tables["connections"].num_rows for tables in pipeline.run([str(path)])]
    return pipeline, sum(rows)


def test_tables_do_not_grow_with_the_capture(tmp_path: Path) -> None:
    sizes, connections = [], []
    for copies in (2, 10):
        path = tmp_path / f"{copies}.pcap"
        write_copies(path, copies)
        pipeline, rows = analyse(path)
        sizes.append(sum(table_bytes(getattr(pipeline, name)) for name in vars(pipeline) if name not in ("_memory", "_options", "source")))
        connections.append(rows)
    assert connections[1] == 5 * connections[0] > 0
    assert sizes[1] <= 1.1 * sizes[0]
