"""Link layers: where IP begins, VLAN tags, and what is not IP."""

import pytest

from analyzer.tables.packets import (
    ANALYSED,
    CUT,
    MALFORMED_IP,
    MALFORMED_LINK,
    MALFORMED_TRANSPORT,
    NOT_IP,
    TUNNEL_TOO_DEEP,
    UNKNOWN_LINK_TYPE,
)
from tests import builders
from tests.builders import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Frame,
    ethernet,
    tcp_packet,
)
from tests.packets.decoding import decoded, payload_of, row_of

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
    assert row_of(b"\x50" + inside[1:], linktype=229).outcome == MALFORMED_IP


@pytest.mark.parametrize("linktype", [101, 228, 229])
def test_raw_ip_is_of_the_version_that_it_says_whatever_the_link_type(linktype):
    for src, dst, version in ((CLIENT, SERVER, 4), (CLIENT6, SERVER6, 6)):
        p = row_of(tcp_packet(link=False, src=src, dst=dst), linktype=linktype)
        assert (p.outcome, p.ip_version, p.dst_port) == (ANALYSED, version, 80)


@pytest.mark.parametrize("vlans", [(5,), (5, 6), (100, 200, 300), tuple(range(1, 9))])
def test_vlan_tags(vlans):
    p = row_of(ethernet(tcp_packet(link=False), vlans=vlans))
    assert (p.outcome, p.vlan, p.inner_vlan) == (ANALYSED, vlans[0], vlans[1] if len(vlans) > 1 else -1)
    old = builders.mac("02:00:00:00:00:01") * 2 + b"\x91\0" + builders.vlan(tcp_packet(link=False), 4095, priority=7)
    assert (row_of(old).outcome, row_of(old).vlan) == (ANALYSED, 4095)


def test_more_tags_than_anyone_uses():
    assert row_of(ethernet(tcp_packet(link=False), vlans=range(1, 10))).outcome == TUNNEL_TOO_DEEP
