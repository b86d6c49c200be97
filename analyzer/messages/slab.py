"""Memory for what is decrypted in one batch: blocks of the arena, filled from the front and given back together."""

from __future__ import annotations

from analyzer.memory import Memory
from analyzer.messages.slab_kernels import give_block, take_block

BLOCK_SIZE = 1 << 20


class Slab:
    """``room`` says where the next bytes may be written; ``keep`` that so many of them were."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._bytes = memory.data.data
        self._blocks: list[tuple[int, int]] = []
        self._top = self._end = 0

    def room(self, size: int) -> int:
        """Position of at least ``size`` writable bytes, -1 = the arena is full."""
        if self._top + size > self._end:
            wanted = max(BLOCK_SIZE, size)
            block = int(take_block(self._memory.data, self._memory.arenas[0], wanted))
            if block < 0:
                return -1
            self._blocks.append((block, wanted))
            self._top, self._end = block, block + wanted
        return self._top

    def keep(self, size: int) -> None:
        """The first ``size`` bytes of the room stay until ``clear``."""
        self._top += size

    def view(self, position: int, size: int) -> memoryview:
        """Bytes of memory, of the slab or not."""
        return self._bytes[position : position + size]

    def put(self, content: bytes) -> int:
        """Keep a copy; its position, -1 = the arena is full."""
        position = self.room(len(content))
        if position >= 0:
            self._bytes[position : position + len(content)] = content
            self.keep(len(content))
        return position

    def clear(self) -> None:
        """Give all blocks back: what was kept is gone."""
        for position, size in self._blocks:
            give_block(self._memory.data, self._memory.arenas[0], position, size)
        self._blocks.clear()
        self._top = self._end = 0
