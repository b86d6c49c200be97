"""Waits as rows: which packets begin and end them, limits, and how they leave."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analyzer.connections import Tracker
from analyzer.options import Options
from analyzer.tables.connections import MOST_WAITS, RETRANSMISSION_WAIT, SYN_WAIT, ZERO_WINDOW_WAIT
from tests.connections.rows import HANDSHAKE, START, batch, client, server, table, timed

MS = 1_000_000
FIELDS = ("sender", "kind", "first_number", "last_number")


def at(packet: dict[str, int], ms: int) -> dict[str, int]:
    return packet | {"ts": START + ms * MS}


def waits(packets: Sequence[dict[str, int]], cuts: Sequence[int] = ()) -> list[tuple[int, ...]]:
    """(sender, kind, first frame, last frame, ms) of every wait, the packets cut into batches."""
    tracker = Tracker(Options(), rows=2)
    ends = [*cuts, len(packets)]
    start = 0
    for end in ends:
        tracker.track(batch(table(packets[start:end], start + 1)))
        start = end
    rows = tracker.take_waits(tracker.expire(0, everything=True))
    assert len(tracker.take_waits(np.arange(2))) == 0
    return [(*(int(row[name]) for name in FIELDS), int(row.last_ts - row.first_ts) // MS) for row in rows]


LOSS = [*timed(HANDSHAKE), at(client("A", 100, 1, 1), 30), at(client("A", 100, 1, 1), 330), at(server("A", 0, 1, 101), 350)]
RETRY = [at(client("S"), 0), at(client("S"), 1000), at(server("SA", ack=1), 1010), at(server("SA", ack=1), 2010)]
CLOSED = [
    *timed(HANDSHAKE),
    at(client("A", 0, 1, 1, window=0), 10),
    at(client("A", 0, 1, 1, window=0), 200),
    at(client("A", 0, 1, 1, window=500), 510),
]


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        (LOSS, [(0, RETRANSMISSION_WAIT, 4, 5, 300)]),
        (RETRY, [(0, SYN_WAIT, 1, 2, 1000), (1, SYN_WAIT, 3, 4, 1000)]),
        (CLOSED, [(1, ZERO_WINDOW_WAIT, 4, 6, 500)]),
        ([*timed(HANDSHAKE), at(client("A", 100, 1, 1), 30)], []),
    ],
)
def test_waits(packets: list[dict[str, int]], expected: list[tuple[int, ...]]) -> None:
    for cut in range(len(packets)):
        assert waits(packets, [cut] if cut else []) == expected


def test_one_packet_may_end_two_waits() -> None:
    packets = [*timed(HANDSHAKE), at(client("A", 100, 1, 1), 30), at(client("A", 0, 101, 1, window=0), 40), at(client("A", 100, 1, 1), 440)]
    assert waits(packets) == [(0, RETRANSMISSION_WAIT, 4, 6, 410), (1, ZERO_WINDOW_WAIT, 5, 6, 400)]


def test_the_table_grows_and_one_end_has_a_limit() -> None:
    again = [at(client("A", 100, 1, 1), 30 + 300 * k) for k in range(MOST_WAITS + 20)]
    found = waits([*timed(HANDSHAKE), *again])
    assert len(found) == MOST_WAITS
    assert found[0][-1] == 300


def test_waits_of_connections_that_go_on_stay() -> None:
    other = [{**packet, "src_port": packet["src_port"] ^ 8, "dst_port": packet["dst_port"] ^ 8} for packet in LOSS]
    tracker = Tracker(Options(), rows=2)
    tracker.track(batch(table([*LOSS, *other])))
    second = tracker.take_waits(np.array([1]))
    assert second["connection"].tolist() == [1]
    assert tracker.take_waits(np.array([0, 1]))["connection"].tolist() == [0]
