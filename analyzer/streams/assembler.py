"""TCP segments become the stream that the receiver saw: runs of bytes in order, each with the gap before it.

Theory. The assembler knows offsets and sizes, never what the bytes mean. Each direction of a connection is a *stream*; the byte after
its SYN has offset 0, and a 32-bit sequence number means the offset nearest to the highest byte seen (RFC 9293 3.4), so that a stream
may be longer than 4 GiB. For each stream one number matters, ``next``: everything below it was delivered or given up. A segment that
begins exactly there becomes a run that points into the chunk it was read from; nothing is copied. A segment above it leaves a *hole*
below and is copied into the arena as a *block*. Bytes below ``next`` were there before and are trimmed.

Invariants, after each packet:

* the runs of a stream, in order, with their gaps, tile the offsets from 0 to ``next``: no byte is delivered twice, none is skipped
  without being counted in a gap;
* blocks do not overlap and lie above ``next``, with a hole before the first (see block_kernels);
* each run has the frame and time of the packet that carried its bytes, not of the one that completed them;
* at most one run of a stream has STREAM_ENDED, and it is the last one.

An ACK for bytes that were not seen is only a *claim* that they exist: packets are captured out of order, too. A hole stays open until

* the missing bytes arrive: filled;
* ``Limits.gap_acked_bytes`` of the data beyond it were acknowledged;
* max(4 round trips, ``Limits.gap_wait_ns``) of capture time passed since the data beyond it came, and some of that was acknowledged - or
  no packet of the other end is in the capture at all (one-sided captures);
* more than ``Limits.stream_bytes`` wait above it, or the arena is full: the lowest holes are closed, so bytes that were seen are never
  thrown away for want of room;
* the connection is over.

Time is judged when a packet of the same connection arrives, in either direction, and at its end, never otherwise: so the result does not
depend on how packets are cut into batches, and an idle live capture needs no tick (the hole of a silent connection has no reader waiting).
Only what the arena refuses may depend on the batches, since blocks that were delivered stay in it until the next one.

FIN and RST say where a stream ends; neither discards bytes that are still missing below. The end is told when ``next`` gets there.

Not kept: bytes cut off by the snapshot length, and blocks of a stream that a framer does not want (``wishes``), are seen and counted, and
come as runs with NOT_KEPT. Runs that lie in the chunk keep their position even where they are not wanted, since that costs nothing.
"""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.streams import kernels
from analyzer.streams.block_kernels import (
    BLOCK_TOP,
    CONTROL_SIZE,
    GAP_ACKED_BYTES,
    GAP_WAIT_NS,
    LEVEL_SEED,
    MAX_BLOCKS,
    NEEDED,
    POLICY,
    RUNS,
    STREAM_BYTES,
)
from analyzer.streams.overlap_kernels import POLICIES
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table
from analyzer.tables.streams import BLOCK, RUN, STREAM, STREAM_WISH

ARENA_BYTES_PER_BLOCK = 256  # bounds the BLOCK table by the arena, for blocks that keep no bytes: one row for so many bytes of arena
NO_ROWS: Ints = np.zeros(0, np.int64)


class Assembler:
    """The streams of all connections.

    ``streams`` and ``wishes`` have the rows 2 * connection + sender. Both are replaced when they grow: take them anew for each batch.
    ``wishes`` is written by messages/ (zeroed by ``release``) and only read here.
    """

    def __init__(self, memory: Memory, options: Options, run_rows: int = 1 << 16, block_rows: int = 1 << 10) -> None:
        limits = options.limits
        self.streams = new_table(STREAM, 2)
        self.wishes = new_table(STREAM_WISH, 2)
        self._memory = memory
        self._runs = new_table(RUN, run_rows)
        self._blocks = new_table(BLOCK, block_rows)
        self._control: Ints = np.zeros(CONTROL_SIZE, np.int64)
        self._control[BLOCK_TOP] = 1
        self._control[LEVEL_SEED] = 1
        self._control[MAX_BLOCKS] = max(64, limits.arena_bytes // ARENA_BYTES_PER_BLOCK)
        self._control[POLICY] = POLICIES.index(options.overlap)
        self._control[STREAM_BYTES] = limits.stream_bytes
        self._control[GAP_ACKED_BYTES] = limits.gap_acked_bytes
        self._control[GAP_WAIT_NS] = limits.gap_wait_ns

    def assemble(self, batch: Batch, connections: Rows) -> Rows:
        """The runs that the batch's packets bring, in capture order: exactly the rows, valid until the next call of any method."""
        self._begin(connections)
        at = 0
        while True:
            data, arena = self._memory.data, self._memory.arenas[0]
            status, stopped = kernels.assemble_segments(data, arena, *self._tables(), batch.packets, at, connections)
            if status == DONE:
                return self._runs[: self._control[RUNS]].view(np.recarray)
            self._grow(status)
            at = stopped

    def finish(self, rows: Ints, connections: Rows) -> Rows:
        """The last runs of connections that are over, in the order of ``rows``, sender 0 first; valid until the next call.

        Holes are given up; each stream that ever had a SYN or data (and did not end before) ends with a run marked STREAM_ENDED.
        """
        self._begin(connections)
        at = 0
        while True:
            status, stopped = kernels.finish_streams(*self._tables(), rows, at, connections)
            if status == DONE:
                return self._runs[: self._control[RUNS]].view(np.recarray)
            self._grow(status)
            at = stopped

    def release(self, rows: Ints) -> None:
        """Forget the streams of these connections, what they hold and what is wished of them."""
        self._free_blocks(rows)
        streams = np.concatenate([2 * rows, 2 * rows + 1])
        clear_rows(self.streams, streams)
        clear_rows(self.wishes, streams)

    def _begin(self, connections: Rows) -> None:
        self._free_blocks(NO_ROWS)
        self._control[RUNS] = 0
        self.streams = grow_table(self.streams, 2 * len(connections))
        self.wishes = grow_table(self.wishes, 2 * len(connections))

    def _tables(self) -> tuple[Rows, Rows, Rows, Rows, Ints]:
        return self.streams, self.wishes, self._blocks, self._runs, self._control

    def _free_blocks(self, rows: Ints) -> None:
        kernels.free_blocks(self._memory.data, self._memory.arenas[0], self.streams, self._blocks, self._control, rows)

    def _grow(self, status: int) -> None:
        """Make the room that the kernel asked for; it always asks for more than there is, so the next call gets further."""
        needed = int(self._control[NEEDED])
        table = self._runs if status == GROW_ROWS else self._blocks
        if needed <= len(table):
            raise RuntimeError("the assembler makes no progress")
        if status == GROW_ROWS:
            self._runs = grow_table(table, needed)
        else:
            self._blocks = grow_table(table, needed)
