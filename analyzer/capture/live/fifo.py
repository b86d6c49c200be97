"""Bytes on their way from the capturing thread to the analysis: bounded, in order, without loss."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

BLOCK_BYTES = 1 << 20


class Block:
    """A piece of memory: filled up to ``end``, read up to ``start``."""

    def __init__(self) -> None:
        self.view = memoryview(np.empty(BLOCK_BYTES, np.uint8))  # type: ignore[arg-type]
        self.start = self.end = 0


class Fifo:
    """Up to ``capacity`` bytes between one writer and one reader, in blocks that are used again."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(capacity, 2 * BLOCK_BYTES)
        self._changed = threading.Condition()
        self._blocks: deque[Block] = deque([Block()])
        self._free: list[Block] = []
        self.held = 0  # bytes written and not read yet
        self.is_closed = False

    def room(self, least: int) -> memoryview:
        """Free bytes in a row, at least ``least`` of them (no more than a block has). Waits for the reader; empty once closed."""
        with self._changed:
            block = self._blocks[-1]
            if len(block.view) - block.end < least:
                self._changed.wait_for(lambda: self.is_closed or len(self._blocks) * BLOCK_BYTES < self.capacity)
                block = self._free.pop() if self._free else Block()
                self._blocks.append(block)
            return block.view[:0] if self.is_closed else block.view[block.end :]

    def commit(self, size: int) -> None:
        """The first ``size`` bytes of the room are filled."""
        with self._changed:
            self._blocks[-1].end += size
            self.held += size
            self._changed.notify_all()

    def readinto(self, view: memoryview) -> int:
        """Take what is there, as much as fits; how many bytes, 0 when nothing is there now."""
        got = 0
        while got < len(view):
            block = self._blocks[0]
            size = min(len(view) - got, block.end - block.start)
            view[got : got + size] = block.view[block.start : block.start + size]
            got += size
            with self._changed:
                block.start += size
                self.held -= size
                is_last = len(self._blocks) == 1
                if block.start == block.end:
                    if is_last:
                        break
                    self._give_back()
        return got

    def _give_back(self) -> None:
        """The first block is read: it may be filled again."""
        block = self._blocks.popleft()
        block.start = block.end = 0
        if not self._free:
            self._free.append(block)
        self._changed.notify_all()

    def wait(self, least: int, seconds: float) -> None:
        """Wait until ``least`` bytes are there, or nothing more comes, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed or self.held >= least, seconds)

    def close(self) -> None:
        """Nothing more will be written, or read."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
