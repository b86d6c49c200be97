"""Where compiled kernels are kept on disk.

Numba looks only at the file of a kernel itself when it decides whether a cached copy is still good, so a changed helper or constant
in another module would leave old machine code in use. The cache therefore lives in a folder named by a hash of all sources of this
package and of the versions of Python, Numba and NumPy. Where no folder is writable, nothing is cached. Folders of earlier sources are
removed when a new one is made.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

KEY_SIZE = 20  # hex digits that name a folder
KEPT_FOLDERS = 4  # caches of other versions that are left alone: several checkouts or environments on one machine


@cache
def source_key() -> str:
    """Hash of everything that compiled code depends on: our sources and the versions of Python, Numba and NumPy."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    words = (sys.version, platform.machine(), version("numba"), version("llvmlite"), version("numpy"))
    digest.update("\0".join(words).encode())
    return digest.hexdigest()[:KEY_SIZE]


def cache_root() -> Path:
    """The folder that holds one folder of machine code per version of the sources; ``ANALYZER_CACHE`` overrides it."""
    told = os.environ.get("ANALYZER_CACHE")
    if told:
        return Path(told)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "analyzer-kernels"


def open_cache(root: Path | None = None) -> Path | None:
    """Make the cache folder of these sources; None when no folder can be written (read-only install, no home)."""
    try:
        folder = (cache_root() if root is None else root) / source_key()
        if not folder.exists():
            folder.mkdir(parents=True)
            remove_old(folder.parent, keep=KEPT_FOLDERS)
        os.utime(folder)
    except (OSError, RuntimeError):  # RuntimeError: Path.expanduser without a home
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def is_cache_warm() -> bool:
    """Whether machine code of exactly these sources is on disk, so that nothing (or little) has to be compiled."""
    try:
        return any((cache_root() / source_key()).rglob("*.nbi"))
    except (OSError, RuntimeError):
        return False


def remove_old(root: Path, keep: int) -> None:
    """Remove all but the ``keep`` most recently used cache folders (and their files only: nothing else is touched)."""
    folders = sorted(
        (path for path in root.iterdir() if path.is_dir() and len(path.name) == KEY_SIZE), key=lambda path: path.stat().st_mtime
    )
    for path in folders[: -keep - 1]:
        shutil.rmtree(path, ignore_errors=True)
