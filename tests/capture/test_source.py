"""Reading captures from end to end: formats, order, chunks, damage, and the sentences about them."""

import bz2
import gzip
import lzma
import os
import random
import threading
from pathlib import Path

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture import CaptureFacts, open_captures
from analyzer.errors import CaptureError
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables.packets import CUT_BY_SNAPLEN, INBOUND, OUTBOUND, WITHOUT_TIME
from tests import builders
from tests.builders import Frame, frames_of, pcap, pcapng, udp_packet

FIELDS = ("ts", "number", "caplen", "length", "interface", "linktype", "marks")
LIMITS = Limits(packets_per_batch=256)
FRAMES = frames_of(udp_packet(bytes([i]) * (7 * i)) for i in range(30))


def read(paths, *, chunk_bytes=4096, limits=LIMITS):
    """All rows as tuples, all packets as bytes, and the source."""
    rows, contents = [], []
    memory = Memory(chunk_bytes, 2, 64)
    with open_captures([str(path) for path in paths], memory, limits) as source:
        for batch in source.batches():
            rows += [tuple(int(row[name]) for name in FIELDS) for row in batch.packets]
            contents += [bytes(memory.data[row.offset : row.offset + row.caplen]) for row in batch.packets]
            assert batch.last_number == rows[-1][1]
    return rows, contents, source


def read_bytes(tmp_path: Path, content: bytes, **more):
    path = tmp_path / "capture"
    path.write_bytes(content)
    return read([path], **more)


def facts_of(source) -> CaptureFacts:
    return source.facts[0]


def expected(frames, number=1):
    return [(f.ts, number + i, len(f.content), f.wire_length, f.interface) for i, f in enumerate(frames)]


def check(result, frames):
    rows, contents, _ = result
    assert [row[:5] for row in rows] == expected(frames)
    assert contents == [f.content for f in frames]


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("nanosecond", [False, True])
@pytest.mark.parametrize("modified", [False, True])
def test_classic_pcap_in_all_forms(tmp_path, byteorder, nanosecond, modified):
    if modified and nanosecond:
        pytest.skip("there is no modified format with nanoseconds")
    frames = [Frame(f.content, f.ts + (i if nanosecond else 1000 * i)) for i, f in enumerate(FRAMES)]
    result = read_bytes(tmp_path, pcap(frames, byteorder=byteorder, nanosecond=nanosecond, modified=modified))
    check(result, frames)
    facts = facts_of(result[2])
    assert (facts.format, facts.packets, facts.linktypes, facts.snaplen, facts.notes) == ("pcap", 30, [1], 262_144, [])
    assert (facts.first_ts, facts.last_ts) == (frames[0].ts, frames[-1].ts)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("tsresol", [None, 0, 3, 6, 9, 10, 0x80 | 30, 0x80 | 32, 0x80 | 33])
@pytest.mark.parametrize("tsoffset", [None, 1_600_000_000])
def test_pcapng_clocks(tmp_path, byteorder, tsresol, tsoffset):
    result = read_bytes(tmp_path, pcapng(FRAMES[:3], byteorder=byteorder, tsresol=tsresol, tsoffset=tsoffset))
    for row, frame in zip(result[0], FRAMES, strict=False):
        ticks = builders.ticks_of(frame.ts, tsresol, tsoffset or 0)
        n = 6 if tsresol is None else tsresol & 0x7F
        scale = 2**n if tsresol is not None and tsresol & 0x80 else 10**n
        assert row[0] == ticks * 10**9 // scale + (tsoffset or 0) * 10**9


@pytest.mark.parametrize("tsresol", [40, 100, 0x80 | 64, 0x80 | 127])
def test_a_resolution_beyond_reason_is_clamped_and_told(tmp_path, tsresol):
    content = (
        builders.section_header() + builders.interface_description(tsresol=tsresol) + builders.enhanced_packet(FRAMES[0], ticks=1 << 62)
    )
    rows, _, source = read_bytes(tmp_path, content)
    assert len(rows) == 1
    assert "a clock resolution of" in facts_of(source).notes[0]


