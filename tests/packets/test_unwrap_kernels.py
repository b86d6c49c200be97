"""Layer upon layer: depth, fragments in tunnels and tunnels in fragments, checksums, and anything at all."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Limits, Options
from analyzer.packets import Decoder, count_outcomes
from analyzer.tables.packets import (
    ANALYSED,
    BAD_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    FRAGMENT,
    FROM_FRAGMENTS,
    IN_GENEVE,
    IN_GRE,
    IN_IP,
    IN_MPLS,
    IN_VXLAN,
    INNER,
    NO_TIME_PACKET,
    OUTCOMES,
    TUNNEL_TOO_DEEP,
    WITHOUT_TIME,
)
from tests import builders
from tests.builders import (
    Frame,
    ethernet,
    fragments4,
    geneve,
    gre,
    gtp,
    ipv4,
    ipv6,
    mpls,
    ppp,
    pppoe,
    radiotap,
    tcp_packet,
    udp,
    udp_packet,
    vxlan,
    wifi,
)
from tests.packets.decoding import decoded, payload_of

PLAIN = tcp_packet(b"x", link=False)


def wrapped(times, layer, packet=PLAIN):
    for _ in range(times):
        packet = layer(packet)
    return packet


def chain(row):
    return tuple(int(row.tunnel) >> 8 * k & 255 for k in range(8) if int(row.tunnel) >> 8 * k)


def in_vxlan(packet):
    return ipv4(udp(vxlan(ethernet(packet)), dst_port=4789), protocol=17)


def test_depth_of_headers():
    for times in range(1, 12):
        p = decoded([ethernet(wrapped(times, lambda ip: ipv4(ip, protocol=4)))]).packets[0]
        assert p.outcome == (ANALYSED if times <= 8 else TUNNEL_TOO_DEEP)
        assert chain(p) == (IN_IP,) * min(times, 8)


def test_depth_of_datagrams():
    for times in range(1, 12):
        p = decoded([ethernet(wrapped(times, in_vxlan))]).packets
        assert p.outcome.tolist() == [ANALYSED] * min(times + 1, 9) + [TUNNEL_TOO_DEEP] * (times > 8)
        assert [chain(row) for row in p[:3]] == [(), (IN_VXLAN,), (IN_VXLAN, IN_VXLAN)][: len(p)]
    for limit in range(3):
        batch = builders.batch([ethernet(wrapped(5, in_vxlan))])
        Decoder(Options(limits=Limits(tunnels=limit))).decode(batch)
        assert batch.packets.outcome.tolist() == [ANALYSED] * (limit + 1) + [TUNNEL_TOO_DEEP]


def test_all_kinds_of_layers():
    packet = ipv6(gre(ethernet(mpls(PLAIN, 4), ethertype=0x8847), protocol=0x6558), protocol=47)
    packet = ipv4(udp(geneve(packet, protocol=0x86DD), dst_port=6081), protocol=17)
    batch = decoded([ethernet(in_vxlan(packet), vlans=[8])])
    assert [chain(p) for p in batch.packets] == [(), (IN_VXLAN,), (IN_VXLAN, IN_GENEVE, IN_GRE, IN_MPLS)]
    assert batch.packets.carries.tolist() == [IN_VXLAN, IN_GENEVE, 0]
    assert batch.packets.vlan.tolist() == [8] * 3
    assert payload_of(batch, 2) == b"x"


def test_fragments_in_tunnels_and_tunnels_in_fragments():
    whole = udp_packet(bytes(range(250)) * 4, link=False)
    inside = [ethernet(ipv4(gre(piece), protocol=47)) for piece in fragments4(whole, 400)]
    outside = [ethernet(piece) for piece in fragments4(ipv4(gre(whole), protocol=47), 400)]
    both = [ethernet(piece) for inner in fragments4(whole, 400) for piece in fragments4(in_vxlan(inner), 200)]
    for frames in (inside, outside):
        batch = decoded(frames)
        assert batch.packets.outcome.tolist() == [FRAGMENT] * (len(frames) - 1) + [ANALYSED]
        assert (chain(batch.packets[-1]), payload_of(batch, -1)) == ((IN_GRE,), bytes(range(250)) * 4)
    batch = decoded(both)
    last = batch.packets[-1]
    assert (last.outcome, last.marks & INNER, last.marks & FROM_FRAGMENTS, last.dst_port) == (ANALYSED, INNER, FROM_FRAGMENTS, 53)
    assert count_outcomes(batch.packets, 1).sum() == len(both)


def test_checksums_of_all_layers():
    good = ethernet(ipv4(gre(PLAIN), protocol=47))
    bad_outer = ethernet(ipv4(gre(PLAIN), protocol=47, checksum=1))
    bad_inner = ethernet(in_vxlan(tcp_packet(b"x", link=False, checksum=1)))
    bad_udp = ethernet(ipv4(udp(vxlan(ethernet(PLAIN)), dst_port=4789, checksum=1), protocol=17))
    batch = builders.batch([good, bad_outer, bad_inner, bad_udp])
    Decoder(Options(checksums="verify")).decode(batch)
    assert batch.packets.outcome.tolist() == [ANALYSED, BAD_CHECKSUM, ANALYSED, ANALYSED, ANALYSED]
    assert (batch.packets.marks & BAD_TRANSPORT_CHECKSUM != 0).tolist() == [False, False, False, True, True]


def test_packets_without_a_time():
    batch = builders.batch([ethernet(in_vxlan(PLAIN)), *map(ethernet, fragments4(udp_packet(bytes(900), link=False), 800))])
    batch.packets.marks |= WITHOUT_TIME
    Decoder(Options()).decode(batch)
    assert batch.packets.outcome.tolist() == [NO_TIME_PACKET, NO_TIME_PACKET, FRAGMENT, FRAGMENT]


SEEDS = [
    ethernet(in_vxlan(PLAIN)),
    ethernet(wrapped(3, in_vxlan)),
    ethernet(ipv4(udp(geneve(ethernet(PLAIN), options=bytes(8)), dst_port=6081), protocol=17)),
    ethernet(ipv4(udp(gtp(PLAIN, extensions=[b"\1\0\0\0"]), dst_port=2152), protocol=17)),
    ethernet(ipv4(gre(bytes(8) + ethernet(PLAIN), protocol=0x88BE, sequence=1), protocol=47)),
    ethernet(ipv4(gre(ppp(PLAIN), protocol=0x880B, key=1, version=1), protocol=47)),
    ethernet(mpls(ethernet(PLAIN, vlans=[1]), 5, 6, control_word=True), ethertype=0x8847),
    ethernet(pppoe(wrapped(2, lambda ip: ipv6(ip, protocol=4))), ethertype=0x8864),
    *[ethernet(piece) for piece in fragments4(in_vxlan(PLAIN), 48)],
    radiotap(wifi(PLAIN, subtype=8)),
    wifi(PLAIN),
    ppp(PLAIN),
    builders.nflog(PLAIN),
]
LINKS = [1, 1, 1, 1, 6, 8, 9, 10, 51, 104, 105, 107, 109, 117, 119, 123, 127, 138, 163, 239, 274, 284]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_anything_is_decoded_to_spans_inside_the_memory(seed):
    draw = random.Random(seed)
    frames = []
    for _ in range(16):
        content = bytearray(draw.choice(SEEDS) if draw.random() < 0.9 else draw.randbytes(draw.randrange(90)))
        for _ in range(draw.randrange(5)):
            if content:
                content[draw.randrange(len(content))] = draw.choice(
                    [0, 1, 4, 6, 17, 41, 44, 47, 69, 96, 127, 128, 255, draw.randrange(256)]
                )
        size = draw.randrange(len(content) + 1) if draw.random() < 0.3 else len(content)
        frames.append(Frame(bytes(content[:size]), length=draw.choice([size, len(content), size + 5])))
    link, checksums = draw.choice(LINKS), draw.choice(["ignore", "verify"])
    rows = []
    for cuts in ((), (3, 9), range(1, 16)):
        decoder, parts = Decoder(Options(checksums=checksums)), builders.batches(frames, cuts, linktype=link)
        rows.append([])
        for part in parts:
            decoder.decode(part)
            assert count_outcomes(part.packets, 1).sum() == len(part.packets) - sum(part.packets.marks & INNER != 0)
            for i, p in enumerate(part.packets):
                assert p.outcome < len(OUTCOMES)
                assert 0 <= p.payload_size <= p.payload_length
                place = int(p.offset) + int(p.payload)
                assert place >= 0
                assert place + int(p.payload_size) <= part.memory.data.size
                assert p.marks & FROM_FRAGMENTS or p.payload + p.payload_size <= p.caplen or p.payload_size == 0
                names = [name for name in p.dtype.names if name not in ("offset", "sender", "connection")]
                rows[-1].append((*(p[name] for name in names), payload_of(part, i)))
    assert rows[0] == rows[1] == rows[2]
