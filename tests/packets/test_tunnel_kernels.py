"""GRE and other IP protocols that are tunnels, and tunnels in UDP."""

import struct

import pytest

from analyzer.tables.packets import (
    ANALYSED,
    CUT,
    IN_AYIYA,
    IN_ERSPAN,
    IN_ETHERIP,
    IN_GENEVE,
    IN_GRE,
    IN_GTP,
    IN_IP,
    IN_MPLS,
    IN_TEREDO,
    IN_VXLAN,
    IN_VXLAN_GPE,
    INNER,
    NOT_IP,
)
from tests import builders
from tests.builders import CLIENT6, SERVER6, Frame, ethernet, geneve, gre, gtp, ipv4, ipv6, mpls, ppp, tcp_packet, udp_packet, vxlan
from tests.packets.decoding import ADDRESS, decoded, payload_of, row_of

PACKETS = [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)]
ERSPAN_2, ERSPAN_3 = bytes(8), bytes(12)
IP_TUNNELS = [
    (47, gre, (IN_GRE,)),
    (47, lambda ip: gre(ip, key=1, sequence=2, checksum=True), (IN_GRE,)),
    (47, lambda ip: gre(ethernet(ip, vlans=[5]), protocol=0x6558, key=9), (IN_GRE,)),
    (47, lambda ip: gre(mpls(ip, 3), protocol=0x8847), (IN_GRE, IN_MPLS)),
    (47, lambda ip: gre(ethernet(ip), protocol=0x88BE), (IN_GRE, IN_ERSPAN)),
    (47, lambda ip: gre(ERSPAN_2 + ethernet(ip), protocol=0x88BE, sequence=1), (IN_GRE, IN_ERSPAN)),
    (47, lambda ip: gre(ERSPAN_3 + ethernet(ip), protocol=0x22EB, sequence=1), (IN_GRE, IN_ERSPAN)),
    (47, lambda ip: gre(ERSPAN_3[:11] + b"\1" + bytes(8) + ethernet(ip), protocol=0x22EB, sequence=1), (IN_GRE, IN_ERSPAN)),
    (47, lambda ip: gre(ERSPAN_3[:10] + b"\x08\0" + ip, protocol=0x22EB, sequence=1), (IN_GRE, IN_ERSPAN)),
    (47, lambda ip: gre(ppp(ip), protocol=0x880B, key=1, sequence=2, acknowledgement=3, version=1), (IN_GRE,)),
    (97, lambda ip: b"\x30\0" + ethernet(ip), (IN_ETHERIP,)),
    (137, lambda ip: mpls(ip, 8), (IN_MPLS,)),
]


def chain(row):
    return tuple(int(row.tunnel) >> 8 * k & 255 for k in range(8) if int(row.tunnel) >> 8 * k)


@pytest.mark.parametrize(("protocol", "wrap", "layers"), IP_TUNNELS)
@pytest.mark.parametrize("packet", PACKETS)
@pytest.mark.parametrize("outer", [ipv4, ipv6])
def test_tunnels_over_ip(protocol, wrap, layers, packet, outer):
    frame = ethernet(outer(wrap(packet), protocol=protocol))
    batch = decoded([frame])
    p = batch.packets[0]
    assert (p.outcome, p.dst_port, p.ip_version, chain(p)) == (ANALYSED, 80, packet[0] >> 4, layers)
    assert payload_of(batch) == b"x"
    for size in range(54, len(frame) - 1, 3):
        assert row_of(Frame(frame).cut(size)).outcome in (CUT, NOT_IP)


@pytest.mark.parametrize("outer", [ipv4, ipv6])
def test_ip_in_ip(outer):
    for packet, protocol in zip(PACKETS, (4, 41), strict=True):
        p = row_of(ethernet(outer(packet, protocol=protocol)))
        assert (p.outcome, p.protocol, chain(p), p.ip_length) == (ANALYSED, 6, (IN_IP,), len(packet))
        assert (p.src_hi, p.ip_id >= 0) == ((0, True) if protocol == 4 else (ADDRESS[CLIENT6] >> 64, False))


def test_gre_that_carries_no_ip():
    for content in (gre(b"", protocol=0), gre(b"\0" * 28, protocol=0x0806), gre(b"", protocol=0x880B, version=1, acknowledgement=1)):
        assert row_of(ethernet(ipv4(content, protocol=47))).outcome == NOT_IP
    assert row_of(ethernet(ipv4(gre(PACKETS[0], version=2), protocol=47))).outcome == NOT_IP
    assert row_of(ethernet(ipv4(b"\x40" + gre(PACKETS[0])[1:], protocol=47))).outcome == NOT_IP


