# mypy: allow-untyped-defs
"""Tunnels inside IP: GRE and other IP protocols, and those in UDP datagrams."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper, u8
from analyzer.packets.carrier_kernels import ANY_IP, BRIDGED, ERSPAN_1, ERSPAN_2, ETHERIP, NSH, PPP
from analyzer.packets.link_kernels import IPV4, IPV6, UNKNOWN, too_short
from analyzer.packets.serial_kernels import MPLS
from analyzer.tables.packets import IN_AYIYA, IN_GENEVE, IN_GTP, IN_TEREDO, IN_VXLAN, IN_VXLAN_GPE

# ---- IP protocol numbers (IANA)
IP_IN_IP, IPV6_IN_IP, GRE, ETHER_IP, MPLS_IN_IP = 4, 41, 47, 97, 137
# ---- UDP ports (IANA; AYIYA: draft-massar-v6ops-ayiya)
GTP_USER, GTP_CONTROL, TEREDO, VXLAN, VXLAN_GPE, AYIYA, GENEVE = 2152, 2123, 3544, 4789, 4790, 5072, 6081
MAX_EXTENSION_HEADERS = 8


@helper
def is_tunnel_protocol(protocol):
    """Whether this IP protocol carries other packets."""
    return protocol in (IP_IN_IP, IPV6_IN_IP, GRE, ETHER_IP, MPLS_IN_IP)


@helper
def tunnel_of_port(port):
    """Index into TUNNELS of what speaks UDP on this port, 0 = none."""
    if port in (GTP_USER, GTP_CONTROL):
        return IN_GTP
    if port == VXLAN:
        return IN_VXLAN
    if port == GENEVE:
        return IN_GENEVE
    if port == TEREDO:
        return IN_TEREDO
    if port == VXLAN_GPE:
        return IN_VXLAN_GPE
    return IN_AYIYA if port == AYIYA else 0


@helper
def find_in_gre(data, at, end, is_cut):
    """The GRE header at ``at`` (RFC 2784, RFC 2890; version 1: RFC 2637): (kind, position of what it carries)."""
    bits, kind = be16(data, at, end), be16(data, at + 2, end)
    if kind < 0:
        return np.int64(too_short(is_cut)), at
    if bits & 7 > 1 or bits & 0x4000:  # versions of nobody; source routes, which RFC 2784 took back
        return np.int64(UNKNOWN), at
    at += 4
    if bits & 0x8000:
        at += 4
    if bits & 0x2000:
        at += 4
    if bits & 0x1000:
        at += 4
    if bits & 7 == 1 and bits & 0x80:
        at += 4
    if at > end:
        return np.int64(too_short(is_cut)), at
    if kind == ERSPAN_2 and bits & 0x1000 == 0:
        return np.int64(ERSPAN_1), at
    if kind == PPP and at == end:  # an acknowledgement of PPTP without a packet
        return np.int64(UNKNOWN), at
    return kind, at


@helper
def find_in_ip(data, protocol, at, end, is_cut):
    """What the IP protocol at ``at`` carries: (kind, position)."""
    if protocol == GRE:
        return find_in_gre(data, at, end, is_cut)
    if protocol == IP_IN_IP:
        return np.int64(IPV4), at
    if protocol == IPV6_IN_IP:
        return np.int64(IPV6), at
    return np.int64(ETHERIP if protocol == ETHER_IP else MPLS), at


@helper
def find_in_vxlan(data, code, at, end):
    """VXLAN (RFC 7348 5) or VXLAN-GPE at ``at``; the flag that says the network identifier is there must be set."""
    bits, following = u8(data, at, end), u8(data, at + 3, end)
    if at + 8 > end or bits & 8 == 0:
        return np.int64(UNKNOWN), at
    at += 8
    if code == IN_VXLAN:
        return np.int64(BRIDGED), at
    if bits & 4 == 0 or following == 3:
        return np.int64(BRIDGED), at
    if following == 1:
        return np.int64(IPV4), at
    if following == 2:
        return np.int64(IPV6), at
    if following == 4:
        return np.int64(NSH), at
    return np.int64(MPLS if following == 5 else UNKNOWN), at


@helper
def find_in_gtp(data, at, end):
    """GTP-U version 1 (3GPP TS 29.281 5.1) at ``at``: only message 255 carries a packet."""
    bits, kind, length = u8(data, at, end), u8(data, at + 1, end), be16(data, at + 2, end)
    if at + 8 > end or bits >> 4 != 3 or kind != 255:
        return np.int64(UNKNOWN), at
    stop = min(end, at + 8 + length)
    at += 8
    if bits & 7:
        at += 4
        following = u8(data, at - 1, stop) if bits & 4 else np.int64(0)
        for _ in range(MAX_EXTENSION_HEADERS):
            size = u8(data, at, stop) * 4
            if following <= 0 or size <= 0:
                break
            at += size
            following = u8(data, at - 1, stop)
        if following != 0:
            return np.int64(UNKNOWN), at
    return np.int64(ANY_IP if at < end else UNKNOWN), at


@helper
def find_in_teredo(data, at, end):
    """Teredo (RFC 4380 5.1.1): authentication and origin indication may stand before the IPv6 packet."""
    if be16(data, at, end) == 1:
        at += 13 + max(u8(data, at + 2, end), 0) + max(u8(data, at + 3, end), 0)
    if be16(data, at, end) == 0:
        at += 8
    if u8(data, at, end) >> 4 != 6 or at + 40 + be16(data, at + 4, end) > end:
        return np.int64(UNKNOWN), at
    return np.int64(IPV6), at


@helper
def find_in_ayiya(data, at, end):
    """AYIYA: identity of 2**n bytes, signature in words of 4; operation 1 forwards a packet."""
    identity, signature, operation = u8(data, at, end), u8(data, at + 1, end), u8(data, at + 2, end)
    following = u8(data, at + 3, end)
    at += 8 + (1 << (identity >> 4 & 15)) + (signature >> 4 & 15) * 4
    if following not in (IP_IN_IP, IPV6_IN_IP) or operation & 15 != 1 or at >= end:
        return np.int64(UNKNOWN), at
    return np.int64(ANY_IP), at


@helper
def find_in_udp(data, code, at, end):
    """What the payload of a UDP datagram at ``at`` carries when it speaks this tunnel; UNKNOWN when it does not, after all."""
    if code == IN_GTP:
        return find_in_gtp(data, at, end)
    if code == IN_TEREDO:
        return find_in_teredo(data, at, end)
    if code == IN_AYIYA:
        return find_in_ayiya(data, at, end)
    if code in (IN_VXLAN, IN_VXLAN_GPE):
        return find_in_vxlan(data, code, at, end)
    # Geneve (RFC 8926 3.4)
    first, kind = u8(data, at, end), be16(data, at + 2, end)
    size = 8 + (first & 63) * 4
    if first < 0 or first >> 6 != 0 or at + size > end or kind not in (BRIDGED, IPV4, IPV6, MPLS):
        return np.int64(UNKNOWN), at
    return kind, at + size
