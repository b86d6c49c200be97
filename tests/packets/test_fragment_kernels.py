"""Fragments to datagrams, beside a slow twin; holes, overlaps, repeats, giants."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Options
from analyzer.packets import Decoder, verify_checksums
from analyzer.tables.packets import (
    ANALYSED,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    FRAGMENT,
    FROM_FRAGMENTS,
    MALFORMED_TRANSPORT,
)
from tests import builders
from tests.builders import (
    CLIENT6,
    MILLISECOND,
    SERVER6,
    START_NS,
    Frame,
    ethernet,
    extension,
    fragment_header,
    fragments4,
    fragments6,
    ipv4,
    ipv6,
    tcp_packet,
    udp,
    udp_packet,
)
from tests.packets.decoding import ADDRESS, address, payload_of

BODY = bytes(range(256)) * 10
WHOLE4 = udp_packet(BODY, link=False)
WHOLE6 = udp_packet(BODY, link=False, src=CLIENT6, dst=SERVER6)
SECOND = 1000 * MILLISECOND


def run(frames, *, cuts=(), checksums="ignore", **more):
    """(decoder, batches) of the frames, with payloads taken while each batch lives."""
    decoder, parts = Decoder(Options(checksums=checksums)), builders.batches(frames, cuts, **more)
    payloads = []
    for part in parts:
        decoder.decode(part)
        payloads += [payload_of(part, i) for i in range(len(part.packets))]
    return decoder, parts, payloads


def outcomes(parts):
    return [int(value) for part in parts for value in part.packets.outcome]


@pytest.mark.parametrize(("whole", "cutter"), [(WHOLE4, fragments4), (WHOLE6, fragments6)])
@pytest.mark.parametrize("size", [8, 512, 1480])
def test_in_any_order_and_over_any_batches(whole, cutter, size):
    frames = [ethernet(piece) for piece in cutter(whole if size > 8 else whole[:28] + whole[28:], size)][:60]
    if size == 8:
        short = udp_packet(BODY[:300], link=False, **({} if cutter is fragments4 else {"src": CLIENT6, "dst": SERVER6}))
        frames, whole = [ethernet(piece) for piece in cutter(short, size)], short
    for seed in range(3):
        random.Random(seed).shuffle(frames)
        for cuts in ((), (1,), range(1, len(frames))):
            decoder, parts, payloads = run(frames, cuts=cuts, checksums="verify")
            p = parts[-1].packets[-1]
            assert outcomes(parts) == [FRAGMENT] * (len(frames) - 1) + [ANALYSED]
            assert (p.dst_port, p.marks & FROM_FRAGMENTS, p.number, p.ts) == (53, FROM_FRAGMENTS, len(frames), parts[-1].now_ns)
            assert p.marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM) == 0
            assert payloads[-1] == BODY[: p.payload_length]
            assert (p.ip_length, p.payload_length) == (len(whole), len(whole) - 8 - (20 if cutter is fragments4 else 40))
            assert (decoder.counts["completed"], decoder.counts["incomplete"], p.network) == (1, 0, 0)
            assert (address(p.src_hi, p.src_lo), p.protocol) == (ADDRESS["10.0.0.1" if cutter is fragments4 else CLIENT6], 17)


def test_tcp_in_fragments_and_a_wrong_checksum():
    good, bad = tcp_packet(BODY, link=False), tcp_packet(BODY, link=False, checksum=7)
    _, parts, payloads = run([ethernet(piece) for packet in (good, bad) for piece in fragments4(packet, 1000)], checksums="verify")
    p = parts[0].packets
    assert p.outcome.tolist() == [FRAGMENT, FRAGMENT, ANALYSED] * 2
    assert [payloads[2], int(p[2].seq)] == [BODY, 1000]
    assert [bool(row.marks & BAD_TRANSPORT_CHECKSUM) for row in (p[2], p[5])] == [False, True]
    damaged = bytearray(ethernet(fragments4(good, 1000)[1]))
    damaged[24] ^= 1
    _, parts, _ = run([ethernet(fragments4(good, 1000)[0]), bytes(damaged), ethernet(fragments4(good, 1000)[2])], checksums="verify")
    assert ANALYSED not in outcomes(parts)


def test_snaplen_cuts_fragments_too():
    pieces = [Frame(ethernet(piece)).cut(200) for piece in fragments4(WHOLE4, 1000)]
    _, parts, payloads = run(pieces)
    p = parts[0].packets[2]
    assert (p.outcome, p.payload_length, p.payload_size) == (ANALYSED, len(BODY), 200 - 14 - 20 - 8)
    assert payloads[2] == BODY[: len(payloads[2])]


def test_overlaps_of_ipv4_keep_what_came_first():
    first, second, third = fragments4(WHOLE4, 1000)
    other = ipv4(b"\xee" * 16, protocol=17, more_fragments=True, fragment_offset=(1000 - 8) // 8, dont_fragment=False)
    for frames in ([first, other, second, third], [other, first, second, third]):
        decoder, parts, payloads = run([ethernet(frame) for frame in frames])
        assert outcomes(parts) == [FRAGMENT] * 3 + [ANALYSED]
        expected = bytearray(BODY)
        expected[992:1000] = b"\xee" * 8
        if frames[0] is other:
            expected[984:992] = b"\xee" * 8
        assert decoder.counts["overlapping"] > 0
        assert payloads[3] == bytes(expected)


def test_overlaps_of_ipv6_drop_the_datagram_and_its_rest():
    first, second, third = fragments6(WHOLE6, 1000)
    bad = ipv6(b"\xee" * 16, protocol=17, extensions=[(44, fragment_header(offset=124, more=True))])
    decoder, parts, _ = run([ethernet(frame) for frame in (first, bad, second, third)])
    assert outcomes(parts) == [FRAGMENT] * 4
    assert decoder.counts["dropped_overlap"] == 1


@pytest.mark.parametrize("pieces", [fragments4(WHOLE4, 1000), fragments6(WHOLE6, 1000)])
def test_repeats_change_nothing(pieces):
    decoder, parts, payloads = run([ethernet(piece) for piece in (pieces[0], pieces[0], pieces[1], pieces[1], pieces[2])])
    assert outcomes(parts) == [FRAGMENT] * 4 + [ANALYSED]
    assert payloads[4] == BODY
    assert (decoder.counts["repeated"], decoder.counts["overlapping"], decoder.counts["dropped_overlap"]) == (2, 0, 0)


def test_holes_wait_sixty_seconds():
    first, second, third = (ethernet(piece) for piece in fragments4(WHOLE4, 1000))
    for late, expected in ((59, ANALYSED), (60, FRAGMENT)):
        frames = [Frame(first, ts=START_NS), Frame(third, ts=START_NS + SECOND), Frame(second, ts=START_NS + late * SECOND)]
        decoder, parts, _ = run(frames, cuts=(1, 2))
        assert outcomes(parts) == [FRAGMENT, FRAGMENT, expected]
        assert decoder.counts["timed_out"] == (expected == FRAGMENT)
        assert decoder.counts["incomplete"] == (expected == FRAGMENT)


def test_giants_and_crowds_are_dropped():
    giant = ipv4(b"x" * 24, protocol=17, more_fragments=False, fragment_offset=8191, dont_fragment=False)
    many = [ipv4(b"x" * 8, protocol=17, more_fragments=True, fragment_offset=i, ip_id=9, dont_fragment=False) for i in range(70)]
    decoder, parts, _ = run([ethernet(frame) for frame in (giant, *many)])
    assert set(outcomes(parts)) == {FRAGMENT}
    assert (decoder.counts["too_large"], decoder.counts["too_many"]) == (1, 1)


def test_what_does_not_fit_its_datagram_is_left_out():
    first, second, third = fragments4(WHOLE4, 1000)
    odd = ipv4(b"x" * 9, protocol=17, more_fragments=True, dont_fragment=False)
    beyond = ipv4(b"x" * 8, protocol=17, more_fragments=True, fragment_offset=4000, dont_fragment=False)
    early_end = ipv4(b"x" * 8, protocol=17, fragment_offset=1, dont_fragment=False)
    decoder, parts, payloads = run([ethernet(frame) for frame in (odd, third, beyond, early_end, second, first)])
    assert outcomes(parts) == [FRAGMENT] * 5 + [ANALYSED]
    assert (decoder.counts["inconsistent"], payloads[5]) == (3, BODY)


def test_a_whole_datagram_may_be_malformed():
    pieces = fragments4(ipv4(b"\0\x35\0\x35\0\3" + b"x" * 30, protocol=17), 16)
    _, parts, _ = run([ethernet(piece) for piece in pieces])
    assert outcomes(parts) == [FRAGMENT] * 2 + [MALFORMED_TRANSPORT]


def test_ids_vlans_and_protocols_keep_datagrams_apart():
    packets = [ipv4(udp(BODY[:600]), protocol=17, ip_id=i) for i in (1, 2)]
    pieces = [fragments4(packet, 400) for packet in packets]
    frames = [ethernet(pieces[0][0]), ethernet(pieces[1][1]), ethernet(pieces[0][0], vlans=[4]), ethernet(pieces[0][1], vlans=[5])]
    decoder, parts, _ = run(frames)
    assert outcomes(parts) == [FRAGMENT] * 4
    assert decoder.counts["incomplete"] == 4


def test_headers_of_the_whole_ipv6_datagram():
    body = extension(b"\0" * 4)[1:]
    inside = ipv6(udp(BODY[:500]), protocol=17)[40:]
    chain = bytes([17]) + body + inside  # destination options in the fragmentable part
    pieces = [
        ipv6(chain[:256], protocol=60, extensions=[(0, extension()), (44, fragment_header(more=True))]),
        ipv6(chain[256:], protocol=60, extensions=[(0, extension()), (44, fragment_header(offset=32))]),
    ]
    _, parts, payloads = run([ethernet(piece) for piece in pieces], checksums="verify")
    p = parts[0].packets[1]
    assert (p.outcome, p.protocol, p.dst_port, p.marks & BAD_TRANSPORT_CHECKSUM, payloads[1]) == (ANALYSED, 17, 53, 0, BODY[:500])


class Twin:
    """Reassembly of IPv4 as one would write it down: a dict of bytes."""

    def __init__(self):
        self.datagrams = {}

    def take(self, ident, first, more, body):
        got = self.datagrams.setdefault(ident, {"bytes": {}, "total": None})
        stop = first + len(body)
        top = max(got["bytes"], default=-1) + 1
        if more and (not body or len(body) % 8):
            return None
        beyond = got["total"] is not None and (stop > got["total"] or (not more and stop != got["total"]))
        if beyond or (not more and stop < top):
            return None
        if not more:
            got["total"] = stop
        for i, byte in enumerate(body):
            got["bytes"].setdefault(first + i, byte)
        if got["total"] is not None and len(got["bytes"]) == got["total"]:
            del self.datagrams[ident]
            return bytes(got["bytes"][i] for i in range(got["total"]))
        return None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_like_the_twin(seed):
    draw, twin, frames, expected = random.Random(seed), Twin(), [], []
    for _ in range(40):
        ident, first, more = draw.randrange(2), draw.randrange(6), draw.random() < 0.7
        body = draw.randbytes(8 * draw.randrange(1, 4) + (draw.choice((0, 0, 3)) if not more else 0))
        if first == 0 and not more:
            continue
        frames.append(ethernet(ipv4(body, protocol=253, ip_id=ident, more_fragments=more, fragment_offset=first, dont_fragment=False)))
        expected.append(twin.take(ident, 8 * first, more, body))
    cuts = sorted(draw.sample(range(len(frames)), min(3, len(frames))))
    _, parts, payloads = run(frames, cuts=cuts)
    whole = [payload if outcome == ANALYSED else None for payload, outcome in zip(payloads, outcomes(parts), strict=True)]
    assert whole == expected


def test_everything_is_given_back():
    pieces = [ethernet(piece) for piece in fragments4(WHOLE4, 1000)]
    decoder, parts, _ = run([*pieces, tcp_packet()], cuts=(3,))
    arena = parts[0].memory.arenas[0]
    assert arena[2] == 0  # LIVE_BYTES
    assert decoder.counts == decoder.counts | {"completed": 1, "incomplete": 0}
    assert Decoder(Options()).counts == {}
    verify_checksums(parts[0])
    assert np.count_nonzero(parts[0].packets.marks & BAD_IP_CHECKSUM) == 0