def ayiya(ip):
    return b"\x44\x52\x11" + bytes([41 if ip[0] >> 4 == 6 else 4]) + bytes(4) + bytes(16) + bytes(20) + ip


UDP_TUNNELS = [
    (4789, lambda ip: vxlan(ethernet(ip)), IN_VXLAN),
    (4789, lambda ip: vxlan(ethernet(ip, vlans=[6]), bits=0xFF), IN_VXLAN),
    (4790, lambda ip: vxlan(ip, bits=12, following=2 if ip[0] >> 4 == 6 else 1), IN_VXLAN_GPE),
    (4790, lambda ip: vxlan(ethernet(ip), bits=12, following=3), IN_VXLAN_GPE),
    (6081, lambda ip: geneve(ethernet(ip)), IN_GENEVE),
    (6081, lambda ip: geneve(ip, protocol=builders.ethertype_of(ip), options=bytes(12)), IN_GENEVE),
    (2152, gtp, IN_GTP),
    (2152, lambda ip: gtp(ip, sequence=5), IN_GTP),
    (2152, lambda ip: gtp(ip, extensions=[b"\1\0\0\0", b"\2" + bytes(7)]), IN_GTP),
    (5072, ayiya, IN_AYIYA),
]


@pytest.mark.parametrize(("port", "wrap", "code"), UDP_TUNNELS)
@pytest.mark.parametrize("packet", PACKETS)
def test_tunnels_over_udp_are_two_rows(port, wrap, code, packet):
    for ports in ({"src_port": 5555, "dst_port": port}, {"src_port": port, "dst_port": 5555}):
        batch = decoded([udp_packet(wrap(packet), **ports), tcp_packet(b"after")])
        outer, inner, after = batch.packets
        assert (outer.outcome, outer.protocol, outer.carries, outer.tunnel, outer.payload_length) == (
            ANALYSED,
            17,
            code,
            0,
            len(wrap(packet)),
        )
        assert (inner.outcome, inner.protocol, inner.carries, inner.dst_port, chain(inner)) == (ANALYSED, 6, 0, 80, (code,))
        assert (inner.number, inner.ts, inner.connection, after.number) == (outer.number, outer.ts, -1, outer.number + 1)
        assert (outer.marks & INNER, inner.marks & INNER, after.marks & INNER) == (0, INNER, 0)
        assert (payload_of(batch, 1), payload_of(batch, 2)) == (b"x", b"after")


@pytest.mark.parametrize("before", [b"", b"\0\0" + bytes(6), b"\0\1\2\3" + bytes(14), b"\0\1\0\0" + bytes(9) + b"\0\0" + bytes(6)])
def test_teredo(before):
    batch = decoded([udp_packet(before + PACKETS[1], dst_port=3544)])
    assert (len(batch.packets), batch.packets[1].outcome, chain(batch.packets[1])) == (2, ANALYSED, (IN_TEREDO,))


def test_other_things_on_these_ports_are_no_tunnels():
    for port, content in (
        (4789, vxlan(PACKETS[0], bits=0)),
        (4790, vxlan(PACKETS[0], bits=12, following=99)),
        (6081, b"\xc0" + geneve(PACKETS[0])[1:]),
        (6081, geneve(b"", options=bytes(12))[:10]),
        (6081, geneve(PACKETS[0], protocol=0x1234)),
        (2152, gtp(b"", kind=1)),
        (2152, gtp(PACKETS[0], extensions=[b"\0\0\0\0"])[:14]),
        (3544, PACKETS[0]),
        (3544, b""),
        (5072, b"\x44\x52\x12\x29" + bytes(60)),
        (4789, b"short"),
    ):
        batch = decoded([udp_packet(content, dst_port=port)])
        assert len(batch.packets) == 1
        assert (batch.packets[0].outcome, batch.packets[0].carries) == (ANALYSED, 0)


def test_arp_inside():
    batch = decoded([udp_packet(vxlan(ethernet(bytes(28), ethertype=0x0806)), dst_port=4789)])
    assert batch.packets.outcome.tolist() == [ANALYSED, NOT_IP]
    assert batch.packets.ethertype.tolist() == [0x0800, 0x0806]


def test_extension_header_types_of_gtp_end():
    content = struct.pack(">BBHI", 0x34, 255, 20, 1) + b"\0\0\0\x85" + b"\1\0\0\x85" * 12 + PACKETS[0]
    assert len(decoded([udp_packet(content, dst_port=2152)]).packets) == 1
