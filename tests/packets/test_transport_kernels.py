"""TCP with options, UDP, ICMP: fields, cuts and lies."""

import pytest

from analyzer.tables.packets import (
    ANALYSED,
    CUT,
    HAS_SACK_PERMITTED,
    HAS_TIMESTAMPS,
    LENGTH_MISMATCH,
)
from tests.builders import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Frame,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    tcp_options,
    tcp_packet,
    udp,
    udp_packet,
)
from tests.packets.decoding import ADDRESS, address, decoded, payload_of, row_of


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
