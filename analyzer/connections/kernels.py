# mypy: allow-untyped-defs
"""Entry kernels of stage 3. Each is called once per batch (or per retry after growing)."""

from __future__ import annotations

import numpy as np

from analyzer.connections.analysis_kernels import analyze_segment, begin_flow
from analyzer.connections.ending_kernels import check_reset, close_kind, vantage
from analyzer.connections.gap_kernels import stream_size
from analyzer.connections.history_kernels import CARET, LETTER_C, LETTER_D, SEEN_DATA, add_letter, cased, note_once, note_scaled
from analyzer.connections.icmp_kernels import is_error, note_error, read_quoted
from analyzer.connections.key_kernels import ICMP, ICMP6, ROW_MASK, TCP, UDP, drop_slot, find_slot, key_hash, ports_of, put_slot
from analyzer.connections.round_trip_kernels import (
    FLOWS_FREE,
    FLOWS_USED,
    MOST_SEGMENTS,
    SEGMENT_FREE,
    SEGMENTS_TOP,
    drop_segments,
    quantile_ns,
)
from analyzer.connections.state_kernels import OTH, set_state, tcp_conn_state, udp_conn_state
from analyzer.connections.tcp_kernels import take_segment
from analyzer.connections.timer_kernels import is_past, set_deadline
from analyzer.connections.wait_kernels import CLOSED_TS, LOST_TS, WAIT_ROWS, WAITS_USED, write_waits
from analyzer.kernel import DONE, GROW_ROWS, helper, kernel
from analyzer.tables.connections import ESTABLISHED, INACTIVE, IS_CLOSED, IS_DNS, IS_ONE_WAY, SYN_ACK_SENT, WAS_RETURNED
from analyzer.tables.packets import ACK, ANALYSED, BAD_TRANSPORT_CHECKSUM, CUT_BY_SNAPLEN, FIN, INNER, NO_TIME_PACKET, RST, SYN

# positions in the tracker's state (int64): time of the capture, rows ever used, free rows, connections begun; 4 to 7: see
# round_trip_kernels, 8 to 12: wait_kernels
NOW, USED, FREE, NUMBER, STATE_SIZE = 0, 1, 2, 3, 13

GROW_FLOWS, GROW_SEGMENTS, GROW_WAITS = 2, 3, 4  # answers of track, beside GROW_ROWS

# bits of the server ports table
SERVES_TCP, SERVES_UDP, SERVES_DNS = 1, 2, 4

IPV4_BROADCAST = np.uint64(0xFFFFFFFF)


@helper
def is_reuse(originator, responder, tcp_flags, seq):
    """Whether a TCP packet begins another connection between the same two ends: a SYN that is no retransmission."""
    if not tcp_flags & SYN:
        return False
    if tcp_flags & ACK and np.int64(originator.state) != INACTIVE:
        return False
    if np.int64(originator.did_close) != 0 or np.int64(responder.did_close) != 0:
        return True
    if tcp_flags & ACK:
        return seq != responder.start_seq
    if seq == originator.start_seq:
        return False
    # SYN+ACK and SYN may have been swapped on their way into the capture
    is_swapped = np.int64(originator.state) == SYN_ACK_SENT and np.int64(responder.state) == INACTIVE
    return not (is_swapped and seq == responder.start_seq)


@helper
def responder_is_sender(servers, p):
    """Whether the sender of a connection's first packet is likely its responder."""
    protocol = np.int64(p.protocol)
    if np.int64(p.ip_version) == 4 and p.dst_lo == IPV4_BROADCAST:
        return False
    if protocol == UDP:
        return servers[p.src_port] & SERVES_UDP != 0 and servers[p.dst_port] & SERVES_UDP == 0
    if protocol != TCP or np.int64(p.tcp_flags) & (SYN | ACK) == SYN or servers[p.src_port] & SERVES_TCP == 0:
        return False
    if servers[p.dst_port] & SERVES_TCP == 0:
        return True
    return np.int64(p.tcp_flags) & SYN == 0 and np.int64(p.src_port) < np.int64(p.dst_port)


