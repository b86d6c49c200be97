"""Keeps the packets of a live capture in pcapng files: one, or a ring of files of a certain size or time."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from analyzer.capture.live.block_kernels import find_end
from analyzer.capture.live.engine import LiveOptions
from analyzer.errors import OutputError


class Recorder:
    """Writes the bytes of a pcapng stream as they come; whatever happens, all but the last block of a file are whole.

    Another file begins with a whole block, after the header of the first: section and interfaces.
    """

    def __init__(self, options: LiveOptions) -> None:
        if options.write is None:
            raise ValueError("nowhere to write to")
        self._path = options.write
        self._most_bytes, self._most_s, self._most_files = options.write_bytes, options.write_s, options.write_files
        self._is_ring = bool(self._most_bytes or self._most_s)
        self._header = b""
        self._rest = b""  # the beginning of a block whose end has not come yet
        self._count = 0
        self.paths: list[Path] = []
        self.bytes_written = 0
        self._file = -1
        self._begin()

    def _begin(self) -> None:
        """Open the next file; the oldest is removed when there are too many. Raises OutputError."""
        path = self._path
        self._count += 1
        if self._is_ring:
            stamp = f"{datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC):%Y%m%d%H%M%S}"
            path = path.with_name(f"{path.stem}_{self._count:05}_{stamp}{path.suffix}")
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another file with --write.") from error
        self.paths.append(path)
        self._size = 0
        self._began = time.monotonic()
        if self._most_files and len(self.paths) > self._most_files:
            self.paths.pop(0).unlink(missing_ok=True)

    def write(self, view: memoryview) -> None:
        """Append bytes of the stream. Raises OutputError, with what does not fit left out."""
        if not self._is_ring:
            self._append(view)
            return
        piece = np.frombuffer(self._rest + bytes(view), np.uint8)
        if not self._header:
            head, _ = find_end(piece, 0, len(piece), 1)
            self._header = piece[: int(head)].tobytes()
        end, missing = map(int, find_end(piece, 0, len(piece), 0))
        if missing < 0:
            raise OutputError(f"{self.paths[-1]}: what the capture engine sends is no pcapng any more.")
        self._rest = piece[end:].tobytes()
        is_full = self._most_bytes and self._size + end > self._most_bytes and self._size > len(self._header)
        is_old = self._most_s and time.monotonic() - self._began >= self._most_s
        if end and (is_full or is_old):
            os.close(self._file)
            self._begin()
            self._append(memoryview(self._header))
        self._append(memoryview(piece[:end]))  # type: ignore[arg-type]

    def _append(self, view: memoryview) -> None:
        done = 0
        try:
            while done < len(view):
                done += os.write(self._file, view[done:])
        except OSError as error:
            raise OutputError(f"{self.paths[-1]}: the packets cannot be kept any more ({error.strerror}).") from error
        finally:
            self._size += done
            self.bytes_written += done

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