def test_times_that_cannot_be_are_no_times(tmp_path):
    content = builders.section_header() + builders.interface_description(tsresol=6)
    content += builders.enhanced_packet(FRAMES[0], ticks=(1 << 64) - 1)
    content += builders.interface_description(tsoffset=-(1 << 31)) + builders.enhanced_packet(Frame(b"x", interface=1), ticks=0)
    rows, _, source = read_bytes(tmp_path, content)
    assert [(row[0], row[6] & WITHOUT_TIME) for row in rows] == [(0, WITHOUT_TIME)] * 2
    assert facts_of(source).without_time == 2


def test_sections_interfaces_and_all_blocks(tmp_path):
    first, second = FRAMES[1], Frame(FRAMES[2].content, FRAMES[2].ts, interface=1, comment="look", direction=1)
    content = builders.section_header("<", options=[(2, b"box"), (3, b"an os"), (4, b"a program"), (1, b"hello")])
    content += builders.interface_description(tsresol=9) + builders.interface_description(linktype=101, tsresol=6, fcslen=4)
    content += builders.enhanced_packet(first, tsresol=9)
    content += (
        builders.block(0xBAD, b"unknown")
        + builders.block(0x40000BAD, b"")
        + builders.name_resolution([("192.0.2.1", "a.test"), ("::1", "b")])
    )
    content += builders.enhanced_packet(second, tsresol=6)
    content += builders.decryption_secrets(b"CLIENT_RANDOM 1 2\n") + builders.decryption_secrets(b"wg", kind=0x57474B4C)
    content += builders.interface_statistics(0, received=10, dropped=2, os_dropped=3)
    content += builders.section_header(">") + builders.interface_description(">", tsresol=None, linktype=228)
    content += builders.old_packet(Frame(b"old", FRAMES[3].ts), ">", drops=4) + builders.simple_packet(b"simple!!", ">", length=9)
    content += builders.enhanced_packet(Frame(b"out", FRAMES[4].ts, direction=2), ">", options=[(4, (7).to_bytes(8, "big"))])
    content += builders.enhanced_packet(Frame(b"lost", interface=1), ">")
    rows, contents, source = read_bytes(tmp_path, content)
    marks = [0, INBOUND, 0, WITHOUT_TIME | CUT_BY_SNAPLEN, OUTBOUND]
    cut = len(second.content) - 4  # the check sequence is left out
    assert rows == [
        (first.ts, 1, len(first.content), len(first.content), 0, 1, marks[0]),
        (second.ts, 2, cut, cut, 1, 101, marks[1]),
        (FRAMES[3].ts, 3, 3, 3, 2, 228, marks[2]),
        (0, 4, 8, 9, 2, 228, marks[3]),
        (FRAMES[4].ts, 5, 3, 3, 2, 228, marks[4]),
    ]
    assert contents == [first.content, second.content[:-4], b"old", b"simple!!", b"out"]
    facts = facts_of(source)
    assert (facts.hardware, facts.os, facts.application, facts.comments) == ("box", "an os", "a program", 2)
    assert facts.names == [("192.0.2.1", "a.test"), ("::1", "b")]
    assert facts.secrets == [b"CLIENT_RANDOM 1 2\n"]
    assert (facts.received, facts.dropped, facts.linktypes, facts.without_time) == (10, 16, [1, 101, 228], 1)
    assert any("1 packet of an interface that it does not describe" in note for note in facts.notes)


