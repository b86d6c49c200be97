"""One TCP connection at a time: sequence space, times and frames of handshake and teardown, roles."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.connections.tcp_kernels import advance, relative_seq
from analyzer.tables.packets import HAS_SACK_PERMITTED, HAS_TIMESTAMPS
from tests.connections.rows import HANDSHAKE, START, client, packet, run, server, timed, track

STEP = 1_000_000


@example(0, 1 << 32, -1)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
def test_unwrapping(start: int, reached: int, delta: int) -> None:
    """A number within 2 GB of the last one comes back as it was, however often the stream has wrapped."""
    last = start + reached
    wanted = last + delta
    if wanted < start or (last < 1 << 32 and not -(2**31) <= wanted - start < 2**31):
        return
    assert relative_seq(wanted % 2**32, last, start) == wanted - start
    if delta > 0:
        assert advance(last, wanted % 2**32) == wanted


@pytest.mark.parametrize("isn", [0, 1, 2**31, 2**32 - 1, 2**32 - 5])
def test_numbers_do_not_depend_on_the_isn(isn: int) -> None:
    data = [client("A", 10, seq=1, ack=1), client("A", 10, seq=21, ack=1), client("A", 10, seq=11, ack=1), server("A", seq=1, ack=31)]
    end = [client("FA", seq=31, ack=1), server("FA", seq=1, ack=32), client("A", seq=32, ack=2)]
    packets = timed([*HANDSHAKE, *data, *end])
    moved = []
    for p in packets:
        name = "seq" if p["dst_port"] == 80 else "ack"
        moved.append(p | {name: (p[name] - 1000 + isn) % 2**32})
    moved[0]["ack"] = 0
    assert run(moved) == run(packets)


def test_more_than_four_gigabytes() -> None:
    size = 60_000
    packets = [*HANDSHAKE]
    for i in range(80_000 // 1000):  # every thousandth segment with its ACK is enough: 4.8 GB
        at = 1 + i * size * 1000
        packets.append(client("A", size, ack=1) | {"seq": (1000 + at) % 2**32})
        packets.append(server("A", seq=1) | {"ack": (1000 + at + size) % 2**32})
    (facts,) = run(timed(packets))
    assert facts["stream_bytes_0"] == 79 * size * 1000 + size


def test_handshake_times() -> None:
    tracker, _ = track(timed([client("S"), client("S"), client("S"), *HANDSHAKE[1:], client("A", 5, seq=1, ack=1)]))
    c = tracker.connections[0]
    assert (c.syn_ts, c.last_syn_ts, c.synack_ts, c.ack_ts) == (START, START + 2 * STEP, START + 3 * STEP, START + 4 * STEP)
    assert (c.syn_number, c.synack_number, c.ack_number, c.syn_retries) == (1, 4, 5, 2)


def test_ack_must_acknowledge_the_synack() -> None:
    tracker, _ = track(timed([client("S"), server("SA", ack=1), client("A", seq=1, ack=0), client("A", seq=1, ack=1)]))
    assert tracker.connections["ack_number"][0] == 4


def test_teardown_times() -> None:
    end = [server("FA", seq=1, ack=1), client("A", seq=1, ack=2), client("FA", seq=1, ack=2), server("A", seq=2, ack=2)]
    tracker, _ = track(timed([*HANDSHAKE, *end]))
    c = tracker.connections[0]
    assert (c.teardown_number, c.teardown_sender, c.teardown_by_reset, c.teardown_end_number) == (4, 1, 0, 7)
    assert tracker.endpoints["fin_number"][:2].tolist() == [6, 4]


def test_teardown_by_reset() -> None:
    tracker, _ = track(timed([*HANDSHAKE, client("R", seq=1)]))
    c = tracker.connections[0]
    assert (c.teardown_number, c.teardown_sender, c.teardown_by_reset, c.teardown_end_number) == (4, 0, 1, 4)


def test_final_ack_does_not_count_for_the_duration() -> None:
    (facts,) = run(timed([*HANDSHAKE, client("FA", seq=1, ack=1), server("FA", seq=1, ack=2), client("A", seq=2, ack=2)]))
    assert facts["productive_ts"] == START + 4 * STEP
    assert facts["last_ts"] == START + 5 * STEP


def test_close_waits_for_missing_data() -> None:
    """The FIN came before the bytes in front of it: its end closes only with them, and not at all without."""
    early, data = client("FA", seq=11, ack=1), client("A", 10, seq=1, ack=1)
    (facts,) = run(timed([*HANDSHAKE, early, data, server("FA", seq=1, ack=12), client("A", seq=12, ack=2)]))
    assert facts["productive_ts"] == START + 5 * STEP
    (facts,) = run(timed([*HANDSHAKE, early, server("FA", seq=1, ack=1), client("A", seq=12, ack=2)]))
    assert facts["productive_ts"] == START + 5 * STEP == facts["last_ts"]


def test_options_and_first_values() -> None:
    syn = client("S", window_scale=7, mss=1460, marks=HAS_SACK_PERMITTED | HAS_TIMESTAMPS, ttl=61, window=4321)
    tracker, _ = track(timed([syn, server("SA", ack=1, mss=1400), client("A", seq=1, ack=1)]))
    e, q = tracker.endpoints[0], tracker.endpoints[1]
    assert (e.window_scale, e.mss, e.has_sack, e.has_timestamps, e.ttl, e.window_first) == (7, 1460, 1, 1, 61, 4321)
    assert (q.window_scale, q.mss, q.has_sack) == (255, 1400, 0)


def test_payload_places() -> None:
    tracker, _ = track(timed([*HANDSHAKE, client("A", 10, seq=1, ack=1), server("A", 5, seq=1, ack=11), client("A", 3, seq=11, ack=6)]))
    e = tracker.endpoints[0]
    assert (e.first_payload_number, e.last_payload_number, e.payload_bytes, e.packets, e.ip_bytes) == (4, 6, 13, 4, 4 * 40 + 13)


@pytest.mark.parametrize(
    ("source", "target", "flags", "flipped"),
    [
        (80, 50000, "A", 1),
        (50000, 80, "A", 0),
        (80, 50000, "S", 0),
        (80, 50000, "SA", 1),
        (80, 443, "A", 1),
        (80, 443, "SA", 0),
        (443, 80, "A", 0),
        (9999, 50000, "A", 0),
    ],
)
def test_direction(source: int, target: int, flags: str, flipped: int) -> None:
    tracker, _ = track([packet(flags=flags, src_port=source, dst_port=target)])
    assert tracker.connections["flipped"][0] == flipped
    assert tracker.connections["history"][0][0] == (ord("^") if flipped else ord({"A": "A", "S": "S", "SA": "H"}[flags]))


def test_broadcast_is_never_the_originator() -> None:
    dhcp = packet(dst=0xFFFFFFFF, protocol=17, src_port=67, dst_port=68)
    tracker, _ = track([dhcp, dhcp | {"dst_lo": 5}])
    assert tracker.connections["flipped"][:2].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("before", "again", "connections"),
    [
        ((client("S"),), client("S"), 1),
        ((client("S"),), client("S", seq=500), 2),
        (HANDSHAKE, client("S"), 1),
        (HANDSHAKE, client("S", seq=5000), 2),
        (HANDSHAKE, server("SA", seq=77, ack=1), 1),
        ((*HANDSHAKE, client("R", seq=1)), client("S"), 2),
        ((*HANDSHAKE, client("R", seq=1)), client("A", seq=1), 1),
        ((server("A", seq=1, src_port=9999),), client("SA", dst_port=9999), 1),
    ],
)
def test_reuse(before: tuple[dict[str, int], ...], again: dict[str, int], connections: int) -> None:
    assert len(run(timed([*before, again]))) == connections
