"""How fast each format is written: ``python tests/bench/writers.py CAPTURE [CONNECTIONS]``.

The tables of the capture are kept as they were built and written again and again, until there are a million connections (or so many).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from analyzer.export.writers import FORMATS, open_writers
from analyzer.options import Options
from analyzer.pipeline import Pipeline

TOGETHER = ("html", "har")  # that make one file of several tables


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("capture")
    parser.add_argument("connections", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--formats", default=",".join(name for name in FORMATS))
    arguments = parser.parse_args()
    flushes = list(Pipeline(Options(), with_zeek=True).run([arguments.capture]))
    print(f"{'format':10} {'connections':>12} {'rows':>12} {'seconds':>8} {'rows/s':>10} {'MB':>8} {'connections alone: rows/s':>26}")
    for name in arguments.formats.split(","):
        seconds, rows, connections, megabytes = write(name, flushes, arguments.connections, only="")
        told = "."
        if name not in TOGETHER:
            alone = write(name, flushes, arguments.connections, only="connections")
            told = f"{alone[1] / alone[0]:,.0f}"
        print(f"{name:10} {connections:12,} {rows:12,} {seconds:8.1f} {rows / seconds:10,.0f} {megabytes:8.1f} {told:>26}")


def write(name: str, flushes: list, most: int, only: str) -> tuple[float, int, int, float]:
    """CPU seconds, rows, connections, and megabytes of the files."""
    rows = connections = 0
    with tempfile.TemporaryDirectory() as folder:
        (writer,) = open_writers([name], Path(folder))
        begun = time.process_time()
        while connections < most:
            for tables in flushes:
                chosen = {key: sheet for key, sheet in tables.items() if only in ("", key)}
                writer.write(chosen)
                rows += sum(sheet.num_rows for key, sheet in chosen.items() if key != "zeek_dns")
                connections += tables["connections"].num_rows
                if connections >= most:
                    break
        writer.close()
        spent = time.process_time() - begun
        return spent, rows, connections, sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6


if __name__ == "__main__":
    main()
