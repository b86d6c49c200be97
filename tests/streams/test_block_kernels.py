"""The skip list of blocks against a dict."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES, Memory
from analyzer.streams import block_kernels as kernels
from analyzer.tables import new_table
from analyzer.tables.streams import BLOCK, BY_MEMORY_BUDGET, BY_STREAM_BUDGET, STREAM

SPACE = 48


class Blocks:
    """One stream and a table of ``rows`` blocks; offsets 1 .. SPACE, content of an offset is its own number plus a shift."""

    def __init__(self, rows: int, stream_bytes: int = 1 << 20) -> None:
        self.memory = Memory(256, 1, 1 << 14)
        self.memory.data[:256] = np.arange(256)
        self.blocks = new_table(BLOCK, rows)
        self.stream = new_table(STREAM, 1)
        self.control = np.zeros(kernels.CONTROL_SIZE, np.int64)
        self.control[[kernels.BLOCK_TOP, kernels.LEVEL_SEED, kernels.STREAM_BYTES]] = 1, 1, stream_bytes
        self.tables = self.memory.data, self.memory.arenas[0], self.blocks, self.control

    def store(self, offset: int, size: int, shift: int) -> int:
        self.find(offset)
        return int(kernels.store(*self.tables, self.stream[0], offset, size, offset + shift, 7, 8, offset, offset + size))

    def find(self, offset: int) -> int:
        return int(kernels.find(self.blocks, self.control, np.int64(self.stream[0].head), offset))

    def content(self) -> dict[int, int]:
        got: dict[int, int] = {}
        at = int(self.blocks[self.stream[0].head].following[0])
        while at:
            b = self.blocks[at]
            assert int(b.offset) > max(got, default=0)
            got |= {int(b.offset) + i: int(self.memory.data[b.position + i]) for i in range(b.block_size)}
            at = int(b.following[0])
        return got


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, SPACE), st.integers(1, 12), st.integers(0, 100)), max_size=40))
def test_like_a_dict(steps):
    twin: dict[int, int] = {}
    own = Blocks(4 * SPACE)
    for is_store, offset, size, shift in steps:
        if is_store:
            free = next((i for i in range(size) if offset + i in twin), size)
            if free:
                assert own.store(offset, free, shift) == kernels.STORED
                twin |= {offset + i: offset + i + shift for i in range(free)}
        elif offset in twin:
            block = own.find(offset)
            b = own.blocks[block]
            high = min(offset + size, int(b.offset + b.block_size))
            assert kernels.cut(*own.tables, own.stream[0], np.int64(block), offset, high) == kernels.STORED
            twin = {at: byte for at, byte in twin.items() if not offset <= at < high}
        assert own.content() == twin
    assert own.stream[0].buffered == len(twin) + kernels.BLOCK_CHARGE * own.stream[0].blocks
    while own.stream[0].blocks:
        kernels.retire_first(own.blocks, own.control, own.stream[0], np.int64(own.blocks[own.stream[0].head].following[0]))
    kernels.give_back(*own.tables)
    assert own.stream[0].head == 0
    assert own.memory.arenas[0][LIVE_BYTES] == 0
    assert own.control[kernels.FREE_ROWS] == own.control[kernels.BLOCK_TOP] - 1


def test_limits():
    own = Blocks(3)  # row 0, the head, one block
    assert own.store(5, 2, 0) == kernels.STORED
    assert own.store(9, 2, 0) == BY_MEMORY_BUDGET
    assert own.content() == {5: 5, 6: 6}
    own = Blocks(9, stream_bytes=3 * kernels.BLOCK_CHARGE)
    assert own.store(5, 2, 0) == kernels.STORED
    assert own.store(9, kernels.BLOCK_CHARGE - 1, 0) == BY_STREAM_BUDGET
    assert own.store(9, kernels.BLOCK_CHARGE - 2, 0) == kernels.STORED


def test_a_cut_without_room_changes_nothing():
    own = Blocks(3)
    own.store(5, 9, 0)
    before = own.content()
    assert kernels.cut(*own.tables, own.stream[0], np.int64(own.find(7)), 7, 9) == BY_MEMORY_BUDGET
    assert own.content() == before
    assert own.stream[0].buffered == 9 + kernels.BLOCK_CHARGE
