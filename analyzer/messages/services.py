"""Protocol recognition: runs in, the runs of each protocol out (the theory is in services_kernels)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE
from analyzer.memory import Memory
from analyzer.messages import services_kernels as kernels
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table
from analyzer.tables.services import HELD, HTTP, SERVICE
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
        state = self._state
        kernels.forget(self._memory.data, self._memory.arenas[0], self.table, self._held, state, self._decided, int(state[4]))
        state[2:] = 0
        return self._assign(runs, connections)

    def name_datagrams(self, batch: Batch, connections: Rows) -> None:
        """Name UDP connections by their first datagrams."""
        self.table = grow_table(self.table, len(connections))
        kernels.name_datagrams(self._memory.data, batch.packets, self.table)

    def enter(self, tunnels: Rows, found: Sorted, protocol: int, connections: Rows) -> Sorted:
        """After HTTP_TUNNEL rows of this batch: what ``found`` has of the tunnels' insides goes to the protocol they carry, too.

        The runs of ``found`` with the insides behind them; ``wanted[protocol]`` with theirs, where the runs that opened them stand.
        """
        opened = tunnels[tunnels["is_connect"] == 1]
        if not len(opened):
            return found
        self.table[opened["connection"]] = np.zeros((), SERVICE)
        self.table["outer"][opened["connection"]] = HTTP
        places = found.wanted[HTTP]
        places = places[np.isin(found.runs["connection"][places], opened["connection"])]
        inside = found.runs[places].view(np.recarray)
        streams = _stream(opened)
        order = np.argsort(streams)
        begins = opened["offset"][order][np.searchsorted(streams[order], _stream(inside))]
        skipped = begins - inside["offset"]
        is_inside = (skipped < inside["run_size"]) | ((skipped <= 0) & (inside["marks"] != 0))
        inside, places, skipped = inside[is_inside], places[is_inside], np.maximum(skipped[is_inside], 0)
        inside["gap"][skipped > 0] = 0
        inside["offset"] += skipped
        inside["run_size"] -= skipped
        inside["position"] += np.where(inside["position"] >= 0, skipped, 0)
        inner = self._assign(np.ascontiguousarray(inside).view(np.recarray), connections, int(self._state[3]))
        return _merged(found, inner, places, protocol)

    def _assign(self, runs: Rows, connections: Rows, first: int = 0) -> Sorted:
        data, arena, state = self._memory.data, self._memory.arenas[0], self._state
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
        pairs = self._wanted[first : state[3]]
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
        clear_rows(self.table, rows)


def _stream(rows: Rows) -> Ints:
    """Number of the stream of RUN or HTTP_TUNNEL rows."""
    streams: Ints = 2 * rows["connection"].astype(np.int64) + rows["sender"]
    return streams


def _merged(found: Sorted, inner: Sorted, places: Ints, protocol: int) -> Sorted:
    """``found`` with the inner runs of one protocol, each behind the place of the run it was cut from (those held: of the next one)."""
    more = inner.wanted[protocol]
    if not len(more):
        return found
    last = len(places) - 1
    following = np.minimum.accumulate(np.where(more < len(places), more, last)[::-1])[::-1]
    keys = np.concatenate([_order(found.wanted[protocol], len(found.runs)), places[following]])
    merged = np.concatenate([found.wanted[protocol], len(found.runs) + more])[np.argsort(keys, kind="stable")]
    return Sorted(np.concatenate([found.runs, inner.runs]).view(np.recarray), {**found.wanted, protocol: merged})


def _order(wanted: Ints, runs: int) -> Ints:
    """Where wanted runs stand among all: those behind the batch's own stand where the next one does."""
    own: Ints = np.where(wanted < runs, wanted, runs)
    return np.minimum.accumulate(own[::-1])[::-1]