def test_frame_check_sequence_of_classic_pcap_and_of_one_packet(tmp_path):
    frames = [Frame(b"abcdefgh"), Frame(b"abcdef", length=8), Frame(b"abc", length=8), Frame(b"ab")]
    rows, contents, _ = read_bytes(tmp_path, pcap(frames, fcs_words=2))
    assert contents == [b"abcd", b"abcd", b"abc", b""]
    assert [(row[2], row[3]) for row in rows] == [(4, 4), (4, 4), (3, 4), (0, 0)]
    flagged = builders.enhanced_packet(Frame(b"abcdefgh"), options=[(2, (4 << 5).to_bytes(4, "little"))])
    assert read_bytes(tmp_path, builders.section_header() + builders.interface_description() + flagged)[1] == [b"abcd"]


@pytest.mark.parametrize("form", [pcap, pcapng])
@pytest.mark.parametrize("chunk_bytes", [1024, 1500, 4096, 1 << 20])
def test_chunks_do_not_matter(tmp_path, form, chunk_bytes):
    check(read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes), FRAMES)
    check(read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes, limits=Limits(packets_per_batch=1)), FRAMES)


def test_bytes_of_a_batch_live_until_the_next_but_one_chunk(tmp_path):
    (tmp_path / "a").write_bytes(pcap(FRAMES))
    (tmp_path / "b").write_bytes(pcapng(FRAMES))
    memory = Memory(1024, 2, 64)
    before = None
    with open_captures([str(tmp_path / "a"), str(tmp_path / "b")], memory, Limits(packets_per_batch=10_000)) as source:
        for batch in source.batches():
            now = [(int(r.offset), bytes(memory.data[r.offset : r.offset + r.caplen])) for r in batch.packets]
            for offset, content in before or []:
                assert bytes(memory.data[offset : offset + len(content)]) == content
            before = now


def test_several_files_and_folders_run_on(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(pcap(FRAMES[:3]) if name == "a" else pcapng(FRAMES[:2]))
    (tmp_path / "readme.txt").write_text("no capture")
    (tmp_path / "inner").mkdir()
    single = tmp_path / "inner" / "c"
    single.write_bytes(pcap(FRAMES[:1], linktype=101))
    rows, _, source = read([single, tmp_path])
    assert [row[1] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row[4] for row in rows] == [0, 1, 1, 1, 2, 2]
    assert [facts.packets for facts in source.facts] == [1, 3, 2]
    assert source.progress.done == source.progress.total == sum(facts.file_bytes for facts in source.facts)


def test_standard_input_and_pipes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(pcapng(FRAMES)))
    writer.start()
    result = read([pipe])
    writer.join()
    check(result, FRAMES)
    assert result[2].progress.total is None
    path = tmp_path / "file"
    path.write_bytes(pcap(FRAMES))
    kept = os.dup(0)
    file = os.open(path, os.O_RDONLY)
    try:
        os.dup2(file, 0)
        check(read(["-"]), FRAMES)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(file)


def compressed_bytes(content, codec):
    import pyarrow as pa

    buffer = pa.BufferOutputStream()
    stream = pa.CompressedOutputStream(buffer, codec)
    stream.write(content)
    stream.close()
    return buffer.getvalue().to_pybytes()


COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: compressed_bytes(content, "zstd"),
    "lz4": lambda content: compressed_bytes(content, "lz4"),
}


@pytest.mark.parametrize("name", COMPRESS)
def test_compressed_captures(tmp_path, name):
    content = COMPRESS[name](pcap(FRAMES))
    result = read_bytes(tmp_path, content)
    check(result, FRAMES)
    assert facts_of(result[2]).compression == name


@pytest.mark.parametrize("name", COMPRESS)
def test_compressed_captures_that_end_too_early(tmp_path, name):
    content = pcap([Frame(random.Random(1).randbytes(1400))] * 2000)
    try:
        rows, _, source = read_bytes(tmp_path, COMPRESS[name](content)[:-200])
    except CaptureError as error:  # a codec may give nothing of a stream that is not whole
        assert f"its {name} data is damaged" in str(error)  # noqa: PT017
    else:
        assert 0 < len(rows) < 2000
        assert f"its {name} data is damaged" in facts_of(source).notes[0]


