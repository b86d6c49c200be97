"""uid and Community ID as the report gets them."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.connections.identity import community_ids, uids
from tests.connections.rows import packet, track


def ip(text: str) -> int:
    return int.from_bytes(bytes(map(int, text.split("."))))


def ids(*packets: dict[str, int]) -> list[str]:
    tracker, _ = track(packets)
    return [bytes(text).decode() for text in community_ids(tracker.connections, np.arange(tracker.begun))]


# the vectors of the specification's own test suite
VECTORS = [
    ("128.232.110.120", "66.35.250.204", 6, 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("1.2.3.4", "5.6.7.8", 6, 1122, 3344, "1:wCb3OG7yAFWelaUydu0D+125CLM="),
    ("192.168.1.52", "8.8.8.8", 17, 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    ("192.168.0.89", "192.168.0.1", 1, 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
]


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector: tuple[str, str, int, int, int, str]) -> None:
    src, dst, protocol, source, target, expected = vector
    there = packet(ip(src), ip(dst), protocol=protocol, src_port=source, dst_port=target)
    assert ids(there) == [expected]
    if protocol != 1:
        back = packet(ip(dst), ip(src), protocol=protocol, src_port=target, dst_port=source)
        assert ids(back) == [expected]


def test_protocol_without_ports() -> None:
    assert ids(packet(ip("1.2.3.4"), ip("5.6.7.8"), protocol=46)) == ["1:ikv3kmf89luf73WPz1jOs49S768="]


def test_uids_are_repeatable_and_distinct() -> None:
    tracker, _ = track([packet(src_port=1 + i) for i in range(50)])
    rows = np.arange(50)
    first = uids(tracker.connections, rows, 7)
    assert first.shape == (50, 18)
    assert np.array_equal(first, uids(tracker.connections, rows, 7))
    assert len({bytes(text) for text in first}) == 50
    assert not np.any(np.all(first == uids(tracker.connections, rows, 8), axis=1))
    assert all(text[0] == ord("C") and bytes(text).isalnum() for text in first)


def test_no_rows() -> None:
    tracker, _ = track([packet()])
    none = np.zeros(0, np.int64)
    assert uids(tracker.connections, none, 1).shape == (0, 18)
    assert community_ids(tracker.connections, none).shape == (0, 30)
