"""Checksums: right, wrong, absent, and not to be verified."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.tables.packets import (
    ANALYSED,
    BAD_CHECKSUM,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
)
from tests import builders
from tests.builders import (
    CLIENT6,
    SERVER6,
    Frame,
    ethernet,
    icmp,
    ipv4,
    ipv6,
    tcp,
    tcp_packet,
    udp_packet,
)
from tests.packets.decoding import GOOD, verified


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
    routed = ethernet(ipv6(tcp(b"x", checksum=1), extensions=[(43, b"\0\2\4\1" + b"\0" * 4 + b"\x20" * 16)]))
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
