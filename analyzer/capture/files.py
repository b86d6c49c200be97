"""Which files to read: paths and folders to captures that were looked at, and one clear sentence for what is none."""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.capture.bytesource import ByteSource, PartialReadError, fill, open_bytes
from analyzer.capture.facts import KNOWN, CaptureFacts, describe_head
from analyzer.capture.foreign import ConvertedBytes, tell_foreign
from analyzer.capture.pcap import HEADER_BYTES, find_byteorder
from analyzer.capture.pcapng import find_byteorder as find_section_byteorder
from analyzer.capture.remote import is_remote
from analyzer.errors import CaptureError, UsageError
from analyzer.options import Limits

STANDARD_INPUT = "-"
OWN_FORMATS = ("pcap", "pcapng")


@dataclass(frozen=True)
class Follow:
    """Read on while the file is being written: until ``idle_seconds`` have brought nothing (None: until told to stop)."""

    idle_seconds: float | None = None
    poll_seconds: float = 0.2


@dataclass
class CaptureFile:
    """A file that begins like a capture. ``total``: its size, None for a pipe; ``reads_as``: "pcap" or "pcapng".

    Pipes and standard input cannot be opened twice: they stay open, with the bytes that were looked at. ``rank`` is the order in which
    the files were named, ``first_ts`` the time of the first packet where several files are to be put in order.
    """

    facts: CaptureFacts
    total: int | None
    reads_as: str
    limits: Limits
    source: ByteSource | None = None
    head: bytes = b""
    rank: int = 0
    first_ts: int = 0

    def open(self) -> tuple[ByteSource, bytes]:
        """The bytes of the file, and those of them that were read already. Raises OSError."""
        if self.source is not None:
            return self.source, self.head
        if self.facts.format not in OWN_FORMATS:
            return ConvertedBytes(self.facts.path, self.facts.name, self.facts.format), b""
        return open_bytes(self.facts.path, self.limits)[0], b""

    def close(self) -> None:
        """Close what is still open."""
        if self.source is not None:
            self.source.close()


def look_at(path: str, limits: Limits, follow: Follow | None = None) -> CaptureFile:
    """Open a path and tell its format by its first bytes. Raises CaptureError with the sentence for a user."""
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        source, total = open_bytes(path, limits)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise CaptureError(describe_open_error(name, error)) from error
    facts = CaptureFacts(path, name, compression=source.compression)
    piece = memoryview(bytearray(HEADER_BYTES))
    try:
        got = fill(source, piece)
        if follow is not None:
            got = wait_for_head(source, piece, got, follow)
        if follow is not None and source.compression:
            raise CaptureError(f"{name} is compressed ({source.compression}): such a file can be followed only once it is complete.")  # noqa: TRY301
        head = bytes(piece[:got])
        facts.format = tell_format(name, head, source.compression)
    except PartialReadError as error:
        source.close()
        raise CaptureError(f"{name} cannot be read: {error.reason}.") from error
    except CaptureError:
        source.close()
        raise
    if facts.format not in OWN_FORMATS:
        source.close()
        return look_at_foreign(facts, total, limits)
    if total is not None and path != STANDARD_INPUT:
        source.close()
        return CaptureFile(facts, total, facts.format, limits)
    return CaptureFile(facts, total, facts.format, limits, source, head)


def wait_for_head(source: ByteSource, piece: memoryview, got: int, follow: Follow) -> int:
    """Wait until a file that is being written has its header; how many bytes of it are there."""
    idle = 0.0
    while got < len(piece) and (follow.idle_seconds is None or idle < follow.idle_seconds):
        time.sleep(follow.poll_seconds)
        idle += follow.poll_seconds
        got += fill(source, piece[got:])
    return got


