"""Memory for what is decrypted in one batch: blocks of the arena, filled from the front and given back together."""

from __future__ import annotations

from analyzer.memory import Memory
from analyzer.messages.slab_kernels import give_block, take_block

BLOCK_SIZE = 1 << 20


class Slab:
    """``take`` reserves bytes until ``clear``; ``bytes`` is the memory that positions are in."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.bytes = memory.data.data
        self._blocks: list[tuple[int, int]] = []
        self._top = self._end = 0

    def take(self, size: int) -> int:
        """Position of ``size`` bytes of their own, -1 = the arena is full."""
        position = self._top
        if position + size > self._end:
            wanted = max(BLOCK_SIZE, size)
            position = int(take_block(self._memory.data, self._memory.arenas[0], wanted))
            if position < 0:
                return -1
            self._blocks.append((position, wanted))
            self._end = position + wanted
        self._top = position + size
        return position

    def put(self, content: bytes) -> int:
        """Keep a copy; its position, -1 = the arena is full."""
        position = self.take(len(content))
        if position >= 0:
            self.bytes[position : position + len(content)] = content
        return position

    def clear(self) -> None:
        """Give all blocks back: what was kept is gone."""
        for position, size in self._blocks:
            give_block(self._memory.data, self._memory.arenas[0], position, size)
        self._blocks.clear()
        self._top = self._end = 0
