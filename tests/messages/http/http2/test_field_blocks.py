"""Header blocks: as the hpack package reads them, and within limits."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hpack.exceptions import HPACKDecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.http.http2.field_blocks import FieldBlockError, FieldBlocks, Fields, read_integer

NAMES = st.sampled_from(["a", "x-long-name", ":path", "cookie", "server"])
FIELDS = st.lists(st.tuples(NAMES, st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30)), max_size=8)


def blocks(**more: bool) -> FieldBlocks:
    return FieldBlocks(2000, 1 << 18, **more)


def read(reader: FieldBlocks, block: bytes) -> Fields:
    fields: Fields = []
    reader.read(block, fields)
    return fields


@settings(max_examples=60)
@given(st.lists(st.tuples(FIELDS, st.integers(0, 4000), st.booleans()), max_size=5))
def test_blocks_are_read_as_the_hpack_package_reads_them(told: list[tuple[list[tuple[str, str]], int, bool]]) -> None:
    encoder, decoder, reader = Encoder(), Decoder(), blocks()
    decoder.max_allowed_table_size = 1 << 16
    for fields, size, huffman in told:
        encoder.header_table_size = size
        block = encoder.encode(fields, huffman=huffman)
        assert read(reader, block) == [tuple(field) for field in decoder.decode(block, raw=True)]


@settings(max_examples=60)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(block: bytes) -> None:
    try:
        found = read(blocks(), block)
    except FieldBlockError:
        return
    decoder = Decoder()
    decoder.max_allowed_table_size = 1 << 16
    try:
        expected = [tuple(field) for field in decoder.decode(block, raw=True)]
    except HPACKDecodingError:  # it is stricter about the place of a change of the table's size
        return
    assert found == expected


def test_examples_of_the_rfc() -> None:
    reader = blocks()
    first = bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")  # RFC 7541 C.4.1
    second = bytes.fromhex("828684be5886a8eb10649cbf")
    head = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")]
    assert read(reader, first) == head
    assert read(reader, second) == [*head, (b"cache-control", b"no-cache")]
    assert read_integer(bytes([0x1F, 0x9A, 0x0A]), 0, 5) == (1337, 3)  # C.1.2


def test_unknown_entries() -> None:
    with pytest.raises(FieldBlockError):
        read(blocks(), b"\xbe")
    partial = blocks(is_partial=True)
    assert read(partial, b"\xbe") == [(b":unknown-index-62", b"")]
    assert read(partial, b"\x40\x01a\x01b\xbe\xbf") == [(b"a", b"b"), (b"a", b"b"), (b":unknown-index-63", b"")]
    partial.forget()
    assert read(partial, b"\xbe") == [(b":unknown-index-62", b"")]


def test_limits() -> None:
    bomb = FieldBlocks(2000, 10_000)
    read(bomb, b"\x40\x01a\x7f\x81\x06" + b"v" * 896)
    with pytest.raises(FieldBlockError) as caught:
        read(bomb, b"\xbe" * 100)
    assert caught.value.is_too_large
    assert bomb.is_partial
    with pytest.raises(FieldBlockError) as caught:
        read(FieldBlocks(3, 1000), b"\x82" * 4)
    assert caught.value.is_too_large
    for wrong in (b"\x80", b"\xff" + b"\xff" * 9, b"\x3f\xe1\xff\x7f", b"\x40", b"\x40\x85ab", b"\x40\x82\xff\xff\x01a"):
        with pytest.raises(FieldBlockError):
            read(blocks(is_partial=True), wrong)
