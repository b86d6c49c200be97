"""Bodies of HTTP as files: written piece by piece as they are read, so that none is held whole.

A body is written under a name of ours and gets its own when its connection is over and stayed in the report. Names are made of harmless
letters only, files are made new (never through a link), and cannot be executed. What is in them came from the network: treat it so.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from analyzer.errors import OutputError
from analyzer.messages.http.bodies import NOT_KEPT, Body
from analyzer.options import Limits
from analyzer.report.columns import Sheet

OPEN_FILES: Final = 64  # at a time; the others are opened again when more comes
TOO_LARGE: Final = "larger than the limit for one"
TOO_MUCH: Final = "the limit for all of them"
PRIVATE: Final = 0o600


@dataclass
class _Kept:
    size: int = 0
    wire_bytes: int = 0
    cut: str = ""
    digest: Any = field(default_factory=hashlib.sha256)


class ObjectStore:
    """Takes bodies, see ``Bodies``. Pieces may come on one thread while bodies that are over are closed and named on another.

    Attributes:
        written: files that have their names.
        refused: bodies of which nothing was kept, for a limit.
        shortened: bodies that were cut, for a limit.
    """

    def __init__(self, folder: Path, limits: Limits, *, force: bool = False) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}
        self._open: dict[int, BinaryIO] = {}
        self._named: dict[str, int] = {}  # of flushes that are not settled
        self._begun = 0
        self._left = limits.objects_bytes
        self.written = 0
        self.refused = 0
        self.shortened = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not force and any(folder.iterdir()):
                raise OutputError(f"{folder} is not empty. Choose another folder with --objects, or replace files in it with --force.")
            self._parts = Path(tempfile.mkdtemp(prefix=".parts-", dir=folder))
        except OSError as error:
            raise OutputError(f"{folder} cannot be written ({error.strerror}). Choose another folder with --objects.") from error

    # ---- while they are read

    def begin(self) -> int:
        """The number of a new body, NOT_KEPT when there are too many."""
        with self._lock:
            if self._begun >= self._limits.objects or self._left <= 0:
                self.refused += 1
                return NOT_KEPT
            self._begun += 1
            self._kept[self._begun] = _Kept()
            return self._begun

    def count(self, number: int, size: int) -> None:
        """So many bytes of a body were read, as they came."""
        if number > 0:
            self._kept[number].wire_bytes += size

    def add(self, number: int, content: bytes | memoryview) -> None:
        """Write more of a body, as far as the limits let it. Raises OutputError."""
        if number <= 0 or not len(content):
            return
        with self._lock:
            body = self._kept[number]
            if body.cut:
                return
            room = min(self._limits.object_bytes - body.size, self._left)
            if len(content) > room:
                body.cut = TOO_MUCH if room == self._left else TOO_LARGE
                self.shortened += 1
                content = content[:room]
            body.digest.update(content)
            body.size += len(content)
            self._left -= len(content)
            try:
                self._file(number).write(content)
            except OSError as error:
                raise OutputError(f"{self._folder}: a body cannot be written ({error.strerror}).") from error

    def cut(self, number: int, why: str) -> None:
        """Nothing more comes of a body, though it goes on."""
        if number > 0:
            self._kept[number].cut = self._kept[number].cut or why

    def _file(self, number: int) -> BinaryIO:
        """The file of a body, at its end; the one that was written longest ago is closed for it."""
        file = self._open.pop(number, None)
        if file is None:
            if len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            handle = os.open(self._parts / str(number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
            file = os.fdopen(handle, "ab")
        self._open[number] = file
        return file

    # ---- when they are over

    def close(self, number: int, name: str) -> Body:
        """A body is over; ``settle`` gives its file the name."""
        with self._lock:
            body = self._kept.pop(number)
            (self._open.pop(number, None) or self._file(number)).close()
            self._open.pop(number, None)
            self._named[name] = number
        return Body(body.size, body.wire_bytes, body.digest.hexdigest(), body.cut)

    def settle(self, built: Sheet, written: Sheet) -> None:
        """Name the files of one flush.

        Args:
            built: the table ``objects`` of the flush.
            written: what is left of it in the report; the other files are removed.

        Raises:
            OutputError: a file cannot be named.
        """
        stays = set(written.column("path").to_pylist())
        try:
            for name in built.column("path").to_pylist():
                part = self._parts / str(self._named.pop(name))
                if name in stays:
                    part.replace(self._folder / name)
                    self.written += 1
                else:
                    part.unlink()
        except OSError as error:
            raise OutputError(f"{self._folder}: a body cannot be named ({error.strerror}).") from error

    def end(self) -> None:
        """Remove what is not named; may be called twice."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        if self._parts.exists():
            for part in self._parts.iterdir():
                part.unlink(missing_ok=True)
            self._parts.rmdir()
