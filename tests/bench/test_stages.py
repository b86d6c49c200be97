"""The table of stages: it names every stage there is, and it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from analyzer.options import Options
from analyzer.pipeline import Pipeline
from tests.bench.stages import STAGES

ROOT = Path(__file__).parents[2]


def test_every_stage_of_the_pipeline_is_timed() -> None:
    pipeline = Pipeline(Options())
    timed = {(owner, method) for _, owner, method in STAGES}
    there = {
        (owner, method)
        for owner, part in vars(pipeline).items()
        if type(part).__module__.startswith("analyzer.")
        for method in dir(part)
        if re.match(r"(process_.*|take|release)$", method)
    }
    assert there <= timed
    assert all(callable(getattr(getattr(pipeline, owner), method)) for owner, method in timed)


def test_it_prints_a_row_for_each() -> None:
    command = [sys.executable, "tests/bench/stages.py", "captures/page-load.pcapng", "--runs", "1"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for stage in ("capture", "packets", "connections", "tls", "web", "quic", "dns", "lifecycle", "report", "export", "total"):
        (row,) = re.findall(rf"^{stage} +([\d.]+) +(\d+) +[\d,]+$", printed, re.MULTILINE)
        assert float(row[0]) >= 0
        assert int(row[1]) > 0
