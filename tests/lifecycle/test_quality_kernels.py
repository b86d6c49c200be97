"""Counts over packets: duplicates and checksums that were left to the network card, beside a slow twin."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.lifecycle.quality import Quality
from analyzer.options import Options
from analyzer.packets import Decoder
from tests import builders
from tests.builders import Frame, batches, ethernet, internet_checksum, ip_packet, tcp, tcp_packet, udp, udp_packet

START, MS = builders.START_NS, 1_000_000


def observe(frames, cuts=()):
    quality, decoder = Quality(), Decoder(Options())
    for batch in batches(frames, cuts):
        decoder.decode(batch)
        quality.observe(batch)
    return quality


def counts(quality):
    return {name: value for name, value in vars(quality).items() if isinstance(value, int)}


PACKETS = [
    tcp_packet(b"a", seq=1, ip={"ip_id": 7}),
    tcp_packet(b"a", seq=1, ip={"ip_id": 8}),  # a retransmission
    tcp_packet(b"b", seq=1, ip={"ip_id": 7}),
    tcp_packet(b"a", seq=1, ip={"ip_id": 7, "ttl": 63}),  # the first once more, behind a router
    tcp_packet(flags="S", ip={"ip_id": 0}),
    tcp_packet(flags="A", ip={"ip_id": 0}),  # tells nothing
    tcp_packet(flags="A", ip={"ip_id": 5}),
    udp_packet(b"query"),
    udp_packet(b"other", src="2001:db8::1", dst="2001:db8::2"),
    udp_packet(b"another", src="2001:db8::1", dst="2001:db8::2"),
]
SAME_AS = {3: 0}


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, len(PACKETS) - 1), st.sampled_from([0, 1, MS // 2, MS, MS + 1])), max_size=30),
    st.lists(st.integers(0, 30), max_size=3),
)
def test_duplicates_are_the_same_packet_within_a_millisecond(sequence, cuts):
    ts, frames, last, wanted = START, [], {}, 0
    for index, step in sequence:
        ts += step
        frames.append(Frame(PACKETS[index], ts))
        if index != 5:
            same = SAME_AS.get(index, index)
            wanted += same in last and ts - last[same] <= MS
            last[same] = ts
    whole = observe(frames)
    assert whole.duplicates == wanted
    assert counts(observe(frames, [cut for cut in cuts if cut <= len(frames)])) == counts(whole)


def half_done(segment, src, dst, protocol, *, length):
    """A packet whose checksum is the sum of the pseudo-header alone."""
    import ipaddress

    a, b = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    at = builders.CHECKSUM_AT[protocol]
    content = segment.content
    pseudo = a + b + struct.pack(">II", len(content) if length is None else length, protocol)
    value = internet_checksum(pseudo) ^ 0xFFFF
    return ethernet(ip_packet(content[:at] + struct.pack(">H", value) + content[at + 2 :], src=src, dst=dst, protocol=protocol))


@pytest.mark.parametrize("ends", [("10.1.2.3", "192.0.2.200"), ("2001:db8::ffff:1", "fe80::1:2")])
@pytest.mark.parametrize("length", [None, 0])
def test_checksums_left_to_the_card(ends, length):
    segments = [(tcp(bytes(range(size)), flags="PA"), 6) for size in (0, 1, 255)] + [(udp(b"x" * 301), 17)]
    unfinished = [half_done(segment, *ends, protocol, length=length) for segment, protocol in segments]
    finished = [ethernet(ip_packet(segment, src=ends[0], dst=ends[1], protocol=protocol)) for segment, protocol in segments]
    assert observe(unfinished).unfinished_checksums == len(unfinished)
    assert observe(finished).unfinished_checksums == 0
    cut = [Frame(content[:40], START, length=len(content)) for content in unfinished]
    assert observe(cut).unfinished_checksums == 0


def test_sizes_times_and_outcomes():
    frames = [
        Frame(tcp_packet(b"z" * 3000), START + 5),
        Frame(udp_packet(b"z" * 3000), START + 3),
        Frame(tcp_packet(b"abc"), START + 9, length=1000),
        Frame(b"\xff" * 12 + b"\x08\x06" + b"\0" * 28, START + 4),
        Frame(b"", START + 4),
    ]
    quality = observe(frames, [2])
    assert (quality.large_segments, quality.cut, quality.packets) == (1, 1, 5)
    assert (quality.first_ts, quality.last_ts) == (START + 3, START + 9)
    assert quality.bytes_captured == sum(len(frame.content) for frame in frames)
    assert quality.bytes_on_wire == sum(frame.wire_length for frame in frames)
    assert (quality.protocols[6], quality.protocols[17], int(quality.protocols.sum())) == (2, 1, 3)
    assert np.array_equal(quality.outcomes, observe(frames).outcomes)


def test_inner_rows_of_tunnels_are_not_counted_again():
    carried = builders.vxlan(ethernet(tcp_packet(b"x", link=False)))
    assert observe([Frame(udp_packet(carried, dst_port=4789))]).packets == 1


def test_a_packet_seen_before_and_behind_the_card_is_a_duplicate() -> None:
    ends = ("10.1.2.3", "192.0.2.200")
    before = half_done(tcp(b"abc", seq=9), *ends, 6, length=None)
    behind = tcp_packet(b"abc", seq=9, src=ends[0], dst=ends[1])
    other = tcp_packet(b"abc", seq=10, src=ends[0], dst=ends[1])
    assert observe([Frame(before, START), Frame(behind, START + 5)]).duplicates == 1
    assert observe([Frame(before, START), Frame(other, START + 5)]).duplicates == 0
    assert observe([Frame(before, START), Frame(behind, START + 2 * MS)]).duplicates == 0
