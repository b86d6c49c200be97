"""Protocol recognition: runs in, the runs of each protocol out (the theory is in services_kernels)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.kernel import DONE
from analyzer.memory import Memory
from analyzer.messages import services_kernels as kernels
from analyzer.tables import Ints, Rows, grow_table, new_table
from analyzer.tables.services import HELD, SERVICE
from analyzer.tables.streams import RUN


class Sorted(NamedTuple):
    """Runs (held ones appended at the end) and, per protocol number, the indices of its runs in order of capture."""

    runs: Rows
    wanted: dict[int, Ints]


class Services:
    """What every connection speaks: ``table`` has one SERVICE row per connection row."""

    def __init__(self, memory: Memory, protocols: tuple[int, ...]) -> None:
        self._memory = memory
        self._protocols = protocols
        self.table = new_table(SERVICE, 1)
        self._held = new_table(HELD, 256)
        self._state: Ints = np.array([-1, 0, 0, 0, 0], np.int64)
        self._extras = new_table(RUN, 256)
        self._wanted: Ints = np.zeros((1024, 2), np.int64)
        self._decided: Ints = np.zeros(256, np.int64)
        self._scratch = np.zeros(kernels.SCRATCH, np.uint8)

    def sort(self, runs: Rows, connections: Rows) -> Sorted:
        """Assign runs to protocols; the result is valid until the next call."""
        self.table = grow_table(self.table, len(connections))
        data, arena, state = self._memory.data, self._memory.arenas[0], self._state
        kernels.forget(data, arena, self.table, self._held, state, self._decided, int(state[4]))
        state[2:] = 0
        at = 0
        while True:
            status, at = kernels.assign(
                data, arena, runs, at, connections, self.table, self._held, state, self._extras, self._wanted, self._decided, self._scratch
            )
            if status == DONE:
                break
            self._grow(len(runs))
        if state[2]:
            runs = np.concatenate([runs, self._extras[: state[2]]]).view(np.recarray)
        pairs = self._wanted[: state[3]]
        return Sorted(runs, {p: np.ascontiguousarray(pairs[pairs[:, 0] == p, 1]) for p in self._protocols})

    def _grow(self, runs: int) -> None:
        self._extras = grow_table(self._extras, 2 * len(self._extras))
        self._held = grow_table(self._held, 2 * len(self._held))
        self._decided = np.concatenate([self._decided, np.zeros_like(self._decided)])
        wanted = np.zeros((max(2 * len(self._wanted), runs + 1024), 2), np.int64)
        wanted[: len(self._wanted)] = self._wanted
        self._wanted = wanted

    def release(self, rows: Ints) -> None:
        """Forget flushed connections."""
        kernels.forget(self._memory.data, self._memory.arenas[0], self.table, self._held, self._state, rows, len(rows))
        self.table[rows] = np.zeros((), SERVICE)
