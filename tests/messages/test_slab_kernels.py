"""Blocks are taken from the arena, given back and taken again."""

from __future__ import annotations

from analyzer.memory import Memory
from analyzer.messages.slab_kernels import give_block, take_block


def test_blocks() -> None:
    memory = Memory(1024, 1, 4096)
    block = take_block(memory.data, memory.arenas[0], 100)
    assert block >= 1024
    give_block(memory.data, memory.arenas[0], block, 100)
    assert take_block(memory.data, memory.arenas[0], 1 << 20) == -1
