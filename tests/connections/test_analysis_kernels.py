"""The analysis of TCP against its slow twin and, where it is installed, against tshark; and its rules one by one."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.batch import Batch
from analyzer.capture import open_captures
from analyzer.connections import Tracker
from analyzer.connections.analysis_kernels import read_sacks
from analyzer.kernel import IS_COMPILED
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import FLOW, IDLE_CAUSES
from analyzer.tables.packets import INTERFACE, PACKET
from tests.connections.analysis_twin import NAMES, Analysis
from tests.connections.rows import CLIENT, HANDSHAKE, SECOND, SERVER, START, batch, client, packet, server, table, timed, track

CAPTURES = Path(__file__).parents[2] / "captures"
EXAMPLES = 200 if IS_COMPILED else 25
MS = 1_000_000


def flows(tracker: Tracker, row: int = 0) -> tuple[Rows, Rows]:
    """FLOW rows of both ends of a connection."""
    pair = int(tracker.connections["flow"][row])
    return tracker.flows[2 * pair], tracker.flows[2 * pair + 1]


def analyse(*packets: dict[str, int], step: int = MS) -> tuple[Rows, Rows]:
    """FLOW rows of client and server after a handshake and these packets."""
    tracker, _ = track(timed([*HANDSHAKE, *packets], step))
    return flows(tracker)


# ---- the twin


@st.composite
def exchanges(draw: st.DrawFn) -> list[dict[str, int]]:
    """Packets of one TCP connection, near each other in sequence space and near a wrap; never one that begins another connection."""
    isns = draw(st.sampled_from(((1000, 9000), (2**32 - 20, 2**32 - 3))))
    scales = draw(st.sampled_from(((255, 255), (2, 1), (3, 255))))
    steps = st.sampled_from((1000, MS, 5 * MS, 30 * MS, SECOND, -MS))
    packets, now = [], START
    for i in range(draw(st.integers(1, 30))):
        now += draw(steps)
        sender = draw(st.integers(0, 1)) if i else 0
        flags = ("S", "SA")[sender] if i < 2 else draw(st.sampled_from(("A", "A", "A", "A", "A", "PA", "FA")))
        size = 0 if "S" in flags else draw(st.sampled_from((0, 0, 0, 1, 5, 10)))
        at, ack = (0, 1) if "S" in flags else (draw(st.integers(0, 30)), draw(st.integers(0, 30)))
        ports = (50000, 80) if sender == 0 else (80, 50000)
        fields: dict[str, Any] = {"src_port": ports[0], "dst_port": ports[1], "ts": now, "seq": (isns[sender] + at) % 2**32}
        fields["ack"] = (isns[1 - sender] + ack) % 2**32 if "A" in flags else 0
        fields["window"] = draw(st.sampled_from((10, 10, 10, 20, 0)))
        fields["window_scale"] = scales[sender] if "S" in flags else 255
        packets.append(packet(*((CLIENT, SERVER) if sender == 0 else (SERVER, CLIENT)), flags, size, **fields))
    return packets


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=exchanges(), cut=st.integers(1, 12))
def test_twin(packets: list[dict[str, int]], cut: int) -> None:
    tracker, twin = Tracker(Options(), rows=1), Analysis()
    for start in range(0, len(packets), cut):
        rows = table(packets[start : start + cut], start + 1)
        tracker.track(batch(rows))
        for p, row in zip(packets[start : start + cut], rows, strict=True):
            if tracker.begun > 1:
                return  # the first was over
            twin.take(p, int(row.sender))
            c = tracker.connections[0]
            twin.irtt = int(c.irtt_ns) if 0 < int(c.ack_number) <= int(row.number) else 0
    if tracker.connections["flow"][0]:
        got = [{name: int(flow[name]) for name in NAMES} for flow in flows(tracker)]
        assert got == [way.counts for way in twin.ways]


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=exchanges(), cut=st.integers(1, 12))
def test_batches_do_not_matter(packets: list[dict[str, int]], cut: int) -> None:
    whole, cuts = Tracker(Options(), rows=4), Tracker(Options(), rows=1)
    whole.track(batch(table(packets)))
    for start in range(0, len(packets), cut):
        cuts.track(batch(table(packets[start : start + cut], start + 1)))
    for tracker in (whole, cuts):
        tracker.expire(START, everything=True)
    used = 2 * int(whole.connections["flow"].max()) + 2
    assert np.array_equal(whole.flows[:used], cuts.flows[:used])


# ---- tshark

FIELDS = {
    "wireshark_retransmissions": "retransmission",
    "wireshark_fast_retransmissions": "fast_retransmission",
    "wireshark_spurious_retransmissions": "spurious_retransmission",
    "wireshark_out_of_order": "out_of_order",
    "duplicate_acks": "duplicate_ack",
    "lost_segments": "lost_segment",
    "acked_unseen": "ack_lost_segment",
    "zero_windows": "zero_window",
    "window_full": "window_full",
    "window_updates": "window_update",
    "window_probes": "zero_window_probe",
    "keep_alives": "keep_alive",
}
RECORDED = ("lossy-path.pcap", "zero-window.pcapng", "keep-alive.pcap", "half-close.pcap", "missing-syn.pcap", "offload.pcapng",
            "one-sided.pcap", "tcp-fast-open.pcapng", "snaplen-64.pcap", "page-load.pcapng")  # fmt: skip


def read(path: Path) -> Tracker:
    """A tracker that has seen a whole capture."""
    options = Options()
    memory = Memory(options.limits.chunk_bytes, 2, 1 << 16)
    decoder, tracker = Decoder(options), Tracker(options)
    with open_captures([str(path)], memory, options.limits) as source:
        for piece in source.batches():
            decoder.decode(piece)
            tracker.track(piece)
    return tracker


def count_as_tshark(path: Path) -> Counter[tuple[str, int]]:
    """(field, source port) -> packets that tshark marks so; a fast or spurious retransmission is not also a plain one."""
    command = ["tshark", "-r", str(path), "-Y", "tcp", "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-e", "tcp.srcport"]
    for name in FIELDS.values():
        command += ["-e", f"tcp.analysis.{name}"]
    counts: Counter[tuple[str, int]] = Counter()
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        port, *values = line.split("\t")
        marks = {name for name, value in zip(FIELDS, values, strict=True) if value not in ("", "0")}
        if marks & {"wireshark_fast_retransmissions", "wireshark_spurious_retransmissions"}:
            marks.discard("wireshark_retransmissions")
        counts.update((name, int(port)) for name in marks)
    return counts


@pytest.mark.parametrize("name", RECORDED)
def test_as_tshark(name: str) -> None:
    path = CAPTURES / name
    if not path.exists():
        pytest.skip("not recorded here")
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    tracker = read(path)
    got: Counter[tuple[str, int]] = Counter()
    for c in tracker.connections[tracker.connections["flow"] > 0]:
        for flow, port in zip((tracker.flows[2 * c.flow], tracker.flows[2 * c.flow + 1]), (c.a_port, c.b_port), strict=True):
            got.update({(field, int(port)): int(flow[field]) for field in FIELDS})
    assert +got == count_as_tshark(path)


# ---- one by one


def test_a_lone_syn_has_no_flow() -> None:
    tracker, _ = track([client("S")])
    assert tracker.connections["flow"][0] == 0
    assert not tracker.flows.view(np.uint8).any()


def test_a_syn_sent_again_is_a_retransmission() -> None:
    tracker, _ = track(timed([client("S"), client("S")], SECOND))
    assert tracker.endpoints["retransmissions"][0] == 1
    assert flows(tracker)[0].wireshark_retransmissions == 1


def test_a_segment_that_goes_on_with_the_byte_of_a_probe_is_new() -> None:
    mine, _ = analyse(client("A", 100, 1, 1), client("A", 200, 100, 1))
    assert (mine.wireshark_retransmissions, mine.wireshark_out_of_order) == (0, 0)
    mine, _ = analyse(client("A", 100, 1, 1), client("A", 200, 99, 1))
    assert mine.wireshark_retransmissions + mine.wireshark_out_of_order == 1


def test_flows_and_segments_are_given_back() -> None:
    tracker = Tracker(Options(), rows=1)
    for i in range(20):
        ports = {"src_port": 2000 + i}, {"dst_port": 2000 + i}
        packets = [client("S", **ports[0]), server("SA", ack=1, **ports[1]), client("A", 50, seq=1, ack=1, **ports[0])]
        tracker.track(batch(table(packets, 3 * i + 1)))
        tracker.release(tracker.expire(START, everything=True))
    assert len(tracker.flows) == 8
    assert len(tracker._segments) <= 4
    assert not tracker.flows.view(np.uint8).any()


def test_zero_window_episode_and_its_time() -> None:
    a, b = analyse(
        client("A", 100, seq=1, ack=1),
        server("A", seq=1, ack=101, window=0),
        client("A", 1, seq=101, ack=1),
        server("A", seq=1, ack=101, window=0),
        server("A", seq=1, ack=101, window=500),
        step=10 * MS,
    )
    assert (b.zero_windows, b.zero_window_episodes, b.zero_window_ns, b.duplicate_acks) == (2, 1, 30 * MS, 0)
    assert (b.window_updates, a.window_probes) == (1, 1)


def test_zero_window_that_stays_lasts_to_the_end() -> None:
    tracker, _ = track(timed([*HANDSHAKE, server("A", seq=1, ack=1, window=0), client("A", seq=1, ack=1)], MS))
    tracker.expire(START + SECOND, everything=True)
    assert flows(tracker)[1].zero_window_ns == MS


def test_window_full_counts_the_scale() -> None:
    opening = [client("S", window_scale=7), server("SA", ack=1, window_scale=3), client("A", seq=1, ack=1)]
    tracker, _ = track(timed([*opening, server("A", seq=1, ack=1, window=100), client("A", 800, seq=1, ack=1)]))
    assert flows(tracker)[0].window_full == 1


def test_initial_window_and_most_in_flight() -> None:
    burst = [client("A", 100, seq=1 + 100 * i, ack=1) for i in range(4)]
    more = [client("A", 100, seq=401 + 100 * i, ack=1) for i in range(5)]
    a, _ = analyse(*burst, server("A", seq=1, ack=101), *more, server("A", seq=1, ack=901))
    assert (a.initial_window, a.max_in_flight, a.segment_max) == (400, 800, 100)


def test_idle_and_its_cause() -> None:
    lost = client("A", 100, seq=1, ack=1, ts=START + 3 * MS)
    rows = [*timed([*HANDSHAKE, lost]), lost | {"ts": START + SECOND}]
    tracker, _ = track(rows)
    a, _ = flows(tracker)
    assert (a.idle_max_ns, a.idle_end_number, IDLE_CAUSES[a.idle_cause]) == (SECOND - 3 * MS, 5, "retransmission")


def sack(*blocks: tuple[int, int]) -> bytes:
    """The SACK option after two NOPs."""
    body = b"".join(edge.to_bytes(4, "big") for block in blocks for edge in block)
    return bytes((1, 1, 5, 2 + len(body))) + body


@pytest.mark.parametrize(
    ("options", "blocks", "dsacks"),
    [
        (sack((120, 130)), [(120, 130)], 0),
        (sack((120, 130), (150, 160), (180, 190), (200, 210)), [(120, 130), (150, 160), (180, 190), (200, 210)], 0),
        (sack((50, 60), (120, 130)), [(120, 130)], 1),
        (sack((120, 110)), [], 0),
        (b"\x05", [], 0),
        (b"\x05\x00", [], 0),
        (b"\x05\x0a\x00\x00", [], 0),
        (b"\x08\x0a12345678" + sack((120, 130)), [(120, 130)], 0),
        (b"\x00" + sack((120, 130)), [], 0),
    ],
)
def test_sack_blocks(options: bytes, blocks: list[tuple[int, int]], dsacks: int) -> None:
    data = np.frombuffer(b"???" + options, np.uint8).copy()
    p, f = new_table(PACKET, 1)[0], new_table(FLOW, 1)[0]
    p.offset, p.tcp_options, p.tcp_options_size = 1, 2, len(options)
    read_sacks(data, p, f, 100)
    assert [(int(f.sack_start[k]), int(f.sack_end[k])) for k in range(int(f.sacks))] == blocks
    assert f.dsacks == dsacks


@pytest.mark.parametrize("seed", range(3))
def test_any_options(seed: int) -> None:
    """Options of noise raise nothing."""
    random = np.random.default_rng(seed)
    memory = Memory(4096, 1, 64)
    count = 300 if IS_COMPILED else 60
    memory.data[:4096] = random.integers(0, 12, 4096)
    rows = table([client("A", int(random.integers(0, 3)), seq=int(random.integers(0, 30)), ack=1, ts=START + i) for i in range(count)])
    rows["offset"] = random.integers(0, 4000, count)
    rows["tcp_options_size"] = random.integers(0, 41, count)
    tracker = Tracker(Options(), rows=1)
    tracker.track(Batch(memory, rows, new_table(INTERFACE, 0), START + count, count))
    assert flows(tracker)[0].sacks <= 4
