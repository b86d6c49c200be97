"""The columns of ``connections`` that tell loss, waiting and round trips of each end of a TCP connection, and how it ended.

Round trips are from the place of the capture to the other end and back: taken beside an end they are those of the whole path, and on the
path they are a part of it (tcp_vantage). tcp_originator_rtt_* are from segments of the originator, so to the responder and back.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.report.built import Built, Mask, TextColumn
from analyzer.report.columns import Column
from analyzer.report.text import chosen, counts, ints, milliseconds, named
from analyzer.tables import Rows
from analyzer.tables.connections import CLOSE_KINDS, IDLE_CAUSES, RESET_ID_DIFFERS, RESET_TTL_DIFFERS, VANTAGES

SIDES: Final = ("originator", "responder")
# column, field of FLOW, meaning, unit
NUMBERS: Final = (
    ("fast_retransmissions", "fast_retransmissions", "of its retransmissions: right after duplicate ACKs or SACK", ""),
    ("spurious_retransmissions", "spurious_retransmissions", "of its retransmissions: bytes that had been acknowledged", ""),
    ("duplicated_packets", "duplicated_packets", "packets of the {} that the network or the capture doubled", ""),
    ("duplicate_acks", "duplicate_acks", "ACKs in which the {} repeats itself: it misses something", ""),
    ("lost_segments", "lost_segments", "packets of the {} before which something is not in the capture", ""),
    ("acked_unseen", "acked_unseen", "ACKs of the {} for bytes that are not in the capture", ""),
    ("keep_alives", "keep_alives", "packets of the {} that only ask whether the other end is there", ""),
    ("window_full", "window_full", "packets of the {} that filled the other end's window", ""),
    ("max_in_flight", "max_in_flight", "most bytes of the {} that were not acknowledged at one time", "bytes"),
    ("initial_window", "initial_window", "bytes that the {} sent before the first was acknowledged", "bytes"),
    ("segment_max", "segment_max", "largest payload of one packet of the {}", "bytes"),
    ("rtt_samples", "rtt_samples", "round trips measured with segments of the {}", ""),
)
DURATIONS: Final = (
    ("zero_window_ms", "zero_window_ns", "time in which the {} had no room for data"),
    ("retransmission_wait_ms", "retransmission_wait_ns", "time in which the stream of the {} waited for a retransmission"),
    ("idle_max_ms", "idle_max_ns", "longest silence of the {} between two packets"),
)
ROUND_TRIPS: Final = (
    ("rtt_min_ms", "rtt_min_ns", "shortest of them"),
    ("rtt_mean_ms", "", "their mean"),
    ("rtt_p95_ms", "rtt_p95_ns", "95 % of them are shorter"),
)
ICMP_ERRORS: Final = {
    (1, 3): "unreachable", (1, 11): "time exceeded", (1, 12): "parameter problem",
    (58, 1): "unreachable", (58, 2): "packet too big", (58, 3): "time exceeded", (58, 4): "parameter problem",
}  # fmt: skip

ANALYSIS_COLUMNS: Final = (
    Column("tcp_close", "text", "how it ended: " + ", ".join(name for name, _ in CLOSE_KINDS)),
    Column("tcp_reset_differs", "text", "what does not fit between a RST and the end it claims to come from: ttl, ip id"),
    Column("tcp_round_trip_ms", "milliseconds", "round trip of the handshake: last SYN before the answer to the ACK of the SYN+ACK", "ms"),
    Column("tcp_vantage", "text", "where the capture was taken, from the two halves of that: " + ", ".join(VANTAGES[1:])),
    *(Column(f"tcp_{side}_{name}", "number", text.format(side), unit) for name, _, text, unit in NUMBERS for side in SIDES),
    *(Column(f"tcp_{side}_{name}", "milliseconds", text.format(side), "ms") for name, _, text in DURATIONS for side in SIDES),
    *(
        Column(f"tcp_{side}_{name}", "milliseconds", text, "ms", "from the place of the capture; nothing that was sent again is measured")
        for name, _, text in ROUND_TRIPS
        for side in SIDES
    ),
    *(Column(f"tcp_{side}_idle_cause", "text", "what ended its longest silence: " + ", ".join(IDLE_CAUSES)) for side in SIDES),
    Column("icmp_error", "text", "kind and code of the first ICMP error that quotes a packet of it"),
    Column("icmp_error_frame", "number", "its frame"),
    Column("icmp_error_mtu", "number", "smallest MTU that such an error told", "bytes"),
)


def analysis_arrays(finished: Finished) -> dict[str, Built]:
    """The arrays of ANALYSIS_COLUMNS."""
    c = finished.connections
    is_tcp: Mask = c["protocol"] == 6
    arrays: dict[str, Built] = {
        "tcp_close": chosen([name for name, _ in CLOSE_KINDS], c["close_kind"], is_tcp),
        "tcp_reset_differs": chosen((None, "ttl", "ip id", "ttl, ip id"), _reset_differs(c), c["reset_marks"] > 0),
        "tcp_round_trip_ms": milliseconds(c["irtt_ns"], c["irtt_ns"] > 0),
        "tcp_vantage": chosen(VANTAGES, c["vantage"], c["vantage"] > 0),
        "icmp_error": _icmp_errors(c),
        "icmp_error_frame": counts(c["icmp_error_number"]),
        "icmp_error_mtu": counts(c["icmp_error_mtu"]),
    }
    for side, flows in zip(SIDES, (finished.originator_flows, finished.responder_flows), strict=True):
        arrays |= {f"tcp_{side}_{name}": array for name, array in _end(flows, is_tcp).items()}
    return arrays


def _end(flows: Rows, is_tcp: Mask) -> dict[str, Built]:
    samples = flows["rtt_samples"]
    measured: Mask = samples > 0
    silent: Mask = flows["idle_max_ns"] > 0
    mean = flows["rtt_sum_ns"] // np.maximum(samples, 1)
    return {
        **{name: ints(flows[field], is_tcp) for name, field, _, _ in NUMBERS},
        **{name: milliseconds(flows[field], is_tcp) for name, field, _ in DURATIONS},
        **{name: milliseconds(flows[field] if field else mean, measured) for name, field, _ in ROUND_TRIPS},
        "idle_cause": chosen(IDLE_CAUSES, flows["idle_cause"], silent),
    }


def _reset_differs(c: Rows) -> Rows:
    marks = c["reset_marks"]
    return (marks & RESET_TTL_DIFFERS != 0) + 2 * (marks & RESET_ID_DIFFERS != 0)  # type: ignore[no-any-return]


def _icmp_errors(c: Rows) -> TextColumn:
    codes = (c["ip_version"] == 4).astype(np.int64) << 16 | c["icmp_error_type"].astype(np.int64) << 8 | c["icmp_error_code"]
    return named(codes, _icmp_error_text, c["icmp_errors"] > 0)


def _icmp_error_text(code: int) -> str:
    name = ICMP_ERRORS.get((1 if code >> 16 else 58, code >> 8 & 255), f"type {code >> 8 & 255}")
    return f"{name}, code {code & 255}"
