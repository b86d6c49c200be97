"""The report beside Wireshark's reading: the same connections dissected by tshark, value by value.

What tshark has no word for (phases, attribution) is not compared, and neither are connections in tunnels, of which its fields do not
say to which layer they belong.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.report.choosing import Choice, numbers_of
from analyzer.selection import select_packets, track_captures
from analyzer.slicing import copy_frames
from analyzer.tables import Ints
from analyzer.tshark import NEXT, key_preferences, read_fields

Row = dict[str, Any]
Frame = dict[str, list[str]]
_FIELDS: Final = (
    "frame.number", "ip.src", "ipv6.src", "tcp.srcport", "tcp.stream", "udp.stream", "tcp.analysis.initial_rtt",
    "tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.zero_window", "dns.id", "dns.flags.response", "dns.qry.name",
    "dns.flags.rcode", "dns.time", "tls.handshake.type", "tls.handshake.version", "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite", "tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.ja3s",
    "tls.handshake.extensions_alpn_str", "http.request.method", "http.request.uri", "http.response.code",
)  # fmt: skip
_TABLES: Final = ("connections", "tcp", "tls", "dns", "http")
CLOSE_MS: Final = 0.0015  # times are the same when they differ by less: tshark's have microseconds in some captures


@dataclass(frozen=True)
class Disagreement:
    """One value that was read differently."""

    connection: int
    what: str
    ours: str
    theirs: str
    frame: int


@dataclass
class Verdict:
    """What was compared, how often both agree, and where not.

    ``judged``: ends of connections by the evidence that calls segments something else than Wireshark's guess by time does.
    """

    connections: int = 0
    of: int = 0
    left_out: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    judged: Counter[str] = field(default_factory=Counter)

    def compare(self, row: Row, what: str, ours: Any, theirs: Any, frame: int = 0) -> None:
        """Note one value; times in ms, other values as text."""
        self.compared[what] += 1
        is_same = abs(ours - theirs) <= CLOSE_MS if isinstance(ours, float) and isinstance(theirs, float) else str(ours) == str(theirs)
        if not is_same:
            told = (f"{one:.6f}".rstrip("0") if isinstance(one, float) else str(one) for one in (ours, theirs))
            self.disagreements.append(Disagreement(int(row["connection"]), what, next(told), next(told), frame or int(row["first_frame"])))


def choose_sample(captures: Sequence[str], sample: int, options: Options) -> tuple[Ints, int]:
    """Numbers of so many connections (0: all), evenly spread, and how many there are."""
    total = 0
    for tracked in track_captures(captures, options):
        total = tracked.tracker.begun
    count = min(sample, total) if sample else total
    return np.unique(np.linspace(1, total, count).round().astype(np.int64)) if total else np.zeros(0, np.int64), total


def read_ours(captures: Sequence[str], numbers: Ints, options: Options) -> dict[str, list[Row]]:
    """Rows of the tables that are compared, of these connections."""
    choice = Choice(lambda sheet: np.isin(numbers_of(sheet, "connection"), numbers))
    ours: dict[str, list[Row]] = {name: [] for name in _TABLES}
    for tables in Pipeline(options).run(captures):
        kept = choice.apply(tables)
        for name in _TABLES:
            ours[name] += kept[name].to_pylist()
    return ours


def read_theirs(captures: Sequence[str], numbers: Ints, options: Options) -> dict[int, list[Frame]]:
    """Fields of the frames of each connection, by tshark; ``frame.number`` is that of the captures."""
    owners: dict[int, set[int]] = defaultdict(set)
    for selected in select_packets(captures, numbers.tolist(), options):
        for frame, number in zip(selected.packets["number"].tolist(), selected.numbers.tolist(), strict=True):
            owners[frame].add(number)
    frames = np.array(sorted(owners), np.int64)
    found: dict[int, list[Frame]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.pcapng"
        copy_frames(captures, frames, path, options)
        extra = ["-o", "tcp.reassemble_out_of_order:TRUE", *key_preferences(options.keylog)]
        for row in read_fields(str(path), _FIELDS, extra=extra):
            told = {name: value.split(NEXT) if value else [] for name, value in zip(_FIELDS, row, strict=False)}
            frame = int(frames[int(told["frame.number"][0]) - 1])
            told["frame.number"] = [str(frame)]
            for number in owners[frame]:
                found[number].append(told)
    return found


def verify(captures: Sequence[str], sample: int, options: Options) -> Verdict:
    """Compare a sample of connections, 0: all.

    Raises:
        AnalyzerError: tshark is not installed, or gives up.
        CaptureError: none of the captures can be read.
    """
    numbers, total = choose_sample(captures, sample, options)
    ours = read_ours(captures, numbers, options)
    theirs = read_theirs(captures, numbers, options)
    verdict = Verdict(of=total)
    carriers = {row["tunnel_connection"] for row in ours["connections"]}
    in_tunnels = {row["connection"] for row in ours["connections"] if row["tunnel"] or row["connection"] in carriers}
    verdict.left_out = len(in_tunnels)
    by_number: dict[str, dict[int, list[Row]]] = {name: defaultdict(list) for name in _TABLES}
    for name in _TABLES:
        for row in ours[name]:
            by_number[name][row["connection"]].append(row)
    for row in sorted(ours["connections"], key=lambda one: int(one["connection"])):
        number = row["connection"]
        if number in in_tunnels:
            continue
        verdict.connections += 1
        frames = [frame for frame in theirs.get(number, []) if len(frame["tcp.stream"]) + len(frame["udp.stream"]) == 1]  # no ICMP errors
        if row["transport"] == "tcp":
            compare_tcp(verdict, row, by_number["tcp"][number], frames)
        for name, compare in _COMPARISONS:
            compare(verdict, row, by_number[name][number], frames)
    return verdict


def first(frame: Frame, name: str) -> str:
    """The first occurrence of a field; nothing when there is none."""
    return frame[name][0] if frame[name] else ""


def frame_of(frame: Frame) -> int:
    """Its number in the captures."""
    return int(frame["frame.number"][0])


def compare_tcp(verdict: Verdict, row: Row, ours: Sequence[Row], frames: Sequence[Frame]) -> None:
    """Packets by sender, the handshake's time, and what each end sent again by Wireshark's rules, which we count beside our own."""
    ends = {one["sender"]: one for one in ours}
    sides: dict[str, list[Frame]] = {"originator": [], "responder": []}
    for frame in frames:
        address = first(frame, "ip.src") or first(frame, "ipv6.src")
        is_originator = (address, first(frame, "tcp.srcport")) == (row["originator_ip"], str(row["originator_port"]))
        sides["originator" if is_originator else "responder"].append(frame)
    for side, some in sides.items():
        verdict.compare(row, f"{side} packets", row[f"{side}_packets"], len(some))
        end = ends.get(side, {})
        resent = sum(end.get(f"wireshark_{kind}retransmissions") or 0 for kind in ("", "fast_", "spurious_"))
        overtaken, closed = end.get("wireshark_out_of_order") or 0, row[f"tcp_{side}_zero_windows"] or 0
        for name, theirs, value in (
            ("retransmissions", "retransmission", resent),
            ("out_of_order", "out_of_order", overtaken),
            ("zero_windows", "zero_window", closed),
        ):
            found = [frame for frame in some if frame[f"tcp.analysis.{theirs}"]]
            verdict.compare(row, f"tcp {name}", value, len(found), frame_of(found[0]) if found else 0)
        if ((end.get("retransmissions") or 0), (end.get("out_of_order") or 0)) != (resent, overtaken):
            verdict.judged.update(end.get("decided_by") or ["acknowledged before the capture saw it"])
    times = [frame for frame in frames[2:3] if frame["tcp.analysis.initial_rtt"]]  # nothing was repeated: tshark begins at the last SYN
    if times and row["tcp_connect_ms"]:
        verdict.compare(row, "tcp_connect_ms", row["tcp_connect_ms"], 1e3 * float(first(times[0], "tcp.analysis.initial_rtt")))


def hellos(frames: Sequence[Frame], kind: str) -> list[Frame]:
    """Frames in which a ClientHello (1) or ServerHello (2) ends, with no other hello."""
    return [
        frame
        for frame in frames
        if frame["tls.handshake.type"].count(kind) == 1 and not {"1", "2"} - {kind} & set(frame["tls.handshake.type"])
    ]


def compare_tls(verdict: Verdict, row: Row, ours: Sequence[Row], frames: Sequence[Frame]) -> None:
    """What the hellos say."""
    if len(ours) != 1:
        return
    mine, clients, servers = ours[0], hellos(frames, "1"), hellos(frames, "2")
    if clients:
        one, number = clients[0], frame_of(clients[0])
        verdict.compare(row, "tls sni", mine["sni"] or "", first(one, "tls.handshake.extensions_server_name"), number)
        if one["tls.handshake.ja3"] and not mine["is_retried"]:
            verdict.compare(row, "tls ja3", mine["ja3"], first(one, "tls.handshake.ja3"), number)
    if len(servers) == 1 and mine["version_code"] is not None:
        one, number = servers[0], frame_of(servers[0])
        version = first(one, "tls.handshake.extensions.supported_version") or first(one, "tls.handshake.version")
        verdict.compare(row, "tls version", mine["version_code"], int(version or "0", 16), number)
        if one["tls.handshake.ciphersuite"]:
            verdict.compare(row, "tls cipher suite", mine["cipher_suite_code"], int(first(one, "tls.handshake.ciphersuite"), 16), number)
        if one["tls.handshake.ja3s"]:
            verdict.compare(row, "tls ja3s", mine["ja3s"], first(one, "tls.handshake.ja3s"), number)


def compare_dns(verdict: Verdict, row: Row, ours: Sequence[Row], frames: Sequence[Frame]) -> None:
    """Question, response code and time of each lookup whose response is one message of its frame."""
    responses = {frame_of(frame): frame for frame in frames if frame["dns.flags.response"] in (["1"], ["True"])}
    for mine in ours:
        frame = responses.get(mine["response_frame"] or 0)
        if frame is None or mine["error"]:
            continue
        name = first(frame, "dns.qry.name")
        if len(frame["dns.qry.name"]) == 1 and mine["name"] is not None and name.isascii() and "\\" not in mine["name"]:
            verdict.compare(row, "dns name", mine["name"] if mine["name"] not in ("", ".") else "<Root>", name, frame_of(frame))
        if frame["dns.time"] and mine["rtt_ms"] is not None and mine["queries"] == 1 and mine["responses"] == 1:
            verdict.compare(row, "dns rtt_ms", mine["rtt_ms"], 1e3 * float(first(frame, "dns.time")), frame_of(frame))


def compare_http(verdict: Verdict, row: Row, ours: Sequence[Row], frames: Sequence[Frame]) -> None:
    """Methods, targets and status codes in their order."""
    if (
        not ours
        or any(one["error"] for one in ours)
        or any(not str(one["version"] or one["response_version"]).startswith("1") for one in ours)
    ):
        return
    requests = [(method, frame_of(frame)) for frame in frames for method in frame["http.request.method"]]
    mine = [one["method"] for one in ours if one["method"]]
    if requests:
        verdict.compare(row, "http methods", " ".join(mine), " ".join(method for method, _ in requests), requests[0][1])
    codes = [
        (int(code), frame_of(frame)) for frame in frames for code in frame["http.response.code"] if int(code) >= 200 or int(code) == 101
    ]
    if codes:
        told = [str(one["status"]) for one in ours if one["status"]]
        verdict.compare(row, "http status", " ".join(told), " ".join(str(code) for code, _ in codes), codes[0][1])


_COMPARISONS: Final[tuple[tuple[str, Callable[[Verdict, Row, Sequence[Row], Sequence[Frame]], None]], ...]] = (
    ("tls", compare_tls),
    ("dns", compare_dns),
    ("http", compare_http),
)


def describe(verdict: Verdict) -> Iterator[str]:
    """The verdict as lines."""
    left = f" ({verdict.left_out:,} in tunnels left out)" if verdict.left_out else ""
    yield f"Compared {verdict.connections:,} of {verdict.of:,} connections{left}"
    different = Counter(one.what for one in verdict.disagreements)
    if verdict.compared:
        yield ""
        yield f"{'value':24} {'compared':>9} {'agree':>9} {'differ':>9}"
        for what, count in sorted(verdict.compared.items()):
            yield f"{what:24} {count:9,} {count - different[what]:9,} {different[what] or '.':>9}"
    if verdict.judged:
        told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(verdict.judged.items()))
        yield ""
        yield "Sent again or overtaken: where evidence speaks against Wireshark's guess by time, the report follows the evidence."
        yield f"Ends of connections where it did: {told}"
