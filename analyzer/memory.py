# mypy: allow-untyped-defs
"""The one byte array that every span of a batch points into, and the text that outlives a batch.

Layout of ``Memory.data``: chunk buffers first (the capture's bytes as read), then one arena per shard for bytes that must outlive
their chunk: out-of-order segments, partial messages, decrypted or defragmented bytes. A span is therefore just (position, size),
wherever the bytes are. The array is allocated once at its full size; pages that are never touched cost no memory.

An arena hands out blocks of 64 << k bytes from free lists (kept in the free blocks themselves) and from its untouched end. When
nothing is left, ``arena_take`` answers -1: the caller sheds that stream and counts it.

``Text`` is different: bytes of names, URLs and the like that belong to rows of a table, appended by parse kernels and compacted when
rows have left.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.tables import Bytes, Ints

CLASSES = 20  # blocks of 64 bytes to 32 MiB
# fields of an arena's state (int64)
TOP, END, LIVE_BYTES, REFUSED, HEADS = 0, 1, 2, 3, 4
ARENA_STATE_SIZE = HEADS + CLASSES


class Memory:
    """Chunk buffers and arenas in one array: ``data[0 : chunks * chunk_bytes]``, then ``arenas`` regions of ``arena_bytes``."""

    def __init__(self, chunk_bytes: int, chunks: int, arena_bytes: int, arenas: int = 1) -> None:
        self.chunk_bytes = chunk_bytes
        self.chunks = chunks
        self.data: Bytes = np.empty(chunk_bytes * chunks + arena_bytes * arenas, np.uint8)
        self.arenas: list[Ints] = []
        for shard in range(arenas):
            state = np.full(ARENA_STATE_SIZE, -1, np.int64)
            state[TOP] = chunk_bytes * chunks + shard * arena_bytes
            state[END] = state[TOP] + arena_bytes
            state[LIVE_BYTES] = 0
            state[REFUSED] = 0
            self.arenas.append(state)


@helper
def block_class(size):
    """Index of the smallest block class that holds ``size`` bytes; CLASSES when none does."""
    k, room = 0, 64
    while room < size and k < CLASSES:
        room <<= 1
        k += 1
    return k


@helper
def arena_take(data, arena, size):
    """Reserve a block of at least ``size`` bytes; its position in ``data``, or -1 when the arena is full."""
    k = block_class(size)
    if k < CLASSES:
        room = 64 << k
        head = arena[HEADS + k]
        if head >= 0:
            following = np.int64(0)
            for i in range(8):
                following |= np.int64(data[head + i]) << (8 * i)
            arena[HEADS + k] = following
            arena[LIVE_BYTES] += room
            return head
        if arena[TOP] + room <= arena[END]:
            position = arena[TOP]
            arena[TOP] += room
            arena[LIVE_BYTES] += room
            return position
    arena[REFUSED] += 1
    return np.int64(-1)


@helper
def arena_give(data, arena, position, size):
    """Give back a block taken with the same ``size`` (or any size of the same class)."""
    k = block_class(size)
    head = arena[HEADS + k]
    for i in range(8):
        data[position + i] = (head >> (8 * i)) & 255
    arena[HEADS + k] = position
    arena[LIVE_BYTES] -= 64 << k


@helper
def copy_bytes(data, source, target, size):
    """Copy ``size`` bytes within memory; the two ranges do not overlap, or the target lies before the source."""
    old, new = data[source : source + size], data[target : target + size]
    for i in range(size):
        new[i] = old[i]


class Text:
    """Bytes that belong to rows of a table: ``data[position : position + size]``; position 0 is never handed out as a span."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self.data: Bytes = np.zeros(capacity, np.uint8)
        self.top = 0

    def make_room(self, more: int) -> None:
        """Grow so that ``more`` bytes fit after ``top``."""
        if self.top + more > self.data.size:
            bigger = np.zeros(max(self.top + more, 2 * self.data.size), np.uint8)
            bigger[: self.top] = self.data[: self.top]
            self.data = bigger

    def append(self, content: bytes) -> tuple[int, int]:
        """Add bytes from Python (rare paths only); their span."""
        self.make_room(len(content))
        at = self.top
        self.data.data[at : at + len(content)] = content
        self.top = at + len(content)
        return at, len(content)

    def compact(self, spans: list[tuple[Ints, Ints]]) -> None:
        """Keep only the bytes of the given spans. Each pair is (positions, sizes) of live rows, as views that are updated in place."""
        total = sum(int(sizes.sum()) for _, sizes in spans)
        kept = np.zeros(max(1 << 16, 2 * total), np.uint8)
        top = 0
        for positions, sizes in spans:
            top = move_spans(self.data, kept, top, positions, sizes)
        self.data, self.top = kept, top


@kernel
def move_spans(source, target, top, positions, sizes):
    """Copy each span of ``source`` to ``target`` from ``top`` on and point its position there; the new top."""
    for i in range(positions.size):
        size = np.int64(sizes[i])
        at = np.int64(positions[i])
        positions[i] = top
        old, new = source[at : at + size], target[top : top + size]
        for k in range(size):
            new[k] = old[k]
        top += size
    return top
