"""The whole pipeline on damaged recordings: no failure but a sentence for the user, and every packet accounted for."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import (
    CLIENT6,
    SERVER6,
    ethernet,
    fragments4,
    fragments6,
    geneve,
    gre,
    gtp,
    ipv4,
    ipv6,
    mpls,
    pcap,
    pcapng,
    ppp,
    pppoe,
    tcp_packet,
    udp,
    udp_packet,
    vxlan,
)
from tests.fuzz.mutations import CAPTURES, LIMITS, analyse, damage, mutate


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**63 - 1))
def test_damaged_captures(tmp_path: Path, seed: int) -> None:
    _, data = damage(seed)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    analyse(path)


def layered() -> list[bytes]:
    """Packets in tunnels and fragments of all kinds, also in each other."""
    ip, ip6 = tcp_packet(b"GET / HTTP/1.1\r\n\r\n", link=False), tcp_packet(b"x", link=False, src=CLIENT6, dst=SERVER6)
    dns = udp_packet(b"\0\1\1\0\0\1" + bytes(6) + b"\1a\0\0\1\0\1", dst_port=53)
    deep = ip
    for _ in range(10):
        deep = ipv4(deep, protocol=4)
    nested = udp_packet(vxlan(udp_packet(geneve(dns), dst_port=6081)), dst_port=4789)
    return [
        *(
            ethernet(ipv4(wrapped, protocol=47))
            for wrapped in (gre(ip, key=1), gre(ethernet(ip), protocol=0x88BE), gre(ppp(ip), protocol=0x880B))
        ),
        ethernet(ipv4(ip6, protocol=41)),
        ethernet(deep),
        ethernet(mpls(ip, 3, 4), ethertype=0x8847, vlans=[5, 6]),
        ethernet(pppoe(ip6), ethertype=0x8864),
        nested,
        udp_packet(gtp(ip6, sequence=1, extensions=[b"\1abc"]), dst_port=2152),
        udp_packet(ip6, dst_port=3544),
        *(ethernet(part) for part in fragments4(ipv4(udp(vxlan(dns) + bytes(900), dst_port=4789), protocol=17), 400)),
        *(ethernet(part) for part in fragments6(ipv6(udp(bytes(900)), protocol=17), 400)),
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**63 - 1))
def test_damaged_tunnels_and_fragments(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    form, head_bytes = chance.choice(((pcap, 24), (pcapng, 28)))
    path = tmp_path / "damaged"
    path.write_bytes(mutate(form(3 * layered()), chance, head_bytes))
    analyse(path)


@pytest.mark.parametrize("linktype", [0, 8, 9, 10, 50, 51, 101, 104, 105, 107, 113, 117, 127, 197, 239, 242, 276, 284, 9999])
def test_packets_of_another_link_type(tmp_path: Path, linktype: int) -> None:
    """Ethernet frames, where the file says they are something else."""
    path = tmp_path / "odd"
    path.write_bytes(pcap(layered(), linktype=linktype))
    analyse(path)


@pytest.mark.parametrize("name", ["https-tls13.pcapng", "http-plain.pcapng", "dns-variety.pcapng", "port-reuse.pcap"])
def test_truncated_anywhere(name: str, tmp_path: Path) -> None:
    """Cut at many places: what came before the cut is analysed."""
    whole = (CAPTURES / name).read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        analyse(path)


def test_damage_is_reproducible() -> None:
    assert damage(7) == damage(7)
    assert LIMITS.chunk_bytes >= 4 * LIMITS.packet_bytes
