"""IPv4 and IPv6: lengths that lie, padding, fragments, extension headers."""

import pytest

from analyzer.options import Limits
from analyzer.tables.packets import (
    ANALYSED,
    FRAGMENT,
    LENGTH_FROM_CAPTURE,
    MALFORMED_IP,
    MALFORMED_TRANSPORT,
    NO_CONNECTION,
    TUNNEL_TOO_DEEP,
)
from tests import builders
from tests.builders import (
    CLIENT,
    CLIENT6,
    SERVER6,
    Frame,
    ethernet,
    extension,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from tests.packets.decoding import ADDRESS, address, decoded, payload_of, row_of


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
    for terminal in (50, 253):  # not walked: whatever follows is not looked at
        p = row_of(ethernet(ipv6(b"\x11\0" + b"\0" * 30, protocol=terminal)))
        assert (p.outcome, p.protocol, p.src_port) == (ANALYSED, terminal, 0)
    at_limit = ethernet(ipv6(udp(), protocol=17, extensions=[(60, extension())] * Limits().ipv6_headers))
    beyond = ethernet(ipv6(udp(), protocol=17, extensions=[(60, extension())] * (Limits().ipv6_headers + 1)))
    assert decoded([at_limit, beyond]).packets.outcome.tolist() == [ANALYSED, TUNNEL_TOO_DEEP]


def test_source_routes_and_home_addresses():
    stop, home = b"\x20\1" + bytes(13) + b"\x99", b"\x20\1" + bytes(13) + b"\x77"
    route = b"\0\4\0\2" + bytes(4) + bytes(16) + stop
    option = b"\0\2" + b"\1\2\0\0" + b"\xc9\x10" + home
    p = row_of(ethernet(ipv6(udp(b"x"), protocol=17, extensions=[(43, route), (60, option)])))
    assert p.outcome == ANALYSED
    assert address(p.dst_hi, p.dst_lo) == int.from_bytes(stop, "big")
    assert address(p.src_hi, p.src_lo) == int.from_bytes(home, "big")
    for unused in (b"\0\4\0\0" + bytes(4) + bytes(16) + stop, b"\0\2\4\1" + bytes(4) + stop, b"\0\0\0\1" + bytes(4)):
        p = row_of(ethernet(ipv6(udp(b"x"), protocol=17, extensions=[(43, unused)])))
        assert address(p.dst_hi, p.dst_lo) == ADDRESS[SERVER6]
    for lying in (b"\0\2" + b"\xc9\x20" + bytes(20), b"\0\0\0\0\0\0\0\xc9", b"\0\2" + b"\xc9\x08" + bytes(20)):
        p = row_of(ethernet(ipv6(udp(b"x"), protocol=17, extensions=[(60, lying)])))
        assert address(p.src_hi, p.src_lo) == ADDRESS[CLIENT6]


def test_a_packet_without_payload_is_no_connection():
    assert row_of(ethernet(ipv6(b"", protocol=59))).outcome == NO_CONNECTION
    assert row_of(ethernet(ipv6(b"", protocol=59, extensions=[(135, extension(bytes(14)))]))).outcome == NO_CONNECTION
    assert row_of(ethernet(ipv4(b"", protocol=59))).outcome == ANALYSED
