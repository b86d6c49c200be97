"""What stands out about the transport of a connection: how it was answered, what it lost and waited for, what does not fit."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Marks, Mask, Rule
from analyzer.lifecycle.vantage import TWO_PLACES, find_proxies
from analyzer.tables import Ints, Rows
from analyzer.tables.connections import CONN_STATES, HAS_ACK
from analyzer.thresholds import DEFAULTS, Thresholds

TRIES = 2

TCP_RULES = (
    Rule(
        "tcp.refused", "error", "the connection was refused", "Check that a service listens on this port and that no firewall rejects it."
    ),
    Rule(
        "tcp.no_answer",
        "error",
        "no answer to the SYN",
        "Check the route and the firewalls on the way: the host may be down or drop packets.",
    ),
    Rule("tcp.unreachable", "error", "an ICMP error says why it did not get there", "Look at the router or host that sent it.", "code"),
    Rule("udp.unreachable", "warning", "an ICMP error says why it did not get there", "Check that a service listens on this port.", "code"),
    Rule(
        "tcp.fragmentation_needed",
        "note",
        "a link on the path takes only smaller packets",
        "Normal path MTU discovery; let ICMP through, or clamp the MSS.",
        "bytes",
    ),
    Rule(
        "tcp.pmtu_suspect",
        "error",
        "large segments were sent again and never acknowledged, small ones were",
        "A link takes only smaller packets and nobody says so: let ICMP through, or clamp the MSS.",
        "bytes",
    ),
    Rule("tcp.syn_retry", "warning", "the first SYN was not answered in time", "Look for packet loss or a full listen queue.", "ns"),
    Rule("tcp.half_open", "warning", "the SYN+ACK was never acknowledged", "A scan, a spoofed address, or a path that works one way only."),
    Rule(
        "tcp.missed_bytes",
        "warning",
        "acknowledged bytes are not in the capture",
        "The capture lost packets: trust its times less.",
        "bytes",
    ),
    Rule("tcp.zero_window", "warning", "a receiver had no room (zero window)", "The receiving program reads too slowly.", "ns"),
    Rule(
        "tcp.retransmissions",
        "warning",
        "more than 1 % of the data segments were sent again",
        "Look for loss or reordering on the path.",
        "count",
    ),
    Rule(
        "tcp.many_retransmissions",
        "error",
        "more than 5 % of the data segments were sent again",
        "The path loses packets: look at links, queues and duplex settings.",
        "count",
    ),
    Rule(
        "tcp.loss_wait",
        "warning",
        "it stood still until lost segments were sent again",
        "See the table waits: which frame, how long.",
        "ns",
    ),
    Rule(
        "tcp.overlap_conflict",
        "error",
        "bytes came twice with different content",
        "Broken equipment or an attempt to deceive: compare both frames, try other --overlap policies.",
        "bytes",
    ),
    Rule(
        "tcp.reset_differs",
        "warning",
        "a RST does not fit the end that it claims to come from",
        "Look for a firewall or another box on the path that closes connections.",
    ),
    Rule(
        "tcp.two_places",
        "note",
        "packets of one end arrive over different distances",
        "A proxy or another box on the path answers for it, or the route changed.",
    ),
    Rule(
        "capture.midstream", "note", "the connection starts in the middle of its life", "Start the capture earlier to see its first phases."
    ),
)


def icmp_code(connections: Rows) -> Ints:
    """(n,) the first ICMP error of each connection as one number: IPv4 in bit 16, type above bit 8, code below."""
    c = connections
    code: Ints = (c["ip_version"] == 4).astype(np.int64) << 16 | c["icmp_error_type"].astype(np.int64) << 8 | c["icmp_error_code"]
    return code


def tcp_hits(finished: Finished, limits: Thresholds = DEFAULTS) -> list[Marks]:
    """Where each rule of TCP_RULES fires."""
    c = finished.connections
    is_tcp: Mask = c["protocol"] == 6
    last = (c["last_number"], c["last_ts"])
    missed = finished.originators["missed_bytes"] + finished.responders["missed_bytes"]
    starts_late = is_tcp & (c["syn_ts"] == 0) & (c["synack_ts"] == 0)
    return [
        *_opening(finished, is_tcp, limits),
        *_icmp(c, is_tcp),
        _pmtu_suspect(finished, limits),
        Marks("tcp.missed_bytes", is_tcp & (missed > 0), *last, missed),
        *_losses(finished, limits),
        _conflict(finished),
        Marks("tcp.reset_differs", c["reset_marks"] > 0, *_first_reset(finished)),
        Marks("tcp.two_places", find_proxies(finished) == TWO_PLACES, c["first_number"], c["first_ts"]),
        Marks("capture.midstream", starts_late, c["first_number"], c["first_ts"]),
    ]


def _opening(finished: Finished, is_tcp: Mask, limits: Thresholds) -> list[Marks]:
    c = finished.connections
    state = c["conn_state"]
    syn = (c["syn_number"], c["syn_ts"])
    lost = c["last_syn_ts"] - c["syn_ts"]
    again = (c["syn_retries"] > 0) & (lost > limits.ns("tcp_syn_retry_ms"))
    half = is_tcp & (c["syn_ts"] != 0) & (c["synack_ts"] != 0) & (c["ack_ts"] == 0) & (c["teardown_ts"] == 0)
    half &= (finished.originators["payload_bytes"] == 0) & (finished.originators["packets"] == 1 + c["syn_retries"])
    return [
        Marks("tcp.refused", is_tcp & (state == CONN_STATES.index("REJ")), c["teardown_number"], c["teardown_ts"], 0, c["syn_number"]),
        Marks("tcp.no_answer", is_tcp & (state == CONN_STATES.index("S0")), *syn),
        Marks("tcp.syn_retry", again & (c["synack_ts"] != 0), *syn, lost, c["synack_number"]),
        Marks("tcp.half_open", half, c["synack_number"], c["synack_ts"]),
    ]


def _icmp(c: Rows, is_tcp: Mask) -> list[Marks]:
    told = c["icmp_errors"] > 0
    is_size = told & (c["icmp_error_mtu"] > 0)
    place, code = (c["icmp_error_number"], c["icmp_error_ts"]), icmp_code(c)
    return [
        Marks("tcp.unreachable", told & is_tcp & ~is_size, *place, code, c["first_number"]),
        Marks("udp.unreachable", told & ~is_tcp & ~is_size, *place, code, c["first_number"]),
        Marks("tcp.fragmentation_needed", is_size & is_tcp, *place, c["icmp_error_mtu"].astype(np.int64)),
    ]


def _pmtu_suspect(finished: Finished, limits: Thresholds) -> Marks:
    """Large segments never get an answer although they are tried again, and the other end speaks."""
    c = finished.connections
    there = np.zeros(len(c), np.bool_)
    number, largest = np.zeros(len(c), np.int64), np.zeros(len(c), np.int64)
    sides = (
        (finished.originators, finished.originator_flows, finished.responder_flows),
        (finished.responders, finished.responder_flows, finished.originator_flows),
    )
    for end, flow, peer in sides:
        size = flow["segment_max"].astype(np.int64)
        unacknowledged = end["stream_bytes"] - (end["acknowledged"] - 1)
        stuck = (size >= limits.tcp_large_segment_bytes) & (end["retransmissions"] - flow["spurious_retransmissions"] >= TRIES)
        stuck &= (flow["full_rtt_samples"] == 0) & (unacknowledged >= size) & (peer["known"] & HAS_ACK != 0) & (c["ack_ts"] != 0)
        number, largest = np.where(stuck, flow["first_retransmission_number"], number), np.where(stuck, size, largest)
        there |= stuck
    return Marks("tcp.pmtu_suspect", there, number, c["last_ts"], largest)


def _losses(finished: Finished, limits: Thresholds) -> list[Marks]:
    c = finished.connections
    last = (c["last_number"], c["last_ts"])
    flows = (finished.originator_flows, finished.responder_flows)
    ends = (finished.originators, finished.responders)
    sent, resent = (ends[0][name] + ends[1][name].astype(np.int64) for name in ("data_packets", "retransmissions"))
    zero, wait = (flows[0][name] + flows[1][name] for name in ("zero_window_ns", "retransmission_wait_ns"))
    often: Mask = (sent >= limits.tcp_segments) & (100 * resent > limits.tcp_retransmissions_percent * sent)
    bad: Mask = often & (100 * resent > limits.tcp_many_retransmissions_percent * sent)
    worse = flows[1]["longest_wait_ns"] > flows[0]["longest_wait_ns"]
    longest = np.where(worse, flows[1]["longest_wait_number"], flows[0]["longest_wait_number"])
    resent_first = [flow["first_retransmission_number"] for flow in flows]
    first = np.where((resent_first[0] > 0) & ((resent_first[1] == 0) | (resent_first[0] < resent_first[1])), *resent_first)
    wait = wait - np.where(c["syn_retries"] > 0, c["last_syn_ts"] - c["syn_ts"], 0)  # tcp.syn_retry says that
    slow = (wait > limits.ns("tcp_loss_wait_ms")) & (c["synack_ts"] != 0)
    return [
        Marks("tcp.zero_window", zero > limits.ns("tcp_zero_window_ms"), *last, zero),
        Marks("tcp.retransmissions", often & ~bad, *last, resent, first),
        Marks("tcp.many_retransmissions", bad, *last, resent, first),
        Marks("tcp.loss_wait", slow, longest, c["last_ts"], wait),
    ]


def _conflict(finished: Finished) -> Marks:
    o, r = finished.originator_streams, finished.responder_streams
    number = np.where(o["conflicts"] > 0, o["conflict_second_number"], r["conflict_second_number"])
    return Marks(
        "tcp.overlap_conflict",
        o["conflicts"] + r["conflicts"] > 0,
        number,
        finished.connections["last_ts"],
        o["conflict_bytes"] + r["conflict_bytes"],
        np.where(o["conflicts"] > 0, o["conflict_first_number"], r["conflict_first_number"]),
    )


def _first_reset(finished: Finished) -> tuple[Ints, Ints]:
    o, r = finished.originators, finished.responders
    by_originator = (o["rst_ts"] != 0) & ((r["rst_ts"] == 0) | (o["rst_number"] < r["rst_number"]))
    return np.where(by_originator, o["rst_number"], r["rst_number"]), np.where(by_originator, o["rst_ts"], r["rst_ts"])
