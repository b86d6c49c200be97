"""Chunks: where a file is cut into pieces changes nothing, nor where reading goes on elsewhere."""

import pytest

from analyzer.capture.cursor import share_window, whole_window
from analyzer.capture.files import look_at
from analyzer.capture.reading import Reading
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import new_table
from analyzer.tables.packets import CUT_BY_SNAPLEN, PACKET
from tests.builders import Frame, pcap, pcapng
from tests.capture.reading import FRAMES, check, facts_of, read_bytes


@pytest.mark.parametrize("form", [pcap, pcapng])
@pytest.mark.parametrize("chunk_bytes", [1024, 1500, 4096, 1 << 20])
def test_chunks_do_not_matter(tmp_path, form, chunk_bytes):
    check(read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes), FRAMES)
    check(read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes, limits=Limits(packets_per_batch=1)), FRAMES)


@pytest.mark.parametrize("form", [pcap, pcapng])
@pytest.mark.parametrize("chunk_bytes", [1024, 1500, 4096, 1 << 20])
@pytest.mark.parametrize("packet_bytes", [64, 400, 1 << 18])
def test_reading_ahead_does_not_matter(tmp_path, form, chunk_bytes, packet_bytes):
    """Whatever room the front of a half leaves for what is carried over."""
    limits = Limits(packet_bytes=packet_bytes)
    rows, contents, _ = read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes, limits=limits)
    ahead = read_bytes(tmp_path, form(FRAMES), chunk_bytes=chunk_bytes, limits=limits, ahead=True)
    assert (rows, contents) == ahead[:2]


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_rows_can_be_taken_back_and_the_file_moved(tmp_path, form):
    """Reading from any packet on, in a window of any size, gives what was taken back once more, and counts nothing twice."""
    path = tmp_path / "capture"
    path.write_bytes(form(FRAMES))
    for rows in range(0, len(FRAMES), 7):
        memory, limits = Memory(4096, 2, 64), Limits()
        reading = Reading(look_at(str(path), limits), memory, limits, whole_window(memory), new_table(PACKET, 64))
        assert reading.begin()
        assert reading.index_rows()
        reading.taken = min(rows, int(reading.cursor.r.rows))
        numbers = list(reading.cursor.packets.number[: reading.taken])
        reading.move(share_window(memory, 1, 3), new_table(PACKET, 5))
        while reading.index_rows() or reading.cursor.refill():
            numbers += list(reading.cursor.packets.number[: int(reading.cursor.r.rows)])
        reading.end()
        assert numbers == list(range(1, len(FRAMES) + 1))
        facts = reading.file.facts
        assert (facts.packets, facts.bytes_captured) == (len(FRAMES), sum(len(frame.content) for frame in FRAMES))
        assert facts.notes == []


def test_packets_larger_than_the_limit_are_kept_in_part(tmp_path):
    frames = [FRAMES[1], Frame(b"z" * 9000), FRAMES[2]]
    for form in (pcap, pcapng):
        rows, contents, source = read_bytes(tmp_path, form(frames), limits=Limits(packets_per_batch=8, packet_bytes=500))
        assert contents == [FRAMES[1].content, b"z" * 500, FRAMES[2].content]
        assert rows[1][3] == 9000
        assert rows[1][6] & CUT_BY_SNAPLEN
        assert any("1 packet of more than 500 bytes" in note for note in facts_of(source).notes)
