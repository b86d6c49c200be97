"""Blocks are taken as they are needed and all given back."""

from __future__ import annotations

from analyzer.memory import Memory
from analyzer.messages.slab import BLOCK_SIZE, Slab


def test_rooms_do_not_overlap_and_are_given_back() -> None:
    memory = Memory(1024, 1, 4 * BLOCK_SIZE)
    slab = Slab(memory)
    places = [slab.put(bytes([n]) * (BLOCK_SIZE // 3)) for n in range(9)]
    assert len(set(places)) == 9
    assert all(bytes(slab.bytes[place : place + BLOCK_SIZE // 3]) == bytes([n]) * (BLOCK_SIZE // 3) for n, place in enumerate(places))
    assert slab.take(50) == slab.take(100) - 50
    assert slab.take(8 * BLOCK_SIZE) == -1
    assert slab.put(bytes(8 * BLOCK_SIZE)) == -1
    slab.clear()
    assert memory.arenas[0][2] == 0
