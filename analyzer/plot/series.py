"""What a time-sequence diagram shows of one TCP connection, as plain lists: segments by kind, acknowledgements, windows, SACK blocks.

The packets of the connection go through connections/ once more, one at a time: what a packet adds to the counters of its sender is what
it is. Sequence numbers become offsets from the first one seen of their end, in 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyzer.batch import Batch
from analyzer.connections import Tracker
from analyzer.options import Options
from analyzer.tables import Rows, new_table
from analyzer.tables.packets import ACK, FIN, PACKET, RST, SYN

LARGEST_SCALE = 14  # RFC 7323 2.3
NO_SCALE = 255
SEQ_SPACE = 1 << 32
KINDS = ("data", "retransmission", "out of order", "doubled", "window probe or keep-alive")
# counter of ENDPOINT or FLOW that a packet of each kind but the first raises
_COUNTERS = (
    (1, "end", ("retransmissions",)),
    (2, "end", ("out_of_order",)),
    (3, "flow", ("duplicated_packets",)),
    (4, "flow", ("window_probes", "keep_alives")),
)


@dataclass
class Direction:
    """One stream of the connection and what the other end says of it. Times in ns, offsets in bytes.

    Attributes:
        segments: (time, first byte, one past the last, kind) of packets with payload; kind is an index into KINDS.
        flags: (time, offset, "SYN" | "FIN" | "RST").
        acks: (time, offset up to which the other end has acknowledged), whenever it moves.
        windows: (time, offset up to which the other end takes data), whenever it moves.
        sacks: (time, first byte, one past the last) that the other end reports beyond its acknowledgement.
        closed: times at which the other end said it had no room.
    """

    segments: list[tuple[int, int, int, int]] = field(default_factory=list)
    flags: list[tuple[int, int, str]] = field(default_factory=list)
    acks: list[tuple[int, int]] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    sacks: list[tuple[int, int, int]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)


@dataclass
class _End:
    start: int | None = None  # sequence number of offset 0
    highest: int = 0  # offset
    scale: int | None = None  # as its SYN offered

    def offset(self, seq: int) -> int:
        """Offset of a sequence number of this end: the one nearest to the highest seen."""
        if self.start is None:
            self.start = seq
        near = (self.start + self.highest) % SEQ_SPACE
        return self.highest + (seq - near + SEQ_SPACE // 2) % SEQ_SPACE - SEQ_SPACE // 2


class Series:
    """Both directions of one connection: ``directions[sender]``. ``take`` its packets in order.

    ``originator``: which sender began the connection; ``first_ts``: time of the first packet, ns; ``packets``: how many it took.
    """

    def __init__(self) -> None:
        self.directions = (Direction(), Direction())
        self.originator = 0
        self.first_ts = 0
        self.packets = 0
        self._ends = (_End(), _End())
        self._tracker = Tracker(Options(), rows=2)
        self._counts: dict[int, tuple[int, ...]] = {}

    def take(self, batch: Batch, packets: Rows) -> None:
        """PACKET rows of the connection, as `selection.select_packets` gives them, with their batch."""
        for at in range(len(packets)):
            one = new_table(PACKET, 1)
            one[0] = packets[at]
            sender = int(one["sender"][0])
            self._tracker.track(Batch(batch.memory, one, batch.interfaces, batch.now_ns, batch.last_number))
            if int(one["connection"][0]) < 0:
                continue
            self.packets += 1
            self.first_ts = self.first_ts or int(one["ts"][0])
            self._add(one[0], sender, self._kind(one[0]))

    def _kind(self, p: Any) -> int:
        row, sender = int(p.connection), int(p.sender)
        end = self._tracker.endpoints[2 * row + sender]
        flow = self._tracker.flows[2 * int(self._tracker.connections[row].flow) + sender]
        tables = {"end": end, "flow": flow}
        now = tuple(sum(int(tables[table][name]) for name in names) for _, table, names in _COUNTERS)
        before = self._counts.get(sender, (0,) * len(now))
        self._counts[sender] = now
        return next((kind for (kind, _, _), old, new in zip(_COUNTERS, before, now, strict=True) if new > old), 0)

    def _add(self, p: Any, sender: int, kind: int) -> None:
        own, other = self.directions[sender], self.directions[1 - sender]
        end, peer = self._ends[sender], self._ends[1 - sender]
        ts, flags, size = int(p.ts), int(p.tcp_flags), int(p.payload_length)
        if flags & SYN:
            end.scale = int(p.window_scale)
        first = end.offset(int(p.seq)) + (1 if flags & SYN else 0)
        if size:
            own.segments.append((ts, first, first + size, kind))
        own.flags += [(ts, first + size, name) for bit, name in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST")) if flags & bit]
        end.highest = max(end.highest, first + size + (1 if flags & FIN else 0))
        if flags & ACK and not flags & RST:
            self._add_acknowledgement(p, other, peer, end, is_syn=bool(flags & SYN))
            other.sacks += self._sacks(p, sender, peer)

    @staticmethod
    def _add_acknowledgement(p: Any, other: Direction, peer: _End, end: _End, *, is_syn: bool) -> None:
        ts, ack = int(p.ts), peer.offset(int(p.ack))
        both = end.scale not in (None, NO_SCALE) and peer.scale not in (None, NO_SCALE)
        scale = min(int(end.scale or 0), LARGEST_SCALE) if both and not is_syn else 0
        edge = ack + (int(p.window) << scale)
        if not other.acks or ack > other.acks[-1][1]:
            other.acks.append((ts, ack))
        if not other.windows or edge != other.windows[-1][1]:
            other.windows.append((ts, edge))
        if int(p.window) == 0 and not is_syn:
            other.closed.append(ts)

    def _sacks(self, p: Any, sender: int, peer: _End) -> list[tuple[int, int, int]]:
        flow = self._tracker.flows[2 * int(self._tracker.connections[int(p.connection)].flow) + sender]
        blocks = [(int(flow.sack_start[k]), int(flow.sack_end[k])) for k in range(int(flow.sacks))]
        return [(int(p.ts), peer.offset(first), peer.offset(past)) for first, past in blocks]


def is_empty(series: Series) -> bool:
    """Whether there is nothing to draw."""
    return not any(direction.segments or direction.flags for direction in series.directions)


def milliseconds(series: Series, times: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Times as milliseconds since the first packet."""
    return (np.array(times, np.int64) - series.first_ts) / 1e6
