"""The rare blocks of pcapng, and any bytes in their place."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.pcapng import (
    find_byteorder,
    parse_interface,
    parse_names,
    parse_options,
    parse_secrets,
    parse_section,
    parse_statistics,
)
from tests import builders


def body_of(block):
    return block[8:-4]


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_what_each_block_says(byteorder):
    header = builders.section_header(byteorder, options=[(4, b"prog\0"), (3, b"\xff"), (1, b"")])
    assert find_byteorder(header) == byteorder
    section = parse_section(body_of(header), byteorder)
    assert (section.version, section.application, section.os, section.comments) == ((1, 0), "prog", "\\xff", 1)
    face = parse_interface(
        body_of(builders.interface_description(byteorder, linktype=276, snaplen=99, tsresol=12, tsoffset=-5, fcslen=32)), byteorder
    )
    assert face is not None
    assert (face.linktype, face.snaplen, face.exponent, face.offset_s, face.fcs_bytes) == (276, 99, 12, -5, 4)
    assert (face.tick_ns, face.ticks_per_ns) == (0, 1000)
    statistics = builders.interface_statistics(3, byteorder, received=7, dropped=1, os_dropped=2)
    assert parse_statistics(body_of(statistics), byteorder) == (3, 7, 3)
    assert parse_statistics(body_of(builders.interface_statistics(3, byteorder)), byteorder) == (3, None, None)
    pairs = [("192.0.2.7", "seven.test"), ("2001:db8::7", "seven.test")]
    assert list(parse_names(body_of(builders.name_resolution(pairs, byteorder)), byteorder)) == pairs
    assert parse_secrets(body_of(builders.decryption_secrets(b"abcde", byteorder)), byteorder) == (0x544C534B, b"abcde")


def test_nonsense_is_told():
    face = parse_interface(
        struct.pack("<HHI", 1, 0, 0) + builders.option(14, struct.pack("<q", 1 << 40)) + builders.option(9, b"\xff"), "<"
    )
    assert face is not None
    assert (face.offset_s, face.exponent, face.is_binary) == (0, 63, True)
    assert face.oddities == ("a clock offset of 1099511627776 s", "a clock resolution of 2**-127 s")


@given(st.binary(max_size=80), st.sampled_from(["<", ">"]))
def test_any_bytes_are_read_or_refused(content, byteorder):
    list(parse_options(content, 0, byteorder))
    list(parse_names(content, byteorder))
    parse_interface(content, byteorder)
    parse_statistics(content, byteorder)
    parse_secrets(content, byteorder)
    parse_section(b"\0" * 16 + content, byteorder)
    find_byteorder(content)
