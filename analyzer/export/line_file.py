"""A file of lines that are on disk when they are written, whole: whoever reads it meanwhile, or after a sudden end, finds no half line."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any


class LineFile:
    """A file to which whole lines are appended without a buffer of our own. Raises OSError; what was not written whole is taken back."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._size = 0

    def write(self, lines: Any) -> None:
        """Append bytes that end with a line end. Raises ValueError once closed."""
        if self._file < 0:
            raise ValueError(f"write to closed file {self.name}")
        view = memoryview(lines)
        done = 0
        try:
            while done < len(view):
                done += os.write(self._file, view[done:])
        except OSError:
            with suppress(OSError):  # no regular file
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += done

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
