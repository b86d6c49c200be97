"""The whole stage against its slow twin, over random conversations and any cut into batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.connections import Tracker
from analyzer.kernel import IS_COMPILED
from analyzer.options import Options
from tests.connections import twin
from tests.connections.rows import CLIENT, SECOND, SERVER, START, batch, packet, run, table, track

EXAMPLES = 200 if IS_COMPILED else 15  # plain Python over records is slow
PAUSES = (0, 1000, SECOND // 10, SECOND, 4 * SECOND, 6 * SECOND, 11 * SECOND, 61 * SECOND, 301 * SECOND, -2 * SECOND)
PAIRS = ((50000, 9999), (50000, 80), (80, 443), (53, 50000), (50001, 53))
FLAG_SETS = ("S", "SA", "A", "A", "A", "A", "PA", "FA", "F", "R", "RA", "SF", "FR", "SR", "")


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, int]]:
    """Packets between two hosts: mostly TCP of one or two port pairs, with numbers near each other (and near a wrap)."""
    isns = (draw(st.sampled_from((1000, 2**32 - 1, 2**32 - 12, 0))), draw(st.sampled_from((9000, 2**32 - 5))))
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=2))
    protocol = draw(st.sampled_from((6, 6, 6, 6, 17, 1, 47)))
    packets, now = [], START
    for _ in range(draw(st.integers(1, 24))):
        now += draw(st.sampled_from(PAUSES)) if draw(st.integers(0, 3)) == 0 else 1000
        sender, pair = draw(st.integers(0, 1)), draw(st.sampled_from(pairs))
        flags = draw(st.sampled_from(FLAG_SETS))
        size = draw(st.sampled_from((0, 0, 1, 5, 10)))
        at, ack = draw(st.integers(-1, 25)), draw(st.integers(-1, 25))
        fields: dict[str, Any] = {"src_port": pair[sender], "dst_port": pair[1 - sender], "protocol": protocol, "ts": now}
        if protocol == 1:
            fields |= {"src_port": draw(st.sampled_from((0, 8, 3, 11))), "dst_port": draw(st.sampled_from((0, 1)))}
        if flags == "S" and draw(st.booleans()):
            at = 0
        fields |= {"seq": (isns[sender] + at) % 2**32, "ack": (isns[1 - sender] + ack) % 2**32 if "A" in flags else 0}
        fields["window"] = draw(st.sampled_from((100, 100, 100, 0)))
        fields["marks"] = draw(st.sampled_from((0,) * 12 + (16,)))
        ends = (CLIENT, SERVER) if sender == 0 else (SERVER, CLIENT)
        row = packet(*ends, flags, size, **fields)
        row["payload_size"] = draw(st.sampled_from((size, size, size, size // 2)))
        packets.append(row)
    return packets


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=conversations(), zeek=st.booleans(), cuts=st.lists(st.integers(1, 23), max_size=4))
def test_twin(packets: list[dict[str, int]], *, zeek: bool, cuts: list[int]) -> None:
    expected = [c.summary() for c in twin.follow(packets, zeek=zeek)]
    got = run(packets, cuts, zeek_timeouts=zeek)
    assert sorted(got, key=lambda facts: facts["number"]) == expected


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=conversations(), zeek=st.booleans(), cuts=st.lists(st.integers(1, 23), max_size=6))
def test_batches_do_not_matter(packets: list[dict[str, int]], *, zeek: bool, cuts: list[int]) -> None:
    assert run(packets, cuts, zeek_timeouts=zeek) == run(packets, zeek_timeouts=zeek)


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=conversations(), zeek=st.booleans())
def test_flushing_does_not_matter(packets: list[dict[str, int]], *, zeek: bool) -> None:
    """Whether rows are freed on the way or all at the end, and however small the table was."""
    kept = run(packets, range(1, 24), rows=64, flush=False, zeek_timeouts=zeek)
    freed = run(packets, range(1, 24), zeek_timeouts=zeek)
    assert kept == freed


def test_packets_name_connection_and_sender() -> None:
    packets = [
        packet(1, 2, "S", src_port=5, dst_port=6),
        packet(2, 1, "SA", src_port=6, dst_port=5),
        packet(1, 2, "S", src_port=7, dst_port=6),
        packet(1, 2, "A", src_port=5, dst_port=6),
    ]
    _, rows = track(packets)
    assert rows["connection"].tolist() == [0, 0, 1, 0]
    assert rows["sender"].tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("outcome", [1, 2, 8, 10])
def test_what_was_not_analysed_has_no_connection(outcome: int) -> None:
    tracker, rows = track([packet(outcome=outcome, connection=5, sender=1)])
    assert rows["connection"].tolist() == [-1]
    assert rows["sender"].tolist() == [0]
    assert tracker.begun == 0


def test_time_moves_with_packets_of_no_connection() -> None:
    """An ARP packet after 61 s ends a UDP flow as any packet does, even when the flow's next packet has an earlier time."""
    flow = packet(protocol=17, dst_port=9999)
    tracker, _ = track([flow, packet(outcome=1, ts=START + 61 * SECOND), flow | {"ts": START + 59 * SECOND}])
    assert tracker.begun == 2


