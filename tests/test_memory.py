"""The arena never hands out overlapping blocks; text survives compaction."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES, REFUSED, Memory, Text, arena_give, arena_take

ACTIONS = st.lists(st.tuples(st.booleans(), st.integers(1, 700)), max_size=60)


@settings(max_examples=60)
@given(actions=ACTIONS)
def test_blocks_never_overlap_and_are_used_again(actions):
    memory = Memory(chunk_bytes=128, chunks=2, arena_bytes=8192)
    arena = memory.arenas[0]
    live: list[tuple[int, int]] = []
    for give, size in actions:
        if give and live:
            at, taken = live.pop(size % len(live))
            arena_give(memory.data, arena, at, taken)
            continue
        at = int(arena_take(memory.data, arena, size))
        if at < 0:
            continue
        assert at >= 256
        assert at + size <= memory.data.size
        for other, taken in live:
            assert at + size <= other or other + taken <= at
        live.append((at, size))
    assert arena[LIVE_BYTES] == sum(max(64, 1 << (size - 1).bit_length()) for _, size in live)


def test_a_full_arena_refuses_and_counts_and_recovers():
    memory = Memory(chunk_bytes=64, chunks=1, arena_bytes=256)
    arena = memory.arenas[0]
    blocks = [int(arena_take(memory.data, arena, 64)) for _ in range(5)]
    assert blocks == [64, 128, 192, 256, -1]
    assert arena[REFUSED] == 1
    arena_give(memory.data, arena, 128, 64)
    assert arena_take(memory.data, arena, 10) == 128
    assert arena_take(memory.data, arena, 1 << 40) == -1


def test_two_arenas_lie_apart():
    memory = Memory(chunk_bytes=64, chunks=2, arena_bytes=64, arenas=2)
    assert int(arena_take(memory.data, memory.arenas[0], 1)) == 128
    assert int(arena_take(memory.data, memory.arenas[1], 1)) == 192


@given(words=st.lists(st.binary(max_size=30), min_size=1, max_size=20), dead=st.sets(st.integers(0, 19)))
def test_text_keeps_live_spans_when_compacted(words, dead):
    text = Text(capacity=1)
    spans = np.array([text.append(word) for word in words], np.int64).reshape(-1, 2)
    live = spans[[k for k in range(len(words)) if k not in dead]].copy()
    text.compact([(live[:, 0], live[:, 1])])
    kept = [bytes(text.data[at : at + size]) for at, size in live]
    assert kept == [word for k, word in enumerate(words) if k not in dead]
    assert text.top == sum(map(len, kept))
