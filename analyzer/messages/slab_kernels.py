# mypy: allow-untyped-defs
"""Blocks of the arena for Python."""

from __future__ import annotations

from analyzer.kernel import kernel
from analyzer.memory import arena_give, arena_take


@kernel
def take_block(data, arena, size):
    """A block of the arena, -1 = it is full."""
    return arena_take(data, arena, size)


@kernel
def give_block(data, arena, position, size):
    """Give a block back."""
    arena_give(data, arena, position, size)
