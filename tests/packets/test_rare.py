"""Link types that are read one packet at a time."""

import struct

import pytest

from analyzer.tables.packets import ANALYSED, CUT, MALFORMED_LINK, NOT_IP
from tests import builders
from tests.builders import CLIENT6, SERVER6, Frame, ethernet, tcp_packet
from tests.packets.decoding import decoded, payload_of, row_of

PACKETS = [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)]


def typed(ip):
    return struct.pack(">H", builders.ethertype_of(ip)) + ip


def snap(ip):
    return b"\xaa\xaa\3\0\0\0" + typed(ip)


def nlpid(ip):
    return b"\x8e" if ip[0] >> 4 == 6 else b"\xcc"


def family(ip):
    return 24 if ip[0] >> 4 == 6 else 2


def erf(kind, content, *, extensions=0):
    """An Endace record."""
    head = bytes(8) + struct.pack(">BBHHH", kind | (0x80 if extensions else 0), 4, 18 + len(content), 0, len(content))
    return head + b"".join(bytes([(i + 1 < extensions) << 7]) + bytes(7) for i in range(extensions)) + content


LINKS = [
    (6, lambda ip: bytes(14) + snap(ip)),
    (6, lambda ip: bytes(8) + b"\x80" + bytes(5) + b"\x06\0\0\0\0\0" + snap(ip)),
    (8, lambda ip: bytes(16) + ip),
    (10, lambda ip: b"\x50" + bytes(12) + snap(ip)),
    (107, lambda ip: b"\x18\x41\3" + nlpid(ip) + ip),
    (107, lambda ip: b"\x18\x41\3\0\x80\0\0\0" + typed(ip)),
    (109, lambda ip: bytes([family(ip)]) + bytes(11) + ip),
    (109, lambda ip: bytes([0, 0, 0, family(ip)]) + bytes(8) + ip),
    (117, lambda ip: bytes([61, family(ip)]) + bytes(62) + ip),
    (123, lambda ip: b"\2\0\0\x64" + snap(ip)),
    (138, lambda ip: bytes(16) + typed(ip)),
    (197, lambda ip: erf(2, b"\0\0" + ethernet(ip))),
    (197, lambda ip: erf(16, b"\0\0" + ethernet(ip), extensions=7)),
    (197, lambda ip: erf(1, builders.ppp(ip))),
    (197, lambda ip: erf(10, b"\x0f\0" + typed(ip))),
    (197, lambda ip: erf(17, bytes(4) + builders.ppp(ip), extensions=1)),
    (197, lambda ip: erf(22, ip)),
    (242, lambda ip: bytes(40) + typed(ip)[:2] + b"\0\0" + ip),
    (274, lambda ip: b"\x55" * 7 + b"\xd5" + ethernet(ip)),
    (284, lambda ip: bytes(16) + typed(ip)),
    (285, lambda ip: bytes(20) + typed(ip)),
]


@pytest.mark.parametrize(("linktype", "wrap"), LINKS)
@pytest.mark.parametrize("packet", PACKETS)
def test_link_types(linktype, wrap, packet):
    content = wrap(packet)
    batch = decoded([content, content], linktype=linktype)
    assert batch.packets.outcome.tolist() == [ANALYSED] * 2
    assert (payload_of(batch, 0), payload_of(batch, 1)) == (b"x", b"x")
    for size in range(0, len(content) - 1, 3):
        assert row_of(Frame(content).cut(size), linktype=linktype).outcome == CUT


def test_what_is_not_ip():
    for linktype, content in (
        (8, bytes(60)),
        (10, bytes(60)),
        (107, b"\x18\x41\3\x83" + bytes(40)),
        (107, b"\x18\x40\x40\x40\x41\3\xcc" + bytes(40)),
        (107, b"\x18\x41\3\x80\0\0\1" + bytes(40)),
        (117, bytes([60, 7]) + bytes(80)),
        (123, bytes(60)),
    ):
        assert row_of(content, linktype=linktype).outcome == NOT_IP
    assert row_of(b"\x18", linktype=107).outcome == MALFORMED_LINK
    assert row_of(b"", linktype=138).outcome == MALFORMED_LINK


def test_endace_records_of_other_kinds_are_no_packets():
    assert row_of(erf(27, bytes(40)), linktype=197).outcome == NOT_IP
