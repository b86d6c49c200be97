"""Missing bytes by the connection's own account: a set of bytes as twin, and the cases of the reference."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connections.gap_kernels import BEYOND_HOLE_WITHOUT_ACKS, UNACKNOWLEDGED, absorb, add_range
from analyzer.kernel import IS_COMPILED
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION, ENDPOINT, RANGES, RANGES_MERGED
from tests.connections.rows import HANDSHAKE, client, run, server, timed, track


def missed(*packets: dict[str, int]) -> tuple[object, object]:
    (facts,) = run(timed([*HANDSHAKE, *packets]))
    return facts["missed_bytes_0"], facts["history"]


def test_ack_beyond_data_is_a_gap_at_once() -> None:
    late = client("A", 100, seq=1, ack=1)
    assert missed(server("A", seq=1, ack=101), late) == (100, "ShAaGD")


def test_gap_between_ranges() -> None:
    seen = [client("A", 10, seq=1 + at, ack=1) for at in (0, 20, 40)]
    assert missed(*seen, server("A", seq=1, ack=51)) == (20, "ShADaG")


def test_out_of_order_is_no_gap() -> None:
    tracker, _ = track(timed([*HANDSHAKE, *(client("A", 10, seq=1 + at, ack=1) for at in (10, 0)), server("A", seq=1, ack=21)]))
    assert tracker.endpoints["missed_bytes"][0] == 0
    assert tracker.endpoints["out_of_order"][0] == 1
    assert tracker.endpoints["retransmissions"][0] == 0
    assert tracker.endpoints["resent_segments"][0] == 1


def test_retransmission_brings_nothing_new() -> None:
    tracker, _ = track(timed([*HANDSHAKE, client("A", 10, seq=1, ack=1), client("A", 10, seq=1, ack=1)]))
    assert tracker.endpoints["retransmissions"][0] == 1
    assert tracker.endpoints["out_of_order"][0] == 0


def test_fin_octet_is_not_missing() -> None:
    assert missed(client("FA", 10, seq=1, ack=1), server("A", seq=1, ack=12)) == (0, "ShAFa")


def test_partial_connection_has_no_gaps() -> None:
    (facts,) = run(timed([client("A", 10, seq=1, ack=1), server("A", seq=1, ack=500)]))
    assert facts["missed_bytes_0"] == 0


def test_cut_payload_was_not_seen() -> None:
    cut = client("A", 100, seq=1, ack=1) | {"payload_size": 60}
    assert missed(cut, server("A", seq=1, ack=101)) == (100, "ShADaG")


def test_without_acks_the_stream_is_given_up() -> None:
    """More than 16 KiB beyond a hole and never an ACK: one-sided capture, no gaps are claimed."""
    size = BEYOND_HOLE_WITHOUT_ACKS // 2
    data = [client("A", size, seq=101 + i * size, ack=1) for i in range(3)]
    tracker, _ = track(timed([*HANDSHAKE, *data]))
    assert tracker.endpoints["is_skipping"][0] == 1
    tracker, _ = track(timed([*HANDSHAKE, *data[:1]]))
    assert tracker.endpoints["is_skipping"][0] == 0


def test_much_unacknowledged_data_is_given_up() -> None:
    size = UNACKNOWLEDGED // 8
    data = [client("A", size, seq=11 + i * size, ack=1) for i in range(9)]
    tracker, _ = track(timed([*HANDSHAKE, client("A", 10, seq=1, ack=1), server("A", seq=1, ack=11), *data]))
    assert tracker.endpoints["is_skipping"][0] == 1


@settings(max_examples=150 if IS_COMPILED else 40, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 60), st.integers(1, 12)), max_size=14))
def test_ranges(segments: list[tuple[int, int]]) -> None:
    """Ranges against a set of bytes; when there are too many, only holes may have been filled, never bytes forgotten."""
    c, e = new_table(CONNECTION, 1)[0], new_table(ENDPOINT, 1)[0]
    e.in_order = 1
    seen: set[int] = set()
    for start, size in segments:
        new = set(range(start, start + size))
        is_new = add_range(c, e, start, start + size)
        assert is_new == (not new <= seen) or int(c.marks) & RANGES_MERGED
        seen |= new
        ranges = [(int(e.range_start[i]), int(e.range_end[i])) for i in range(int(e.ranges))]
        assert len(ranges) <= RANGES
        assert all(end < after for (_, end), (after, _) in itertools.pairwise(ranges))
        covered = {byte for begin, end in ranges for byte in range(begin, end)}
        assert covered >= seen if int(c.marks) & RANGES_MERGED else covered == seen
    e.in_order = 30
    absorb(e)
    assert int(e.ranges) == 0 or int(e.range_start[0]) > int(e.in_order)
