"""The tracker as the pipeline uses it: flush, release, growth, the order of what is over."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.connections import Tracker
from analyzer.connections.kernels import SERVES_DNS, SERVES_TCP, SERVES_UDP
from analyzer.connections.tracker import build_servers
from analyzer.kernel import IS_COMPILED
from analyzer.options import LEAST_CONNECTIONS, Limits, Options
from analyzer.tables.connections import CONN_STATES
from analyzer.tables.packets import BAD_CHECKSUM, IN_GENEVE, IN_VXLAN, INNER
from tests.connections.rows import SECOND, START, batch, packet, run, table, track

UDP = packet(protocol=17, dst_port=9999)


def test_servers() -> None:
    servers = build_servers()
    assert servers.shape == (65536,)
    assert servers[80] == SERVES_TCP
    assert servers[53] == SERVES_TCP | SERVES_UDP | SERVES_DNS
    assert servers[123] == SERVES_UDP
    assert servers[50000] == 0


def test_order_of_what_is_over() -> None:
    """By deadline, then number; what never ends by itself comes last, by number."""
    flows = [UDP | {"src_port": 1000 + i, "ts": START + second * SECOND} for i, second in enumerate((0, 0, 2, 5))]
    tracker, _ = track([packet(flags="S"), *flows])
    over = tracker.expire(START + 63 * SECOND)
    assert tracker.connections["number"][over].tolist() == [2, 3, 4]
    assert tracker.expire(START + 63 * SECOND).tolist() == []
    rest = tracker.expire(START + 64 * SECOND, everything=True)
    assert tracker.connections["number"][rest].tolist() == [5, 1]
    assert [CONN_STATES[i] for i in tracker.connections["conn_state"][rest]] == ["S0", "S0"]


def test_deadline_equal_to_now_waits() -> None:
    """Packets of that very time may still come in the next batch, and end connections at it, too."""
    tracker, _ = track([UDP])
    assert tracker.expire(START + 60 * SECOND).tolist() == []
    assert tracker.expire(START + 60 * SECOND + 1).tolist() == [0]


def test_returned_rows_stay_until_released() -> None:
    """A packet that comes after its connection was returned begins another, though the old rows are still there."""
    tracker, _ = track([UDP, UDP | {"src_port": 7, "ts": START + 61 * SECOND}])
    over = tracker.expire(START + 61 * SECOND)
    rows = table([UDP | {"ts": START + 62 * SECOND}])
    tracker.track(batch(rows))
    assert rows["connection"].tolist() == [2]
    assert tracker.connections["last_ts"][over].tolist() == [START]
    tracker.release(over)
    again = table([UDP | {"ts": START + 63 * SECOND}])
    tracker.track(batch(again))
    assert again["connection"].tolist() == [2]


def test_release_zeroes_and_reuses_rows() -> None:
    tracker, _ = track([UDP | {"src_port": 1 + i} for i in range(3)])
    over = tracker.expire(START + 99 * SECOND)
    tracker.release(over)
    assert tracker.active == 0
    assert not tracker.connections.view(np.uint8).any()
    assert not tracker.endpoints.view(np.uint8).any()
    rows = table([UDP | {"ts": START + 100 * SECOND}])
    tracker.track(batch(rows))
    assert rows["connection"][0] in (0, 1, 2)
    assert tracker.begun == 4


def test_memory_follows_active_connections() -> None:
    """Two hundred UDP flows, one after the other: two rows are enough."""
    tracker = Tracker(Options(), rows=1)
    for i in range(200):
        now = START + i * 61 * SECOND
        tracker.track(batch(table([UDP | {"src_port": 1 + i, "ts": now}])))
        tracker.release(tracker.expire(now))
    assert tracker.capacity == 2
    assert tracker.begun == 200


@pytest.mark.parametrize("zeek", [False, True])
def test_flood_of_half_open_connections(*, zeek: bool) -> None:
    """A thousand SYNs a second that nobody answers: with Zeek's timers five seconds of them are held, without all."""
    count = 40_000 if IS_COMPILED else 1000
    rows = table([packet(flags="S")] * count)
    rows["src_lo"] = np.arange(count) // 100
    rows["src_port"] = 1000 + np.arange(count) % 100
    rows["ts"] = START + np.arange(count) * (20 * SECOND // count)
    tracker = Tracker(Options(zeek_timeouts=zeek), rows=16)
    for start in range(0, count, count // 20):
        piece = rows[start : start + count // 20]
        tracker.track(batch(piece))
        tracker.release(tracker.expire(int(piece["ts"][-1])))
    assert tracker.begun == count
    assert tracker.active == (count // 4 + 1 if zeek else count)
    assert len(tracker.expire(0, everything=True)) == tracker.active


def test_empty_batch() -> None:
    assert run([]) == []


def test_tunnels_of_the_first_packet_and_the_connection_that_carries_it() -> None:
    outer = packet(1, 2, protocol=17, dst_port=4789, tunnel_id=-1)
    middle = packet(3, 4, protocol=17, dst_port=6081, marks=INNER, tunnel=IN_VXLAN, tunnel_id=42)
    inner = packet(5, 6, "S", marks=INNER, tunnel=IN_VXLAN | IN_GENEVE << 8, tunnel_id=7)
    tracker, _ = track([outer, middle, inner, outer, middle, inner | {"tunnel_id": 8}, packet(7, 8, "S", tunnel_id=-1)])
    c = tracker.connections[:4]
    assert c["tunnel"].tolist() == [0, IN_VXLAN, IN_VXLAN | IN_GENEVE << 8, 0]
    assert c["tunnel_id"].tolist() == [-1, 42, 7, -1]
    assert c["carrier"].tolist() == [0, 1, 2, 0]
    assert c["number"].tolist() == [1, 2, 3, 4]


def test_a_carrier_that_belongs_to_no_connection_is_none() -> None:
    tracker, _ = track([packet(1, 2, protocol=17, outcome=BAD_CHECKSUM), packet(5, 6, "S", marks=INNER)])
    assert tracker.connections[0].carrier == 0


def test_over_the_memory_limit_the_longest_idle_are_ended_and_counted() -> None:
    """Half-open connections never end by themselves; the newest stay, and what comes later for the others begins anew."""
    most = LEAST_CONNECTIONS
    syns = [packet(flags="S", src_port=1 + k % 60_000, dst_port=80 + k // 60_000, ts=START + k) for k in range(most + 100)]
    tracker, _ = track(syns, limits=Limits(memory_bytes=0))
    now = START + len(syns)
    over = tracker.expire(now)
    assert tracker.evicted == len(over) == 100 + most // 8
    assert tracker.connections["number"][over].tolist() == list(range(1, len(over) + 1))
    assert {CONN_STATES[i] for i in tracker.connections["conn_state"][over]} == {"S0"}
    assert tracker.expire(now).tolist() == []
    late = table([syns[0] | {"ts": now}])
    tracker.track(batch(late))
    assert tracker.connections["number"][late["connection"]].tolist() == [len(syns) + 1]
    tracker.release(over)
    assert tracker.active == most - most // 8 + 1
