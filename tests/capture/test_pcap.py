"""The header of a classic pcap file."""

import struct

import pytest

from analyzer.capture.pcap import find_byteorder, parse_header, tell_variant
from tests.builders import pcap, pcap_header
from tests.capture.reading import FRAMES, facts_of, read_bytes


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_header_fields(byteorder):
    header = parse_header(pcap_header(byteorder=byteorder, nanosecond=True, linktype=113, snaplen=96, fcs_words=2, version=(2, 3)))
    assert header is not None
    assert (header.byteorder, header.tick_ns, header.record_bytes, header.version) == (byteorder, 1, 16, (2, 3))
    assert (header.snaplen, header.linktype, header.fcs_bytes) == (96, 113, 4)
    modified = parse_header(pcap_header(byteorder=byteorder, modified=True))
    assert modified is not None
    assert (modified.tick_ns, modified.record_bytes, modified.fcs_bytes) == (1000, 24, 0)


def test_what_is_no_header():
    assert parse_header(b"") is None
    assert parse_header(pcap_header()[:23]) is None
    assert parse_header(b"\0" * 24) is None
    assert find_byteorder(b"\xa1\xb2") is None


def larger(more, *, byteorder="<", modified=False):
    """A file whose record headers have so many bytes more than the magic says."""
    out = pcap_header(byteorder=byteorder, modified=modified)
    for frame in FRAMES:
        seconds, rest = divmod(frame.ts, 10**9)
        out += struct.pack(byteorder + "IIII", seconds, rest // 1000, len(frame.content), frame.wire_length)
        out += bytes(8 * modified + more) + frame.content
    return out


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(("more", "modified", "size", "who"), [(4, False, 20, "Nokia"), (8, False, 24, "Red Hat"), (4, True, 28, "SuSE")])
def test_larger_record_headers_are_told_by_the_records(tmp_path, byteorder, more, modified, size, who):
    content = larger(more, byteorder=byteorder, modified=modified)
    rows, contents, source = read_bytes(tmp_path, content)
    assert contents == [frame.content for frame in FRAMES]
    assert [row[0] // 1000 for row in rows] == [frame.ts // 1000 for frame in FRAMES]
    assert f"has record headers of {size} bytes" in facts_of(source).notes[0]
    assert who in facts_of(source).notes[0]


def test_the_magic_is_believed_where_records_make_sense_or_are_too_few():
    header = parse_header(pcap_header())
    assert header is not None
    assert tell_variant(header, b"") == (16, "")
    assert tell_variant(header, pcap(FRAMES)[24:]) == (16, "")
    assert tell_variant(header, larger(4)[24 : 24 + 20 + len(FRAMES[0].content)]) == (16, "")
    assert tell_variant(header, b"\xff" * 1000) == (16, "")
