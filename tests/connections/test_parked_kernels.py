"""Which parked connections the packets of a batch may belong to."""

from __future__ import annotations

import numpy as np

from analyzer.connections.kernels import rebuild
from analyzer.connections.parked_kernels import drop_parked, find_parked
from analyzer.tables import Ints, Rows, new_table
from analyzer.tables.packets import BAD_CHECKSUM, PACKET
from tests.connections.rows import CLIENT, SERVER, client, packet, server, table, track


def keys_of(packets: list[dict[str, int]]) -> Ints:
    tracker, rows = track(packets)
    keys: Ints = tracker.connections["key_hash"][rows["connection"]]
    return keys


def enter(keys: Ints, ids: list[int]) -> Ints:
    slots = np.zeros(16, np.int64)
    rebuild(keys << 32 | (np.array(ids, np.int64) + 1), slots)
    return slots


def find(rows: Rows, slots: Ints, content: bytes = b"") -> list[int]:
    data = np.frombuffer(content + bytes(64), np.uint8).copy()
    found = np.empty(8, np.int64)
    count = find_parked(data, rows, slots, new_table(PACKET, 1), found)
    return sorted(found[:count].tolist())


def test_a_packet_of_either_end_finds_it_once() -> None:
    others = [client(src_port=1), client(src_port=2)]
    keys = keys_of([client(), *others])
    for first in (client(), server(), client(flags="S")):
        slots = enter(keys, [7, 8, 9])
        assert find(table([first, client()]), slots) == [7]
        assert find(table(others), slots) == [8, 9]
        assert not slots.any()


def test_what_is_not_analysed_or_another_protocol_finds_nothing() -> None:
    slots = enter(keys_of([client()]), [7])
    assert find(table([client(outcome=BAD_CHECKSUM), packet(protocol=17), client(src_port=3)]), slots) == []


def test_all_that_have_the_hash_come_back() -> None:
    keys = keys_of([client()])
    slots = enter(np.repeat(keys, 3), [3, 5, 4])
    assert find(table([client()]), slots) == [3, 4, 5]


def test_an_icmp_error_finds_what_it_quotes() -> None:
    ends = CLIENT.to_bytes(4, "big") + SERVER.to_bytes(4, "big")
    quoted = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]) + ends + (50000).to_bytes(2, "big") + (80).to_bytes(2, "big") + bytes(4)
    error = packet(99, CLIENT, protocol=1, src_port=3, dst_port=1, offset=0, payload=0, payload_size=len(quoted))
    slots = enter(keys_of([client()]), [7])
    assert find(table([error | {"src_port": 8}]), slots, quoted) == []
    assert find(table([error]), slots, quoted) == [7]


def test_ids_are_dropped() -> None:
    keys = keys_of([client(), client(src_port=1)])
    slots = enter(keys, [7, 8])
    drop_parked(slots, keys[:1].astype(np.int32), np.array([7]))
    assert find(table([client(), client(src_port=1)]), slots) == [8]
