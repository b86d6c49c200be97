# mypy: allow-untyped-defs
"""Round trips: from a data segment to the ACK that ends exactly where it ends, as seen where the capture was taken.

Karn's rule (RFC 6298 3, and tcptrace's form of it): no sample from a segment that was sent again, nor from one that was sent before
an earlier byte was sent again, since the ACK may have waited for that byte. So a segment below the highest byte sent makes everything
ambiguous from its first byte to the highest byte, until that is acknowledged.

Their distribution is kept as a histogram whose buckets are a quarter of a doubling wide, so a quantile from it is exact to 25 %; it never
leaves the exact minimum and maximum. The last bucket holds everything above 1 s: of that only the maximum is known.

Segments that are not acknowledged stand in a list, oldest first, in a table that all flows share. It costs one step to append, and one
to remove when the ACK comes. A flow whose peer is not in the capture keeps the first OUTSTANDING segments and no more.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, seq_diff
from analyzer.tables.connections import IS_AMBIGUOUS, RTT_BUCKETS, RTT_SHIFT

OUTSTANDING = 4096  # segments of one flow that wait for an ACK: 5 MB in flight
MOST_SEGMENTS = 1 << 20  # of all flows: 32 MB
FULL_BUCKET = 0xFFFF

# positions in the tracker's state: FLOW pairs ever used, free ones; SEGMENT rows ever used, first free one
FLOWS_USED, FLOWS_FREE, SEGMENTS_TOP, SEGMENT_FREE = 4, 5, 6, 7


@helper
def add_segment(segments, state, f, end_seq, size, ts, number):
    """Append a segment to the list of flow ``f``; without room it is not timed."""
    row = state[SEGMENT_FREE]
    if np.int64(f.outstanding) >= OUTSTANDING:
        return
    if row != 0:
        state[SEGMENT_FREE] = segments[row].following
    elif state[SEGMENTS_TOP] < segments.shape[0]:
        row = state[SEGMENTS_TOP]
        state[SEGMENTS_TOP] = row + 1
    else:
        return
    s = segments[row]
    s.end_seq = end_seq
    s.ts = ts
    s.number = number
    s.payload_length = size
    s.following = 0
    if np.int64(f.first_segment) == 0:
        f.first_segment = row
    else:
        segments[f.last_segment].following = row
    f.last_segment = row
    f.outstanding = np.int64(f.outstanding) + 1


@helper
def drop_segments(segments, state, f):
    """Give all segments of a flow back."""
    if np.int64(f.first_segment) != 0:
        segments[f.last_segment].following = state[SEGMENT_FREE]
        state[SEGMENT_FREE] = np.int64(f.first_segment)
        f.first_segment = 0
        f.outstanding = 0


@helper
def bucket_of(rtt):
    """Bucket of a round trip: two bits below the highest one of rtt >> RTT_SHIFT choose it."""
    units, octave = rtt >> RTT_SHIFT, 0
    while units >> octave >= 8:
        octave += 1
    return min(4 * octave + (units >> octave), RTT_BUCKETS - 1)


@helper
def bucket_end(bucket):
    """Upper end of a bucket, ns: what `bucket_of` puts there is below."""
    octave = max(bucket // 4 - 1, 0)
    return ((bucket - 4 * octave + 1) << octave) << RTT_SHIFT


@helper
def quantile_ns(f, percent):
    """The round trip that ``percent`` of the samples of flow ``f`` stay below, ns; 0 without samples."""
    if f.rtt_min_ns == f.rtt_max_ns:
        return np.int64(f.rtt_max_ns)
    count = np.int64(0)
    for k in range(RTT_BUCKETS):
        count += np.int64(f.rtt_buckets[k])
    wanted, bucket = (count * percent + 99) // 100, np.int64(0)
    seen = np.int64(f.rtt_buckets[0])
    while seen < wanted:
        bucket += 1
        seen += np.int64(f.rtt_buckets[bucket])
    end = bucket_end(bucket) if bucket < RTT_BUCKETS - 1 else np.int64(f.rtt_max_ns)
    return min(max(end, np.int64(f.rtt_min_ns)), np.int64(f.rtt_max_ns))


@helper
def add_sample(f, rtt, size):
    """Count one round trip of ``size`` bytes."""
    if f.rtt_samples == 0 or rtt < f.rtt_min_ns:
        f.rtt_min_ns = rtt
    f.rtt_max_ns = max(np.int64(f.rtt_max_ns), rtt)
    f.rtt_sum_ns += rtt
    f.rtt_samples = np.int64(f.rtt_samples) + 1
    if size >= np.int64(f.segment_max):
        if f.full_rtt_samples == 0 or rtt < f.full_rtt_min_ns:
            f.full_rtt_min_ns = rtt
        f.full_rtt_sum_ns += rtt
        f.full_rtt_samples = np.int64(f.full_rtt_samples) + 1
    bucket = bucket_of(rtt)
    if np.int64(f.rtt_buckets[bucket]) == FULL_BUCKET:
        for k in range(RTT_BUCKETS):
            f.rtt_buckets[k] = np.int64(f.rtt_buckets[k]) >> 1
    f.rtt_buckets[bucket] = np.int64(f.rtt_buckets[bucket]) + 1


@helper
def make_ambiguous(f, seq):
    """A segment from ``seq`` on that lies below next_seq: no round trip between the two can be told."""
    known = np.int64(f.known)
    if not known & IS_AMBIGUOUS or seq_diff(seq, f.ambiguous_from) < 0:
        f.ambiguous_from = seq
    f.ambiguous_until = f.next_seq
    f.known = known | IS_AMBIGUOUS


@helper
def acknowledge_segments(segments, state, f, ack, ts):
    """The other end acknowledges flow ``f`` up to ``ack``: drop what is below, and take the sample of the segment that ends there."""
    row = np.int64(f.first_segment)
    while row != 0:
        s = segments[row]
        ahead = seq_diff(ack, s.end_seq)
        if ahead < 0:
            break
        if ahead == 0:
            is_known = np.int64(f.known) & IS_AMBIGUOUS == 0 or seq_diff(s.end_seq, f.ambiguous_from) <= 0
            if (is_known or seq_diff(s.end_seq, f.ambiguous_until) > 0) and ts >= s.ts:
                add_sample(f, ts - s.ts, np.int64(s.payload_length))
            else:
                f.rtt_ambiguous = np.int64(f.rtt_ambiguous) + 1
        after = np.int64(s.following)
        s.following = state[SEGMENT_FREE]
        state[SEGMENT_FREE] = row
        f.outstanding = np.int64(f.outstanding) - 1
        row = after
    f.first_segment = row
    if np.int64(f.known) & IS_AMBIGUOUS and seq_diff(ack, f.ambiguous_until) >= 0:
        f.known = np.int64(f.known) & ~IS_AMBIGUOUS
