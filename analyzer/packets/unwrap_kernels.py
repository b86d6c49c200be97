# mypy: allow-untyped-defs
"""Packets that are more than one link layer and one IP packet: tunnels are opened and fragments put together.

Of a tunnel that is a header only (GRE, IP in IP, MPLS, ...) the row becomes that of the packet inside. A UDP datagram that is a
tunnel stays a packet of its own connection, and the packet inside gets a row of its own (INNER) behind it.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel
from analyzer.packets.carrier_kernels import carrier_code, is_carrier, open_carrier
from analyzer.packets.checksum_kernels import is_header_right, is_transport_right
from analyzer.packets.decode_kernels import clear_headers, clear_row, final_outcome
from analyzer.packets.fragment_kernels import complete
from analyzer.packets.link_kernels import IPV4, IPV6, LINK_NOT_KNOWN, LINK_TOO_DEEP, UNKNOWN, find_network, link_outcome
from analyzer.packets.more_link_kernels import find_in_link
from analyzer.packets.network_kernels import decode_ipv4, decode_ipv6
from analyzer.packets.transport_kernels import UDP, decode_transport
from analyzer.packets.tunnel_id_kernels import carrier_id, datagram_id, gre_id, note_id
from analyzer.packets.tunnel_kernels import find_in_ip, find_in_udp, is_tunnel_protocol, tunnel_of_port
from analyzer.tables.packets import (
    ANALYSED,
    BAD_CHECKSUM,
    BAD_IP_CHECKSUM,
    CUT_BY_SNAPLEN,
    FRAGMENT,
    FROM_FRAGMENTS,
    IN_GRE,
    IN_IP,
    IN_MPLS,
    INBOUND,
    INNER,
    LENGTH_FROM_CAPTURE,
    NOT_IP,
    OUTBOUND,
    TUNNEL_TOO_DEEP,
    UNKNOWN_LINK_TYPE,
    WITHOUT_TIME,
)

# ---- places in the array of options
MAX_HEADERS, MAX_TUNNELS, VERIFIES, UNWRAP_OPTIONS = 0, 1, 2, 3
CAPTURE_MARKS = CUT_BY_SNAPLEN | INBOUND | OUTBOUND | WITHOUT_TIME
MPLS_PROTOCOL, GRE_PROTOCOL = 137, 47


@helper
def push_tunnel(p, code, max_tunnels):
    """Note one more layer; False when there are too many."""
    chain, shift = np.int64(p.tunnel), 0
    while shift < 64 and chain >> shift != 0:
        shift += 8
    if shift >= 8 * min(max_tunnels, 8):
        return False
    p.tunnel = chain | np.int64(code) << shift
    return True


@helper
def begin_inner(q, p):
    """A row for what the UDP datagram of row ``p`` carries."""
    q.ts, q.number, q.offset = p.ts, p.number, p.offset
    q.caplen, q.length = p.caplen, p.length
    q.interface, q.linktype = p.interface, p.linktype
    q.marks = (np.int64(p.marks) & (CAPTURE_MARKS | FROM_FRAGMENTS)) | INNER
    q.connection = -1
    q.sender = 0
    clear_row(q)
    q.tunnel, q.tunnel_id, q.vlan, q.inner_vlan = p.tunnel, p.tunnel_id, p.vlan, p.inner_vlan


@helper
def find_first(data, p, kind, at, end, is_cut):
    """What the frame of a row carries: (kind or LINK_*, position); ``kind`` and ``at`` as found for a rare link type, 0 otherwise."""
    if kind != 0:
        return kind, at
    start = np.int64(p.offset)
    kind, at = find_network(data, p, start, end, is_cut)
    if kind == LINK_NOT_KNOWN:
        return find_in_link(data, np.int64(p.linktype), start, end, is_cut)
    return kind, at


@helper
def enter_protocol(data, p, at, stop, wire_stop, max_tunnels):
    """The tunnel that the IP protocol of the row is: (kind of what it carries, position); the row forgets its IP header."""
    protocol = np.int64(p.protocol)
    code = IN_MPLS if protocol == MPLS_PROTOCOL else IN_GRE if protocol == GRE_PROTOCOL else IN_IP
    kind, inside = find_in_ip(data, protocol, at, stop, stop < wire_stop)
    if protocol == GRE_PROTOCOL:
        note_id(p, gre_id(data, at, stop))
    # what is a carrier of its own notes itself
    is_noted = code != IN_GRE and is_carrier(kind)
    if not is_noted and not push_tunnel(p, code, max_tunnels):
        return np.int64(LINK_TOO_DEEP), inside
    clear_headers(p)
    p.marks = np.int64(p.marks) & ~LENGTH_FROM_CAPTURE
    return kind, inside


@helper
def enter_udp(data, p, options):
    """The tunnel in the UDP datagram of the row: (kind of what it carries, or UNKNOWN; position). PACKET.carries is set."""
    code = tunnel_of_port(p.dst_port)
    if code == 0:
        code = tunnel_of_port(p.src_port)
    at = np.int64(p.offset) + np.int64(p.payload)
    if code == 0 or (options[VERIFIES] != 0 and not is_transport_right(data, p)):
        return np.int64(UNKNOWN), at
    kind, at = find_in_udp(data, code, at, at + np.int64(p.payload_size))
    if kind != UNKNOWN:
        p.carries = code
    return kind, at


@helper
def decode_ip(data, p, kind, at, end, wire_end, options):
    """The IP packet at ``at``: (outcome, position after its headers, end on the wire)."""
    start = np.int64(p.offset)
    if kind == IPV4:
        outcome, after, wire_stop = decode_ipv4(data, p, at, start, end, wire_end)
    else:
        outcome, after, wire_stop = decode_ipv6(data, p, at, start, end, wire_end, options[MAX_HEADERS])
    if kind == IPV4 and options[VERIFIES] != 0 and outcome in (ANALYSED, FRAGMENT) and not is_header_right(data, p):
        p.marks = np.int64(p.marks) | BAD_IP_CHECKSUM
        return BAD_CHECKSUM, after, wire_stop
    return outcome, after, wire_stop


@helper
def unwrap_row(data, arena, p, kind, at, inner, parents, used, row, datagrams, buckets, f, options):
    """One row, layer by layer, with its inner rows; the number of inner rows afterwards."""
    end = np.int64(p.offset) + np.int64(p.caplen)
    wire_end = max(end, np.int64(p.offset) + np.int64(p.length))
    p.marks = np.int64(p.marks) & CAPTURE_MARKS
    clear_row(p)
    kind, at = find_first(data, p, kind, at, end, end < wire_end)
    outcome = np.int64(NOT_IP)
    for _ in range(8 * options[MAX_TUNNELS] + 8):
        p.ethertype = max(min(kind, 0xFFFF), -1)
        if is_carrier(kind):
            code = carrier_code(kind)
            if code != 0 and not push_tunnel(p, code, options[MAX_TUNNELS]):
                outcome = np.int64(TUNNEL_TOO_DEEP)
                break
            note_id(p, carrier_id(data, kind, at, end))
            kind, at = open_carrier(data, p, kind, at, end, end < wire_end)
            continue
        if kind != IPV4 and kind != IPV6:
            outcome = np.int64(link_outcome(kind, ANALYSED, NOT_IP, UNKNOWN_LINK_TYPE, TUNNEL_TOO_DEEP))
            break
        outcome, at, wire_stop = decode_ip(data, p, kind, at, end, wire_end, options)
        if outcome == FRAGMENT and np.int64(p.marks) & WITHOUT_TIME == 0:
            is_whole, at, end, wire_end = complete(data, arena, datagrams, buckets, f, p, at)
            if not is_whole:
                break
            clear_headers(p)
            continue
        if outcome != ANALYSED:
            break
        wire_end = wire_stop
        end = min(end, wire_stop)
        if is_tunnel_protocol(np.int64(p.protocol)):
            kind, at = enter_protocol(data, p, at, end, wire_end, options[MAX_TUNNELS])
            continue
        outcome = np.int64(decode_transport(data, p, at, np.int64(p.offset), end, wire_end))
        if outcome != ANALYSED:
            p.payload_size = 0
            p.payload_length = 0
            break
        if p.protocol != UDP:
            break
        kind, at = enter_udp(data, p, options)
        if kind == UNKNOWN:
            break
        start = np.int64(p.offset) + np.int64(p.payload)
        end, wire_end = start + np.int64(p.payload_size), start + np.int64(p.payload_length)
        p.outcome = final_outcome(p, outcome)
        begin_inner(inner[used], p)
        parents[used] = row
        code = np.int64(p.carries)
        p = inner[used]
        used += 1
        note_id(p, datagram_id(data, code, start, end))
        if not push_tunnel(p, code, options[MAX_TUNNELS]):
            outcome = np.int64(TUNNEL_TOO_DEEP)
            break
        outcome = np.int64(NOT_IP)
    p.outcome = final_outcome(p, outcome)
    return used


@kernel
def unwrap_packets(data, arena, packets, todo, kinds, places, first, inner, parents, used, datagrams, buckets, defragmenter, options):
    """Decode the rows ``todo[first:]`` anew, with all their layers. Returns (DONE or GROW_ROWS, next of ``todo``, rows of ``inner`` used).

    ``parents`` gets the row of ``packets`` that each row of ``inner`` belongs to; both need room for one packet's layers.
    """
    f = defragmenter[0]
    for j in range(first, todo.shape[0]):
        if used + options[MAX_TUNNELS] + 1 > inner.shape[0]:
            return GROW_ROWS, j, used
        row = todo[j]
        used = unwrap_row(data, arena, packets[row], kinds[j], places[j], inner, parents, used, row, datagrams, buckets, f, options)
    return DONE, todo.shape[0], used
