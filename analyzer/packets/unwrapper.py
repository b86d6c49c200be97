"""Tunnels and fragments of a batch, and what is kept of incomplete datagrams between batches."""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS
from analyzer.options import Limits
from analyzer.packets.fragment_kernels import free_delivered
from analyzer.packets.rare import find_rare
from analyzer.packets.unwrap_kernels import MAX_HEADERS, MAX_TUNNELS, UNWRAP_OPTIONS, VERIFIES, unwrap_packets
from analyzer.tables import Ints, Rows, grow_table, new_table
from analyzer.tables.packets import DATAGRAM, DEFRAGMENTER, PACKET

TUNNEL_LAYERS = 8  # that PACKET.tunnel has room for
COUNTS = (
    "completed",
    "repeated",
    "overlapping",
    "dropped_overlap",
    "too_large",
    "too_many",
    "inconsistent",
    "timed_out",
    "shed",
)


class Unwrapper:
    """Stage 2 for packets that are more than one link layer and one IP packet."""

    def __init__(self, limits: Limits, *, verifies: bool, rows: int = 1024) -> None:
        self._options: Ints = np.zeros(UNWRAP_OPTIONS, np.int64)
        self._options[MAX_HEADERS] = limits.ipv6_headers
        self._options[MAX_TUNNELS] = min(limits.tunnels, TUNNEL_LAYERS)
        self._options[VERIFIES] = verifies
        self._inner: Rows = new_table(PACKET, rows)
        self._parents: Ints = np.zeros(rows, np.int64)
        self._merged: Rows = new_table(PACKET, 0)
        self._datagrams: Rows = new_table(DATAGRAM, limits.datagrams)
        self._buckets: Ints = np.zeros(1 << (2 * limits.datagrams - 1).bit_length(), np.int64)
        self._defragmenter: Rows = new_table(DEFRAGMENTER, 1)
        state = self._defragmenter[0]
        state.max_bytes, state.wait_ns, state.max_fragments = limits.fragment_bytes, limits.fragment_wait_ns, limits.fragments

    @property
    def counts(self) -> dict[str, int]:
        """What became of fragmented datagrams so far, by the names of COUNTS; ``incomplete``: those that wait for fragments."""
        state = self._defragmenter[0]
        counts = {name: int(state[name]) for name in COUNTS}
        counts["incomplete"] = int(np.count_nonzero(self._datagrams["state"][: int(state.used)] == 1))
        return counts

    def unwrap(self, batch: Batch, todo: Ints) -> None:
        """Decode the rows ``todo`` of the batch with all their layers; inner rows make ``batch.packets`` another, longer table."""
        memory = batch.memory
        kinds, places = find_rare(memory.data, batch.packets, todo)
        at = used = 0
        while True:
            status, at, used = unwrap_packets(
                memory.data,
                memory.arenas[0],
                batch.packets,
                todo,
                kinds,
                places,
                at,
                self._inner,
                self._parents,
                used,
                self._datagrams,
                self._buckets,
                self._defragmenter,
                self._options,
            )
            if status == DONE:
                break
            if status != GROW_ROWS or used + TUNNEL_LAYERS + 1 <= len(self._inner):
                raise RuntimeError("unwrapping stopped without need")
            self._inner = grow_table(self._inner, used + TUNNEL_LAYERS + 1)
            parents = np.zeros(len(self._inner), np.int64)
            parents[:used] = self._parents[:used]
            self._parents = parents
        if used:
            batch.packets = self._merge(batch.packets, int(used))

    def release(self, batch: Batch) -> None:
        """Give back the datagrams of the batch before."""
        free_delivered(batch.memory.data, batch.memory.arenas[0], self._defragmenter)

    def _merge(self, packets: Rows, used: int) -> Rows:
        """The rows of the batch, each followed by its inner rows."""
        count = len(packets) + used
        if count > len(self._merged):
            self._merged = new_table(PACKET, 2 * count)
        merged = self._merged[:count].view(np.recarray)
        places = np.ones(count, np.bool_)
        inner = self._parents[:used] + np.arange(1, used + 1)
        places[inner] = False
        merged[places] = packets
        merged[inner] = self._inner[:used]
        return merged
