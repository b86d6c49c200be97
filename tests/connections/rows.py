"""PACKET rows from keyword arguments, for the tests of stage 3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analyzer.batch import Batch
from analyzer.connections import Tracker
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONN_STATES
from analyzer.tables.packets import PACKET

FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
NO_MEMORY = Memory(64, 1, 64)
CLIENT, SERVER = 0x0A000001, 0xC0000250


def packet(src: int = CLIENT, dst: int = SERVER, flags: str = "A", size: int = 0, **fields: int) -> dict[str, int]:
    """Fields of one PACKET row; TCP unless ``protocol`` says otherwise."""
    row = {"src_lo": src, "dst_lo": dst, "protocol": 6, "ip_version": 4, "src_port": 50000, "dst_port": 80, "window": 1000, "ttl": 64}
    row |= {"tcp_flags": sum(FLAGS[letter] for letter in flags), "payload_length": size, "payload_size": size, "ip_length": 40 + size}
    row |= {"vlan": -1, "inner_vlan": -1, "window_scale": 255, "ts": START}
    return row | fields


def client(flags: str = "A", size: int = 0, seq: int = 0, ack: int = 0, **fields: int) -> dict[str, int]:
    """A TCP packet of the client, sequence numbers relative to 1000 and 9000."""
    return packet(CLIENT, SERVER, flags, size, seq=1000 + seq, ack=9000 + ack, **fields)


def server(flags: str = "A", size: int = 0, seq: int = 0, ack: int = 0, **fields: int) -> dict[str, int]:
    """A TCP packet of the server."""
    ports = {"src_port": 80, "dst_port": 50000}
    return packet(SERVER, CLIENT, flags, size, seq=9000 + seq, ack=1000 + ack, **ports | fields)


HANDSHAKE = (client("S"), server("SA", ack=1), client("A", seq=1, ack=1))


def timed(packets: Iterable[dict[str, int]], step: int = 1_000_000) -> list[dict[str, int]]:
    """The packets ``step`` ns apart."""
    return [p | {"ts": START + i * step} for i, p in enumerate(packets)]


def table(packets: Sequence[dict[str, int]], first_number: int = 1) -> Rows:
    """PACKET rows."""
    rows = new_table(PACKET, len(packets))
    for i, fields in enumerate(packets):
        rows[i].number = first_number + i
        for name, value in fields.items():
            rows[name][i] = value
    return rows


def batch(rows: Rows) -> Batch:
    """A batch of these rows."""
    return Batch(NO_MEMORY, rows, new_table(PACKET, 0), int(rows["ts"].max()) if len(rows) else 0, len(rows))


def track(packets: Sequence[dict[str, int]], rows: int = 4, **options: Any) -> tuple[Tracker, Rows]:
    """A tracker that has seen the packets in one batch, and their rows."""
    tracker = Tracker(Options(**options), rows=rows)
    packet_rows = table(packets)
    tracker.track(batch(packet_rows))
    return tracker, packet_rows


def history(tracker: Tracker, row: int) -> str:
    """The history string of a connection."""
    c = tracker.connections[row]
    return bytes(c.history[: int(c.history_size)]).decode()


FIELDS = ("number", "a_lo", "b_lo", "a_port", "b_port", "protocol", "flipped", "first_ts", "last_ts", "productive_ts", "deadline")
END_FIELDS = ("state", "packets", "ip_bytes", "payload_bytes", "stream_bytes", "missed_bytes", "resent_segments", "zero_windows", "gaps")


def summary(tracker: Tracker, row: int) -> dict[str, object]:
    """What a report needs of a connection that is over."""
    c = tracker.connections[row]
    facts: dict[str, object] = {name: int(c[name]) for name in FIELDS}
    facts["conn_state"] = CONN_STATES[int(c.conn_state)]
    facts["history"] = history(tracker, row)
    for end in (0, 1):
        e = tracker.endpoints[2 * row + end]
        facts |= {f"{name}_{end}": int(e[name]) for name in END_FIELDS}
    return facts


def run(
    packets: Sequence[dict[str, int]], cuts: Sequence[int] = (), rows: int = 1, *, flush: bool = True, **options: bool
) -> list[dict[str, object]]:
    """Summaries of all connections in the order in which they are over, the packets cut into batches at ``cuts``."""
    tracker = Tracker(Options(**options), rows=rows)  # type: ignore[arg-type]
    ends = [*sorted(set(cuts) & set(range(len(packets)))), len(packets)]
    summaries, start, now = [], 0, 0
    for end in ends:
        piece = table(packets[start:end], start + 1)
        tracker.track(batch(piece))
        now = max([now, *map(int, piece["ts"])])
        start = end
        if flush:
            over = tracker.expire(now)
            summaries += [summary(tracker, int(row)) for row in over]
            tracker.release(over)
    over = tracker.expire(now, everything=True)
    summaries += [summary(tracker, int(row)) for row in over]
    tracker.release(over)
    assert tracker.active == 0
    assert not np.any(tracker.connections["number"])
    return summaries
