"""Names of files that are not finished."""

from __future__ import annotations

from pathlib import Path


def part_of(path: Path) -> Path:
    """Where a file is that cannot be read before it is finished: beside it, hidden."""
    return path.with_name(f".{path.name}.part")
