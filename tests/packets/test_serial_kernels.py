"""PPP, Cisco HDLC, PPPoE and NFLOG."""

import struct

import pytest

from analyzer.tables.packets import ANALYSED, CUT, NOT_IP
from tests import builders
from tests.builders import CLIENT6, SERVER6, Frame, tcp_packet
from tests.packets.decoding import decoded, payload_of, row_of

PACKETS = [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)]
LINKS = [
    (9, builders.ppp),
    (9, lambda ip: builders.ppp(ip, address=False)),
    (9, lambda ip: builders.ppp(ip, address=False, compressed=True)),
    (50, builders.ppp),
    (50, lambda ip: builders.ppp(builders.mpls(ip, 16, 17), protocol=0x0281)),
    (9, lambda ip: b"\x0f\0" + struct.pack(">H", builders.ethertype_of(ip)) + ip),
    (51, builders.pppoe),
    (104, lambda ip: b"\x0f\0" + struct.pack(">H", builders.ethertype_of(ip)) + ip),
    (239, builders.nflog),
    (239, lambda ip: builders.nflog(ip, byteorder=">")),
]


@pytest.mark.parametrize(("linktype", "wrap"), LINKS)
@pytest.mark.parametrize("packet", PACKETS)
def test_link_types(linktype, wrap, packet):
    batch = decoded([wrap(packet)], linktype=linktype)
    assert (batch.packets[0].outcome, batch.packets[0].dst_port) == (ANALYSED, 80)
    assert payload_of(batch) == b"x"
    for size in range(len(wrap(packet)) - 1):
        assert row_of(Frame(wrap(packet)).cut(size), linktype=linktype).outcome == CUT


def test_what_is_not_ip():
    assert row_of(builders.ppp(b"\1\1\0\4", protocol=0xC021), linktype=9).outcome == NOT_IP
    assert row_of(builders.pppoe(PACKETS[0], code=9), linktype=51).outcome == NOT_IP
    assert row_of(b"\x8f\0\x80\x35" + bytes(20), linktype=104).outcome == NOT_IP
    assert row_of(builders.nflog(PACKETS[0], family=7), linktype=239).outcome == NOT_IP
    assert row_of(b"\2\0\0\0" + b"\4\0\1\0" * 100, linktype=239).outcome == NOT_IP
