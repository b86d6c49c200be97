# mypy: allow-untyped-defs
"""The entry kernel of stage 2: every row of a batch through link, network and transport layer."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.packets.carrier_kernels import is_carrier
from analyzer.packets.link_kernels import IPV4, IPV6, find_network, link_outcome
from analyzer.packets.more_link_kernels import is_more_link
from analyzer.packets.network_kernels import decode_ipv4, decode_ipv6
from analyzer.packets.transport_kernels import TCP, UDP, decode_transport
from analyzer.packets.tunnel_kernels import is_tunnel_protocol, tunnel_of_port
from analyzer.tables.packets import ANALYSED, FRAGMENT, NO_TIME_PACKET, NOT_IP, TUNNEL_TOO_DEEP, UNKNOWN_LINK_TYPE, WITHOUT_TIME

NO_WINDOW_SCALE = 255


@helper
def clear_headers(p):
    """Forget everything from the IP header on."""
    zero = np.uint64(0)
    p.ip_version = 0
    p.protocol = 0
    p.ttl = 0
    p.tcp_flags = 0
    p.window_scale = NO_WINDOW_SCALE
    p.ip_id = -1
    p.ip_length = 0
    p.src_hi = zero
    p.src_lo = zero
    p.dst_hi = zero
    p.dst_lo = zero
    p.src_port = 0
    p.dst_port = 0
    p.seq = 0
    p.ack = 0
    p.tsval = 0
    p.tsecr = 0
    p.window = 0
    p.mss = 0
    p.tcp_options = 0
    p.tcp_options_size = 0
    p.network = -1
    p.transport = -1
    p.payload = 0
    p.payload_size = 0
    p.payload_length = 0


@helper
def clear_row(p):
    """Forget what an earlier batch wrote: rows are used again."""
    p.ethertype = -1
    p.carries = 0
    p.tunnel = 0
    p.tunnel_id = -1
    p.vlan = -1
    p.inner_vlan = -1
    clear_headers(p)


@helper
def decode_packet(data, p, max_headers):
    """Fill the header fields of one row; its outcome, the time left aside."""
    start = np.int64(p.offset)
    end = start + np.int64(p.caplen)
    # what the capture calls the length on the wire is not believed when more was captured
    wire_end = max(end, start + np.int64(p.length))
    ethertype, at = find_network(data, p, start, end, end < wire_end)
    p.ethertype = max(ethertype, -1)
    outcome = link_outcome(ethertype, ANALYSED, NOT_IP, UNKNOWN_LINK_TYPE, TUNNEL_TOO_DEEP)
    wire_stop = at
    if ethertype == IPV4:
        outcome, at, wire_stop = decode_ipv4(data, p, at, start, end, wire_end)
    elif ethertype == IPV6:
        outcome, at, wire_stop = decode_ipv6(data, p, at, start, end, wire_end, max_headers)
    if outcome == ANALYSED:
        outcome = decode_transport(data, p, at, start, min(end, wire_stop), wire_stop)
        if outcome != ANALYSED:  # nothing behind a header that is cut or lies is trusted
            p.payload_size = 0
            p.payload_length = 0
    return outcome


@helper
def has_more(p, outcome):
    """Whether there is more in a packet than one link layer and one IP packet: work for unwrap_kernels."""
    if outcome == ANALYSED:
        protocol = np.int64(p.protocol)
        if protocol == TCP:
            return False
        if protocol == UDP:
            return tunnel_of_port(p.dst_port) != 0 or tunnel_of_port(p.src_port) != 0
        return is_tunnel_protocol(protocol)
    if outcome == NOT_IP:
        return is_carrier(np.int64(p.ethertype))
    return outcome == FRAGMENT or (outcome == UNKNOWN_LINK_TYPE and is_more_link(p.linktype))


@helper
def final_outcome(p, outcome):
    """The outcome of a row, its time taken into account."""
    return NO_TIME_PACKET if outcome == ANALYSED and np.int64(p.marks) & WITHOUT_TIME != 0 else outcome


@kernel
def decode_packets(data, packets, max_headers, todo):
    """Fill the header fields and the outcome of all rows; ``max_headers``: most IPv6 extension headers of one packet.

    ``todo`` gets the indices of the rows that unwrap_kernels must see, and has room for all; their number is returned.
    """
    count = 0
    for i in range(packets.shape[0]):
        p = packets[i]
        clear_row(p)
        outcome = decode_packet(data, p, max_headers)
        if has_more(p, outcome):
            todo[count] = i
            count += 1
        p.outcome = final_outcome(p, outcome)
    return count
