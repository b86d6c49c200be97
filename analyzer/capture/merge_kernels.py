# mypy: allow-untyped-defs
"""Packets of several files to one sequence by time: k-way, stable, without copying their bytes."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.tables.packets import WITHOUT_TIME

# ---- why merge_packets returned; 0 and above: the input that has no packet left
BATCH_FULL = -1
NEXT_FILE = -2  # the packet whose turn it is does not come before the first of a file that is not open yet

# ---- fields of its state (int64)
ROWS, NUMBER, NOW_NS = 0, 1, 2
STATE_SIZE = 3


@helper
def key_of(row, key):
    """The time by which a packet is taken: its own, or ``key``, that of the packet before it, when it has none."""
    return key if np.int64(row.marks) & WITHOUT_TIME != 0 else np.int64(row.ts)


@kernel
def merge_packets(inputs, waiting, packets, faces, state, stop_key, stop_rank):
    """Append rows of ``waiting`` to ``packets`` from row ``state[ROWS]`` on by (key, rank of the file); why it stopped.

    ``inputs``: MERGE_INPUT rows, one a file. ``faces``: INTERFACE row of each interface of each input. The rows get frame numbers in
    the order of the result. No packet is taken that does not come before (``stop_key``, ``stop_rank``).
    """
    rows = state[ROWS]
    status = np.int64(BATCH_FULL)
    while rows < packets.shape[0]:
        best, best_key, best_rank = np.int64(-1), np.int64(0), np.int64(0)
        empty = np.int64(-1)
        for k in range(inputs.shape[0]):
            each = inputs[k]
            if each.next == each.end:
                empty = np.int64(k)
                break
            key = key_of(waiting[each.next], each.key)
            if best < 0 or key < best_key or (key == best_key and each.rank < best_rank):
                best, best_key, best_rank = np.int64(k), key, np.int64(each.rank)
        if empty >= 0:
            status = empty
            break
        if best_key > stop_key or (best_key == stop_key and best_rank > stop_rank):
            status = np.int64(NEXT_FILE)
            break
        chosen = inputs[best]
        old, new = waiting[chosen.next], packets[rows]
        chosen.key = best_key
        chosen.next += 1
        rows += 1
        state[NUMBER] += 1
        state[NOW_NS] = max(state[NOW_NS], np.int64(old.ts))
        new.number = state[NUMBER]
        new.ts = old.ts
        new.offset = old.offset
        new.caplen = old.caplen
        new.length = old.length
        new.linktype = old.linktype
        new.marks = old.marks
        new.interface = faces[chosen.first_face + np.int64(old.interface)]
        new.connection = -1
    state[ROWS] = rows
    return status