def look_at_foreign(facts: CaptureFacts, total: int | None, limits: Limits) -> CaptureFile:
    """A capture of another format, if editcap is there and can read it. Raises CaptureError."""
    if facts.path == STANDARD_INPUT or total is None or is_remote(facts.path) or facts.compression:
        raise CaptureError(f"{facts.name} is a capture of format {facts.format}: unpack it, or save it to a file first.")
    converted = ConvertedBytes(facts.path, facts.name, facts.format)
    try:
        head = bytearray(HEADER_BYTES)
        got = fill(converted, memoryview(head))
    except PartialReadError as error:
        raise CaptureError(f"{facts.name} looks like a capture of format {facts.format}, but {error.reason}.") from error
    finally:
        converted.close()
    if find_section_byteorder(bytes(head[:got])) is None:
        raise CaptureError(f"{facts.name} looks like a capture of format {facts.format}, but editcap makes nothing of it.")
    return CaptureFile(facts, total, "pcapng", limits)


def tell_format(name: str, head: bytes, compression: str) -> str:
    """The format by the first bytes: "pcap", "pcapng" or one that editcap reads. Raises CaptureError."""
    if not head:
        raise CaptureError(f"{name} is empty: nothing was ever written to it. Record it again.")
    format_name = "pcap" if find_byteorder(head) is not None else "pcapng" if find_section_byteorder(head) is not None else ""
    if not format_name and (format_name := tell_foreign(head)):
        return format_name
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


def find_captures(paths: Sequence[str], limits: Limits, follow: Follow | None = None) -> tuple[list[CaptureFile], list[CaptureFacts]]:
    """The captures that the paths name, in order, a folder's and a glob's by name; and what could not be read, as facts with a note.

    In a folder only files that begin like a capture count; others are passed over. A file that is named twice is read once.

    Raises:
        CaptureError: nothing can be read.
        UsageError: several captures cannot be followed.
    """
    files: list[CaptureFile] = []
    failed: list[CaptureFacts] = []
    seen: set[str] = set()
    for path in paths:
        try:
            for each in expand(path):
                found, problems = list_folder(each, limits) if is_folder(each) else ([look_at(each, limits, follow)], [])
                files += [file for file in found if is_new(file, seen)]
                failed += problems
        except (CaptureError, ValueError) as error:
            failed.append(CaptureFacts(path, path, notes=[str(error)]))
    if follow is not None and len(files) > 1:
        raise UsageError(f"Only one capture can be followed while it is written, not {len(files)}: name the newest.")
    if not files:
        raise CaptureError(" ".join(facts.notes[0] for facts in failed[:5]) if failed else "No capture was named.")
    for rank, file in enumerate(files):
        file.rank = rank
    return files, failed


def is_folder(path: str) -> bool:
    """Whether the path is a folder on this machine."""
    return path != STANDARD_INPUT and not is_remote(path) and Path(path).is_dir()


def is_new(file: CaptureFile, seen: set[str]) -> bool:
    """Whether this file was not named before; ``seen`` holds those that were."""
    if file.source is not None or is_remote(file.facts.path):
        return True
    path = os.path.realpath(file.facts.path)
    if path in seen:
        return False
    seen.add(path)
    return True


def expand(path: str) -> list[str]:
    """The paths that a glob stands for, by name; a path that exists, or is no glob, stands for itself. Raises CaptureError."""
    if path == STANDARD_INPUT or is_remote(path) or not glob.has_magic(path) or Path(path).exists():
        return [path]
    found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (the pattern may be absolute)
    if not found:
        raise CaptureError(f"{path}: no file has such a name.")
    return found


def list_folder(path: str, limits: Limits) -> tuple[list[CaptureFile], list[CaptureFacts]]:
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
            found.append(look_at(inside, limits))
        except CaptureError as error:
            if isinstance(error.__cause__, PermissionError):
                problems.append(CaptureFacts(inside, inside, notes=[str(error)]))
    if not found:
        why = " " + problems[0].notes[0] if problems else f" {KNOWN}"
        raise CaptureError(f"{path} is a folder without packet captures.{why}")
    return found, problems
