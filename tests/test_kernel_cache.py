"""The cache folder follows the sources; nothing breaks where no folder can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import kernel_cache

PROGRAM = "import analyzer.kernel as k, numpy as np; print(k.CACHE_FOLDER); print(k.be16(np.array([1, 2], np.uint8), 0, 2))"


def run(package_parent: Path, **variables: str) -> list[str]:
    environment = {**os.environ, "ANALYZER_KERNELS": "compiled", **variables}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=package_parent, env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout.split()


@pytest.fixture
def copied(tmp_path):
    """A copy of the modules a kernel needs, to be changed."""
    root = Path(kernel_cache.__file__).parent
    target = tmp_path / "copy" / "analyzer"
    target.mkdir(parents=True)
    for name in ("kernel.py", "kernel_cache.py", "kernel_compiler.py"):
        shutil.copy(root / name, target / name)
    (target / "__init__.py").write_text("")
    return target


def test_a_change_in_any_module_gives_another_folder(copied, tmp_path):
    cache = str(tmp_path / "cache")
    first = run(copied.parent, ANALYZER_CACHE=cache)
    again = run(copied.parent, ANALYZER_CACHE=cache)
    (copied / "other.py").write_text("CONSTANT = 1\n")
    changed = run(copied.parent, ANALYZER_CACHE=cache)
    assert first == again
    assert first[1] == "258"
    assert changed[0] != first[0]


USER = """
import sys
from numba.core import event
import numpy as np
from users import total

class Listener(event.Listener):
    compiled = 0
    def on_start(self, _event):
        self.compiled += 1
    def on_end(self, _event):
        pass

listener = Listener()
event.register("numba:compile", listener)
print(total(np.arange(5, dtype=np.uint8)), listener.compiled > 0)
try:
    total(np.zeros(0, np.uint8))
except IndexError as error:
    print("bounds")
"""
USERS = """
from analyzer.kernel import helper, kernel, u8

@helper
def twice(value):
    return 2 * value

@kernel
def total(data):
    result = twice(u8(data, 0, 5))
    for k in range(1, 5):
        result += twice(data[k])
    return result
"""


def test_a_kernel_comes_from_disk_whole(copied, tmp_path):
    (copied.parent / "users.py").write_text(USERS)
    environment = {**os.environ, "ANALYZER_KERNELS": "compiled", "ANALYZER_CACHE": str(tmp_path / "cache")}
    outputs = [
        subprocess.run([sys.executable, "-c", USER], cwd=copied.parent, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [output.split() for output in outputs] == [["20", "True", "bounds"], ["20", "False", "bounds"]]


def test_without_a_writable_folder_nothing_is_cached(copied, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert run(copied.parent, ANALYZER_CACHE=str(file / "below")) == ["None", "258"]


def test_old_folders_are_removed_and_nothing_else(tmp_path):
    for k in range(5):
        folder = tmp_path / f"{k:020x}"
        folder.mkdir()
        os.utime(folder, (k, k))
    (tmp_path / "keep me").mkdir()
    kernel_cache.remove_old(tmp_path, keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{3:020x}", f"{4:020x}", "keep me"]
