"""Damage: how far each format is read, and what is said of the rest."""

import pytest

from analyzer.errors import CaptureError
from tests import builders
from tests.builders import Frame, pcap, pcapng
from tests.capture.reading import FRAMES, facts_of, read_bytes


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_truncated_at_every_byte(tmp_path, form):
    frames = FRAMES[:4]
    content = form(frames)
    for size in range(len(content)):
        try:
            rows, contents, source = read_bytes(tmp_path, content[:size])
        except CaptureError:
            assert size < 24
            continue
        assert contents == [f.content for f in frames[: len(rows)]]
        facts = facts_of(source)
        assert bool(facts.truncated_bytes) == any("ends in the middle of" in note for note in facts.notes)
        if facts.truncated_bytes:
            assert f"{facts.truncated_bytes:,} byte{'s' * (facts.truncated_bytes != 1)} into it" in facts.notes[0]


def test_what_a_truncated_tail_says(tmp_path):
    _, _, source = read_bytes(tmp_path, pcap(FRAMES)[:-5])
    lost = len(FRAMES[-1].content) + 16 - 5
    assert facts_of(source).notes == [
        (
            f"{tmp_path}/capture ends in the middle of packet 30, {lost} bytes into it (disk full, or still being written?). "
            "The 29 packets before it were analysed."
        ),
    ]


@pytest.mark.parametrize("chunk_bytes", [1024, 1 << 16])
@pytest.mark.parametrize("modified", [False, True])
def test_garbage_between_records_is_passed_over(tmp_path, chunk_bytes, modified):
    good = pcap(FRAMES[:3], modified=modified)
    garbage = b"\xff" * 30 + bytes(range(256)) * 20 + b"\0" * 333
    after = pcap(FRAMES[3:], modified=modified)[24:]
    rows, contents, source = read_bytes(tmp_path, good + garbage + after, chunk_bytes=chunk_bytes)
    assert contents == [f.content for f in FRAMES]
    assert [row[1] for row in rows] == list(range(1, 31))
    assert facts_of(source).notes == [
        f"{tmp_path}/capture is damaged at byte {len(good)}, where packet 4 should begin (it claims 4,294,967,295 bytes).",
        f"{tmp_path}/capture goes on at byte {len(good + garbage):,} with packet 4: {len(garbage):,} bytes were passed over.",
    ]
    assert facts_of(source).lost_bytes == len(garbage)


def test_garbage_to_the_end(tmp_path):
    good = pcap(FRAMES[:2])
    bad = builders.pcap_record(Frame(b"abc"), caplen=0xFFFFFFF0) + b"x" * 5000
    rows, _, source = read_bytes(tmp_path, good + bad)
    assert len(rows) == 2
    assert f"is damaged at byte {len(good)}, where packet 3 should begin (it claims 4,294,967,280 bytes)" in facts_of(source).notes[0]
    assert facts_of(source).lost_bytes == len(bad)


@pytest.mark.parametrize("harm", [{"length": 3}, {"length": 0}, {"length": 0xFFFFFFF0}, {"length": 30}, {"trailer": 36}])
def test_block_lengths_that_lie_end_the_section(tmp_path, harm):
    head = pcapng(FRAMES[:2])
    content = head + builders.block(6, b"\0" * 20, **harm) + builders.enhanced_packet(FRAMES[3]) + pcapng(FRAMES[4:6])
    rows, contents, source = read_bytes(tmp_path, content)
    assert contents == [FRAMES[i].content for i in (0, 1, 4, 5)]
    assert [row[4] for row in rows] == [0, 0, 1, 1]
    assert f"is damaged at byte {len(head):,}, after packet 2" in facts_of(source).notes[0]
    assert facts_of(source).lost_bytes == 32 + len(builders.enhanced_packet(FRAMES[3]))


def test_packet_blocks_that_cannot_hold_their_packet(tmp_path):
    content = (
        pcapng(FRAMES[:1]) + builders.enhanced_packet(FRAMES[1], caplen=5000) + builders.block(6, b"") + builders.enhanced_packet(FRAMES[2])
    )
    rows, contents, source = read_bytes(tmp_path, content)
    assert contents == [FRAMES[0].content, FRAMES[2].content]
    assert "2 packet blocks that cannot hold what they claim" in facts_of(source).notes[0]
    assert [row[1] for row in rows] == [1, 2]


def test_large_rare_blocks_and_garbage_longer_than_a_chunk(tmp_path):
    secrets = b"CLIENT_RANDOM " * 1000
    content = builders.section_header() + builders.interface_description(tsresol=9) + builders.decryption_secrets(secrets)
    content += builders.enhanced_packet(FRAMES[0], tsresol=9) + builders.block(1, b"") + b"\n\r\r\n" * 2000 + pcapng(FRAMES[1:3])
    _, contents, source = read_bytes(tmp_path, content, chunk_bytes=1024)
    assert contents == [FRAMES[i].content for i in (0, 1, 2)]
    assert facts_of(source).secrets == [secrets]


def test_a_section_header_across_chunks(tmp_path):
    content = b"".join(
        builders.section_header(options=[(4, b"n" * size)])
        + builders.interface_description(tsresol=9)
        + builders.enhanced_packet(FRAMES[0], tsresol=9)
        for size in range(0, 3000, 37)
    )
    rows, contents, source = read_bytes(tmp_path, content, chunk_bytes=1024)
    assert contents == [FRAMES[0].content] * len(range(0, 3000, 37))
    assert facts_of(source).notes == []
    assert len(rows) == facts_of(source).packets


def test_floods_of_rare_blocks_and_damage_end(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.capture.cursor.MOST_RARE_BLOCKS", 10)
    monkeypatch.setattr("analyzer.capture.cursor.MOST_TROUBLES", 10)
    names = b"".join(builders.name_resolution([(f"192.0.2.{i}", "a")]) for i in range(20))
    _, contents, source = read_bytes(tmp_path, pcapng(FRAMES[:1]) + names + builders.enhanced_packet(FRAMES[1]))
    assert (len(contents), len(facts_of(source).names)) == (2, 10)
    assert "has 20 blocks of names, statistics or secrets: all after the first 10 were left out" in facts_of(source).notes[-1]
    sections = b"".join(pcapng(FRAMES[:1]) for _ in range(20))
    _, contents, source = read_bytes(tmp_path, sections)
    assert len(contents) == 10
    assert "has more than 10 sections or damaged places: everything from byte" in facts_of(source).notes[-1]
    damaged = pcap([]) + (pcap(FRAMES[:2])[24:] + b"\xff" * 40) * 20
    _, contents, source = read_bytes(tmp_path, damaged)
    assert len(contents) == 22
    assert any("has more than 10 sections or damaged places" in note for note in facts_of(source).notes)