@helper
def begin_connection(servers, c, e, q, p, ports):
    """Fill the rows of a new connection from its first packet."""
    c.a_hi = p.src_hi
    c.a_lo = p.src_lo
    c.b_hi = p.dst_hi
    c.b_lo = p.dst_lo
    c.a_port = ports[0]
    c.b_port = ports[1]
    c.protocol = p.protocol
    c.ip_version = p.ip_version
    c.vlan = p.vlan
    c.inner_vlan = p.inner_vlan
    c.tunnel = p.tunnel
    c.tunnel_id = p.tunnel_id
    c.first_ts = p.ts
    c.first_number = p.number
    c.productive_ts = p.ts
    if ports[2]:
        c.marks = IS_ONE_WAY
    e.in_order = 1
    e.acknowledged = 1
    q.in_order = 1
    q.acknowledged = 1
    e.window_scale = 255
    q.window_scale = 255
    if responder_is_sender(servers, p):
        c.flipped = 1
        add_letter(c, CARET)
    server = np.int64(p.src_port) if np.int64(c.flipped) != 0 else np.int64(p.dst_port)
    if np.int64(p.protocol) == UDP and servers[server] & SERVES_DNS != 0:
        c.marks = IS_DNS


@helper
def count_packet(c, e, p):
    """Counters and places that every valid packet moves."""
    size = np.int64(p.payload_length)
    if e.packets == 0:
        e.first_ts = p.ts
        e.ttl = p.ttl
        e.window_first = p.window
    elif p.ttl != e.ttl:
        e.ttl_other = p.ttl
    e.packets += 1
    e.ip_bytes += np.int64(p.ip_length)
    if size > 0:
        if e.payload_bytes == 0:
            e.first_payload_ts = p.ts
            e.first_payload_number = p.number
        e.payload_bytes += size
        e.data_packets += 1
        e.last_payload_ts = p.ts
        e.last_payload_number = p.number
    if np.int64(p.marks) & CUT_BY_SNAPLEN:
        e.cut_packets = np.int64(e.cut_packets) + 1
        e.cut_bytes += max(size - np.int64(p.payload_size), 0)
    c.last_ts = p.ts
    c.last_number = p.number


@helper
def begin_flows(flow_free, state, c, endpoints, flows, row, tcp_flags):
    """Give a connection its two FLOW rows, unless this packet is all there is and only a SYN."""
    a, b = endpoints[2 * row], endpoints[2 * row + 1]
    if a.packets == 0 and b.packets == 0 and tcp_flags & (SYN | ACK | FIN | RST) == SYN:
        return
    if state[FLOWS_FREE] > 0:
        state[FLOWS_FREE] -= 1
        pair = flow_free[state[FLOWS_FREE]]
    else:
        state[FLOWS_USED] += 1
        pair = state[FLOWS_USED]
    c.flow = pair
    begin_flow(a, flows[2 * pair])
    begin_flow(b, flows[2 * pair + 1])


@helper
def lacks_room(flows, segments, waits, state):
    """What must grow before the next packet; DONE = nothing."""
    if state[FLOWS_FREE] == 0 and 2 * state[FLOWS_USED] + 4 > flows.shape[0]:
        return GROW_FLOWS
    if state[SEGMENT_FREE] == 0 and state[SEGMENTS_TOP] >= segments.shape[0] and segments.shape[0] < MOST_SEGMENTS:
        return GROW_SEGMENTS
    if state[WAITS_USED] + 2 > waits.shape[0] and waits.shape[0] < WAIT_ROWS:
        return GROW_WAITS
    return DONE


@helper
def take_error(data, quoted, slots, connections, p):
    """Tie an ICMP error to the connection of the packet that it quotes."""
    if read_quoted(data, p, quoted):
        ports = ports_of(quoted)
        slot, sender = find_slot(slots, connections, quoted, ports, key_hash(quoted, ports[0], ports[1], ports[2]))
        if sender >= 0:
            note_error(data, connections[(slots[slot] & ROW_MASK) - 1], p)


