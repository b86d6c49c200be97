"""``analyzer follow``: what the two ends of a connection said, byte by byte."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.output_file import check_file
from analyzer.errors import OutputError, UsageError

if TYPE_CHECKING:
    from analyzer.following import Piece

FORMS: Final = ("text", "hex", "raw")
DIRECTIONS: Final = ("both", "originator", "responder")


@dataclass(frozen=True)
class FollowRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    form: str = "text"
    direction: str = "both"
    output: str = ""
    encrypted: bool = False
    inputs: Inputs = field(default_factory=Inputs)
    force: bool = False


@contextmanager
def opened(request: FollowRequest, environment: Environment) -> Iterator[BinaryIO]:
    """Where the bytes go."""
    if not request.output:
        environment.stdout.flush()
        yield getattr(environment.stdout, "buffer", sys.stdout.buffer)
        return
    path = Path(request.output)
    check_file(path, force=request.force)
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error


class Printer:
    """Writes pieces in one of FORMS."""

    def __init__(self, form: str, direction: str, out: BinaryIO) -> None:
        self._form = form
        self._direction = direction
        self._out = out
        self._offsets = [0, 0]
        self._last: bool | None = None
        self.count = 0

    def write(self, piece: Piece) -> None:
        """Write a piece of the direction that was asked for."""
        if self._direction != "both" and DIRECTIONS[1 + piece.is_reply] != self._direction:
            return
        self.count += 1
        if self._form == "raw":
            self._out.write(piece.content)
            return
        from analyzer.following import as_hex, as_text

        lines = []
        if piece.is_reply != self._last:
            lines += ["" if self._last is not None else None, f"--- {DIRECTIONS[1 + piece.is_reply]}, frame {piece.frame}"]
            self._last = piece.is_reply
        if piece.missing:
            lines.append(f"[{piece.missing:,} bytes are missing]")
        if self._form == "hex":
            lines += as_hex(piece.content, self._offsets[piece.is_reply], "    " if piece.is_reply else "")
        self._offsets[piece.is_reply] += piece.missing + len(piece.content)
        told = "".join(f"{line}\n" for line in lines if line is not None)
        if self._form == "text":
            told += as_text(piece.content)
        self._out.write(told.encode("utf-8", "backslashreplace"))


def run_follow(request: FollowRequest, environment: Environment) -> int:
    """Print the bytes; the exit status."""
    if request.form not in FORMS:
        raise UsageError(f"--as is one of {', '.join(FORMS)}, not {request.form}.")
    if request.direction not in DIRECTIONS:
        raise UsageError(f"--direction is one of {', '.join(DIRECTIONS)}, not {request.direction}.")
    if request.capture == "-":
        raise UsageError("follow reads a capture more than once: save it to a file first.")
    options = request.inputs.options()
    choose_kernels([request.capture])
    from analyzer.following import follow_opened, follow_plain
    from analyzer.selection import find_connection

    captures = [request.capture]
    number = find_connection(captures, request.connection, options)
    with opened(request, environment) as out:
        printer = Printer(request.form, request.direction, out)
        told = 0 if request.encrypted else follow_opened(captures, number, options, printer.write)
        if not told and not follow_plain(captures, number, options, printer.write):
            raise UsageError(f"{request.capture} has no connection {number}.")
        if printer.count and request.form == "text":
            out.write(b"\n")
        out.flush()
    if told:
        environment.warn(f"analyzer: connection {number} as decrypted with the keys; as it was sent: --encrypted")
    elif not printer.count:
        environment.warn(f"analyzer: connection {number} carried no payload{'' if request.direction == 'both' else ' that way'}.")
    return 0
