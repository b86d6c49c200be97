"""MPLS, PPPoE, NSH, VNTag and bridges on the way to IP."""

import struct

import pytest

from analyzer.tables.packets import (
    ANALYSED,
    CUT,
    IN_FABRICPATH,
    IN_MPLS,
    IN_NSH,
    IN_PBB,
    IN_PPPOE,
    IN_VNTAG,
    NOT_IP,
)
from tests import builders
from tests.builders import CLIENT6, SERVER6, Frame, ethernet, mpls, pppoe, tcp_packet
from tests.packets.decoding import decoded, payload_of, row_of

PACKETS = [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)]


def nsh(payload, following):
    return struct.pack(">HBBIIIII", 6, 1, following, 0x100, 0, 0, 0, 0) + payload


def typed(ip):
    return struct.pack(">H", builders.ethertype_of(ip)) + ip


CARRIERS = [
    (0x8847, lambda ip: mpls(ip, 100), IN_MPLS),
    (0x8848, lambda ip: mpls(ip, 100, 200, 300), IN_MPLS),
    (0x8847, lambda ip: mpls(ethernet(ip), 100, control_word=True), IN_MPLS),
    (0x8847, lambda ip: mpls(ethernet(ip, vlans=[9]), 100), IN_MPLS),
    (0x8864, pppoe, IN_PPPOE),
    (0x894F, lambda ip: nsh(ip, 2 if ip[0] >> 4 == 6 else 1), IN_NSH),
    (0x894F, lambda ip: nsh(ethernet(ip), 3), IN_NSH),
    (0x8926, lambda ip: bytes(4) + typed(ip), IN_VNTAG),
    (0x88E7, lambda ip: bytes(4) + ethernet(ip), IN_PBB),
    (0x8903, lambda ip: bytes(2) + ethernet(ip), IN_FABRICPATH),
]


@pytest.mark.parametrize(("ethertype", "wrap", "code"), CARRIERS)
@pytest.mark.parametrize("packet", PACKETS)
@pytest.mark.parametrize("vlans", [(), (3, 4)])
def test_carriers(ethertype, wrap, code, packet, vlans):
    frame = ethernet(wrap(packet), ethertype=ethertype, vlans=vlans)
    batch = decoded([frame])
    p = batch.packets[0]
    assert (p.outcome, p.tunnel, p.dst_port, p.carries) == (ANALYSED, code, 80, 0)
    assert p.vlan in ((3, 9) if vlans else (-1, 9))
    assert payload_of(batch) == b"x"
    for size in range(14, len(frame) - 1, 3):
        assert row_of(Frame(frame).cut(size)).outcome in (CUT, NOT_IP)  # a pseudo-wire cannot be told once its EtherType is cut off


def test_chains_are_kept_layer_by_layer():
    frame = ethernet(mpls(ethernet(pppoe(PACKETS[0]), ethertype=0x8864), 5, control_word=True), ethertype=0x8847)
    assert row_of(frame).outcome == NOT_IP  # behind the control word only what is common is guessed at
    frame = ethernet(pppoe(PACKETS[0]), ethertype=0x8864, vlans=[7])
    assert (row_of(frame).tunnel, row_of(frame).vlan) == (IN_PPPOE, 7)


def test_what_is_not_ip():
    assert row_of(ethernet(mpls(b"\x10" * 40, 100), ethertype=0x8847)).outcome == NOT_IP
    assert row_of(ethernet(pppoe(PACKETS[0], code=0x65), ethertype=0x8864)).outcome == NOT_IP
    assert row_of(ethernet(nsh(PACKETS[0], 77), ethertype=0x894F)).outcome == NOT_IP
    assert row_of(ethernet(mpls(ethernet(b"\0" * 28, ethertype=0x0806), 100), ethertype=0x8847)).outcome == NOT_IP
    assert row_of(ethernet(struct.pack(">I", 0x00064000) * 40, ethertype=0x8847)).outcome == NOT_IP  # no bottom of the stack
