"""The numbers by which tunnels tell apart what they carry."""

import struct

import pytest

from analyzer.tables.packets import INNER
from tests.builders import ethernet, geneve, gre, gtp, ipv4, mpls, ppp, pppoe, tcp_packet, udp_packet, vxlan
from tests.packets.decoding import decoded

IP = tcp_packet(b"x", link=False)
FRAME = ethernet(IP)


@pytest.mark.parametrize(
    ("frame", "number"),
    [
        (FRAME, -1),
        (ethernet(ipv4(IP, protocol=4)), -1),
        (ethernet(ipv4(gre(IP), protocol=47)), -1),
        (ethernet(ipv4(gre(IP, key=0xFFFFFFFF), protocol=47)), 0xFFFFFFFF),
        (ethernet(ipv4(gre(IP, key=0, checksum=True, sequence=3), protocol=47)), 0),
        (ethernet(ipv4(gre(ppp(IP), protocol=0x880B, key=0x00200007, sequence=2, version=1), protocol=47)), 7),
        (ethernet(ipv4(gre(struct.pack(">HHI", 0x1000, 0xFC05, 0) + FRAME, protocol=0x88BE, sequence=1), protocol=47)), 5),
        (ethernet(ipv4(gre(struct.pack(">HHII", 0x2000, 0x0406, 0, 0) + FRAME, protocol=0x22EB, sequence=1), protocol=47)), 6),
        (ethernet(mpls(IP, 17, 0xFFFFF), ethertype=0x8847), 0xFFFFF),
        (ethernet(pppoe(IP, session=0xABCD), ethertype=0x8864), 0xABCD),
        (ethernet(struct.pack(">HBBI", 0x0FC2, 1, 1, 0x00ABCD << 8 | 255) + IP, ethertype=0x894F), 0xABCD),
        (ethernet(struct.pack(">I", 0xE0ABCDEF) + FRAME, ethertype=0x88E7), 0xABCDEF),
    ],
)
def test_numbers_of_headers(frame: bytes, number: int) -> None:
    p = decoded([frame]).packets[0]
    assert (p.dst_port, p.tunnel_id) == (80, number)


@pytest.mark.parametrize(
    ("payload", "port", "number"),
    [
        (vxlan(FRAME, vni=0xFFFFFF), 4789, 0xFFFFFF),
        (vxlan(IP, vni=9, bits=12, following=1), 4790, 9),
        (geneve(FRAME), 6081, 5),
        (gtp(IP), 2152, 77),
        (vxlan(ethernet(ipv4(IP, protocol=4)), vni=42), 4789, 42),  # what has no number does not take that of the layer outside
        (vxlan(ethernet(mpls(IP, 3), ethertype=0x8847), vni=42), 4789, 3),
    ],
)
def test_numbers_of_datagrams(payload: bytes, port: int, number: int) -> None:
    outer, inner = decoded([udp_packet(payload, dst_port=port)]).packets
    assert (outer.tunnel_id, inner.tunnel_id, inner.marks & INNER, inner.dst_port) == (-1, number, INNER, 80)
