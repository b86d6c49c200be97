"""IP protocol names and the ports of likely servers."""

import pytest

from analyzer.registries import ip


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "hopopt"),
        (1, "icmp"),
        (2, "igmp"),
        (4, "ipv4"),
        (6, "tcp"),
        (17, "udp"),
        (33, "dccp"),
        (41, "ipv6"),
        (43, "ipv6-route"),
        (44, "ipv6-frag"),
        (47, "gre"),
        (50, "esp"),
        (51, "ah"),
        (58, "ipv6-icmp"),
        (60, "ipv6-opts"),
        (62, "cftp"),
        (69, "sat-mon"),
        (88, "eigrp"),
        (89, "ospfigp"),
        (94, "ipip"),
        (97, "etherip"),
        (98, "encap"),
        (103, "pim"),
        (108, "ipcomp"),
        (112, "vrrp"),
        (113, "pgm"),
        (115, "l2tp"),
        (124, "isis"),
        (132, "sctp"),
        (135, "mobility-header"),
        (136, "udplite"),
        (137, "mpls-in-ip"),
        (143, "ethernet"),
        (145, "nsh"),
        (147, "bit-emu"),
        (61, "proto-61"),
        (253, "proto-253"),
        (255, "proto-255"),
    ],
)
def test_protocol_names(number: int, name: str) -> None:
    assert ip.protocol_name(number) == name


def test_names_are_lower_case_and_distinct() -> None:
    names = [ip.protocol_name(number) for number in range(256)]
    assert len(set(names)) == 256
    assert all(name == name.lower() and " " not in name for name in names)
    assert (ip.ICMP, ip.TCP, ip.UDP, ip.ICMP6, ip.SCTP) == (1, 6, 17, 58, 132)


def test_likely_servers() -> None:
    assert ip.is_likely_server(ip.TCP, 443)
    assert ip.is_likely_server(ip.UDP, 443)
    assert ip.is_likely_server(ip.UDP, 53)
    assert ip.is_likely_server(ip.UDP, 67)
    assert not ip.is_likely_server(ip.UDP, 68)  # the client of DHCP
    assert not ip.is_likely_server(ip.TCP, 49152)
    assert not ip.is_likely_server(ip.SCTP, 443)


def test_port_sets_hold_ports_and_do_not_overlap() -> None:
    for ports in (ip.LIKELY_SERVER_TCP, ip.LIKELY_SERVER_UDP, ip.ANALYZED_ONLY_TCP, ip.ANALYZED_ONLY_UDP):
        assert all(0 < port < 65536 for port in ports)
    assert not ip.LIKELY_SERVER_TCP & ip.ANALYZED_ONLY_TCP
    assert not ip.LIKELY_SERVER_UDP & ip.ANALYZED_ONLY_UDP