@helper
def take_packet(transitions, limits, data, segments, state, c, e, q, f, r, p, now):
    """One packet of a connection from end ``e`` to end ``q``; ``f`` and ``r`` are their FLOW rows."""
    protocol = np.int64(p.protocol)
    is_originator = np.int64(p.sender) == np.int64(c.flipped)
    was_closed = np.int64(c.marks) & IS_CLOSED != 0
    if np.int64(p.marks) & BAD_TRANSPORT_CHECKSUM:
        e.bad_checksums = np.int64(e.bad_checksums) + 1
        if protocol in (TCP, UDP):
            note_scaled(c, np.int64(e.bad_checksums), cased(LETTER_C, is_originator))
        c.last_ts = p.ts
        c.last_number = p.number
        if c.deadline == 0:
            set_deadline(limits, c, e, q, now, was_closed)
        return
    if protocol == TCP:
        news = take_segment(transitions, c, e, q, p)
        if np.int64(c.flow) != 0:
            if np.int64(p.tcp_flags) & RST:
                check_reset(c, e, f, p)
            analyze_segment(data, segments, state, c, e, q, f, r, p, news)
    else:
        set_state(e, np.int64(ESTABLISHED))
        c.productive_ts = p.ts
        if protocol == UDP:
            note_once(c, e, SEEN_DATA, cased(LETTER_D, is_originator))
    count_packet(c, e, p)
    if np.int64(p.sender) == np.int64(c.flipped):
        set_deadline(limits, c, e, q, now, was_closed)
    else:
        set_deadline(limits, c, q, e, now, was_closed)


@kernel
def track(
    data,
    packets,
    start,
    connections,
    endpoints,
    flows,
    segments,
    waits,
    slots,
    free,
    flow_free,
    state,
    servers,
    transitions,
    limits,
    quoted,
):
    """Give every packet from ``start`` on its connection. Returns (DONE, or what must grow, next packet); GROW_ROWS: no row is free."""
    for i in range(start, packets.size):
        p = packets[i]
        before = state[NOW]
        now = before
        if np.int64(p.outcome) != NO_TIME_PACKET:
            now = max(before, np.int64(p.ts))
        if np.int64(p.outcome) != ANALYSED:
            p.connection = -1
            p.sender = 0
            state[NOW] = now
            continue
        status = lacks_room(flows, segments, waits, state)
        if status != DONE:
            return status, i
        ports = ports_of(p)
        key = key_hash(p, ports[0], ports[1], ports[2])
        slot, sender = find_slot(slots, connections, p, ports, key)
        row = np.int64(-1)
        old = np.int64(-1)
        if sender >= 0:
            old = (slots[slot] & ROW_MASK) - 1
            c = connections[old]
            is_late = is_past(limits, c, now, before)
            if not is_late and np.int64(p.protocol) == TCP:
                flipped = np.int64(c.flipped)
                is_late = is_reuse(endpoints[2 * old + flipped], endpoints[2 * old + 1 - flipped], np.int64(p.tcp_flags), np.int64(p.seq))
            if not is_late:
                row = old
        if row < 0:
            if state[FREE] == 0 and state[USED] == connections.size:
                return GROW_ROWS, i
            if old >= 0:
                c = connections[old]
                c.is_over = 1
                if c.deadline == 0 or c.deadline > now:
                    c.deadline = now
            sender = 0
            row = take_row(free, state)
            c = connections[row]
            c.number = state[NUMBER]
            c.key_hash = key
            slots[slot] = key << 32 | (row + 1)
            begin_connection(servers, c, endpoints[2 * row], endpoints[2 * row + 1], p, ports)
            if np.int64(p.marks) & INNER and packets[i - 1].connection >= 0:
                c.carrier = connections[packets[i - 1].connection].number
        p.connection = row
        p.sender = sender
        state[NOW] = now
        c, end = connections[row], 2 * row + sender
        protocol = np.int64(p.protocol)
        if protocol == TCP and np.int64(c.flow) == 0:
            begin_flows(flow_free, state, c, endpoints, flows, row, np.int64(p.tcp_flags))
        elif protocol in (ICMP, ICMP6) and is_error(p):
            take_error(data, quoted[0], slots, connections, p)
        flow = 2 * np.int64(c.flow) + sender
        take_packet(transitions, limits, data, segments, state, c, endpoints[end], endpoints[end ^ 1], flows[flow], flows[flow ^ 1], p, now)
        if state[LOST_TS] | state[CLOSED_TS]:
            write_waits(waits, state, flows[flow], flows[flow ^ 1], p)
    return DONE, packets.size


