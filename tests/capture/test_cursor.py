"""Chunks: where a file is cut into pieces changes nothing, and bytes live as long as promised."""

import pytest

from analyzer.capture import open_captures
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables.packets import CUT_BY_SNAPLEN
from tests.builders import Frame, pcap, pcapng
from tests.capture.reading import FRAMES, check, facts_of, read_bytes


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


def test_packets_larger_than_the_limit_are_kept_in_part(tmp_path):
    frames = [FRAMES[1], Frame(b"z" * 9000), FRAMES[2]]
    for form in (pcap, pcapng):
        rows, contents, source = read_bytes(tmp_path, form(frames), limits=Limits(packets_per_batch=8, packet_bytes=500))
        assert contents == [FRAMES[1].content, b"z" * 500, FRAMES[2].content]
        assert rows[1][3] == 9000
        assert rows[1][6] & CUT_BY_SNAPLEN
        assert any("1 packet of more than 500 bytes" in note for note in facts_of(source).notes)
