"""The whole decoder beside dpkt, and fuzz."""

import random
import socket

import dpkt
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.packets import verify_checksums
from analyzer.tables.packets import (
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    OUTCOMES,
)
from tests import builders
from tests.builders import (
    Frame,
    ethernet,
    extension,
    ipv4,
    ipv6,
    tcp,
    tcp_options,
    tcp_packet,
    udp,
    udp_packet,
)
from tests.packets.decoding import GOOD, address, decoded, payload_of


def dpkt_view(content):
    """What dpkt makes of an undamaged Ethernet frame: addresses, protocol, ports, sequence numbers, payload."""
    ip = dpkt.ethernet.Ethernet(content).data
    segment = ip.data
    numbers = (segment.seq, segment.ack, segment.flags, segment.win) if isinstance(segment, dpkt.tcp.TCP) else (0, 0, 0, 0)
    return int.from_bytes(ip.src, "big"), int.from_bytes(ip.dst, "big"), ip.p, segment.sport, segment.dport, *numbers, bytes(segment.data)


ADDRESSES4 = st.integers(0, 2**32 - 1).map(lambda n: socket.inet_ntoa(n.to_bytes(4, "big")))


ADDRESSES6 = st.integers(0, 2**128 - 1).map(lambda n: socket.inet_ntop(socket.AF_INET6, n.to_bytes(16, "big")))


PORTS, WORDS = st.integers(0, 65535), st.integers(0, 2**32 - 1)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_like_dpkt(data):
    draw = data.draw
    addresses = draw(st.sampled_from([ADDRESSES4, ADDRESSES6]))
    src, dst, payload = draw(addresses), draw(addresses), draw(st.binary(max_size=40))
    ports = {"src_port": draw(PORTS), "dst_port": draw(PORTS)}
    if draw(st.booleans()):
        options = tcp_options(mss=draw(PORTS), timestamps=(1, 2)) if draw(st.booleans()) else b""
        numbers = {"seq": draw(WORDS), "ack": draw(WORDS), "flags": draw(st.integers(0, 255)), "window": draw(PORTS)}
        packet = tcp_packet(payload, src=src, dst=dst, options=options, **ports, **numbers)
    else:
        packet = udp_packet(payload, src=src, dst=dst, **ports)
    if draw(st.booleans()):
        packet = ethernet(packet[14:], vlans=draw(st.lists(st.integers(0, 4095), min_size=1, max_size=2)))
    batch = decoded([packet])
    p = batch.packets[0]
    ours = (p.src_port, p.dst_port, p.seq, p.ack, p.tcp_flags, p.window)
    assert (address(p.src_hi, p.src_lo), address(p.dst_hi, p.dst_lo), p.protocol, *ours, payload_of(batch)) == dpkt_view(packet)
    verify_checksums(batch)
    assert not batch.packets[0].marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM)


FUZZ_SEEDS = [
    *GOOD,
    ethernet(ipv4(tcp(options=tcp_options(mss=1, window_scale=2, timestamps=(1, 2), sack_permitted=True))), vlans=[1, 2]),
    builders.llc_snap(ipv4(udp(b"x"), protocol=17)),
    ethernet(ipv6(udp(), protocol=17, extensions=[(0, extension()), (43, extension()), (44, builders.fragment_header(more=True))])),
]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276, 105]))
def test_anything_is_decoded_to_spans_inside_the_packet(seed, linktype):
    draw = random.Random(seed)
    frames = []
    for _ in range(12):
        content = bytearray(draw.choice(FUZZ_SEEDS) if draw.random() < 0.8 else draw.randbytes(draw.randrange(90)))
        for _ in range(draw.randrange(6)):
            if content:
                content[draw.randrange(len(content))] = draw.choice([0, 1, 5, 15, 44, 60, 64, 69, 96, 127, 128, 255, draw.randrange(256)])
        size = draw.randrange(len(content) + 1) if draw.random() < 0.3 else len(content)
        frames.append(Frame(bytes(content[:size]), length=draw.choice([size, len(content), size + 5, max(0, size - 3)])))
    batch = decoded(frames, linktype=linktype)
    verify_checksums(batch)
    single = [decoded([frame], linktype=linktype) for frame in frames]
    for one in single:
        verify_checksums(one)
    for p, one in zip(batch.packets, single, strict=True):
        assert p.outcome < len(OUTCOMES)
        assert 0 <= p.payload_size <= p.payload_length
        assert 0 <= p.payload <= p.caplen or p.payload_size == 0
        assert p.payload + p.payload_size <= p.caplen or p.payload_size == 0
        assert 0 <= p.tcp_options_size <= 40
        assert -1 <= p.network < max(int(p.caplen), 1)
        names = [name for name in p.dtype.names if name not in ("offset", "number", "ts", "sender", "connection")]
        assert all(p[name] == one.packets[0][name] for name in names)
