"""The bytes that the two ends of a connection sent, in order: TCP streams put together, datagrams as they are, TLS opened with keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from analyzer.batch import Batch
from analyzer.connections import Tracker
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.registries.ip import TCP
from analyzer.selection import track_captures
from analyzer.streams import Assembler
from analyzer.tables import Rows, take_rows


class Piece(NamedTuple):
    """Bytes that one end sent.

    Attributes:
        is_reply: the responder sent them.
        content: the bytes; empty where only ``missing`` is told.
        missing: bytes of the stream before them that are not in the capture, or were cut off.
        frame: the frame that carried them, and ``ts`` its time, ns.
    """

    is_reply: bool
    content: bytes
    missing: int
    frame: int
    ts: int


Sink: TypeAlias = Callable[[Piece], None]


def piece_of(memory: Memory, run: Any, flipped: int) -> Piece | None:
    """A RUN row as a piece; None when it tells nothing."""
    size, position, missing = int(run["run_size"]), int(run["position"]), int(run["gap"])
    content = memory.data[position : position + size].tobytes() if position >= 0 else b""
    missing += 0 if position >= 0 else size
    if not content and not missing:
        return None
    return Piece(int(run["sender"]) != flipped, content, missing, int(run["number"]), int(run["ts"]))


def follow_plain(captures: Sequence[str], number: int, options: Options, sink: Sink) -> bool:
    """The bytes as they were sent; whether there is such a connection. Raises CaptureError when none of the captures can be read."""
    assembler: Assembler | None = None
    is_there = False
    for _, batch, tracker, over in track_captures(captures, options):
        if assembler is None:
            assembler = Assembler(batch.memory, options, run_rows=1 << 10)
        row = _row_of(tracker, number)
        if row < 0:
            continue
        is_there = True
        flipped = int(tracker.connections["flipped"][row])
        mine = replace(batch, packets=take_rows(batch.packets, np.flatnonzero(batch.packets["connection"] == row)))
        if int(tracker.connections["protocol"][row]) != TCP:
            _tell_datagrams(mine, flipped, sink)
            continue
        _tell(batch.memory, assembler.assemble(mine, tracker.connections), flipped, sink)
        if row in over:
            _tell(batch.memory, assembler.finish(np.array([row], np.int64), tracker.connections), flipped, sink)
            break
    return is_there


def _row_of(tracker: Tracker, number: int) -> int:
    rows = np.flatnonzero(tracker.connections["number"] == number)
    return int(rows[0]) if len(rows) else -1


def _tell(memory: Memory, runs: Rows, flipped: int, sink: Sink) -> None:
    for k in range(len(runs)):
        piece = piece_of(memory, runs[k], flipped)
        if piece is not None:
            sink(piece)


def _tell_datagrams(batch: Batch, flipped: int, sink: Sink) -> None:
    """Payloads of packets without a stream."""
    for k in range(len(batch.packets)):
        packet = batch.packets[k]
        at, size, length = (int(packet[name]) for name in ("payload", "payload_size", "payload_length"))
        at += int(packet["offset"])
        content = batch.memory.data[at : at + size].tobytes()
        if content or length > size:
            sink(Piece(int(packet["sender"]) != flipped, content, 0, int(packet["number"]), int(packet["ts"])))
        if length > size:
            sink(Piece(int(packet["sender"]) != flipped, b"", length - size, int(packet["number"]), int(packet["ts"])))


def follow_opened(captures: Sequence[str], number: int, options: Options, sink: Sink) -> int:
    """The bytes inside TLS, as far as there are keys; how many pieces. Raises CaptureError when none of the captures can be read."""
    told = 0

    def watch(batch: Batch, runs: Rows, connections: Rows) -> None:
        nonlocal told
        owners = connections["number"][runs["connection"]] == number
        for k in np.flatnonzero(owners).tolist():
            piece = piece_of(batch.memory, runs[k], int(connections["flipped"][int(runs[k]["connection"])]))
            if piece is not None:
                told += 1
                sink(piece)

    pipeline = Pipeline(options)
    pipeline.watch = watch
    for _ in pipeline.run(captures):
        pass
    return told


def as_hex(content: bytes, offset: int, indent: str) -> Iterator[str]:
    """Lines of 16 bytes: offset, hexadecimal, characters."""
    for at in range(0, len(content), 16):
        row = content[at : at + 16]
        halves = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}".rstrip()
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{indent}{offset + at:08x}  {halves:48}  {letters}"


def as_text(content: bytes) -> str:
    """Text that a terminal may show: what is no printable character of UTF-8 is a dot; lines stay lines."""
    told = content.decode("utf-8", "replace").replace("\ufffd", ".").replace("\r\n", "\n")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "." for letter in told)
