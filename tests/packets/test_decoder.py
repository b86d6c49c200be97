"""Headers of every layer: bytes from the builders, what the rows say; dpkt as oracle; lies, cuts and fuzz."""

import ipaddress
import random
import socket

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Limits, Options
from analyzer.packets import Decoder, count_outcomes, decode, verify_checksums
from analyzer.tables.packets import (
    ANALYSED,
    BAD_CHECKSUM,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    CUT,
    FRAGMENT,
    HAS_SACK_PERMITTED,
    HAS_TIMESTAMPS,
    LENGTH_FROM_CAPTURE,
    LENGTH_MISMATCH,
    MALFORMED_IP,
    MALFORMED_LINK,
    MALFORMED_TRANSPORT,
    NO_TIME_PACKET,
    NOT_IP,
    OUTCOMES,
    TUNNEL_TOO_DEEP,
    UNKNOWN_LINK_TYPE,
    WITHOUT_TIME,
)
from tests import builders
from tests.builders import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Frame,
    ethernet,
    extension,
    icmp,
    ipv4,
    ipv6,
    tcp,
    tcp_options,
    tcp_packet,
    udp,
    udp_packet,
)

ADDRESS = {text: int(ipaddress.ip_address(text)) for text in (CLIENT, SERVER, CLIENT6, SERVER6)}


def decoded(packets, **more):
    """Rows of the packets, in a table that is full of remains of earlier batches."""
    batch = builders.batch(packets, **more)
    kept = {name: batch.packets[name].copy() for name in ("ts", "number", "offset", "caplen", "length", "interface", "linktype", "marks")}
    batch.packets.view(np.uint8)[:] = 0x77
    for name, values in kept.items():
        batch.packets[name] = values
    decode(batch)
    return batch


def row_of(packet, **more):
    return decoded([packet], **more).packets[0]


def address(high, low):
    return int(high) << 64 | int(low)


def payload_of(batch, i=0):
    p = batch.packets[i]
    start = int(p.offset) + int(p.payload)
    return bytes(batch.memory.data[start : start + int(p.payload_size)])


