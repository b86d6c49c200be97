"""The slow, obvious twin of the analysis of TCP: one object per direction, everything in lists, straight from the rules."""

from __future__ import annotations

from dataclasses import dataclass, field

FIN, SYN, RST, ACK = 1, 2, 4, 16
HAS_TIMESTAMPS = 2
MS = 1_000_000
NAMES = (
    "wireshark_retransmissions",
    "wireshark_fast_retransmissions",
    "wireshark_spurious_retransmissions",
    "wireshark_out_of_order",
    "duplicate_acks",
    "triple_duplicate_acks",
    "lost_segments",
    "zero_windows",
    "zero_window_episodes",
    "zero_window_ns",
    "window_full",
    "window_updates",
    "window_probes",
    "keep_alives",
    "max_in_flight",
    "segment_max",
    "idle_max_ns",
    "rtt_samples",
    "rtt_min_ns",
    "rtt_max_ns",
    "rtt_sum_ns",
    "rtt_ambiguous",
)


def diff(a: int, b: int) -> int:
    return (a - b + 2**31) % 2**32 - 2**31


@dataclass
class Way:
    """One direction."""

    scale: int | None = None  # as offered, 255 = not; None: no SYN seen
    next: int | None = None
    next_ts: int = 0
    ack: int = 0  # of the last packet, 0 before it
    has_ack: bool = False
    last_ts: int | None = None
    window: int | None = None
    window_of_syn: bool = False
    duplicates: int = 0
    kind: str = ""
    zero_since: int = 0
    unacked: list[tuple[int, int]] = field(default_factory=list)  # (end, ts)
    resent: list[tuple[int, int]] = field(default_factory=list)  # (from, highest byte then)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))

    @property
    def acked(self) -> bool:
        return self.has_ack and self.ack != 0

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] += by

    def most(self, name: str, value: int) -> None:
        self.counts[name] = max(self.counts[name], value)


class Analysis:
    """Both directions of one connection; `take` its packets (as fields of PACKET) in order."""

    def __init__(self) -> None:
        self.ways = (Way(), Way())
        self.syn_ts = self.synack_ts = self.irtt = 0

    def take(self, p: dict[str, int], sender: int) -> None:
        f, r = self.ways[sender], self.ways[1 - sender]
        flags, seq, size = p["tcp_flags"], p["seq"], p["payload_length"]
        end = (seq + size + (1 if flags & (SYN | FIN) else 0)) % 2**32
        ahead = None if f.next is None else diff(seq, f.next)
        if size == 1 and ahead == 0 and r.window == 0:
            kind = "probe"
            f.count("window_probes")
        else:
            kind = self.classify(f, r, p, ahead)
        self.note_window(f, p)
        if p["ack"] != f.ack:
            f.duplicates = 0
        goes_on = ahead == -1 and size > 1 and not flags & SYN
        if ahead is not None and ahead < 0 and (size or flags & (SYN | FIN)) and kind != "keep-alive" and not goes_on:
            self.resent(f, r, p, end)
        elif size and kind == "" and r.acked and diff((seq + size) % 2**32, r.ack) <= 0:
            f.count("wireshark_spurious_retransmissions")
        if f.last_ts is not None:
            f.most("idle_max_ns", p["ts"] - f.last_ts)
        if kind != "probe" and (f.next is None or diff(end, f.next) > 0):
            self.advance(f, r, p, end)
        if flags & ACK and not flags & RST and (not f.has_ack or diff(p["ack"], f.ack) > 0):
            self.acknowledge(r, p["ack"], p["ts"])
        f.has_ack = f.has_ack or bool(flags & ACK)
        f.ack, f.last_ts, f.window, f.kind, f.window_of_syn = p["ack"], p["ts"], p["window"], kind, bool(flags & SYN)
        if flags & SYN:
            f.scale = p["window_scale"]

    def classify(self, f: Way, r: Way, p: dict[str, int], ahead: int | None) -> str:
        flags, size = p["tcp_flags"], p["payload_length"]
        if ahead is not None and ahead > 0 and not flags & RST:
            f.count("lost_segments")
        if flags & (SYN | FIN | RST):
            return ""
        if ahead == -1 and size <= 1:
            f.count("keep_alives")
            return "keep-alive"
        if size > 0 and r.scale is not None and r.window is not None:
            scaled = not r.window_of_syn and r.scale != 255 and f.scale != 255
            room = r.window << (min(r.scale, 14) if scaled else 0)
            f.count("window_full", int((p["seq"] + size) % 2**32 == (r.ack + room) % 2**32))
        if size == 0 and ahead == 0 and p["ack"] == f.ack:
            self.pure(f, r, p["window"])
        return ""

    def note_window(self, f: Way, p: dict[str, int]) -> None:
        if p["window"] == 0 and not p["tcp_flags"] & (SYN | FIN | RST):
            f.count("zero_windows")
            if not f.zero_since:
                f.zero_since = p["ts"]
                f.count("zero_window_episodes")
        elif p["window"] and f.zero_since and not p["tcp_flags"] & RST:
            f.count("zero_window_ns", max(p["ts"] - f.zero_since, 0))
            f.zero_since = 0

    def advance(self, f: Way, r: Way, p: dict[str, int], end: int) -> None:
        f.next, f.next_ts = end, p["ts"]
        if p["payload_length"]:
            f.most("segment_max", p["payload_length"])
            f.unacked.append((end, p["ts"]))
            if r.acked:
                f.most("max_in_flight", diff(end, r.ack))

    def pure(self, f: Way, r: Way, window: int) -> None:
        if window != f.window:
            f.count("window_updates", int(window != 0))
        elif window and r.kind != "keep-alive":
            f.duplicates += 1
            f.count("duplicate_acks")
            f.count("triple_duplicate_acks", int(f.duplicates == 3))

    def resent(self, f: Way, r: Way, p: dict[str, int], end: int) -> None:
        seq, size, ts = p["seq"], p["payload_length"], p["ts"]
        assert f.next is not None
        limit = self.irtt or 3 * MS
        if size and r.acked and diff((seq + size) % 2**32, r.ack) <= 0:
            name = "wireshark_spurious_retransmissions"
        elif r.duplicates >= 2 and r.ack == seq and r.last_ts is not None and 0 <= ts - r.last_ts < 20 * MS:
            name = "wireshark_fast_retransmissions"
        elif 0 <= ts - f.next_ts < limit and end != f.next:
            name = "wireshark_out_of_order"
        else:
            name = "wireshark_retransmissions"
        f.count(name)
        f.resent.append((seq, f.next))

    def acknowledge(self, r: Way, ack: int, ts: int) -> None:
        while r.unacked and diff(r.unacked[0][0], ack) <= 0:
            end, sent = r.unacked.pop(0)
            if end != ack:
                continue
            low = min((seq for seq, _ in r.resent), key=lambda seq: diff(seq, end), default=None)
            is_ambiguous = low is not None and diff(end, low) > 0 and diff(end, r.resent[-1][1]) <= 0
            if is_ambiguous or ts < sent:
                r.count("rtt_ambiguous")
                continue
            rtt = ts - sent
            first = not r.counts["rtt_samples"]
            r.counts["rtt_min_ns"] = rtt if first else min(r.counts["rtt_min_ns"], rtt)
            r.most("rtt_max_ns", rtt)
            r.count("rtt_sum_ns", rtt)
            r.count("rtt_samples")
        if r.resent and diff(ack, r.resent[-1][1]) >= 0:
            r.resent = []