@helper
def take_row(free, state):
    """A zeroed row for the next connection: a free one, else one never used."""
    state[NUMBER] += 1
    if state[FREE] > 0:
        state[FREE] -= 1
        return free[state[FREE]]
    state[USED] += 1
    return state[USED] - 1


@kernel
def collect(connections, used, now, everything, rows):
    """Find the rows that are over before ``now`` (all of them with ``everything``) and not yet returned; their number."""
    count = 0
    for row in range(used):
        c = connections[row]
        if c.number == 0 or np.int64(c.marks) & WAS_RETURNED != 0:
            continue
        if everything or (c.deadline != 0 and c.deadline < now):
            c.marks = np.int64(c.marks) | WAS_RETURNED
            rows[count] = row
            count += 1
    return count


@kernel
def finish(connections, endpoints, flows, rows):
    """Set what is known only at the end: is_over, stream_bytes, conn_state, close_kind, vantage, rtt_p95_ns, zero_window_ns."""
    for i in range(rows.size):
        row = rows[i]
        c = connections[row]
        flipped = np.int64(c.flipped)
        originator, responder = endpoints[2 * row + flipped], endpoints[2 * row + 1 - flipped]
        protocol = np.int64(c.protocol)
        c.is_over = 1
        if protocol == TCP:
            originator.stream_bytes = stream_size(originator, responder)
            responder.stream_bytes = stream_size(responder, originator)
            c.conn_state = tcp_conn_state(c, originator, responder)
            c.close_kind = close_kind(c, originator, responder)
            c.vantage = vantage(c)
            for side in range(2):
                f = flows[2 * np.int64(c.flow) + side]
                f.rtt_p95_ns = quantile_ns(f, 95) if f.rtt_samples > 0 else 0
                if f.zero_since != 0:
                    f.zero_window_ns += max(np.int64(c.last_ts) - np.int64(f.zero_since), 0)
        elif protocol in (UDP, ICMP, ICMP6):
            originator.stream_bytes = originator.payload_bytes
            responder.stream_bytes = responder.payload_bytes
            c.conn_state = udp_conn_state(originator, responder) if protocol == UDP else OTH


@kernel
def release_slots(connections, rows, slots, free, state):
    """Take rows out of the hash table (unless a later connection has their slot) and put them on the free list."""
    for i in range(rows.size):
        row = rows[i]
        drop_slot(slots, np.int64(connections[row].key_hash), row)
        free[state[FREE]] = row
        state[FREE] += 1


@kernel
def release_flows(connections, flows, segments, rows, flow_free, state):
    """Give back the FLOW rows of connections, and the segments they still list."""
    for i in range(rows.size):
        pair = np.int64(connections[rows[i]].flow)
        if pair != 0:
            drop_segments(segments, state, flows[2 * pair])
            drop_segments(segments, state, flows[2 * pair + 1])
            flow_free[state[FLOWS_FREE]] = pair
            state[FLOWS_FREE] += 1


@kernel
def rebuild(old, slots):
    """Enter everything of an old hash table into a larger, empty one."""
    for i in range(old.size):
        if old[i] != 0:
            put_slot(slots, old[i] >> 32, (old[i] & ROW_MASK) - 1)
