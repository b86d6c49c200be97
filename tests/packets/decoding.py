"""Decode packets in rows full of remains: what the tests of this folder share."""

import ipaddress

import numpy as np

from analyzer.packets import decode, verify_checksums
from tests import builders
from tests.builders import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    ethernet,
    extension,
    icmp,
    ipv4,
    ipv6,
    tcp,
    tcp_packet,
    udp,
    udp_packet,
)

ADDRESS = {text: int(ipaddress.ip_address(text)) for text in (CLIENT, SERVER, CLIENT6, SERVER6)}


def decoded(packets, **more):
    """Rows of the packets, in a table that is full of remains of earlier batches."""
    batch = builders.batch(packets, **more)
    kept = {name: batch.packets[name].copy() for name in ("ts", "number", "offset", "caplen", "length", "interface", "linktype", "marks")}
    batch.packets.view(np.uint8)[:] = 0x77
    for name, values in kept.items():
        batch.packets[name] = values
    decode(batch)
    return batch


def row_of(packet, **more):
    return decoded([packet], **more).packets[0]


def address(high, low):
    return int(high) << 64 | int(low)


def payload_of(batch, i=0):
    p = batch.packets[i]
    start = int(p.offset) + int(p.payload)
    return bytes(batch.memory.data[start : start + int(p.payload_size)])


GOOD = [
    tcp_packet(b"odd"),
    tcp_packet(b"even", src=CLIENT6, dst=SERVER6),
    udp_packet(b"x"),
    udp_packet(b"", src=CLIENT6, dst=SERVER6),
    udp_packet(b"none", checksum=0),
    ethernet(ipv4(icmp(8, payload=b"abc"), protocol=1)),
    ethernet(ipv6(icmp(128, payload=b"abc"), protocol=58)),
    ethernet(ipv6(udp(b"x"), protocol=17, extensions=[(0, extension()), (60, extension())])),
    ethernet(ipv4(tcp(b"x"), options=b"\1\1\1")),
    ethernet(ipv4(udp(b"x"), protocol=17), pad=True),
    ethernet(ipv4(b"other", protocol=50)),
    ethernet(ipv4(tcp(b"x" * 2000, checksum=1), total_length=0)),  # the card has yet to fill it in
]


def verified(packets):
    batch = decoded(packets)
    verify_checksums(batch)
    return batch.packets
