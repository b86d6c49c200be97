"""The folder that a report is written to: its name, and care for files that are not ours."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.export.parts import part_of

MARK = ".analyzer-report"  # says which captures a report is of, and after an empty line which files are its
_ENDINGS = (".gz", ".zst", ".xz", ".bz2", ".lz4", ".pcapng", ".pcap", ".cap")


def choose_folder(captures: Sequence[str], told: str) -> Path:
    """DIR as told, or reports/<name of the first capture>."""
    if told:
        return Path(told)
    name = "stdin" if captures[0] == "-" else _absolute(captures[0]).name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return Path("reports") / ("".join(letter if letter.isprintable() else "_" for letter in name) or "capture")


def check_folder(folder: Path, captures: Sequence[str], *, force: bool) -> set[str]:
    """Look whether a report of these captures may be written; nothing is changed.

    Returns:
        Names of the files of an earlier report of the same captures.

    Raises:
        OutputError: the folder holds other files, or cannot be written.
    """
    mark = folder / MARK
    try:
        parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
            raise OutputError(f"{folder} cannot be written ({parent} {_why(parent)}). Choose another folder with -o.")
        if not folder.exists():
            return set()
        earlier, _, files = mark.read_text(encoding="utf-8", errors="surrogateescape").partition("\n\n") if mark.is_file() else ("", "", "")
        ours = {name for file in files.splitlines() for name in (file, part_of(Path(file)).name)} if earlier == _claim(captures) else set()
        others = sorted({path.name for path in folder.iterdir()} - ours - {MARK})
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}). Choose another folder with -o.") from error
    if others and not force:
        raise OutputError(
            f"{folder} holds files of something else ({others[0]}). Choose another folder with -o, or replace them with --force."
        )
    return {Path(name).name for name in ours}


def claim_folder(folder: Path, captures: Sequence[str], *, force: bool) -> None:
    """Make the folder ours: files of an earlier report of the same captures are removed, others replaced only with ``force``.

    Raises:
        OutputError: as ``check_folder``.
    """
    ours = check_folder(folder, captures, force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ours:
            (folder / name).unlink(missing_ok=True)
        record_files(folder, captures, [])
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}). Choose another folder with -o.") from error


def record_files(folder: Path, captures: Sequence[str], files: Sequence[Path]) -> None:
    """Note which files are ours, so that the next report of the same captures may remove them."""
    text = "\n".join([_claim(captures), "", *sorted(path.name for path in files)])
    (folder / MARK).write_text(text + "\n", encoding="utf-8", errors="surrogateescape")


def _claim(captures: Sequence[str]) -> str:
    """Which captures a report was made from; a hash, since the folder may be given away."""
    names = "\n".join(capture if capture == "-" else str(_absolute(capture)) for capture in captures)
    return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()


def _why(path: Path) -> str:
    return "is not writable" if path.is_dir() else "is not a folder"


def _absolute(capture: str) -> Path:
    return Path(os.path.abspath(capture))  # noqa: PTH100 - no symlink is followed: the name is the one that was typed
