"""Round trips: Karn's rule and the list of segments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.connections.round_trip_kernels import OUTSTANDING, add_sample, bucket_end, bucket_of, quantile_ns
from analyzer.kernel import IS_COMPILED
from analyzer.tables import new_table
from analyzer.tables.connections import FLOW, RTT_BUCKETS
from tests.connections.rows import HANDSHAKE, START, client, timed, track
from tests.connections.test_analysis_kernels import MS, flows
from tests.connections.test_resent_kernels import said, sent


def samples(*packets: dict[str, int]) -> tuple[int, int, int, int, int]:
    tracker, _ = track([*timed(HANDSHAKE), *packets])
    f = flows(tracker)[0]
    return int(f.rtt_samples), int(f.rtt_min_ns) // MS, int(f.rtt_max_ns) // MS, int(f.rtt_sum_ns) // MS, int(f.rtt_ambiguous)


def test_samples() -> None:
    assert samples(sent(1, 10), said(101, 15), sent(101, 20), sent(201, 21), said(301, 40)) == (2, 5, 19, 24, 0)


def test_an_ack_in_the_middle_of_a_segment_is_no_sample() -> None:
    assert samples(sent(1, 10), said(50, 15), said(101, 16)) == (1, 6, 6, 6, 0)


def test_what_was_sent_again_is_no_sample() -> None:
    assert samples(sent(1, 10), sent(1, 300), said(101, 310)) == (0, 0, 0, 0, 1)


def test_what_may_have_waited_for_an_earlier_byte_is_no_sample() -> None:
    again = [sent(1, 10), sent(101, 11), sent(201, 12), sent(101, 300)]
    assert samples(*again, said(101, 301), said(301, 310)) == (1, 291, 291, 291, 1)
    assert samples(*again, said(301, 310), sent(301, 400), said(401, 405)) == (1, 5, 5, 5, 1)


def test_after_a_loss_new_data_counts_again() -> None:
    assert samples(sent(1, 10), sent(1, 300), sent(101, 301), said(201, 310)) == (1, 9, 9, 9, 0)


def test_a_clock_that_goes_back_is_no_sample() -> None:
    assert samples(sent(1, 10), said(101, 5)) == (0, 0, 0, 0, 1)


def test_full_size_apart() -> None:
    tracker, _ = track(
        [*timed(HANDSHAKE), sent(1, 10, 1000), said(1001, 30), sent(1001, 40, 50), said(1051, 45), sent(1051, 50, 1000), said(2051, 60)]
    )
    f = flows(tracker)[0]
    assert (f.rtt_samples, f.full_rtt_samples, f.full_rtt_min_ns, f.full_rtt_sum_ns) == (3, 2, 10 * MS, 30 * MS)


def test_a_peer_that_is_not_captured_costs_no_more_than_the_limit() -> None:
    count = OUTSTANDING + 50 if IS_COMPILED else 60
    tracker, _ = track([client("A", 10, seq=1 + 10 * i, ack=1, ts=START + i) for i in range(count)])
    assert flows(tracker)[0].outstanding == min(count, OUTSTANDING)


@given(st.integers(0, 2**34))
def test_buckets(rtt: int) -> None:
    bucket = bucket_of(rtt)
    assert 0 <= bucket < RTT_BUCKETS
    if bucket < RTT_BUCKETS - 1:
        assert rtt < bucket_end(bucket)
    if bucket:
        assert rtt >= bucket_end(bucket - 1)


@pytest.mark.parametrize("rtt", [10_000, MS, 900 * MS])
def test_a_bucket_is_narrow(rtt: int) -> None:
    bucket = bucket_of(rtt)
    assert bucket_end(bucket) - bucket_end(bucket - 1) <= max(rtt // 4, 8192)


@pytest.mark.parametrize("percent", [5, 50, 95, 100])
def test_quantiles_are_close(percent: int) -> None:
    f = new_table(FLOW, 1)[0]
    values = np.sort(np.random.default_rng(3).lognormal(17, 0.6, 400).astype(np.int64))
    for value in values:
        add_sample(f, int(value), 100)
    exact = values[int(np.ceil(400 * percent / 100)) - 1]
    assert exact <= quantile_ns(f, percent) <= exact * 1.26
    assert f.full_rtt_samples == f.rtt_samples == 400


def test_more_than_a_second_is_the_maximum() -> None:
    f = new_table(FLOW, 1)[0]
    add_sample(f, 5_000_000_000, 1)
    assert quantile_ns(f, 50) == 5_000_000_000


def test_a_full_bucket_halves_the_histogram() -> None:
    f = new_table(FLOW, 1)[0]
    f.rtt_buckets[0], f.rtt_buckets[1] = 0xFFFF, 100
    add_sample(f, 10, 1)
    assert f.rtt_buckets[:3].tolist() == [0x8000, 50, 0]


def test_p95_is_known_at_the_end() -> None:
    tracker, _ = track([*timed(HANDSHAKE), sent(1, 10), said(101, 15)])
    tracker.expire(START, everything=True)
    assert flows(tracker)[0].rtt_p95_ns == 5 * MS
