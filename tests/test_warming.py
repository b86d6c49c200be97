"""The second process of a first run: it learns what will be needed without compiling anything, and nobody depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from analyzer import warming

CAPTURE = Path(__file__).parents[1] / "captures" / "https-tls13.pcapng"
PROGRAM = f"""
from analyzer.kernel import Lazy
from analyzer.warming import learn_types
found = learn_types([{str(CAPTURE)!r}])
assert Lazy.witness is None
assert not any(function._ready for function in found), "something was compiled"
for function, wanted in found.items():
    print(function.py_func.__module__, len(wanted.types) == len(wanted.described))
"""


def test_types_are_learned_in_the_order_of_the_pipeline_without_compiling():
    environment = {**os.environ, "ANALYZER_KERNELS": "compiled"}
    result = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    stages = list(dict.fromkeys(line.split(".")[1] for line in result.stdout.splitlines()))
    assert stages[:4] == ["capture", "packets", "lifecycle", "connections"]
    assert {"streams", "messages", "report", "export"} <= set(stages)


def test_no_process_where_nothing_will_be_compiled(monkeypatch):
    monkeypatch.setattr(warming.subprocess, "Popen", lambda *_, **__: 1 / 0)
    monkeypatch.setenv("ANALYZER_KERNELS", "python")
    with warming.warming([str(CAPTURE)]):
        pass
    monkeypatch.setenv("ANALYZER_KERNELS", "compiled")
    with warming.warming(["-"]):
        pass


def test_the_process_is_ended_with_the_work(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYZER_KERNELS", "compiled")
    monkeypatch.setenv("ANALYZER_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    started = []
    plain = subprocess.Popen
    monkeypatch.setattr(warming.subprocess, "Popen", lambda *a, **k: started.append(plain(*a, **k)) or started[-1])
    with warming.warming([str(CAPTURE)]):
        assert started[0].poll() is None
    assert started[0].poll() is not None
