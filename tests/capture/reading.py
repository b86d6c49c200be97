"""Read captures to the end: what the tests of this folder share."""

from pathlib import Path

from analyzer.capture import CaptureFacts, open_captures
from analyzer.memory import Memory
from analyzer.options import Limits
from tests.builders import frames_of, udp_packet

FIELDS = ("ts", "number", "caplen", "length", "interface", "linktype", "marks")


LIMITS = Limits(packets_per_batch=256)


FRAMES = frames_of(udp_packet(bytes([i]) * (7 * i)) for i in range(30))


def read(paths, *, chunk_bytes=4096, limits=LIMITS, follow=None, ahead=False):
    """All rows as tuples, all packets as bytes, and the source."""
    rows, contents = [], []
    memory = Memory(chunk_bytes, 2, 64)
    with open_captures([str(path) for path in paths], memory, limits, follow) as source:
        if ahead:
            source.read_ahead()
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
