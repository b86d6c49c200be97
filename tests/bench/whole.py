"""CPU, wall time and peak memory of the whole command on captures, beside any other command: a Markdown table for the README.

    python tests/bench/whole.py CAPTURE... [--runs N] [--format csv] [--beside 'tshark -r {} -T fields -e frame.number']...

Each command runs in a process of its own, kernels warm, its output to a temporary folder or to /dev/null. The median of N runs counts; the
commands take turns, so that a busy machine meets all of them. The first line is a capture of ten packets: start-up alone.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CAPTURE_OF_TEN = 10
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
DATAGRAM = bytes.fromhex("02000000000202000000000108004500001c00010000401100000a0000010a00000204d2162e00080000")


class Cost(NamedTuple):
    """What one run took."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: list[str]) -> Cost:
    """Run a command to its end."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}: exit status {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024)


def measure(capture: str, out: str, arguments: argparse.Namespace) -> list[tuple[str, Cost]]:
    """Medians of our command and of those beside it on one capture."""
    ours = [sys.executable, "-m", "analyzer", "analyze", capture, "-o", out, "--force", "--quiet", "-f", arguments.format]
    commands = [("analyzer", ours)]
    commands += [(shlex.split(other)[0], [word.replace("{}", capture) for word in shlex.split(other)]) for other in arguments.beside]
    run(ours)  # kernels are compiled, the file is in memory
    costs: dict[str, list[Cost]] = {name: [] for name, _ in commands}
    for _ in range(arguments.runs):
        for name, command in commands:
            costs[name].append(run(command))
    return [(name, Cost(*(statistics.median(column) for column in zip(*several, strict=True)))) for name, several in costs.items()]


def write_ten_packets(path: Path) -> None:
    """A capture of ten datagrams."""
    records = [struct.pack("<IIII", 1_700_000_000, k, len(DATAGRAM), len(DATAGRAM)) + DATAGRAM for k in range(CAPTURE_OF_TEN)]
    path.write_bytes(PCAP_HEADER + b"".join(records))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--format", default="csv")
    parser.add_argument("--beside", action="append", default=[], metavar="COMMAND", help="{} stands for the capture")
    arguments = parser.parse_args()
    os.environ["ANALYZER_KERNELS"] = "compiled"
    print("| capture | command | CPU s | wall s | peak MB | CPU, analyzer = 1 |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        ten = Path(folder) / "ten packets.pcap"
        write_ten_packets(ten)
        for capture in (str(ten), *(str(Path(name).resolve()) for name in arguments.captures)):
            results = measure(capture, str(Path(folder) / "out"), arguments)
            for name, cost in results:
                ratio = cost.cpu_s / results[0][1].cpu_s
                print(
                    f"| {Path(capture).name} | {name} | {cost.cpu_s:.2f} | {cost.wall_s:.2f} | {cost.peak_mb:.0f} | {ratio:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
