"""The slow, obvious twin of stage 3: objects and dicts, one packet at a time, straight from the rules.

It knows TCP, UDP and ICMP over IPv4 and streams shorter than 2 GB: sequence numbers are plain signed distances from the first one, and
what has been seen of a stream is a set of byte numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.connections.tracker import DNS_PORTS
from analyzer.registries.ip import LIKELY_SERVER_TCP, LIKELY_SERVER_UDP

FIN, SYN, RST, ACK = 1, 2, 4, 16
BAD_CHECKSUM = 16
S = 1_000_000_000
ICMP_PAIRS = {0: 8, 8: 0, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 9: 10, 10: 9}
HANDSHAKE = ("INACTIVE", "SYN_SENT", "SYN_ACK_SENT")
NAMES = ("INACTIVE", "SYN_SENT", "SYN_ACK_SENT", "PARTIAL", "ESTABLISHED", "CLOSED", "RESET")


def distance(a: int, b: int) -> int:
    return (a - b + 2**31) % 2**32 - 2**31


@dataclass
class End:
    state: str = "INACTIVE"
    before: str = "INACTIVE"
    start: int = 0
    last: int = 0  # relative to start
    acked: int = 0
    fin: int = 0
    closed: bool = False
    eof: bool = False
    skipping: bool = False
    in_order: int = 1
    trimmed: int = 1
    seen: set[int] = field(default_factory=set)  # bytes beyond in_order
    missed: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    packets: int = 0
    ip_bytes: int = 0
    payload: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    def go(self, state: str) -> None:
        if state != self.state:
            self.before, self.state = self.state, state

    @property
    def clean(self) -> bool:
        return self.state == "ESTABLISHED" or (self.state == "CLOSED" and self.before == "ESTABLISHED")

    @property
    def idle(self) -> bool:
        return self.state in ("INACTIVE", "PARTIAL")


class Connection:
    def __init__(self, number: int, p: dict[str, int], *, zeek: bool) -> None:
        self.number, self.zeek, self.protocol = number, zeek, p["protocol"]
        self.ends = [End(), End()]
        self.a, self.b = (p["src_lo"], ports(p)[0]), (p["dst_lo"], ports(p)[1])
        self.first = self.last = self.productive = p["ts"]
        self.history, self.seen = "", set[str]()
        self.flipped = False
        self.partial, self.was_seen = False, set[str]()
        self.deferred = self.complete = False
        self.attempt = 0
        self.deadline = 0
        if begins_flipped(p):
            self.flipped = True
            self.history = "^"
        server = p["src_port"] if self.flipped else p["dst_port"]
        self.dns = self.protocol == 17 and server in DNS_PORTS

    @property
    def orig(self) -> End:
        return self.ends[1 if self.flipped else 0]

    @property
    def resp(self) -> End:
        return self.ends[0 if self.flipped else 1]

    def letter(self, e: End, letter: str) -> str:
        return letter if e is self.orig else letter.lower()

    def once(self, e: End, key: str, letter: str) -> bool:
        role = key + ("o" if e is self.orig else "r")
        if role in self.seen:
            return True
        self.seen.add(role)
        self.history += self.letter(e, letter)
        return False

    def scaled(self, e: End, letter: str) -> None:
        e.counts[letter] = e.counts.get(letter, 0) + 1
        if str(e.counts[letter]).strip("0") == "1":
            self.history += self.letter(e, letter)

    def flip(self) -> None:
        self.flipped = not self.flipped
        self.partial = False
        self.was_seen = {{"o": "r", "r": "o"}[role] for role in self.was_seen}
        self.history += "^"

    # ---- one packet

    def take(self, p: dict[str, int], sender: int, now: int) -> None:
        e, q = self.ends[sender], self.ends[1 - sender]
        self.last = p["ts"]
        was_complete = self.complete
        if p.get("marks", 0) & BAD_CHECKSUM:
            if self.protocol in (6, 17):
                self.scaled(e, "C")
            if self.deadline == 0:
                self.set_deadline(p["ts"] if self.zeek else now, was_complete=False)
            return
        if self.protocol == 6:
            self.segment(p, e, q)
        else:
            e.go("ESTABLISHED")
            self.productive = p["ts"]
            if self.protocol == 17:
                self.once(e, "data", "D")
        e.packets += 1
        e.ip_bytes += p["ip_length"]
        e.payload += p["payload_length"]
        self.set_deadline(p["ts"] if self.zeek else now, was_complete=was_complete)

    def segment(self, p: dict[str, int], e: End, q: End) -> None:
        flags, size = p["tcp_flags"], p["payload_length"]
        syn, fin, rst, ack = flags & SYN, flags & FIN, flags & RST, flags & ACK
        if self.history == "H" and not (syn or fin or rst) and (ack or size):
            self.flip()
            self.history = "^h"
            self.was_seen = {"o", "r"}
        if e is self.orig and "o" not in self.was_seen:
            self.partial = not syn or bool(ack)
        elif e is self.resp and "r" not in self.was_seen and not self.partial:
            self.partial = not syn
        length = (0 if rst else size) + bool(syn) + bool(fin)
        self.begin(e, p["seq"], length, syn=bool(syn))
        rel = distance(p["seq"], e.start % 2**32)
        self.flags(e, flags, rel, size)
        if p["window"] == 0 and not rst and q.state != "CLOSED" and e.state != "RESET":
            self.scaled(e, "W")
        if not (e.closed and q.closed):
            self.productive = p["ts"]
        if fin:
            e.fin = rel + length
        rel_ack = self.acknowledgement(q, p["ack"], rst=bool(rst)) if ack else 0
        self.advance(e, rel + length, flags, size)
        closes = self.change(p, e, q)
        self.was_seen.add("o" if e is self.orig else "r")
        if ack:
            self.acknowledge(q, e, rel_ack)
        if size and not rst and rel >= 0 and p["payload_size"] >= size:
            self.data(e, rel + bool(syn), size)
        self.check_eof(e, q)
        if closes:
            self.close(e, q)

    def begin(self, e: End, seq: int, length: int, *, syn: bool) -> None:
        fresh = e.state == "INACTIVE" or (e.state == "RESET" and e.before == "INACTIVE")
        other = e.state in ("SYN_SENT", "SYN_ACK_SENT") and seq != e.start
        if syn and (fresh or other or e.state in ("ESTABLISHED", "PARTIAL")):
            e.start, e.acked, e.last = seq, 0, length
        elif e.state == "INACTIVE" and not syn:
            e.start, e.acked, e.last = (seq - 1) % 2**32, 0, 1

    def flags(self, e: End, flags: int, rel: int, size: int) -> None:
        which = [name for name, bit in (("S", SYN), ("F", FIN), ("R", RST)) if flags & bit]
        if not which:
            if size:
                self.once(e, "data", "D")
            elif flags & ACK:
                self.once(e, "ack", "A")
        elif len(which) > 1:
            self.once(e, "mixed" + "I" * ("F" in which and "R" in which), "I" if "F" in which and "R" in which else "Q")
        else:
            kind = which[0]
            place = rel + size if kind == "F" else rel
            letter = "H" if kind == "S" and flags & ACK else kind
            if self.once(e, kind, letter) and place != e.marks.get(kind, 0):
                self.history += self.letter(e, letter)
            e.marks[kind] = place

    def acknowledgement(self, q: End, ack: int, *, rst: bool) -> int:
        if q.state == "INACTIVE":
            q.start, q.acked, q.last = (ack - 1) % 2**32, 0, 0
            return 1
        rel = distance(ack, q.start)
        if rel < 0:
            return 0
        if not rst and rel > q.acked and not (ack == 0 and rel - q.acked > 1 << 20):
            q.acked = rel
        return rel

    def advance(self, e: End, end: int, flags: int, size: int) -> None:
        if flags & (SYN | RST) and abs(end - e.last) > 1 << 20:
            return
        if flags & FIN and e.last == 1:
            e.last = max(end, e.last)
        elif e.state == "RESET":
            pass
        elif end > e.last:
            e.last = end
        elif size:
            self.scaled(e, "T")

    def change(self, p: dict[str, int], e: End, q: End) -> bool:
        """The state table of the reference, row by row: whether the sender has closed."""
        flags = p["tcp_flags"]
        syn, fin, rst, ack = flags & SYN, flags & FIN, flags & RST, flags & ACK
        if e.state == "INACTIVE":
            self.awake(p, e, q)
            return bool(fin or rst)
        if e.state in ("SYN_SENT", "SYN_ACK_SENT"):
            if fin or rst:
                e.go("RESET" if rst else "CLOSED")
            return bool(fin or rst)
        if e.state in ("ESTABLISHED", "PARTIAL"):
            if rst:
                e.go("RESET")
            elif fin:
                e.go("CLOSED")
                if q.state == "RESET" and q.before == "CLOSED":
                    q.go("CLOSED")
            elif syn and not ack and e.state == "PARTIAL" and q.state == "INACTIVE":
                e.go("SYN_SENT")
            return bool(fin or rst)
        if e.state == "CLOSED" and rst and q.state != "CLOSED":
            e.go("RESET")
            return True
        return False

    def awake(self, p: dict[str, int], e: End, q: End) -> None:
        """The first packet of an end."""
        flags = p["tcp_flags"]
        syn, fin, rst, ack = flags & SYN, flags & FIN, flags & RST, flags & ACK
        if syn and e is self.orig:
            target = "SYN_ACK_SENT" if ack else "SYN_SENT"
            self.attempt = p["ts"] + 5 * S
        elif syn:
            if not ack and q.state == "SYN_ACK_SENT":
                self.flip()
                self.was_seen.add("o")
                q.go("ESTABLISHED")
            if q.state == "SYN_SENT":
                q.go("ESTABLISHED")
            target = "ESTABLISHED"
        elif e is self.resp and not p["payload_length"] and q.state == "SYN_SENT":
            target = "INACTIVE"
        elif ack and q.state == "ESTABLISHED":
            target = "ESTABLISHED"
            self.partial = self.partial and bool(fin or rst)
        else:
            target = "PARTIAL"
        e.go("RESET" if rst else "CLOSED" if fin else target)

    # ---- the stream

    def gap(self, e: End, q: End, size: int) -> None:
        if e.clean and q.clean:
            e.missed += size
            self.scaled(e, "G")

    def absorb(self, e: End) -> None:
        while e.in_order in e.seen:
            e.seen.discard(e.in_order)
            e.in_order += 1
        e.seen = {byte for byte in e.seen if byte > e.in_order}

    def acknowledge(self, e: End, q: End, up_to: int) -> None:
        if e.fin and up_to >= e.fin:
            up_to = e.fin - 1
        if up_to <= e.trimmed:
            return
        if up_to > e.in_order and not (up_to <= 2 and self.partial):
            while not e.skipping and e.in_order < up_to:
                hole = e.in_order
                while hole < up_to and hole not in e.seen:
                    hole += 1
                self.gap(e, q, hole - e.in_order)
                e.in_order = hole
                self.absorb(e)
            e.in_order = max(e.in_order, up_to)
        e.trimmed = up_to
        self.absorb(e)
        self.check_eof(e, q)

    def data(self, e: End, start: int, size: int) -> None:
        if e.skipping or start + size <= max(e.acked, e.trimmed):
            return
        e.seen |= {byte for byte in range(start, start + size) if byte >= max(e.acked, e.trimmed, e.in_order)}
        self.absorb(e)

    def pending(self, e: End, q: End) -> bool:
        if e.skipping or e.last < e.in_order:
            return False
        if e.in_order not in (e.last, e.last - 1):
            return True
        return e.state != "RESET" and (bool(q.seen) or q.in_order > q.trimmed)

    def close(self, e: End, q: End) -> None:
        if self.pending(e, q):
            self.deferred = True
            return
        self.deferred = False
        e.closed = True
        if e.state == "RESET" or q.closed or q.state == "INACTIVE":
            self.complete = True

    def check_eof(self, e: End, q: End) -> None:
        if not e.eof and (e.fin or e.state in ("CLOSED", "RESET")) and not self.pending(e, q):
            e.eof = True
            if self.deferred:
                self.close(e, q)
                self.deferred = False

    # ---- the end

    def set_deadline(self, now: int, *, was_complete: bool) -> None:
        if self.protocol == 6 and self.zeek:
            if self.complete:
                if not was_complete:
                    self.deadline = now + 5 * S
            elif self.orig.state in HANDSHAKE and self.resp.state in HANDSHAKE:
                self.deadline = now + 60 * S
                if self.orig.state != "INACTIVE" and self.resp.state == "INACTIVE" and self.attempt:
                    self.deadline = min(self.deadline, self.attempt)
            else:
                self.deadline = now + 300 * S
        elif self.protocol == 6:
            ended = [e.state in ("CLOSED", "RESET") for e in self.ends]
            if self.complete or all(ended) or "RESET" in (self.orig.state, self.resp.state):
                self.deadline = now + 5 * S
        elif not self.dns:
            self.deadline = now + 60 * S
        elif not self.zeek:
            self.deadline = now + 10 * S
        else:
            look = self.first + 10 * S
            while look < now + 9 * S:
                look += 10 * S
            self.deadline = look

    def is_past(self, now: int, before: int) -> bool:
        if self.deadline and self.deadline <= now:
            return True
        if self.zeek and self.dns:
            look = self.first + 10 * S
            while look <= before:
                look += 10 * S
            return look <= now and now - self.productive >= 9 * S
        return False

    def is_reuse(self, p: dict[str, int]) -> bool:
        if not p["tcp_flags"] & SYN:
            return False
        o, r = self.orig, self.resp
        if p["tcp_flags"] & ACK and o.state != "INACTIVE":
            return False
        if o.closed or r.closed:
            return True
        if p["tcp_flags"] & ACK:
            return p["seq"] != r.start
        swapped = o.state == "SYN_ACK_SENT" and r.state == "INACTIVE" and p["seq"] == r.start
        return p["seq"] != o.start and not swapped

    def size(self, e: End, q: End) -> int:
        if self.protocol != 6:
            return e.payload if self.protocol in (1, 17) else 0
        if e.before == "SYN_SENT" and e.state == "RESET" and q.state == "INACTIVE" and e.acked not in (0, 1):
            return 0
        span = max(e.last, e.acked)
        span -= 1 if span > 0 else 0
        span -= 1 if span > 0 and e.fin else 0
        return max(span, 0)

    def state(self) -> str:
        o, r = self.orig, self.resp
        if self.protocol == 17:
            return {(1, 1): "SF", (1, 0): "S0", (0, 1): "SHR", (0, 0): "OTH"}[o.packets > 0, r.packets > 0]
        if self.protocol != 6:
            return "OTH"
        if r.state == "RESET":
            if o.state in ("SYN_SENT", "SYN_ACK_SENT") or (o.state == "RESET" and not self.size(o, r) and not self.size(r, o)):
                return "REJ"
            return "RSTRH" if o.idle else "RSTR"
        if o.state == "RESET":
            return ("RSTOS0" if rejected(self.history) else "OTH") if r.idle else "RSTO"
        if o.state == r.state == "CLOSED":
            return "SF"
        if o.state == "CLOSED":
            return "SH" if r.idle else "S2"
        if r.state == "CLOSED":
            return "SHR" if o.idle else "S3"
        if (o.state, r.state) == ("SYN_SENT", "INACTIVE"):
            return "S0"
        return "S1" if o.state == r.state == "ESTABLISHED" else "OTH"

    def summary(self) -> dict[str, object]:
        facts: dict[str, object] = {"number": self.number, "a_lo": self.a[0], "b_lo": self.b[0], "a_port": self.a[1], "b_port": self.b[1]}
        facts |= {"protocol": self.protocol, "flipped": int(self.flipped), "first_ts": self.first, "last_ts": self.last}
        facts |= {"productive_ts": self.productive, "deadline": self.deadline, "conn_state": self.state(), "history": self.history}
        for end, e in enumerate(self.ends):
            values = (NAMES.index(e.state), e.packets, e.ip_bytes, e.payload, self.size(e, self.ends[1 - end]), e.missed)
            counts = tuple(e.counts.get(letter, 0) for letter in "TWG")
            names = (
                "state",
                "packets",
                "ip_bytes",
                "payload_bytes",
                "stream_bytes",
                "missed_bytes",
                "resent_segments",
                "zero_windows",
                "gaps",
            )
            facts |= {f"{name}_{end}": value for name, value in zip(names, values + counts, strict=True)}
        return facts


def rejected(history: str) -> bool:
    text = history.removeprefix("^")
    return text.startswith("S") and "R" in text and not set(text[: text.index("R")]) & set("HAFGIQ")


def ports(p: dict[str, int]) -> tuple[int, int]:
    if p["protocol"] in (6, 17):
        return p["src_port"], p["dst_port"]
    if p["protocol"] != 1:
        return 0, 0
    return p["src_port"], ICMP_PAIRS.get(p["src_port"], p["dst_port"])


def begins_flipped(p: dict[str, int]) -> bool:
    source, target = p["src_port"], p["dst_port"]
    if p["dst_lo"] == 0xFFFFFFFF:
        return False
    if p["protocol"] == 17:
        return source in LIKELY_SERVER_UDP and target not in LIKELY_SERVER_UDP
    if p["protocol"] != 6 or p["tcp_flags"] & (SYN | ACK) == SYN or source not in LIKELY_SERVER_TCP:
        return False
    return target not in LIKELY_SERVER_TCP or (not p["tcp_flags"] & SYN and source < target)


def follow(packets: list[dict[str, int]], *, zeek: bool) -> list[Connection]:
    """All connections of the packets, by number."""
    active: dict[object, Connection] = {}
    connections: list[Connection] = []
    now = 0
    for p in packets:
        before, now = now, max(now, p["ts"])
        source, target = (p["src_lo"], ports(p)[0]), (p["dst_lo"], ports(p)[1])
        one_way = p["protocol"] == 1 and p["src_port"] not in ICMP_PAIRS
        key = (p["protocol"], source, target) if one_way else (p["protocol"], frozenset((source, target)))
        c = active.get(key)
        if c is not None:
            late = c.is_past(now, before)
            if late or (p["protocol"] == 6 and c.is_reuse(p)):
                if not late or c.deadline > now:
                    c.deadline = now
                c = None
        if c is None:
            c = active[key] = Connection(len(connections) + 1, p, zeek=zeek)
            connections.append(c)
        c.take(p, 0 if source == c.a else 1, now)
    return connections