def test_gz_members_in_a_row(tmp_path):
    content = pcap(FRAMES)
    check(read_bytes(tmp_path, gzip.compress(content[:1000]) + gzip.compress(content[1000:]) + b"\0" * 50), FRAMES)


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


def test_a_record_that_claims_too_much_is_garbage(tmp_path):
    good = pcap(FRAMES[:2])
    bad = good + builders.pcap_record(Frame(b"abc"), caplen=0xFFFFFFF0) + b"x" * 5000
    rows, _, source = read_bytes(tmp_path, bad)
    assert len(rows) == 2
    assert f"is damaged at byte {len(good)}, where packet 3 should begin (it claims 4,294,967,280 bytes)" in facts_of(source).notes[0]


def test_packets_larger_than_the_limit_are_kept_in_part(tmp_path):
    frames = [FRAMES[1], Frame(b"z" * 9000), FRAMES[2]]
    for form in (pcap, pcapng):
        rows, contents, source = read_bytes(tmp_path, form(frames), limits=Limits(packets_per_batch=8, packet_bytes=500))
        assert contents == [FRAMES[1].content, b"z" * 500, FRAMES[2].content]
        assert rows[1][3] == 9000
        assert rows[1][6] & CUT_BY_SNAPLEN
        assert any("1 packet of more than 500 bytes" in note for note in facts_of(source).notes)


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


def test_clock_steps_and_lengths_are_counted(tmp_path):
    frames = [Frame(b"a", 10_000_000_000), Frame(b"b", 9_000_000_000), Frame(b"abc", 12_000_000_000, length=1)]
    rows, _, source = read_bytes(tmp_path, pcap(frames))
    facts = facts_of(source)
    assert (facts.steps_back, facts.largest_step_back_ns, facts.longer_than_wire) == (1, 1_000_000_000, 1)
    assert (facts.first_ts, facts.last_ts, rows[2][6]) == (9_000_000_000, 12_000_000_000, 0)


ERRORS = [
    (b"", "is empty"),
    (b"date,host\n1,2\n", 'is not a packet capture (it begins with "date,host" - text). Known: pcap'),
    (b"\x7fELF\x02\x01\x01\x00\x00\x00", "(it begins with 7f 45 4c 46 02 01 01 00)"),
    (b"\xd4\xc3\xb2\xa1\x02\x00", "ends in the middle of its pcap file header"),
    (gzip.compress(b"hello, world"), '(inside gz it begins with "hello, wo" - text)'),
    (b"\x1f\x8b" + b"\0" * 40, "gz data is damaged"),
]


@pytest.mark.parametrize(("content", "sentence"), ERRORS)
def test_what_is_no_capture(tmp_path, content, sentence):
    with pytest.raises(CaptureError) as error:
        read_bytes(tmp_path, content)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_empty_folder_and_no_path(tmp_path):
    with pytest.raises(CaptureError, match="no such file"):
        read([tmp_path / "nothing"])
    with pytest.raises(CaptureError, match="folder without packet captures"):
        read([tmp_path])
    with pytest.raises(CaptureError, match="No capture was named"):
        read([])
    with pytest.raises(CaptureError, match="cannot be read"):
        read(["a\0b"])


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_bytes(pcap(FRAMES))

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("analyzer.capture.files.open_bytes", refuse)
    with pytest.raises(CaptureError, match="permission denied"):
        read([path])
    with pytest.raises(CaptureError, match="folder without packet captures"):
        read([tmp_path])


def test_bad_files_among_good_ones_are_notes(tmp_path):
    (tmp_path / "good").write_bytes(pcap(FRAMES))
    (tmp_path / "bad").write_bytes(b"nothing")
    rows, _, source = read([tmp_path / "bad", tmp_path / "good", tmp_path / "missing"])
    assert len(rows) == len(FRAMES)
    assert [facts.packets for facts in source.facts] == [30, 0, 0]
    assert "is not a packet capture" in source.facts[1].notes[0]
    assert "no such file" in source.facts[2].notes[0]


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
