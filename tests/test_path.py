"""What a path may do to segments never changes the messages: splitting, reordering, duplication and delay, through the whole pipeline."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import dpkt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from tests.builders import MILLISECOND, Conversation, Frame, pcap

CAPTURES = Path(__file__).parents[1] / "captures"
SERVICES = {"http-plain.pcapng": 80, "https-tls12-rsa.pcapng": 443, "https-tls13.pcapng": 443}
FAST_RETRY_NS = 40 * MILLISECOND
# what the path may change: times, frames, counts of packets and what is told from them
PATHS_OWN = ("_ms", "_frame", "_time", "_basis", "_packets", "time", "frame", "first_seen")


@cache
def flights(name: str) -> list[tuple[int, bytes]]:
    """(side, bytes) in the order of the recording, the first connection to the service: what each end said before the other did."""
    with (CAPTURES / name).open("rb") as file:
        frames = [frame for _, frame in dpkt.pcapng.Reader(file)]
    spoken: list[tuple[int, bytes]] = []
    client, reached = None, [0, 0]
    for frame in frames:
        packet = dpkt.ethernet.Ethernet(frame).data
        segment = getattr(packet, "data", None)
        if not isinstance(segment, dpkt.tcp.TCP) or SERVICES[name] not in (segment.sport, segment.dport):
            continue
        side = int(segment.sport == SERVICES[name])
        client = client or (segment.dport if side else segment.sport)
        if client not in (segment.sport, segment.dport) or not segment.data or segment.seq < reached[side]:
            continue
        reached[side] = segment.seq + len(segment.data)
        spoken.append((side, bytes(segment.data)))
    return [(side, b"".join(content for _, content in run)) for side, run in groupby(spoken, key=lambda one: one[0])]


def delivered(name: str, draw: st.DataObject | None) -> list[Frame]:
    """The conversation as frames; with ``draw``, as a path may deliver it."""
    talk = Conversation(dst_port=SERVICES[name]).handshake()
    for side, content in flights(name):
        begin, offset, at = len(talk.frames), talk.next[side] - talk.isn[side] - 1, 0
        while at < len(content):
            size = 1400 if draw is None else draw.draw(st.sampled_from([1400, 1400, 700, 333, 64, 5, 1]))
            talk.segment(side, content[at : at + size], at=offset + at)
            at += size
        talk.next[side] += len(content)
        if draw is not None:
            flight = talk.frames[begin:]
            talk.frames[begin:] = disturbed(flight, draw)
            talk.ts += draw.draw(st.sampled_from([0, 0, 300 * MILLISECOND]))
        talk.segment(1 - side)
    talk.close()
    return talk.frames


def disturbed(flight: list[Frame], draw: st.DataObject) -> list[Frame]:
    """The segments of one flight in another order, some twice: each frame keeps its bytes, the times go on as they were."""
    copies = draw.draw(st.lists(st.sampled_from(range(len(flight))), max_size=3))
    sent = [*range(len(flight)), *copies]
    late = draw.draw(st.lists(st.integers(0, 6), min_size=len(sent), max_size=len(sent)))
    order = sorted(range(len(sent)), key=lambda k: (k + late[k], k))
    first = flight[0].ts
    return [Frame(flight[sent[k]].content, first + place * MILLISECOND // 4) for place, k in enumerate(order)]


def messages(frames: list[Frame], limits: Limits) -> dict[str, list[dict[str, Any]]]:
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap(frames))
        file.flush()
        flushes = list(Pipeline(Options(limits=limits)).run([file.name]))
    tables = {name: pa.Table.from_batches([flush[name].arrow() for flush in flushes]) for name in ("http", "tls", "certificates")}
    ends = flushes[-1]["connections"].to_pylist()
    told = {
        name: [
            {key: value for key, value in row.items() if not key.endswith(PATHS_OWN) and key != "uid"}
            for row in table.to_pylist()
            if row.get("basis") != "inferred"  # told by when records came
        ]
        for name, table in tables.items()
    }
    told["bytes"] = [{key: row[key] for key in ("originator_bytes", "responder_bytes", "state", "service", "host")} for row in ends]
    return told


@cache
def reference(name: str) -> dict[str, list[dict[str, Any]]]:
    return messages(delivered(name, None), Limits(arena_bytes=4 << 20))


@pytest.mark.parametrize("name", SERVICES)
def test_there_is_something_to_disturb(name: str) -> None:
    told = reference(name)
    assert len(told["http"]) + len(told["tls"]) >= 1
    assert told["bytes"][0]["state"] == "SF"


@pytest.mark.parametrize("name", SERVICES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_the_path_does_not_change_the_messages(name: str, data: st.DataObject) -> None:
    rows = data.draw(st.sampled_from([1, 7, 1 << 16]))
    assert messages(delivered(name, data), Limits(arena_bytes=4 << 20, packets_per_batch=rows)) == reference(name)
