"""Where compiled kernels are kept on disk.

Numba looks only at the file of a kernel itself when it decides whether a cached copy is still good, so a changed helper or constant
in another module would leave old machine code in use. The kernels of a module are therefore kept in a folder named by a hash of that
module, of every module of this package it imports from, directly or not, and of the versions of Python, Numba and NumPy. Where no
folder is writable, nothing is cached. Folders of earlier sources are removed when a new one is made.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

KEY_SIZE = 20  # hex digits that name a folder
KEPT_FOLDERS = 4  # caches of other versions of a module that are left alone: several checkouts or environments on one machine

_ROOT = Path(__file__).parent
_IMPORT = re.compile(rf"^\s*(?:from ({_ROOT.name}[\w.]*) import (\([^)]*\)|[^\n]*)|import ({_ROOT.name}[\w.]*))", re.MULTILINE)


@cache
def _versions() -> bytes:
    words = (sys.version, platform.machine(), version("numba"), version("llvmlite"), version("numpy"))
    return "\0".join(words).encode()


@cache
def _digest_and_imports(path: Path) -> tuple[bytes, frozenset[Path]]:
    """The hash of one source file, and the files of this package it imports from."""
    content = path.read_bytes()
    found: set[Path] = set()
    for module, names, plain in _IMPORT.findall(content.decode()):
        place = _ROOT.parent.joinpath(*(module or plain).split("."))
        candidates = [place.with_suffix(".py"), place / "__init__.py"]
        candidates += [place / f"{name}.py" for name in re.findall(r"\w+", names)]  # a name may be a module of a package
        found.update(candidate for candidate in candidates if candidate.is_file())
    return hashlib.sha256(content).digest(), frozenset(found)


def sources_of(path: Path) -> set[Path]:
    """A source file and all files of this package it imports from, directly or through others: what its kernels can depend on."""
    compiler = _ROOT / "kernel_compiler.py"
    sources, waiting = set[Path](), {path, compiler} if compiler.is_file() else {path}
    while waiting:
        source = waiting.pop()
        sources.add(source)
        waiting |= _digest_and_imports(source)[1] - sources
    return sources


@cache
def source_key(path: Path) -> str:
    """Hash of everything that the kernels in the source file ``path`` depend on."""
    digest = hashlib.sha256(_versions())
    for source in sorted(sources_of(path)):
        digest.update(source.name.encode() + _digest_and_imports(source)[0])
    return digest.hexdigest()[:KEY_SIZE]


def cache_root() -> Path:
    """The folder that holds one folder of machine code per module and version of its sources; ``ANALYZER_CACHE`` overrides it."""
    told = os.environ.get("ANALYZER_CACHE")
    if told:
        return Path(told)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "analyzer-kernels"


def folder_of(path: Path) -> Path:
    """Where the kernels of the source file ``path`` are kept."""
    return cache_root() / f"{path.parent.name}.{path.stem}-{source_key(path)}"


@cache
def open_cache(path: Path) -> Path | None:
    """Make the cache folder of the kernels in ``path``; None when no folder can be written (read-only install, no home)."""
    try:
        folder = folder_of(path)
        if not folder.exists():
            folder.mkdir(parents=True)
            remove_old(folder, keep=KEPT_FOLDERS)
        os.utime(folder)
    except (OSError, RuntimeError):  # RuntimeError: Path.expanduser without a home
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def is_cache_warm() -> bool:
    """Whether machine code of the kernels that every capture needs is on disk, so that little has to be compiled."""
    always = (_ROOT / "packets" / "decode_kernels.py", _ROOT / "export" / "row_kernels.py")
    try:
        return all(any(folder_of(path).glob("*.kernel")) for path in always)
    except (OSError, RuntimeError):
        return False


def remove_old(folder: Path, keep: int) -> None:
    """Remove all but the ``keep`` most recently used folders of other versions of the same module, and nothing else."""
    module = folder.name[: -KEY_SIZE - 1]
    same = [path for path in folder.parent.glob(f"{module}-{'?' * KEY_SIZE}") if path.is_dir() and path != folder]
    for path in sorted(same, key=lambda path: path.stat().st_mtime)[: -keep or None]:
        shutil.rmtree(path, ignore_errors=True)