@pytest.mark.parametrize(("src", "dst"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_tcp_over_both_versions_of_ip(src, dst):
    options = tcp_options(mss=1400, window_scale=9, sack_permitted=True, timestamps=(0xF0000001, 0xE0000002))
    packet = tcp_packet(
        b"hello",
        src=src,
        dst=dst,
        src_port=65000,
        dst_port=443,
        seq=0xFFFFFFF0,
        ack=0x80000000,
        flags="SAEC",
        window=65535,
        options=options,
    )
    batch = decoded([packet])
    p = batch.packets[0]
    assert (p.outcome, p.ip_version, p.protocol, p.ttl) == (ANALYSED, 4 if "." in src else 6, 6, 64)
    assert (address(p.src_hi, p.src_lo), address(p.dst_hi, p.dst_lo)) == (ADDRESS[src], ADDRESS[dst])
    assert (p.src_port, p.dst_port, p.seq, p.ack, p.tcp_flags, p.window) == (65000, 443, 0xFFFFFFF0, 0x80000000, 0xD2, 65535)
    assert (p.mss, p.window_scale, p.tsval, p.tsecr) == (1400, 9, 0xF0000001, 0xE0000002)
    assert p.marks & (HAS_SACK_PERMITTED | HAS_TIMESTAMPS) == HAS_SACK_PERMITTED | HAS_TIMESTAMPS
    assert payload_of(batch) == b"hello"
    assert (p.payload_length, p.ip_length, p.ethertype) == (5, len(packet) - 14, 0x0800 if "." in src else 0x86DD)
    assert (p.ip_id, p.vlan, p.inner_vlan) == (0x1234 if "." in src else -1, -1, -1)
    assert p.network == 14
    assert p.transport == len(packet) - 5 - 20 - len(options + b"\0" * (-len(options) % 4))
    assert p.tcp_options == p.transport + 20
    assert p.tcp_options_size == p.payload - p.tcp_options


def test_udp_icmp_and_other_protocols():
    batch = decoded(
        [
            udp_packet(b"query", src_port=5353, dst_port=53),
            ethernet(ipv4(icmp(8, 0, payload=b"ping"), protocol=1)),
            ethernet(ipv6(icmp(129, 3, payload=b"pong"), protocol=58)),
            ethernet(ipv4(b"\1\2\3\4inside", protocol=132)),
            ethernet(ipv4(b"not ICMPv6", protocol=58)),
        ],
    )
    p = batch.packets
    assert p.outcome.tolist() == [ANALYSED] * 5
    assert list(zip(p.src_port.tolist(), p.dst_port.tolist(), strict=True)) == [(5353, 53), (8, 0), (129, 3), (0, 0), (0, 0)]
    assert [payload_of(batch, i) for i in range(5)] == [b"query", b"ping", b"pong", b"\1\2\3\4inside", b"not ICMPv6"]
    assert p.protocol.tolist() == [17, 1, 58, 132, 58]


LINKS = [
    (1, ethernet),
    (101, lambda ip: ip),
    (12, lambda ip: ip),
    (14, lambda ip: ip),
    (113, builders.sll),
    (276, builders.sll2),
    (0, builders.null_link),
    (0, lambda ip: builders.null_link(ip, byteorder=">")),
    (108, lambda ip: builders.null_link(ip, byteorder=">")),
    (1, lambda ip: builders.llc_snap(ip, ethertype=builders.ethertype_of(ip))),
    (113, lambda ip: builders.sll(builders.vlan(ip, 7), protocol=0x8100)),
]


@pytest.mark.parametrize(("linktype", "wrap"), LINKS)
@pytest.mark.parametrize("packet", [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)])
def test_link_types(linktype, wrap, packet):
    batch = decoded([wrap(packet)], linktype=linktype)
    assert batch.packets[0].outcome == ANALYSED
    assert payload_of(batch) == b"x"
    for size in range(len(wrap(packet)) - 1):  # every cut and every lie about the end is told as what it is
        cut, short = Frame(wrap(packet)).cut(size), wrap(packet)[:size]
        outcome = row_of(cut, linktype=linktype).outcome
        assert outcome == CUT or (outcome == ANALYSED and size >= len(wrap(packet)) - 1)
        assert row_of(short, linktype=linktype).outcome in (MALFORMED_LINK, MALFORMED_IP, MALFORMED_TRANSPORT, NOT_IP)


@pytest.mark.parametrize("family", [10, 23, 24, 28, 30])
def test_all_numbers_of_af_inet6(family):
    packet = tcp_packet(link=False, src=CLIENT6, dst=SERVER6)
    for byteorder in ("<", ">"):
        assert row_of(builders.null_link(packet, family=family, byteorder=byteorder), linktype=0).outcome == ANALYSED


def test_what_is_not_ip():
    inside = tcp_packet(link=False)
    arp, llc = ethernet(b"\0" * 28, ethertype=0x0806), builders.mac("01:80:c2:00:00:00") * 2 + b"\0\x26\x42\x42\3" + b"\0" * 35
    p = decoded([arp, llc, builders.llc_snap(inside, oui=b"\0\0\x0c")]).packets
    assert p.outcome.tolist() == [NOT_IP] * 3
    assert p.ethertype.tolist() == [0x0806, 0x26, len(inside) + 8]
    assert row_of(builders.null_link(inside, family=7), linktype=0).outcome == NOT_IP
    assert row_of(builders.sll(inside, arphrd=824, protocol=0x0800), linktype=113).outcome == NOT_IP
    unknown = row_of(inside, linktype=147)
    assert (unknown.outcome, unknown.ethertype, unknown.ip_version, unknown.network) == (UNKNOWN_LINK_TYPE, -1, 0, -1)
    assert row_of(inside, linktype=229).outcome == MALFORMED_IP


@pytest.mark.parametrize("vlans", [(5,), (5, 6), (100, 200, 300), tuple(range(1, 9))])
def test_vlan_tags(vlans):
    p = row_of(ethernet(tcp_packet(link=False), vlans=vlans))
    assert (p.outcome, p.vlan, p.inner_vlan) == (ANALYSED, vlans[0], vlans[1] if len(vlans) > 1 else -1)
    old = builders.mac("02:00:00:00:00:01") * 2 + b"\x91\0" + builders.vlan(tcp_packet(link=False), 4095, priority=7)
    assert (row_of(old).outcome, row_of(old).vlan) == (ANALYSED, 4095)


def test_more_tags_than_anyone_uses():
    assert row_of(ethernet(tcp_packet(link=False), vlans=range(1, 10))).outcome == TUNNEL_TOO_DEEP


def test_padding_is_no_payload():
    batch = decoded([ethernet(ipv4(tcp(), protocol=6), pad=True), ethernet(ipv4(udp(b"a"), protocol=17), pad=True)])
    assert batch.packets.payload_size.tolist() == [0, 1]
    assert batch.packets.payload_length.tolist() == [0, 1]


def test_total_length_zero_counts_what_was_captured():
    p = row_of(ethernet(ipv4(tcp(b"x" * 3000), protocol=6, total_length=0)))
    assert (p.outcome, p.payload_size, p.payload_length, p.ip_length) == (ANALYSED, 3000, 3000, 3040)
    assert p.marks & LENGTH_FROM_CAPTURE
    p = row_of(Frame(ethernet(ipv4(tcp(b"x" * 3000), protocol=6, total_length=0))).cut(100))
    assert (p.payload_size, p.payload_length) == (46, 3000)
    p = row_of(ethernet(ipv6(tcp(b"x" * 3000), payload_length=0)))
    assert (p.outcome, p.payload_length, p.marks & LENGTH_FROM_CAPTURE) == (ANALYSED, 3000, LENGTH_FROM_CAPTURE)
    assert row_of(ethernet(ipv6(b"", protocol=59), pad=True)).marks == 0


@pytest.mark.parametrize(
    ("packet", "outcome"),
    [
        (ethernet(ipv4(tcp(), version=5)), MALFORMED_IP),
        (ethernet(ipv4(tcp(), header_words=4)), MALFORMED_IP),
        (ethernet(ipv4(tcp(), header_words=15)), MALFORMED_IP),
        (ethernet(ipv4(tcp(), total_length=19)), MALFORMED_IP),
        (ethernet(ipv4(tcp(), total_length=41)), MALFORMED_IP),
        (ethernet(ipv4(tcp(), total_length=39)), MALFORMED_TRANSPORT),
        (ethernet(ipv4(tcp(data_offset=4))), MALFORMED_TRANSPORT),
        (ethernet(ipv4(tcp(data_offset=6))), MALFORMED_TRANSPORT),
        (ethernet(ipv4(udp(length=7), protocol=17)), MALFORMED_TRANSPORT),
        (ethernet(ipv4(b"1234567", protocol=17)), MALFORMED_TRANSPORT),
        (ethernet(ipv4(b"1234567", protocol=1)), MALFORMED_TRANSPORT),
        (ethernet(ipv6(tcp(), payload_length=21), ethertype=0x86DD), MALFORMED_IP),
        (ethernet(ipv6(tcp(), version=4), ethertype=0x86DD), MALFORMED_IP),
        (ethernet(ipv6(tcp(), extensions=[(0, extension(units=9))]), ethertype=0x86DD), MALFORMED_IP),
        (ethernet(ipv6(b"", protocol=60), ethertype=0x86DD), MALFORMED_IP),
    ],
)
def test_lies(packet, outcome):
    p = row_of(packet)
    assert p.outcome == outcome
    assert p.payload_size == 0 or p.protocol != 6


def test_udp_length():
    longer = decoded([ethernet(ipv4(udp(b"abc", length=100), protocol=17)), ethernet(ipv4(udp(b"abcdef", length=11), protocol=17))])
    assert longer.packets.outcome.tolist() == [ANALYSED, ANALYSED]
    assert (longer.packets.marks & LENGTH_MISMATCH).tolist() == [LENGTH_MISMATCH, 0]
    assert (payload_of(longer, 0), payload_of(longer, 1)) == (b"abc", b"abc")
    jumbo = decoded([ethernet(ipv6(udp(b"abc", length=0), protocol=17))])
    assert payload_of(jumbo) == b"abc"


def test_snaplen_cuts_options_and_payload():
    packet = Frame(tcp_packet(b"x" * 100, options=tcp_options(mss=1400, timestamps=(7, 8)), flags="S"))
    header = 14 + 20 + 20
    for size in range(14, header + 16 + 100):
        p = row_of(packet.cut(size))
        if size < header:
            assert p.outcome == CUT
        else:
            assert (p.outcome, p.seq, p.payload_length, p.payload_size) == (ANALYSED, 1000, 100, max(0, size - header - 16))
            assert p.mss == (1400 if size >= header + 4 else 0)
            assert p.tsecr == (8 if size >= header + 14 else 0)


def test_tcp_options_end_where_they_lie():
    def options(content):
        return row_of(tcp_packet(options=content))

    assert options(b"\x02\x04\x05\xb4\x00\x03\x03\x07").window_scale == 255  # after the end of options
    assert options(b"\x08\x00\x02\x04\x05\xb4").mss == 0  # length zero
    assert options(b"\x08\x01\x02\x04\x05\xb4").mss == 0  # length one
    assert options(b"\x02\x04\x05\xb4\x03\x0b\x07").mss == 1460  # the second one goes past the header
    assert options(b"\x01\x01\x02\x04\x05\xb4").mss == 1460
    assert options(b"\x02\x03\x05\x03\x03\x00").mss == 0  # an MSS of a wrong size is passed over
    assert options(b"\x03\x03\x0f").window_scale == 15  # as sent
    assert options(b"\x1e\x0c" + b"\1" * 10 + b"\x04\x02").marks & HAS_SACK_PERMITTED


def test_fragments_have_addresses_and_nothing_of_transport():
    first = ethernet(ipv4(tcp(b"x" * 8, checksum=1), more_fragments=True, dont_fragment=False))
    later = ethernet(ipv4(b"y" * 16, fragment_offset=5, dont_fragment=False))
    six = ethernet(ipv6(b"z" * 24, extensions=[(0, extension()), (44, builders.fragment_header(offset=3))]))
    batch = decoded([first, later, six])
    p = batch.packets
    assert p.outcome.tolist() == [FRAGMENT] * 3
    assert p.src_port.tolist() == p.dst_port.tolist() == [0] * 3
    assert p.protocol.tolist() == [6, 6, 6]
    assert [address(row.src_hi, row.src_lo) for row in p] == [ADDRESS[CLIENT]] * 2 + [ADDRESS[CLIENT6]]
    assert [payload_of(batch, i) for i in (1, 2)] == [b"y" * 16, b"z" * 24]
    atomic = row_of(ethernet(ipv6(tcp(), extensions=[(44, builders.fragment_header())])))
    assert atomic.outcome == ANALYSED


def test_ipv6_extension_headers():
    chain = [(0, extension()), (43, extension(b"\0" * 10)), (60, extension(b"\0" * 20)), (51, builders.authentication_header())]
    chain += [(135, extension()), (139, extension()), (140, extension())]
    batch = decoded([ethernet(ipv6(udp(b"in"), protocol=17, extensions=chain))])
    p = batch.packets[0]
    assert (p.outcome, p.protocol, p.dst_port) == (ANALYSED, 17, 53)
    assert payload_of(batch) == b"in"
    for terminal in (50, 59, 253, 4):  # not walked: whatever follows is not looked at
        p = row_of(ethernet(ipv6(b"\x11\0" + b"\0" * 30, protocol=terminal)))
        assert (p.outcome, p.protocol, p.src_port) == (ANALYSED, terminal, 0)
    at_limit = ethernet(ipv6(udp(), protocol=17, extensions=[(60, extension())] * Limits().ipv6_headers))
    beyond = ethernet(ipv6(udp(), protocol=17, extensions=[(60, extension())] * (Limits().ipv6_headers + 1)))
    assert decoded([at_limit, beyond]).packets.outcome.tolist() == [ANALYSED, TUNNEL_TOO_DEEP]


def test_a_packet_without_time_is_decoded_all_the_same():
    batch = builders.batch([tcp_packet(b"x"), ethernet(b"", ethertype=0x0806)])
    batch.packets.marks |= WITHOUT_TIME
    decode(batch)
    assert batch.packets.outcome.tolist() == [NO_TIME_PACKET, NOT_IP]
    assert batch.packets[0].dst_port == 80


def test_decoding_twice_changes_nothing():
    batch = decoded([tcp_packet(b"x", options=tcp_options(timestamps=(1, 2))), udp_packet(b"y")])
    before = batch.packets.tobytes()
    decode(batch)
    assert batch.packets.tobytes() == before


def test_count_outcomes():
    batch = builders.batch([tcp_packet(), tcp_packet(), ethernet(b"", ethertype=0x0806)], interfaces=3)
    batch.packets.interface = [0, 2, 2]
    decode(batch)
    counts = count_outcomes(batch.packets, 3)
    assert counts.shape == (3, len(OUTCOMES))
    assert (counts[0, ANALYSED], counts[2, ANALYSED], counts[2, NOT_IP], counts.sum()) == (1, 1, 1, 3)


# ---- checksums

GOOD = [
    tcp_packet(b"odd"),
    tcp_packet(b"even", src=CLIENT6, dst=SERVER6),
    udp_packet(b"x"),
    udp_packet(b"", src=CLIENT6, dst=SERVER6),
    udp_packet(b"none", checksum=0),
    ethernet(ipv4(icmp(8, payload=b"abc"), protocol=1)),
    ethernet(ipv6(icmp(128, payload=b"abc"), protocol=58)),
    ethernet(ipv6(udp(b"x"), protocol=17, extensions=[(0, extension()), (60, extension())])),
    ethernet(ipv4(tcp(b"x"), options=b"\1\1\1")),
    ethernet(ipv4(udp(b"x"), protocol=17), pad=True),
    ethernet(ipv4(b"other", protocol=47)),
    ethernet(ipv4(tcp(b"x" * 2000, checksum=1), total_length=0)),  # the card has yet to fill it in
]


def verified(packets):
    batch = decoded(packets)
    verify_checksums(batch)
    return batch.packets


def test_right_checksums():
    p = verified(GOOD)
    assert p.outcome.tolist() == [ANALYSED] * len(GOOD)
    assert not (p.marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM)).any()


