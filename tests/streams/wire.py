"""Segments as rows, straight into the assembler, and its runs as plain values that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.options import SECOND, Limits, Options
from analyzer.streams import Assembler
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.packets import ACK, INTERFACE, PACKET, SYN

CHUNK = 1 << 19
PATIENT = Limits(arena_bytes=1 << 20, gap_wait_ns=10**15, gap_acked_bytes=1 << 40)  # holes close at the end only


@dataclass
class Segment:
    """One TCP packet: ``seq`` and ``ack`` as on the wire, ``length`` on the wire (None: all of ``content`` was captured)."""

    sender: int
    seq: int
    content: bytes = b""
    flags: int = ACK
    ack: int = 0
    ts: int = 0
    length: int | None = None
    connection: int = 0
    more: dict[str, int] = field(default_factory=dict)


class Run(NamedTuple):
    """A RUN row with its bytes (None: not kept)."""

    connection: int
    sender: int
    marks: int
    gap: int
    content: bytes | None
    size: int
    offset: int
    number: int
    ts: int


def syn(sender: int = 0, isn: int = 999, **more: int) -> Segment:
    return Segment(sender, isn, flags=more.pop("flags", SYN), **more)


class Wire:
    """An assembler with one small memory, fed in batches that overwrite each other."""

    def __init__(
        self, limits: Limits = PATIENT, *, connections: int = 1, overlap: str = "first", rows: int = 1, options: Options | None = None
    ) -> None:
        self.options = options or Options(overlap=overlap, limits=limits)
        self.memory = Memory(CHUNK, 1, self.options.limits.arena_bytes)
        self.assembler = Assembler(self.memory, self.options, run_rows=rows, block_rows=rows)
        self.connections = new_table(CONNECTION, connections)
        self.number = 0
        self.now = 0
        self.top = 0

    def push(self, *segments: Segment) -> list[Run]:
        """One batch."""
        self.memory.data[: self.top] = 0xEE  # what the last batch said is gone
        packets = new_table(PACKET, len(segments))
        top = 0
        for row, segment in zip(packets, segments, strict=True):
            self.number += 1
            self.now = max(self.now, segment.ts)
            row.ts, row.number, row.offset = segment.ts, self.number, top
            row.protocol, row.connection, row.sender = 6, segment.connection, segment.sender
            row.seq, row.ack, row.tcp_flags = segment.seq & 0xFFFFFFFF, segment.ack & 0xFFFFFFFF, segment.flags
            row.payload, row.payload_size = 5, len(segment.content)
            row.payload_length = len(segment.content) if segment.length is None else segment.length
            for name, value in segment.more.items():
                row[name] = value
            self.memory.data[top + 5 : top + 5 + len(segment.content)] = np.frombuffer(segment.content, np.uint8)
            top += 5 + len(segment.content)
        self.top = top
        batch = Batch(self.memory, packets, new_table(INTERFACE, 1), self.now, self.number)
        return self.read(self.assembler.assemble(batch, self.connections))

    def push_cut(self, segments: Sequence[Segment], size: int) -> list[Run]:
        """The same segments in batches of ``size``."""
        return [run for at in range(0, len(segments), size) for run in self.push(*segments[at : at + size])]

    def finish(self, *rows: int) -> list[Run]:
        return self.read(self.assembler.finish(np.array(rows or (0,), np.int64), self.connections))

    def read(self, runs: Rows) -> list[Run]:
        got = []
        for r in runs:
            position, size = int(r.position), int(r.run_size)
            content = None if position < 0 else self.memory.data[position : position + size].tobytes()
            got.append(
                Run(int(r.connection), int(r.sender), int(r.marks), int(r.gap), content, size, int(r.offset), int(r.number), int(r.ts))
            )
        return got

    def stream(self, sender: int = 0, connection: int = 0) -> Rows:
        return self.assembler.streams[2 * connection + sender]


def joined(runs: Sequence[Run], sender: int = 0) -> bytes:
    """All bytes of one sender in order, ``?`` for each byte that is missing or was not kept."""
    return b"".join(b"?" * r.gap + (b"?" * r.size if r.content is None else r.content) for r in runs if r.sender == sender)


MS = SECOND // 1000
