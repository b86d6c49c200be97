"""Care for a single file that a command writes."""

from __future__ import annotations

import os
from pathlib import Path

from analyzer.errors import OutputError


def check_file(path: Path, *, force: bool) -> None:
    """Look whether a file may be written; nothing is changed.

    Raises:
        OutputError: it is there already (without ``force``), or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file with -o.")
    if os.path.lexists(path) and not force:
        raise OutputError(f"{path} is there already. Choose another name with -o, or replace it with --force.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path.parent} is no folder. Make it, or choose another name with -o.")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise OutputError(f"{path} cannot be written. Choose another name with -o.")