def test_over_row_is_not_reused_in_its_batch() -> None:
    flow = packet(protocol=17, dst_port=9999)
    tracker, rows = track([flow, flow | {"ts": START + 60 * SECOND}])
    assert rows["connection"].tolist() == [0, 1]
    assert tracker.connections["is_over"][:2].tolist() == [1, 0]
    over = tracker.expire(START + 61 * SECOND)
    assert over.tolist() == [0]
    tracker.release(over)
    assert tracker.active == 1


def test_growing_keeps_everything() -> None:
    packets = [packet(src_port=1000 + i, flags="S") for i in range(40)]
    tracker, rows = track(packets + packets, rows=1)
    assert rows["connection"].tolist() == [*range(40), *range(40)]
    assert tracker.capacity == 64
    assert tracker.endpoints["packets"][:80:2].tolist() == [2] * 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("zeek", [False, True])
def test_any_values(seed: int, *, zeek: bool) -> None:
    """Rows of noise, as hostile headers may make them: nothing is raised, every packet has a home, and batches do not matter."""
    random, count = np.random.default_rng(seed), 3000 if IS_COMPILED else 150
    rows = table([packet() for _ in range(count)])
    for name, values in {
        "ts": START + random.integers(-(10**9), 10**11, count).cumsum() // 50,
        "src_lo": random.integers(0, 3, count),
        "dst_lo": random.integers(0, 3, count),
        "src_port": random.choice((0, 53, 80, 65535), count),
        "dst_port": random.choice((0, 53, 80, 65535), count),
        "protocol": random.choice((6, 6, 6, 17, 1, 58, 255), count),
        "ip_version": random.choice((4, 6), count),
        "tcp_flags": random.choice(np.arange(256), count),
        "seq": random.choice((0, 1, 2**31, 2**32 - 1, 12345), count) ^ random.integers(0, 3, count),
        "ack": random.choice((0, 1, 2**31, 2**32 - 1, 12345), count) ^ random.integers(0, 3, count),
        "payload_length": random.choice((0, 1, 1460, 65535, 2**24), count),
        "payload_size": random.choice((0, 1, 65535), count),
        "window": random.choice((0, 65535), count),
        "marks": random.choice((0, 0, 0, 16, 1, 2, 4), count),
        "outcome": random.choice((0, 0, 0, 0, 1, 10), count),
    }.items():
        rows[name] = values
    whole, cut = (Tracker(Options(zeek_timeouts=zeek), rows=1) for _ in range(2))
    pieces = rows.copy()
    whole.track(batch(rows))
    for start in range(0, count, 37):
        cut.track(batch(pieces[start : start + 37]))
    assert np.array_equal(rows, pieces)
    assert np.array_equal(rows["connection"] >= 0, rows["outcome"] == 0)
    for tracker in (whole, cut):
        tracker.expire(START, everything=True)
    assert np.array_equal(whole.connections[: whole.begun], cut.connections[: cut.begun])
    assert np.array_equal(whole.endpoints[: 2 * whole.begun], cut.endpoints[: 2 * cut.begun])
