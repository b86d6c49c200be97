"""Captures from end to end: facts, our own recordings beside dpkt, and fuzz."""

import random
from pathlib import Path

import dpkt
import numpy as np
import pytest
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


def everything(byteorder):
    """A small pcapng capture with all kinds of blocks, and where each block begins."""
    blocks = [
        builders.section_header(byteorder, options=[(1, b"hello")]),
        builders.interface_description(byteorder, tsresol=9),
        builders.interface_description(byteorder, tsresol=0x80 | 20),
        builders.enhanced_packet(FRAMES[1], byteorder, tsresol=9, options=[(1, b"comment"), (2, b"\1\0\0\0")]),
        builders.name_resolution([("192.0.2.1", "a.test")], byteorder),
        builders.simple_packet(b"simple", byteorder),
        builders.decryption_secrets(b"CLIENT_RANDOM 1 2\n", byteorder),
        builders.old_packet(Frame(b"old", FRAMES[3].ts, interface=1), byteorder, drops=3, tsresol=0x80 | 20),
        builders.block(0xBAD, b"unknown", byteorder),
        builders.interface_statistics(1, byteorder, received=3, dropped=1),
        builders.enhanced_packet(FRAMES[2], byteorder, tsresol=9),
    ]
    starts = [sum(map(len, blocks[:k])) for k in range(len(blocks))]
    return b"".join(blocks), starts


@pytest.mark.parametrize(
    "content", [everything("<")[0], everything(">")[0], pcap(FRAMES[:3]), pcap(FRAMES[:3], modified=True, byteorder=">")]
)
def test_every_truncation_point(tmp_path, content):
    """A file cut anywhere gives the packets that are whole, and one sentence about the one that is not."""
    path = tmp_path / "capture"
    path.write_bytes(content)
    whole = read([path])[0]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        try:
            rows, _, source = read([path])
        except CaptureError as error:
            assert size < 24
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert rows == whole[: len(rows)]
            facts = facts_of(source)
            assert facts.packets == len(rows)
            assert facts.file_bytes == size
            assert len(facts.notes) <= 4
    assert len(rows) == len(whole) - 1


@pytest.mark.parametrize(
    "name", ["dns-tcp.pcap", "fragments.pcapng", "two-interfaces.pcapng", "secrets-inside.pcapng", "any-interface.pcap"]
)
def test_our_recordings_cut_anywhere(tmp_path, name):
    content = (Path(__file__).parents[2] / "captures" / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content)
    whole = read([path], chunk_bytes=1 << 16)[0]
    draw = random.Random(name)
    for size in [draw.randrange(24, len(content)) for _ in range(60)] + [len(content) - 1]:
        path.write_bytes(content[:size])
        rows, _, source = read([path], chunk_bytes=1 << 16)
        assert rows == whole[: len(rows)]
        assert facts_of(source).packets == len(rows)
        assert facts_of(source).file_bytes == size


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_lengths_that_lie(tmp_path, byteorder):
    """Whatever a block says of its length: the packets before it stay, and what follows is left out with a sentence, or is right."""
    content, starts = everything(byteorder)
    path = tmp_path / "capture"
    path.write_bytes(content)
    whole = read([path])[0]
    contents = {row[0] for row in whole}
    ends = [*starts[1:], len(content)]
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        before = sum(kind in (3, 5, 7, 10) for kind in range(k))  # packet blocks before this one
        for at in (start + 4, end - 4):
            for value in (0, 1, 8, 12, 13, end - start - 4, end - start + 4, len(content), 0x7FFFFFFC, 0xFFFFFFFF):
                lie = value.to_bytes(4, "little" if byteorder == "<" else "big")
                path.write_bytes(content[:at] + lie + content[at + 4 :])
                rows, _, source = read([path])
                assert rows[:before] == whole[:before]
                assert {row[0] for row in rows} <= contents
                assert facts_of(source).packets == len(rows)
                assert len(rows) == len(whole) or facts_of(source).notes


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
