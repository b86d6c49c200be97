"""The cache folder follows the sources; nothing breaks where no folder can be written."""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import kernel_cache

PROGRAM = """
from pathlib import Path
from users import total
from analyzer.kernel_cache import open_cache
import numpy as np, users
print(open_cache(Path(users.__file__)))
print(total(np.arange(5, dtype=np.uint8)))
"""


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
    for name in ("kernel.py", "kernel_cache.py", "kernel_compiler.py", "kernel_loader.py", "kernel_passes.py"):
        shutil.copy(root / name, target / name)
    (target / "__init__.py").write_text("")
    (target.parent / "users.py").write_text(USERS)
    (target / "pieces.py").write_text(PIECES)
    (target / "numbers.py").write_text("FACTOR = 2\n")
    (target / "bystander.py").write_text("")
    return target


def test_a_change_in_what_a_module_imports_counts_and_no_other(copied, tmp_path):
    cache = str(tmp_path / "cache")
    first = run(copied.parent, ANALYZER_CACHE=cache)
    (copied / "bystander.py").write_text("CONSTANT = 1\n")
    again = run(copied.parent, ANALYZER_CACHE=cache)
    (copied / "numbers.py").write_text("FACTOR = 3  # two imports away\n")
    changed = run(copied.parent, ANALYZER_CACHE=cache)
    assert first == again
    assert first[1] == "20"
    assert changed[0] != first[0]
    assert changed[1] == "30"


@pytest.mark.parametrize("path", sorted(Path(kernel_cache.__file__).parent.rglob("*kernels.py")), ids=lambda path: path.stem)
def test_all_modules_that_a_kernel_module_has_loaded_are_its_sources(path):
    """What the text of the imports says against what Python itself finds: every name of the module that comes from elsewhere."""
    root = Path(kernel_cache.__file__).parent
    module = importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
    sources = kernel_cache.sources_of(path)
    for value in vars(module).values():
        function = getattr(value, "py_func", value)
        home = getattr(function, "__module__", "") or ""
        if home.startswith("analyzer") and inspect.isfunction(function):
            assert Path(function.__code__.co_filename) in sources, function
    assert all(source.is_relative_to(root) for source in sources)


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
PIECES = """
from analyzer.kernel import helper
from analyzer.numbers import (
    FACTOR,
)

@helper
def twice(value):
    return FACTOR * value
"""
USERS = """
from analyzer.kernel import kernel, u8
from analyzer.pieces import twice

@kernel
def total(data):
    result = twice(u8(data, 0, 5))
    for k in range(1, 5):
        result += twice(data[k])
    return result
"""


def test_a_kernel_comes_from_disk_whole(copied, tmp_path):
    environment = {**os.environ, "ANALYZER_KERNELS": "compiled", "ANALYZER_CACHE": str(tmp_path / "cache")}
    outputs = [
        subprocess.run([sys.executable, "-c", USER], cwd=copied.parent, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [output.split() for output in outputs] == [["20", "True", "bounds"], ["20", "False", "bounds"]]


def test_without_a_writable_folder_nothing_is_cached(copied, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert run(copied.parent, ANALYZER_CACHE=str(file / "below")) == ["None", "20"]


def test_old_folders_of_the_same_module_are_removed_and_nothing_else(tmp_path):
    for k in range(5):
        folder = tmp_path / f"streams.kernels-{k:020x}"
        folder.mkdir()
        os.utime(folder, (k, k))
    others = [tmp_path / "keep me", tmp_path / f"http.kernels-{0:020x}"]
    for other in others:
        other.mkdir()
    kernel_cache.remove_old(tmp_path / f"streams.kernels-{4:020x}", keep=1)
    assert sorted(tmp_path.iterdir()) == sorted([*others, *(tmp_path / f"streams.kernels-{k:020x}" for k in (3, 4))])
