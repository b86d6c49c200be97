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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("capture")
    parser.add_argument("connections", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--formats", default=",".join(name for name in FORMATS))
    arguments = parser.parse_args()
    flushes = list(Pipeline(Options(), with_zeek=True).run([arguments.capture]))
    print(f"{'format':10} {'connections':>12} {'rows':>12} {'seconds':>8} {'rows/s':>10} {'connections alone: rows/s':>26}")
    for name in arguments.formats.split(","):
        seconds, rows, connections = write(name, flushes, arguments.connections, only="")
        alone = write(name, flushes, arguments.connections, only="connections")
        print(f"{name:10} {connections:12,} {rows:12,} {seconds:8.1f} {rows / seconds:10,.0f} {alone[1] / alone[0]:26,.0f}")


def write(name: str, flushes: list, most: int, only: str) -> tuple[float, int, int]:
    """CPU seconds, rows and connections."""
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
        return time.process_time() - begun, rows, connections


if __name__ == "__main__":
    main()
