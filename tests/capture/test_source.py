"""Captures from end to end: facts, our own recordings beside dpkt, and fuzz."""

import random
from pathlib import Path

import dpkt
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import CaptureError
from analyzer.options import Limits
from tests import builders
from tests.builders import Frame, pcap, pcapng
from tests.capture.reading import FRAMES, facts_of, read, read_bytes


def test_clock_steps_and_lengths_are_counted(tmp_path):
    frames = [Frame(b"a", 10_000_000_000), Frame(b"b", 9_000_000_000), Frame(b"abc", 12_000_000_000, length=1)]
    rows, _, source = read_bytes(tmp_path, pcap(frames))
    facts = facts_of(source)
    assert (facts.steps_back, facts.largest_step_back_ns, facts.longer_than_wire) == (1, 1_000_000_000, 1)
    assert (facts.first_ts, facts.last_ts, rows[2][6]) == (9_000_000_000, 12_000_000_000, 0)


def test_no_packets_is_told(tmp_path):
    rows, _, source = read_bytes(tmp_path, pcap([]))
    assert rows == []
    assert facts_of(source).notes == [f"{tmp_path}/capture holds no packets."]


def test_our_recordings_as_dpkt_reads_them():
    folder = Path(__file__).parents[2] / "captures"
    paths = sorted(folder.glob("*.pcap*")) if folder.is_dir() else []
    for path in [path for path in paths if path.suffix in (".pcap", ".pcapng")][:6]:
        with path.open("rb") as file:
            theirs = [bytes(content) for _, content in dpkt.pcap.UniversalReader(file)]
        assert read([path], chunk_bytes=1 << 20)[1] == theirs


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), form=st.sampled_from([pcap, pcapng]), flips=st.integers(1, 30), cut=st.integers(0, 200))
def test_mutated_captures_raise_nothing_else(tmp_path_factory, seed, form, flips, cut):
    draw = random.Random(seed)
    extra = builders.interface_statistics(0, dropped=1) + builders.decryption_secrets(b"abc") + builders.name_resolution([("1.2.3.4", "x")])
    content = bytearray(form(FRAMES[:8]) + (extra if form is pcapng else b"") + (pcapng(FRAMES[:3]) if form is pcapng else b""))
    for _ in range(flips):
        content[draw.randrange(len(content))] = draw.choice([0, 1, 6, 10, 13, 127, 128, 255, draw.randrange(256)])
    path = tmp_path_factory.mktemp("fuzz") / "c"
    path.write_bytes(content[: len(content) - cut])
    seen = []
    for chunk_bytes in (1024, 8192):
        try:
            rows, contents, source = read(
                [path], chunk_bytes=chunk_bytes, limits=Limits(packets_per_batch=5, packet_bytes=250, record_bytes=400_000)
            )
        except CaptureError as error:
            seen.append(str(error))
            continue
        assert [row[1] for row in rows] == list(range(1, len(rows) + 1))
        assert facts_of(source).packets == len(rows)
        assert all(0 <= row[0] < 2**63 and row[2] >= 0 and row[3] >= 0 for row in rows)
        seen.append([row[:4] for row in rows])
        assert np.all(np.array([len(content) for content in contents], int) <= 250)
    assert seen[0] == seen[1]
