"""CPU time and packets per second of every stage on one capture, peak memory of the run, and the time of the first compilation.

    python tests/bench/stages.py CAPTURE [--runs N] [--cold] [--check | --store]

Writes CSV to a temporary folder. The table is of the fastest of N runs in this process, kernels warm; ``--cold`` measures first
compilation in a new process with an empty cache. ``--check`` compares the whole with ``baseline.json``, where times stand as multiples of
a fixed calculation (machines differ), and fails when it takes more than twice as long; ``--store`` writes them there.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.export.writers import open_writers
from analyzer.options import Options
from analyzer.pipeline import Pipeline

BASELINE = Path(__file__).with_name("baseline.json")
SLOWER = 2.0  # times the baseline that fails: machines and their load differ, a mistake costs more


class Clock:
    """CPU seconds by stage; a stage inside another is taken out of the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its CPU time counted under ``stage``."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            self._inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.process_time() - began
                self.seconds[stage] += spent - self._inner.pop()
                self._inner[-1] += spent

        return wrapper

    def timed_iterator(self, stage: str, iterator: Iterator[Any]) -> Iterator[Any]:
        """The same items, the CPU time of making each counted under ``stage``."""
        advance = self.timed(stage, lambda: next(iterator, None))
        while (item := advance()) is not None:
            yield item


STAGES = (
    ("packets", "_decoder", "decode"),
    ("quality", "quality", "observe"),
    ("quality", "quality", "observe_finished"),
    ("connections", "_tracker", "track"),
    ("connections: expire", "_parking", "expire"),
    ("parking", "_parking", "revive"),
    ("parking", "_parking", "park"),
    ("parking", "_parking", "settle"),
    ("streams", "_assembler", "assemble"),
    ("streams: finish", "_assembler", "finish"),
    ("services", "_services", "sort"),
    ("services", "_services", "name_datagrams"),
    ("services", "_services", "enter"),
    ("tls", "_tls", "process_runs"),
    ("tls", "_tls", "process_packets"),
    ("tls", "_tls", "process_messages"),
    ("web", "_web", "process_runs"),
    ("web: inside", "_inside", "process_runs"),
    ("quic", "_quic", "process_packets"),
    ("quic", "_quic", "finish"),
    ("quic: streams", "_over_quic", "process_pieces"),
    ("dns", "_dns", "process_packets"),
    ("dns", "_dns", "process_runs"),
    ("dns", "_dns", "pair"),
    ("take", "_dns", "take"),
    ("take", "_tls", "take"),
    ("take", "_web", "take"),
    ("take", "_quic", "take"),
    ("release", "_assembler", "release"),
    ("release", "_services", "release"),
    ("release", "_dns", "release"),
    ("release", "_tls", "release"),
    ("release", "_quic", "release"),
    ("release", "_over_quic", "release"),
    ("release", "_web", "release"),
    ("release", "_inside", "release"),
    ("release", "_attribution", "release"),
    ("release", "_tracker", "release"),
    ("attribution", "_attribution", "learn"),
    ("attribution", "_attribution", "attribute"),
    ("attribution", "_quic_past", "learn"),
    ("take", "_quic_past", "add_to"),
)


def watch(pipeline: Pipeline, clock: Clock) -> None:
    """Put the clock around every stage of one pipeline."""
    import analyzer.pipeline as wiring

    for stage, owner, method in STAGES:
        part = getattr(pipeline, owner)
        setattr(part, method, clock.timed(stage, getattr(part, method)))
    for stage, name in (
        ("lifecycle", "build_phases"),
        ("lifecycle", "build_milestones"),
        ("lifecycle", "build_delays"),
        ("lifecycle", "build_findings"),
        ("report", "build_tables"),
    ):
        function = getattr(wiring, name)
        function = getattr(function, "unwatched", function)
        timed = clock.timed(stage, function)
        timed.unwatched = function  # type: ignore[attr-defined]
        setattr(wiring, name, timed)


def run_once(capture: str) -> tuple[dict[str, float], float, int]:
    """One analysis to CSV: CPU seconds by stage, in all, and packets."""
    clock = Clock()
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(Options())
        watch(pipeline, clock)
        import analyzer.pipeline as wiring

        opening = getattr(wiring.open_captures, "unwatched", wiring.open_captures)

        def open_watched(*args: Any) -> Any:
            source = opening(*args)
            batches = source.batches
            source.batches = lambda: clock.timed_iterator("capture", batches())
            return source

        open_watched.unwatched = opening  # type: ignore[attr-defined]
        wiring.open_captures = open_watched
        (writer,) = open_writers(("csv",), Path(folder))
        write = clock.timed("export", writer.write)
        for tables in pipeline.run([capture]):
            write(tables)
        writer.close()
    total = time.process_time() - began
    return dict(clock.seconds), total, pipeline.quality.packets


def measure_cold(capture: str) -> float:
    """Wall seconds of a whole run in a new process with an empty cache."""
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as out:
        environment = {**os.environ, "ANALYZER_CACHE": cache, "ANALYZER_KERNELS": "compiled"}
        command = [sys.executable, "-m", "analyzer", "analyze", capture, "-o", out, "--quiet"]
        began = time.monotonic()
        subprocess.run(command, env=environment, check=True)
        return time.monotonic() - began


def calibrate() -> float:
    """CPU seconds of a fixed calculation, half Python and half NumPy as a flush of a small capture is; the fastest of five."""
    numbers = np.random.default_rng(1).integers(0, 1 << 60, 200_000)
    fastest = float("inf")
    for _ in range(5):
        began = time.process_time()
        total = 0
        for k in range(300_000):
            total = (total * 31 + k) & 0xFFFFFFFF
        np.sort(numbers)
        fastest = min(fastest, time.process_time() - began)
    return fastest


def judge(capture: str, total: float, *, store: bool) -> int:
    """Compare with the baseline, or write it; the exit status."""
    name, ratio = Path(capture).name, total / calibrate()
    known: dict[str, float] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if store:
        BASELINE.write_text(json.dumps(known | {name: round(ratio, 2)}, indent=2, sort_keys=True) + "\n")
        return 0
    if name not in known:
        print(f"{name} has no baseline: --store writes one")
        return 1
    print(f"{ratio:.2f} times the fixed calculation; the baseline is {known[name]:.2f}, the limit {SLOWER} times that")
    return int(ratio > SLOWER * known[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--store", action="store_true")
    arguments = parser.parse_args()
    if arguments.cold:
        print(f"whole run, new process, nothing compiled yet: {measure_cold(arguments.capture):.1f} s wall")
    runs = [run_once(arguments.capture) for _ in range(arguments.runs)]
    stages, total, packets = min(runs, key=lambda run: run[1])
    print(f"{packets} packets, fastest of {len(runs)} runs; the first took {runs[0][1]:.2f} s CPU")
    print(f"{'stage':22} {'CPU s':>8} {'ns/packet':>10} {'packets/s':>13}")
    for stage, seconds in [*stages.items(), ("everything else", total - sum(stages.values())), ("total", total)]:
        print(f"{stage:22} {seconds:8.3f} {seconds * 1e9 / max(packets, 1):10.0f} {packets / max(seconds, 1e-9):13,.0f}")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    if arguments.check or arguments.store:
        sys.exit(judge(arguments.capture, total, store=arguments.store))


if __name__ == "__main__":
    main()
