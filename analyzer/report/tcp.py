"""Table ``tcp``: what each end of each TCP connection did, one row per end that sent a packet.

The names are those of Wireshark's tcp.analysis and of tcptrace. What a segment below the highest byte sent is - sent again, overtaken, or
doubled on the way - is decided by evidence (connections/resent_kernels); ``decided_by`` counts the rules that did, and the four
``wireshark_*`` columns are the counts that Wireshark's guess by time gives.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.vantage import hops
from analyzer.report.built import Built, Mask, Numbers
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.text import booleans, chosen, codes, counts, ints, lists, milliseconds
from analyzer.tables import Ints
from analyzer.tables.connections import ENDPOINT, FLOW, IDLE_CAUSES, RULES
from analyzer.tables.streams import REASONS, STREAM

SIDES: Final = ("originator", "responder")
NANOSECONDS: Final = 1_000_000_000

# column, table and field, meaning, unit: whole numbers that are known of every end
_NUMBERS: Final = (
    ("packets", "end", "packets", "packets that it sent", ""),
    ("data_packets", "end", "data_packets", "of them: those with payload", ""),
    ("payload_bytes", "end", "payload_bytes", "their payload, repetitions included", "bytes"),
    ("stream_bytes", "end", "stream_bytes", "bytes of its stream, by sequence numbers", "bytes"),
    ("missed_bytes", "end", "missed_bytes", "bytes that were acknowledged but are not in the capture", "bytes"),
    ("gaps", "end", "gaps", "holes of such bytes", ""),
    ("given_up_bytes", "stream", "missing_bytes", "bytes that were given up when the stream was put together", "bytes"),
    ("cut_bytes", "end", "cut_bytes", "payload bytes that the snapshot length cut off", "bytes"),
    ("duplicate_bytes", "stream", "duplicate_bytes", "bytes that came again", "bytes"),
    ("conflict_bytes", "stream", "conflict_bytes", "bytes that came again with other content", "bytes"),
    ("retransmissions", "end", "retransmissions", "segments that it sent again, by the best evidence", ""),
    ("fast_retransmissions", "flow", "fast_retransmissions", "of them: right after duplicate ACKs or SACK asked for them", ""),
    ("spurious_retransmissions", "flow", "spurious_retransmissions", "of them: bytes that had been acknowledged", ""),
    ("out_of_order", "end", "out_of_order", "segments that were overtaken on their way, by the best evidence", ""),
    ("duplicated_packets", "flow", "duplicated_packets", "packets that the network or the capture doubled", ""),
    ("wireshark_retransmissions", "flow", "wireshark_retransmissions", "those that Wireshark counts, neither fast nor spurious", ""),
    ("wireshark_fast_retransmissions", "flow", "wireshark_fast_retransmissions", "fast retransmissions as Wireshark counts them", ""),
    ("wireshark_spurious_retransmissions", "flow", "wireshark_spurious_retransmissions", "spurious ones as Wireshark counts them", ""),
    ("wireshark_out_of_order", "flow", "wireshark_out_of_order", "out-of-order segments as Wireshark counts them", ""),
    ("lost_segments", "flow", "lost_segments", "packets before which a segment is not in the capture", ""),
    ("duplicate_acks", "flow", "duplicate_acks", "ACKs in which it repeats itself: it misses something", ""),
    ("triple_duplicate_acks", "flow", "triple_duplicate_acks", "third ones in a row: the other end should send again", ""),
    ("dsacks", "flow", "dsacks", "ACKs that report bytes which arrived twice", ""),
    ("acked_unseen", "flow", "acked_unseen", "its ACKs for bytes that are not in the capture", ""),
    ("zero_windows", "flow", "zero_windows", "packets in which it said that it had no room", ""),
    ("zero_window_episodes", "flow", "zero_window_episodes", "times its window closed", ""),
    ("window_full", "flow", "window_full", "packets that filled the other end's window", ""),
    ("window_probes", "flow", "window_probes", "one byte sent into a closed window", ""),
    ("window_updates", "flow", "window_updates", "packets that said nothing but a new window", ""),
    ("keep_alives", "flow", "keep_alives", "packets that only ask whether the other end is there", ""),
    ("max_in_flight_bytes", "flow", "max_in_flight", "most bytes that were not acknowledged at one time", "bytes"),
    ("initial_window_bytes", "flow", "initial_window", "bytes that it sent before the first was acknowledged", "bytes"),
    ("segment_max_bytes", "flow", "segment_max", "largest payload of one packet", "bytes"),
    ("rtt_samples", "flow", "rtt_samples", "round trips measured with its segments: nothing that was sent again", ""),
    ("rtt_ambiguous", "flow", "rtt_ambiguous", "segments acknowledged whose round trip cannot be told", ""),
    ("full_rtt_samples", "flow", "full_rtt_samples", "of the round trips: those of segments as large as the largest so far", ""),
)  # fmt: skip
_WAITS: Final = (
    ("zero_window_ms", "zero_window_ns", "time in which it had no room"),
    ("retransmission_wait_ms", "retransmission_wait_ns", "time in which its stream waited for a retransmission"),
    ("longest_wait_ms", "longest_wait_ns", "longest such wait"),
    ("longest_silence_ms", "idle_max_ns", "longest time between two of its packets"),
)
_FRAMES: Final = (
    ("first_loss_frame", "flow", "first_loss_number", "segment that was sent again first, or the first one beyond the hole that it left"),
    ("first_retransmission_frame", "flow", "first_retransmission_number", "its first retransmission"),
    ("longest_wait_frame", "flow", "longest_wait_number", "frame that ended the longest wait"),
    ("longest_silence_frame", "flow", "idle_end_number", "frame that ended the longest silence"),
    ("conflict_first_frame", "stream", "conflict_first_number", "first pair of frames whose bytes differ: the one that came first"),
    ("conflict_second_frame", "stream", "conflict_second_number", "and the one that differed"),
    ("fin_frame", "end", "fin_number", "its first FIN"),
    ("rst_frame", "end", "rst_number", "its first RST"),
)
_FROM_HERE: Final = "from the place of the capture"
_ROUND_TRIPS: Final = (
    ("rtt_min_ms", "shortest round trip to the other end and back"),
    ("rtt_mean_ms", "their mean"),
    ("rtt_max_ms", "longest of them"),
    ("rtt_p95_ms", "95 % of them are shorter (to 25 %)"),
    ("full_rtt_min_ms", "shortest of full-size segments"),
    ("full_rtt_mean_ms", "mean of full-size segments"),
)

COLUMNS: Final = (
    Column("connection", "number", "number of the connection"),
    Column("sender", "text", "which end this row is about: originator or responder"),
    *(Column(name, "number", meaning, unit) for name, _, _, meaning, unit in _NUMBERS),
    Column("segment_mean_bytes", "number", "mean payload of its packets with payload", "bytes"),
    Column("goodput_bits", "number", "bits of its stream per second, first to last payload", "bit/s", "what was missed is not counted"),
    Column("mss", "number", "maximum segment size that it offered", "bytes"),
    Column("window_scale", "number", "window scale that it offered (shift count)", caveat="above 14 it counts as 14"),
    Column("sack", "truth", "it offered selective acknowledgements"),
    Column("timestamps", "truth", "it offered timestamps"),
    Column("first_window", "number", "window of its first packet, unscaled", "bytes"),
    Column("ttl", "number", "time to live (hop limit) of its first packet"),
    Column("other_ttl", "number", "the last one of it that differs from that"),
    Column("hops", "number", "routers that its packets passed, most likely", caveat="takes 32, 64, 128 or 255 for its first TTL"),
    Column("handshake_rtt_ms", "milliseconds", "round trip between the place of the capture and this end, from the handshake", "ms"),
    *(Column(name, "milliseconds", meaning, "ms", _FROM_HERE) for name, meaning in _ROUND_TRIPS),
    *(Column(name, "milliseconds", meaning, "ms") for name, _, meaning in _WAITS),
    Column("silence_cause", "text", "what ended the longest silence: " + ", ".join(IDLE_CAUSES)),
    *(Column(name, "number", meaning) for name, _, _, meaning in _FRAMES),
    Column("conflict_was_acked", "truth", "bytes of a conflict had been acknowledged before the second copy came"),
    Column("decided_by", "texts", "rules that told sent again from overtaken: " + "; ".join(map(": ".join, RULES))),
    Column("decisions", "numbers", "how often each rule of decided_by did"),
    Column("given_up_because", "texts", "why holes were given up: " + "; ".join(map(": ".join, REASONS))),
)  # fmt: skip


_ROWS: Final = {"end": ENDPOINT, "flow": FLOW, "stream": STREAM}
# in the order in which they lie in memory: neighbours come from the same cache line
_NUMBERS_IN_PLACE: Final = sorted(_NUMBERS, key=lambda column: (column[1], (_ROWS[column[1]].names or ()).index(column[2])))


class _Ends:
    """Fields of both ends of TCP connections as columns: originator, responder, originator, ... of those that sent a packet."""

    def __init__(self, finished: Finished) -> None:
        c = finished.connections
        self._tables = {
            "end": (finished.originators, finished.responders),
            "flow": (finished.originator_flows, finished.responder_flows),
            "stream": (finished.originator_streams, finished.responder_streams),
        }
        self._is_all = True
        is_there = (self.of("end", "packets") > 0) & np.repeat(c["protocol"] == 6, 2)
        self.places: Ints = np.flatnonzero(is_there)
        self._is_all = len(self.places) == 2 * len(c)

    def of(self, table: str, field: str) -> Numbers:
        """One field of ENDPOINT, FLOW or STREAM."""
        return self.pairs(*(rows[field] for rows in self._tables[table]))

    def pairs(self, originator: Numbers, responder: Numbers) -> Numbers:
        """Values of (n,) originators and (n,) responders, or rows of them."""
        both = np.empty((len(originator), 2, *originator.shape[1:]), originator.dtype)
        both[:, 0], both[:, 1] = originator, responder
        flat = both.reshape(-1, *originator.shape[1:])
        return flat if self._is_all else flat[self.places]


def build_tcp(finished: Finished, identity: Identity) -> Sheet:
    """One row for each end of each TCP connection that sent a packet: ordered as the connections, the originator first."""
    ends = _Ends(finished)
    if len(ends.places) == 0:
        return empty_sheet(COLUMNS)
    arrays = {
        "connection": ints(identity.numbers[ends.places >> 1]),
        "sender": chosen(SIDES, ends.places & 1),
        **{name: ints(ends.of(table, field)) for name, table, field, _, _ in _NUMBERS_IN_PLACE},
        **{name: counts(ends.of(table, field)) for name, table, field, _ in _FRAMES},
        **{name: milliseconds(ends.of("flow", field)) for name, field, _ in _WAITS},
        **_sizes(ends),
        **_offers(ends, finished),
        **_round_trips(ends),
        **_reasons(ends),
    }
    silent: Mask = ends.of("flow", "idle_max_ns") > 0
    arrays["silence_cause"] = chosen(IDLE_CAUSES, ends.of("flow", "idle_cause"), silent)
    arrays["conflict_was_acked"] = booleans(ends.of("stream", "is_conflict_acked"), ends.of("stream", "conflicts") > 0)
    return make_sheet(COLUMNS, arrays)


def _sizes(ends: _Ends) -> dict[str, Built]:
    packets = ends.of("end", "data_packets")
    span = ends.of("end", "last_payload_ts") - ends.of("end", "first_payload_ts")
    seen = np.maximum(ends.of("end", "stream_bytes") - ends.of("end", "missed_bytes"), 0)
    speed = np.minimum(8.0 * NANOSECONDS * seen / np.maximum(span, 1), 2.0**62)
    return {
        "segment_mean_bytes": ints(ends.of("end", "payload_bytes") // np.maximum(packets, 1), packets > 0),
        "goodput_bits": ints(speed.astype(np.int64), (span > 0) & (packets > 0)),
    }


def _offers(ends: _Ends, finished: Finished) -> dict[str, Built]:
    c = finished.connections
    nothing = np.zeros(len(c), np.int64)
    opened: Mask = ends.pairs(c["syn_ts"], c["synack_ts"]) != 0
    scale, mss = ends.of("end", "window_scale"), ends.of("end", "mss")
    last_syn = np.maximum(c["syn_ts"], c["last_syn_ts"])
    both = (c["synack_ts"] != 0) & (c["ack_ts"] != 0)
    begin = ends.pairs(np.where(both, c["synack_ts"], nothing), np.where(c["syn_ts"] != 0, last_syn, nothing))
    end = ends.pairs(c["ack_ts"], c["synack_ts"])
    return {
        "mss": ints(mss, opened & (mss > 0)),
        "window_scale": ints(scale, opened & (scale < 255)),
        "sack": booleans(ends.of("end", "has_sack"), opened),
        "timestamps": booleans(ends.of("end", "has_timestamps"), opened),
        "first_window": ints(ends.of("end", "window_first")),
        "ttl": ints(ends.of("end", "ttl")),
        "other_ttl": counts(ends.of("end", "ttl_other")),
        "hops": codes(ends.pairs(hops(finished.originators), hops(finished.responders))),
        "handshake_rtt_ms": milliseconds(end - begin, (begin != 0) & (end >= begin)),
    }


def _round_trips(ends: _Ends) -> dict[str, Built]:
    samples, full = ends.of("flow", "rtt_samples"), ends.of("flow", "full_rtt_samples")
    measured: Mask = samples > 0
    fully: Mask = full > 0
    return {
        "rtt_min_ms": milliseconds(ends.of("flow", "rtt_min_ns"), measured),
        "rtt_mean_ms": milliseconds(ends.of("flow", "rtt_sum_ns") // np.maximum(samples, 1), measured),
        "rtt_max_ms": milliseconds(ends.of("flow", "rtt_max_ns"), measured),
        "rtt_p95_ms": milliseconds(ends.of("flow", "rtt_p95_ns"), measured),
        "full_rtt_min_ms": milliseconds(ends.of("flow", "full_rtt_min_ns"), fully),
        "full_rtt_mean_ms": milliseconds(ends.of("flow", "full_rtt_sum_ns") // np.maximum(full, 1), fully),
    }


def _reasons(ends: _Ends) -> dict[str, Built]:
    judged, given_up = ends.of("flow", "judged_by"), ends.of("stream", "gaps_by_reason")
    by_rule, rule = np.nonzero(judged)
    by_reason, reason = np.nonzero(given_up)
    count = len(judged)
    return {
        "decided_by": lists(np.bincount(by_rule, minlength=count), chosen([name for name, _ in RULES], rule)),
        "decisions": lists(np.bincount(by_rule, minlength=count), ints(judged[by_rule, rule])),
        "given_up_because": lists(np.bincount(by_reason, minlength=count), chosen([name for name, _ in REASONS], reason)),
    }
