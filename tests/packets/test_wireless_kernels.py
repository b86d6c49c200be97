"""802.11 frames: data, encrypted, aggregated, and the headers of capture cards."""

import struct

import pytest

from analyzer.tables.packets import ANALYSED, CUT, MALFORMED_LINK, NOT_IP, PROTECTED_FRAME
from tests.builders import CLIENT6, SERVER6, Frame, radiotap, tcp_packet, wifi
from tests.packets.decoding import decoded, payload_of, row_of

PACKETS = [tcp_packet(b"x", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)]
FRAMES = [
    wifi,
    lambda ip: wifi(ip, to_ds=False, from_ds=True),
    lambda ip: wifi(ip, from_ds=True),
    lambda ip: wifi(ip, subtype=8),
    lambda ip: wifi(ip, subtype=8, from_ds=True, order=True),
]


@pytest.mark.parametrize("wrap", FRAMES)
@pytest.mark.parametrize("packet", PACKETS)
def test_data_frames(wrap, packet):
    frame = wrap(packet)
    avs = struct.pack(">II", 0x80211001, 64) + bytes(56)
    for linktype, content in ((105, frame), (127, radiotap(frame)), (119, bytes(144) + frame), (119, avs + frame), (163, avs + frame)):
        batch = decoded([content], linktype=linktype)
        assert batch.packets[0].outcome == ANALYSED
        assert payload_of(batch) == b"x"
        for size in range(0, len(content) - 1, 7):
            assert row_of(Frame(content).cut(size), linktype=linktype).outcome == CUT


def test_radiotap_says_that_the_header_is_padded():
    padded = wifi(PACKETS[0], subtype=8)
    padded = padded[:26] + b"\0\0" + padded[26:]
    assert row_of(radiotap(padded, fields=b"\x20", present=2), linktype=127).outcome == ANALYSED
    assert row_of(radiotap(padded, fields=bytes(8) + b"\x20", present=3), linktype=127).outcome == ANALYSED
    extended = struct.pack("<I", 0) + bytes(4) + bytes(8) + b"\x20"
    assert row_of(radiotap(padded, fields=extended, present=0x80000003), linktype=127).outcome == ANALYSED
    assert row_of(radiotap(padded, fields=b"\0", present=2), linktype=127).outcome == NOT_IP


def test_aggregates_show_their_first_part():
    plain = wifi(PACKETS[0], subtype=8)
    aggregate = plain[:24] + b"\x80\0" + bytes(14) + plain[26:]
    assert row_of(aggregate, linktype=105).outcome == ANALYSED


def test_what_is_not_ours():
    assert row_of(wifi(PACKETS[0], protected=True), linktype=105).outcome == PROTECTED_FRAME
    assert row_of(radiotap(wifi(PACKETS[0], protected=True)), linktype=127).outcome == PROTECTED_FRAME
    for more in ({"kind": 0}, {"kind": 1}, {"subtype": 4}, {"subtype": 12}):
        assert row_of(wifi(PACKETS[0], **more), linktype=105).outcome == NOT_IP
    assert row_of(wifi(PACKETS[0]).replace(b"\xaa\xaa\3", b"\x42\x42\3"), linktype=105).outcome == NOT_IP
    assert row_of(b"\0\0\4\0" + bytes(40), linktype=127).outcome == MALFORMED_LINK
    assert row_of(b"\0\0\xff\0" + bytes(40), linktype=127).outcome == MALFORMED_LINK
    assert row_of(struct.pack(">II", 1, 2) + bytes(40), linktype=163).outcome == MALFORMED_LINK
    assert row_of(b"", linktype=105).outcome == MALFORMED_LINK
