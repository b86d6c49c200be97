"""A short run imports only what it needs: start-up is most of its time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.builders import pcap, udp_packet

ROOT = Path(__file__).resolve().parents[1]
CAPTURE = ROOT / "captures" / "https-tls13.pcapng"
PROGRAM = """
import os
import sys
from analyzer.cli import run
status = run(sys.argv[1:])
print("status", status)
print("threads", len(os.listdir("/proc/self/task")))
print("modules", *sorted({name.partition(".")[0] for name in sys.modules if not name.startswith("numba._")}))
"""


def modules_after(*arguments: str, kernels: str = "python") -> list[str]:
    environment = {**os.environ, "ANALYZER_KERNELS": kernels}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    lines = result.stdout.splitlines()
    assert lines[-3] == "status 0"
    assert lines[-2] in ("threads 1", "threads 2"), "Arrow has one of its own, nobody else"
    return lines[-1].split()


def test_an_analysis_needs_neither_pandas_nor_in_plain_mode_numba(tmp_path):
    modules = modules_after("analyze", str(CAPTURE), "-o", str(tmp_path / "out"), "-f", "csv", "-f", "zeek-json")
    assert {"pandas", "numba"}.isdisjoint(modules)


def test_help_needs_no_arrays():
    modules = modules_after("--help")
    assert {"pandas", "numba", "pyarrow", "numpy"}.isdisjoint(modules)


def test_an_analysis_needs_no_numba_once_its_kernels_are_on_disk(tmp_path):
    capture = tmp_path / "ten.pcap"
    capture.write_bytes(pcap([udp_packet(b"x")] * 10))
    for _ in range(2):
        modules = modules_after("analyze", str(capture), "-o", str(tmp_path / "out"), kernels="compiled")
    assert {"pandas", "numba"}.isdisjoint(modules)
