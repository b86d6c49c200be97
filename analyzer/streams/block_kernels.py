# mypy: allow-untyped-defs
"""The blocks of a stream: segments above a hole, ordered by stream offset in a skip list (Pugh, 1990).

Invariants, for each stream:

* blocks do not overlap, none is empty, and all lie above ``STREAM.next`` when a packet has been dealt with;
* level 0 links all blocks by offset; a block of n levels is in the lists 0 .. n - 1. ``STREAM.head`` is a row of the same table in which
  all levels begin, so that no place is special; row 0, which stays zero, is the empty list;
* ``STREAM.buffered`` is the sum of block_size + BLOCK_CHARGE. The charge bounds the number of blocks of one stream, and since a place is
  found in O(log blocks), a sender that scatters single bytes cannot make the assembler slow.

A block that leaves (delivered, or cut away) is *retired*: its bytes stay readable, because runs point to them, until ``give_back``.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.memory import arena_give, arena_take, copy_bytes
from analyzer.tables.streams import BY_MEMORY_BUDGET, BY_STREAM_BUDGET, LEVELS

STORED = 0  # answer of store and cut: it is done; else the reason why it cannot be
BLOCK_CHARGE = 128  # what a block costs besides its bytes: its row and the rounding of the arena

# fields of the assembler's control array (int64)
RUNS, NEEDED, FREE_HEAD, FREE_ROWS, BLOCK_TOP, MAX_BLOCKS, RETIRED_HEAD, LEVEL_SEED = 0, 1, 2, 3, 4, 5, 6, 7
POLICY, STREAM_BYTES, GAP_ACKED_BYTES, GAP_WAIT_NS = 8, 9, 10, 11
PATH = 12  # LEVELS entries: the last block before the place that find looked for, on each level
CONTROL_SIZE = PATH + LEVELS


@helper
def find(blocks, control, head, offset):
    """The last block of list ``head`` that begins at or before ``offset``, or ``head``; PATH holds its like on each level."""
    block = np.int64(head)
    for step in range(LEVELS):
        level = LEVELS - 1 - step
        ahead = np.int64(blocks[block].following[level])
        while ahead != 0 and blocks[ahead].offset <= offset:
            block = ahead
            ahead = np.int64(blocks[block].following[level])
        control[PATH + level] = block
    return block


@helper
def take_row(blocks, control):
    """A free BLOCK row, 0 when the table is full."""
    row = control[FREE_HEAD]
    if row != 0:
        control[FREE_HEAD] = blocks[row].following[0]
        control[FREE_ROWS] -= 1
    elif control[BLOCK_TOP] < blocks.shape[0]:
        row = control[BLOCK_TOP]
        control[BLOCK_TOP] = row + 1
    return row


@helper
def give_row(blocks, control, row):
    """Put a BLOCK row on the free list."""
    blocks[row].following[0] = control[FREE_HEAD]
    control[FREE_HEAD] = row
    control[FREE_ROWS] += 1


@helper
def choose_levels(control):
    """Levels of a new block: one in four reaches the next. Any choice is correct; this one only has to be scattered."""
    control[LEVEL_SEED] = (control[LEVEL_SEED] * 1103515245 + 12345) & 0x7FFFFFFF
    bits, levels = control[LEVEL_SEED] >> 12, 1
    while levels < LEVELS and bits & 3 == 0:
        bits >>= 2
        levels += 1
    return levels


@helper
def store(data, arena, blocks, control, s, offset, size, source, number, ts, segment_start, segment_end):
    """Hold ``size`` bytes at ``source`` (-1: not kept) as a block of stream ``s`` at ``offset``, where none lies; STORED, or why not.

    They are a piece of the segment from ``segment_start`` to ``segment_end``. PATH is that of ``find`` for ``offset``.
    """
    if s.buffered + size + BLOCK_CHARGE > control[STREAM_BYTES]:
        return BY_STREAM_BUDGET
    if s.head == 0:
        s.head = take_row(blocks, control)
        if s.head == 0:
            return BY_MEMORY_BUDGET
        head = blocks[s.head]
        head.offset, head.block_size = -1, 0
        for level in range(LEVELS):
            head.following[level] = 0
            control[PATH + level] = s.head
    block = take_row(blocks, control)
    taken = arena_take(data, arena, size) if source >= 0 and block != 0 else np.int64(-1)
    if block == 0 or (source >= 0 and taken < 0):
        if block != 0:
            give_row(blocks, control, block)
        return BY_MEMORY_BUDGET
    if source >= 0:
        copy_bytes(data, source, taken, size)
    b = blocks[block]
    b.offset, b.block_size = offset, size
    b.position = taken
    b.taken, b.taken_size = taken, size
    b.number, b.ts = number, ts
    b.segment_start, b.segment_end = segment_start, segment_end
    b.levels = choose_levels(control)
    for level in range(b.levels):
        before = blocks[control[PATH + level]]
        b.following[level] = before.following[level]
        before.following[level] = block
    s.blocks += 1
    s.buffered += size + BLOCK_CHARGE
    return STORED


@helper
def retire(blocks, control, s, block):
    """Take ``block`` out of stream ``s``; PATH leads to it. Its bytes stay until ``give_back``."""
    b = blocks[block]
    for level in range(b.levels):
        blocks[control[PATH + level]].following[level] = b.following[level]
    s.blocks -= 1
    s.buffered -= b.block_size + BLOCK_CHARGE
    b.following[0] = control[RETIRED_HEAD]
    control[RETIRED_HEAD] = block
    if s.blocks == 0:
        give_row(blocks, control, np.int64(s.head))
        s.head = 0


@helper
def retire_first(blocks, control, s, block):
    """Take ``block``, the first one of stream ``s``, out of it."""
    for level in range(LEVELS):
        control[PATH + level] = s.head
    retire(blocks, control, s, block)


@helper
def cut(data, arena, blocks, control, s, block, low, high):
    """Free the offsets ``low`` to ``high`` of ``block`` for other bytes; STORED, or why its right part cannot be held."""
    b = blocks[block]
    end = b.offset + b.block_size
    if high < end:
        # Make the block end at `high` first, so that the place of its right part is free; undone when there is no room.
        s.buffered -= end - high
        b.block_size = high - b.offset
        source = b.position + b.block_size if b.position >= 0 else np.int64(-1)
        find(blocks, control, s.head, high)
        refused = store(data, arena, blocks, control, s, high, end - high, source, b.number, b.ts, b.segment_start, b.segment_end)
        if refused != STORED:
            b.block_size = end - b.offset
            s.buffered += end - high
            return refused
    if low > b.offset:
        s.buffered -= b.offset + b.block_size - low
        b.block_size = low - b.offset
    else:
        find(blocks, control, s.head, low - 1)
        retire(blocks, control, s, block)
    return STORED


@helper
def give_back(data, arena, blocks, control):
    """Return all retired blocks: their rows to the free list, their bytes to the arena."""
    block = control[RETIRED_HEAD]
    while block != 0:
        b = blocks[block]
        after = np.int64(b.following[0])
        if b.taken >= 0:
            arena_give(data, arena, b.taken, b.taken_size)
        give_row(blocks, control, block)
        block = after
    control[RETIRED_HEAD] = 0