def test_wrong_checksums():
    damaged = [
        tcp_packet(b"x", checksum=1),
        udp_packet(b"x", checksum=1, src=CLIENT6, dst=SERVER6),
        ethernet(ipv4(icmp(8, checksum=1), protocol=1)),
        ethernet(ipv6(icmp(128, checksum=1), protocol=58)),
        ethernet(ipv4(tcp(), checksum=1)),
    ]
    p = verified(damaged)
    assert p.outcome.tolist() == [ANALYSED] * 4 + [BAD_CHECKSUM]
    assert (p.marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM)).tolist() == [BAD_TRANSPORT_CHECKSUM] * 4 + [BAD_IP_CHECKSUM]
    batch = builders.batch(damaged)
    Decoder(Options()).decode(batch)
    assert batch.packets.outcome.tolist() == [ANALYSED] * 5
    batch = builders.batch(damaged)
    Decoder(Options(checksums="verify")).decode(batch)
    assert batch.packets.outcome.tolist() == [ANALYSED] * 4 + [BAD_CHECKSUM]


def test_what_cannot_be_verified_is_right():
    cut = Frame(tcp_packet(b"x" * 100, checksum=1)).cut(80)
    routed = ethernet(ipv6(tcp(b"x", checksum=1), extensions=[(43, b"\0\2\0\1" + b"\0" * 4 + b"\x20" * 16)]))
    assert not (verified([cut, routed]).marks & BAD_TRANSPORT_CHECKSUM).any()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 10**9))
def test_any_single_damage_is_found(payload, seed):
    draw = random.Random(seed)
    packet = bytearray(tcp_packet(payload))
    at = draw.randrange(14 + 20 + 12, len(packet)) if draw.random() < 0.5 and len(packet) > 54 else draw.choice([22, 26, 30, 38, 50])
    if at in (46, 47):  # the header's own length changes what is covered
        at = 38
    packet[at] ^= 1 << draw.randrange(8)
    p = verified([bytes(packet)])[0]
    assert p.marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM)


# ---- oracle and fuzz


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
