"""pcapng: clocks, sections, interfaces and all kinds of packet blocks."""

import pytest

from analyzer.tables.packets import CUT_BY_SNAPLEN, INBOUND, OUTBOUND, WITHOUT_TIME
from tests import builders
from tests.builders import Frame, pcapng
from tests.capture.reading import FRAMES, facts_of, read_bytes


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
