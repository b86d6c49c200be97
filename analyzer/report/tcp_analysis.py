"""The columns of ``connections`` that tell round trips and waiting of each end of a TCP connection, where it was seen, and how it ended.

The rest of the analysis is in the table ``tcp``.

Round trips are from the place of the capture to the other end and back: taken beside an end they are those of the whole path, and on the
path they are a part of it (tcp_vantage). tcp_originator_rtt_* are from segments of the originator, so to the responder and back.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.tcp_findings import icmp_code
from analyzer.lifecycle.vantage import BASES, PROXIES, find_proxies, find_vantage
from analyzer.report.built import Built, Mask
from analyzer.report.columns import Column
from analyzer.report.text import chosen, counts, milliseconds, named
from analyzer.tables import Rows
from analyzer.tables.connections import CLOSE_KINDS, RESET_ID_DIFFERS, RESET_TTL_DIFFERS, VANTAGES

SIDES: Final = ("originator", "responder")
ROUND_TRIPS: Final = (
    ("rtt_min_ms", "rtt_min_ns", "shortest of them"),
    ("rtt_mean_ms", "", "their mean"),
    ("rtt_p95_ms", "rtt_p95_ns", "95 % of them are shorter"),
)
BOUNDS: Final = "server_wait, by tcp_synack_to_ack"
ICMP_ERRORS: Final = {
    (1, 3): "unreachable", (1, 11): "time exceeded", (1, 12): "parameter problem",
    (58, 1): "unreachable", (58, 2): "packet too big", (58, 3): "time exceeded", (58, 4): "parameter problem",
}  # fmt: skip

ANALYSIS_COLUMNS: Final = (
    Column("tcp_close", "text", "how it ended: " + ", ".join(name for name, _ in CLOSE_KINDS)),
    Column("tcp_reset_differs", "text", "what does not fit between a RST and the end it claims to come from: ttl, ip id"),
    Column("tcp_round_trip_ms", "milliseconds", "round trip of the handshake: last SYN before the answer to the ACK of the SYN+ACK", "ms"),
    Column("tcp_vantage", "text", "where the capture was taken: beside the " + ", ".join(VANTAGES[1:])),
    Column("tcp_vantage_basis", "text", "how that is known: the two halves of the handshake, routers passed; against: they differ"),
    Column("tcp_bounds", "text", "which durations are shorter here than for the originator, and by which column"),
    Column("tcp_proxy", "text", "something between answers for an end: tunnel (CONNECT, SOCKS), ttl (packets come from two distances)"),
    *(
        Column(
            f"tcp_{side}_retransmission_wait_ms",
            "milliseconds",
            f"time in which the stream of the {side} waited for a retransmission",
            "ms",
        )
        for side in SIDES
    ),
    *(
        Column(f"tcp_{side}_{name}", "milliseconds", text, "ms", "from the place of the capture; nothing that was sent again is measured")
        for name, _, text in ROUND_TRIPS
        for side in SIDES
    ),
    Column("icmp_error", "text", "kind and code of the first ICMP error that quotes a packet of it"),
    Column("icmp_error_frame", "number", "its frame"),
    Column("icmp_error_mtu", "number", "smallest MTU that such an error told", "bytes"),
)


def analysis_arrays(finished: Finished) -> dict[str, Built]:
    """The arrays of ANALYSIS_COLUMNS."""
    c = finished.connections
    is_tcp: Mask = c["protocol"] == 6
    place, basis = find_vantage(finished)
    arrays: dict[str, Built] = {
        "tcp_close": chosen([name for name, _ in CLOSE_KINDS], c["close_kind"], is_tcp),
        "tcp_reset_differs": chosen((None, "ttl", "ip id", "ttl, ip id"), _reset_differs(c), c["reset_marks"] > 0),
        "tcp_round_trip_ms": milliseconds(c["irtt_ns"], c["irtt_ns"] > 0),
        "tcp_vantage": chosen(VANTAGES, place, place > 0),
        "tcp_vantage_basis": chosen(BASES, basis, place > 0),
        "tcp_bounds": chosen((None, None, BOUNDS, BOUNDS), place),
        "tcp_proxy": chosen(PROXIES, find_proxies(finished)),
        "icmp_error": named(icmp_code(c), icmp_error_text, c["icmp_errors"] > 0),
        "icmp_error_frame": counts(c["icmp_error_number"]),
        "icmp_error_mtu": counts(c["icmp_error_mtu"]),
    }
    for side, flows in zip(SIDES, (finished.originator_flows, finished.responder_flows), strict=True):
        arrays |= {f"tcp_{side}_{name}": array for name, array in _end(flows, is_tcp).items()}
    return arrays


def _end(flows: Rows, is_tcp: Mask) -> dict[str, Built]:
    samples = flows["rtt_samples"]
    measured: Mask = samples > 0
    mean = flows["rtt_sum_ns"] // np.maximum(samples, 1)
    return {
        "retransmission_wait_ms": milliseconds(flows["retransmission_wait_ns"], is_tcp),
        **{name: milliseconds(flows[field] if field else mean, measured) for name, field, _ in ROUND_TRIPS},
    }


def _reset_differs(c: Rows) -> Rows:
    marks = c["reset_marks"]
    return (marks & RESET_TTL_DIFFERS != 0) + 2 * (marks & RESET_ID_DIFFERS != 0)  # type: ignore[no-any-return]


def icmp_error_text(code: int) -> str:
    """An ICMP error as ``lifecycle.tcp_findings.icmp_code`` numbers it, in words."""
    name = ICMP_ERRORS.get((1 if code >> 16 else 58, code >> 8 & 255), f"type {code >> 8 & 255}")
    return f"{name}, code {code & 255}"
