"""The table of connections."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analyzer.batch import Batch
from analyzer.connections import kernels
from analyzer.connections.round_trip_kernels import FLOWS_FREE, FLOWS_USED, SEGMENTS_TOP
from analyzer.connections.states import TRANSITIONS
from analyzer.connections.timer_kernels import CLOSED_LINGER, DNS_IDLE, ICMP_IDLE, LIMITS, UDP_IDLE, ZEEK_TIMEOUTS
from analyzer.connections.wait_kernels import WAITS_USED
from analyzer.kernel import DONE
from analyzer.options import Options
from analyzer.registries.ip import LIKELY_SERVER_TCP, LIKELY_SERVER_UDP
from analyzer.tables import Bytes, Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.connections import CONNECTION, ENDPOINT, FLOW, SEGMENT, WAIT, WAS_RETURNED
from analyzer.tables.packets import PACKET

DNS_PORTS = (53, 137, 5353, 5355)  # DNS, NetBIOS names, mDNS, LLMNR: what Zeek's DNS analyser is registered for
FIRST_ROWS = 1 << 14
NEVER_NS = np.iinfo(np.int64).max


def build_servers() -> Bytes:
    """What a server on each port is likely to speak: uint8 (65536) of SERVES_ bits."""
    servers = np.zeros(1 << 16, np.uint8)
    for ports, bit in ((LIKELY_SERVER_TCP, kernels.SERVES_TCP), (LIKELY_SERVER_UDP, kernels.SERVES_UDP), (DNS_PORTS, kernels.SERVES_DNS)):
        servers[sorted(ports)] |= bit
    return servers


class Tracker:
    """Active connections and those that wait to be flushed.

    ``connections`` is a CONNECTION table, ``endpoints`` the ENDPOINT table with rows 2 * connection + sender, ``flows`` the FLOW table with
    rows 2 * CONNECTION.flow + sender (its first two stay zero, for connections without flows). They are replaced when they grow, so
    take them anew after `track`.
    ``evicted`` counts connections ended early to stay within Limits.memory_bytes: ``room`` is how many may be open.

    A row belongs to one connection until `release`; nothing is reused in between.
    """

    def __init__(self, options: Options, rows: int = FIRST_ROWS) -> None:
        self.connections: Rows = new_table(CONNECTION, rows)
        self.endpoints: Rows = new_table(ENDPOINT, 2 * rows)
        self.flows: Rows = new_table(FLOW, 2 * rows + 2)
        self._segments: Rows = new_table(SEGMENT, 2 * rows)
        self._waits: Rows = new_table(WAIT, 2)
        self._free: Ints = np.zeros(rows, np.int64)
        self._free_flows: Ints = np.zeros(rows + 1, np.int64)
        self._quoted: Rows = new_table(PACKET, 1)
        self._slots: Ints = np.zeros(self._slots_for(rows), np.int64)
        self._state: Ints = np.zeros(kernels.STATE_SIZE, np.int64)
        self._state[SEGMENTS_TOP] = 1
        self._servers = build_servers()
        self.room = options.limits.open_connections
        self.evicted = 0
        self._returned = 0  # rows handed out by expire() and not released yet
        self._limits: Ints = np.zeros(LIMITS, np.int64)
        self._limits[ZEEK_TIMEOUTS] = options.zeek_timeouts
        self._limits[UDP_IDLE] = options.limits.udp_idle_ns
        self._limits[DNS_IDLE] = options.limits.dns_idle_ns
        self._limits[ICMP_IDLE] = options.limits.icmp_idle_ns
        self._limits[CLOSED_LINGER] = options.limits.closed_linger_ns

    @property
    def capacity(self) -> int:
        """Rows of ``connections``."""
        return int(self.connections.shape[0])

    @property
    def active(self) -> int:
        """Rows in use: connections not yet released."""
        return int(self._state[kernels.USED] - self._state[kernels.FREE])

    @property
    def pending(self) -> int:
        """Rows of connections that are not over."""
        return self.active - self._returned

    @property
    def used(self) -> int:
        """Rows of ``connections`` that were ever in use; none beyond is."""
        return int(self._state[kernels.USED])

    @property
    def begun(self) -> int:
        """Connections begun so far: the largest CONNECTION.number."""
        return int(self._state[kernels.NUMBER])

    def track(self, batch: Batch) -> None:
        """Set PACKET.connection and .sender of a decoded batch (-1 where nothing was analysed) and bring all connections up to date."""
        start = 0
        while True:
            status, at = kernels.track(
                batch.memory.data,
                batch.packets,
                start,
                self.connections,
                self.endpoints,
                self.flows,
                self._segments,
                self._waits,
                self._slots,
                self._free,
                self._free_flows,
                self._state,
                self._servers,
                TRANSITIONS,
                self._limits,
                self._quoted,
            )
            if status == DONE:
                return
            self._grow(status)  # doubles what is full, so that the next call gets further
            start = int(at)

    def expire(self, now_ns: int, *, everything: bool = False) -> Ints:
        """Rows (int64) that are over before ``now_ns`` and were not returned yet, ordered by (deadline, number); all with ``everything``.

        Their is_over, conn_state and stream_bytes are set. A deadline equal to ``now_ns`` waits for the next call, since packets of the
        same time may still come: so the order over all calls is the same however the capture is cut into batches.
        """
        rows = np.empty(self.active, np.int64)
        count = kernels.collect(self.connections, int(self._state[kernels.USED]), now_ns, everything, rows)
        rows = rows[:count]
        self._returned += len(rows)
        if not everything:
            rows = np.concatenate([rows, self._evict(now_ns)])
        deadlines = self.connections["deadline"][rows]
        ends = np.where(deadlines == 0, NEVER_NS, deadlines)  # by what they are, not by when we look: the same live and from a file
        rows = np.ascontiguousarray(rows[np.lexsort((self.connections["number"][rows], ends))])
        kernels.finish(self.connections, self.endpoints, self.flows, rows)
        return rows

    def take_waits(self, rows: Ints) -> Rows:
        """The WAIT rows of connections, in capture order; the tracker forgets them."""
        used = int(self._state[WAITS_USED])
        waits: Rows = self._waits[:used].view(np.recarray)
        is_wanted = np.zeros(self.capacity, np.bool_)
        is_wanted[rows] = used > 0
        wanted = is_wanted[waits["connection"]]
        taken, kept = take_rows(waits, np.flatnonzero(wanted)), take_rows(waits, np.flatnonzero(~wanted))
        self._waits[: len(kept)] = kept
        self._state[WAITS_USED] = len(kept)
        return take_rows(taken, np.argsort(taken["last_number"], kind="stable"))  # those of parked connections came back later

    def _evict(self, now_ns: int) -> Ints:
        """End the connections that have been idle longest, an eighth more than must be, when there are more than fit in memory.

        Looked at once per batch: which ones they are depends, at the limit only, on how the capture is cut into batches.
        """
        excess = self.pending - self.room
        if excess <= 0:
            return np.zeros(0, np.int64)
        used = self.connections[: int(self._state[kernels.USED])]
        rows = np.flatnonzero((used["number"] > 0) & (used["marks"] & WAS_RETURNED == 0))
        oldest = np.lexsort((used["number"][rows], used["last_ts"][rows]))[: excess + self.room // 8]
        rows = rows[oldest]
        used["marks"][rows] |= WAS_RETURNED
        used["deadline"][rows] = now_ns  # what comes later begins a connection of its own
        self.evicted += len(rows)
        self._returned += len(rows)
        return rows

    def release(self, rows: Ints) -> None:
        """Forget connections that were returned by `expire`: their rows (zeroed) may be used again."""
        self._returned -= len(rows)
        kernels.release_slots(self.connections, rows, self._slots, self._free, self._state)
        kernels.release_flows(self.connections, self.flows, self._segments, rows, self._free_flows, self._state)
        pairs = self.connections["flow"][rows].astype(np.int64)
        pairs = pairs[pairs > 0]
        clear_rows(self.flows, np.concatenate([2 * pairs, 2 * pairs + 1]))
        clear_rows(self.connections, rows)
        clear_rows(self.endpoints, np.concatenate([2 * rows, 2 * rows + 1]))

    def end(self, rows: Ints) -> None:
        """Connections are over that were attached for that: as if `expire` had returned them."""
        self.connections["marks"][rows] |= WAS_RETURNED
        self._returned += len(rows)
        kernels.finish(self.connections, self.endpoints, self.flows, rows)

    def detach(self, rows: Ints) -> Rows:
        """Forget connections whose rows the caller has copied; their WAIT rows, in which ``connection`` is the place among ``rows``.

        The segments that their FLOW rows list stay where they are.
        """
        waits = self.take_waits(rows)
        places = np.zeros(self.capacity, np.int64)
        places[rows] = np.arange(len(rows))
        waits["connection"] = places[waits["connection"]]
        pairs = self.connections["flow"][rows].astype(np.int64)
        self.flows["first_segment"][2 * pairs] = self.flows["first_segment"][2 * pairs + 1] = 0
        self._returned += len(rows)
        self.release(rows)
        return waits

    def attach(self, count: int) -> Ints:
        """Rows for connections that were detached, to be filled and then admitted."""
        while self.capacity - self.active < count:
            self._grow_connections()
        return self._take_free(self._free, kernels.FREE, kernels.USED, count)

    def admit(self, rows: Ints, flows: npt.NDArray[np.uint64], waits: Rows) -> None:
        """Attached rows are filled: find them by their keys again, give them the FLOW rows they had (as words) and their waits."""
        kernels.rebuild(self.connections["key_hash"][rows] << 32 | (rows + 1), self._slots)
        with_flows = np.flatnonzero(self.connections["flow"][rows])
        while 2 * (len(with_flows) + int(self._state[FLOWS_USED])) + 4 > len(self.flows):
            self._grow_flows()
        pairs = self._take_free(self._free_flows, FLOWS_FREE, FLOWS_USED, len(with_flows), first=1)
        self.connections["flow"][rows[with_flows]] = pairs
        hot = self.flows.view(np.ndarray).view(np.uint64).reshape(len(self.flows) // 2, -1)
        hot[pairs] = flows[with_flows]
        used = int(self._state[WAITS_USED])
        self._waits = grow_table(self._waits, used + len(waits))
        self._waits[used : used + len(waits)] = waits
        self._state[WAITS_USED] = used + len(waits)

    def _take_free(self, free: Ints, free_count: int, used_count: int, wanted: int, first: int = 0) -> Ints:
        """Rows from a free list, then such as were never used; ``first``: the first row of the table that is handed out."""
        listed, used = int(self._state[free_count]), int(self._state[used_count])
        again = min(wanted, listed)
        self._state[free_count] -= again
        self._state[used_count] += wanted - again
        rows: Ints = np.concatenate([free[listed - again : listed], first + np.arange(used, used + wanted - again)])
        return rows

    @staticmethod
    def _slots_for(rows: int) -> int:
        return 1 << (2 * rows - 1).bit_length()

    def _grow(self, status: int) -> None:
        if status == kernels.GROW_FLOWS:
            self._grow_flows()
            return
        if status == kernels.GROW_SEGMENTS:
            self._segments = grow_table(self._segments, 2 * len(self._segments))
            return
        if status == kernels.GROW_WAITS:
            self._waits = grow_table(self._waits, max(64, 2 * len(self._waits)))
            return
        if self._state[kernels.USED] != self.capacity:
            raise RuntimeError("tracking stopped without need")
        self._grow_connections()

    def _grow_flows(self) -> None:
        self.flows = grow_table(self.flows, 2 * len(self.flows))
        self._free_flows = _longer(self._free_flows, len(self.flows) // 2)

    def _grow_connections(self) -> None:
        rows = 2 * self.capacity
        self.connections = grow_table(self.connections, rows)
        self.endpoints = grow_table(self.endpoints, 2 * rows)
        self._free = _longer(self._free, rows)
        slots = np.zeros(self._slots_for(rows), np.int64)
        kernels.rebuild(self._slots, slots)
        self._slots = slots


def _longer(values: Ints, size: int) -> Ints:
    """The same values, with room for more."""
    longer = np.zeros(size, np.int64)
    longer[: len(values)] = values
    return longer
