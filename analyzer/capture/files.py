"""Which files to read: paths and folders to captures that were looked at, and one clear sentence for what is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.capture.bytesource import ByteSource, PartialReadError, fill, open_bytes
from analyzer.capture.facts import KNOWN, CaptureFacts, describe_head
from analyzer.capture.pcap import HEADER_BYTES, find_byteorder
from analyzer.capture.pcapng import find_byteorder as find_section_byteorder
from analyzer.errors import CaptureError

STANDARD_INPUT = "-"


@dataclass
class CaptureFile:
    """A file that begins like a capture. ``total``: its size, None for a pipe.

    Pipes and standard input cannot be opened twice: they stay open, with the bytes that were looked at.
    """

    facts: CaptureFacts
    total: int | None
    source: ByteSource | None = None
    head: bytes = b""

    def open(self) -> tuple[ByteSource, bytes]:
        """The bytes of the file, and those of them that were read already. Raises OSError."""
        if self.source is not None:
            return self.source, self.head
        return open_bytes(self.facts.path)[0], b""

    def close(self) -> None:
        """Close what is still open."""
        if self.source is not None:
            self.source.close()


def look_at(path: str) -> CaptureFile:
    """Open a path and tell its format by its first bytes. Raises CaptureError with the sentence for a user."""
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        source, total = open_bytes(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise CaptureError(describe_open_error(name, error)) from error
    facts = CaptureFacts(path, name, compression=source.compression)
    piece = bytearray(HEADER_BYTES)
    try:
        head = bytes(piece[: fill(source, memoryview(piece))])
        facts.format = tell_format(name, head, source.compression)
    except PartialReadError as error:
        source.close()
        raise CaptureError(f"{name} cannot be read: {error.reason}.") from error
    except CaptureError:
        source.close()
        raise
    if total is not None and path != STANDARD_INPUT:
        source.close()
        return CaptureFile(facts, total)
    return CaptureFile(facts, total, source, head)


def tell_format(name: str, head: bytes, compression: str) -> str:
    """The format by the first bytes, "pcap" or "pcapng"; raises CaptureError."""
    if not head:
        raise CaptureError(f"{name} is empty: nothing was ever written to it. Record it again.")
    format_name = "pcap" if find_byteorder(head) is not None else "pcapng" if find_section_byteorder(head) is not None else ""
    if not format_name:
        where = f"inside {compression} " if compression else ""
        raise CaptureError(f"{name} is not a packet capture ({where}{describe_head(head)}). {KNOWN}")
    if len(head) < HEADER_BYTES:
        raise CaptureError(f"{name} ends in the middle of its {format_name} file header: it holds no packets. Record it again.")
    return format_name


def describe_open_error(name: str, error: Exception) -> str:
    """The sentence for a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return f"{name}: no such file."
    if isinstance(error, PermissionError):
        return f"{name} cannot be read: permission denied. Give yourself the right with: sudo chown $USER {name}"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{name} cannot be read: {reason}."


def find_captures(paths: Sequence[str]) -> tuple[list[CaptureFile], list[CaptureFacts]]:
    """The captures that the paths name, in order, a folder's by name; and what could not be read, as facts with a note.

    In a folder only files that begin like a capture count; others are passed over. Raises CaptureError when nothing can be read.
    """
    files: list[CaptureFile] = []
    failed: list[CaptureFacts] = []
    for path in paths:
        try:
            found, problems = list_folder(path) if path != STANDARD_INPUT and Path(path).is_dir() else ([look_at(path)], [])
            files += found
            failed += problems
        except (CaptureError, ValueError) as error:
            failed.append(CaptureFacts(path, path, notes=[str(error)]))
    if not files:
        raise CaptureError(" ".join(facts.notes[0] for facts in failed[:5]) if failed else "No capture was named.")
    return files, failed


def list_folder(path: str) -> tuple[list[CaptureFile], list[CaptureFacts]]:
    """The capture files of a folder by name, and those that may be captures but cannot be read."""
    try:
        names = sorted(entry.name for entry in os.scandir(path) if entry.is_file() and stat.S_ISREG(entry.stat().st_mode))
    except OSError as error:
        raise CaptureError(describe_open_error(path, error)) from error
    found: list[CaptureFile] = []
    problems: list[CaptureFacts] = []
    for name in names:
        inside = str(Path(path) / name)
        try:
            found.append(look_at(inside))
        except CaptureError as error:
            if isinstance(error.__cause__, PermissionError):
                problems.append(CaptureFacts(inside, inside, notes=[str(error)]))
    if not found:
        why = " " + problems[0].notes[0] if problems else f" {KNOWN}"
        raise CaptureError(f"{path} is a folder without packet captures.{why}")
    return found, problems
