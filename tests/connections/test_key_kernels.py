"""Which packets belong together, and the hash table against a dict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connections.key_kernels import drop_slot, icmp6_counterpart, icmp_counterpart, put_slot
from tests.connections.rows import CLIENT, SERVER, packet, table, track

ICMP_PAIRS = {(0, 8), (13, 14), (15, 16), (17, 18), (9, 10)}
ICMP6_PAIRS = {(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)}


@pytest.mark.parametrize(("counterpart", "pairs"), [(icmp_counterpart, ICMP_PAIRS), (icmp6_counterpart, ICMP6_PAIRS)])
def test_icmp_counterparts(counterpart, pairs) -> None:  # type: ignore[no-untyped-def]
    both = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    assert [counterpart(kind) for kind in range(256)] == [both.get(kind, -1) for kind in range(256)]


def connections_of(*packets: dict[str, int]) -> list[int]:
    _, rows = track(packets)
    return rows["connection"].tolist()


def test_both_directions_are_one_connection() -> None:
    back = packet(SERVER, CLIENT, src_port=80, dst_port=50000)
    assert connections_of(packet(), back, back | {"src_port": 81}) == [0, 0, 1]


@pytest.mark.parametrize("field", ["src_lo", "dst_lo", "src_hi", "dst_hi", "src_port", "dst_port", "protocol", "ip_version"])
def test_every_part_of_the_key_counts(field: str) -> None:
    udp = packet(protocol=17)
    assert connections_of(udp, udp | {field: 7}) == [0, 1]


def test_vlan_is_not_in_the_key() -> None:
    assert connections_of(packet(vlan=5), packet(vlan=6)) == [0, 0]


def test_same_address_both_ends() -> None:
    _, rows = track([packet(1, 1, src_port=5, dst_port=6), packet(1, 1, src_port=6, dst_port=5), packet(1, 1, src_port=5, dst_port=5)])
    assert rows["connection"].tolist() == [0, 0, 1]
    assert rows["sender"].tolist() == [0, 1, 0]


def test_icmp_request_and_reply_are_one_connection() -> None:
    request = packet(protocol=1, src_port=8, dst_port=0)
    reply = packet(SERVER, CLIENT, protocol=1, src_port=0, dst_port=0)
    tracker, rows = track([request, reply])
    assert rows["connection"].tolist() == [0, 0]
    assert rows["sender"].tolist() == [0, 1]
    assert (int(tracker.connections.a_port[0]), int(tracker.connections.b_port[0])) == (8, 0)


def test_icmp_error_is_one_way() -> None:
    error = packet(protocol=1, src_port=3, dst_port=1)
    assert connections_of(error, error, packet(SERVER, CLIENT, protocol=1, src_port=3, dst_port=1)) == [0, 0, 1]
    assert connections_of(error, error | {"dst_port": 3}) == [0, 1]


def test_other_protocols_have_no_ports() -> None:
    tracker, rows = track([packet(protocol=47, src_port=1, dst_port=2), packet(SERVER, CLIENT, protocol=47), packet(protocol=50)])
    assert rows["connection"].tolist() == [0, 0, 1]
    assert tracker.connections["a_port"][:2].tolist() == [0, 0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 15)), max_size=60), st.sampled_from((1, 3, 14)))
def test_hash_table(steps: list[tuple[bool, int]], spread: int) -> None:
    """Put and drop rows whose homes crowd together; every row must stay findable, the dropped ones gone."""
    slots = np.zeros(32, np.int64)
    present: set[int] = set()
    for is_put, row in steps:
        key = 29 + row % spread  # homes at the end of the table: probes wrap around
        if is_put and row not in present:
            put_slot(slots, key, row)
            present.add(row)
        elif not is_put:
            drop_slot(slots, key, row)
            present.discard(row)
        assert sorted(entry & 0xFFFFFFFF for entry in slots.tolist() if entry) == sorted(row + 1 for row in present)
        for wanted in present:
            slot = (29 + wanted % spread) & 31
            while int(slots[slot]) & 0xFFFFFFFF != wanted + 1:
                assert slots[slot] != 0
                slot = (slot + 1) & 31


def test_hash_spreads() -> None:
    """Neighbouring ports and addresses must not crowd: of 4096 keys hardly any share all 31 bits."""
    packets = [packet(CLIENT + i // 64, SERVER, "S", src_port=1024 + i % 64) for i in range(1024)]
    tracker, _ = track(packets, rows=1024)
    assert len(set(tracker.connections["key_hash"].tolist())) >= 1023
    assert len({int(key) & 2047 for key in tracker.connections["key_hash"]}) > 700
    assert table(packets).shape == (1024,)
