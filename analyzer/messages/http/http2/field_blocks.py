"""HPACK (RFC 7541): header blocks of one direction to lists of fields.

The table's beginning may be unknown (the capture began later, or bytes are missing): then an index beyond what was seen gives a field
named ``:unknown-index-N``. What was seen stays right: the encoder drops its oldest entries first, and those are the unknown ones.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Final, TypeAlias

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

Fields: TypeAlias = list[tuple[bytes, bytes]]

STATIC: Final[tuple[tuple[bytes, bytes], ...]] = tuple(HeaderTable.STATIC_TABLE)
FIRST_SIZE: Final = 4096  # of the table (RFC 9113 6.5.2)
LARGEST_SIZE: Final = 1 << 16  # that an encoder may ask for
OVERHEAD: Final = 32  # what an entry counts beyond its bytes (RFC 7541 4.1)
INTEGER_LIMIT: Final = 1 << 31
REMEMBERED: Final = 128  # bytes of a coded string up to which what it says is kept: the same names and values come again and again


class FieldBlockError(Exception):
    """A header block that cannot be read; ``is_too_large``: only because of a limit."""

    def __init__(self, *, is_too_large: bool = False) -> None:
        super().__init__()
        self.is_too_large = is_too_large


def read_integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """An integer with a prefix of ``bits`` bits (RFC 7541 5.1) and the place after it."""
    if at >= len(block):
        raise FieldBlockError
    top = (1 << bits) - 1
    value = block[at] & top
    at += 1
    if value < top:
        return value, at
    shift = 0
    while at < len(block):
        byte = block[at]
        at += 1
        value += (byte & 127) << shift
        shift += 7
        if value > INTEGER_LIMIT:
            raise FieldBlockError
        if byte < 128:
            return value, at
    raise FieldBlockError


def _decode(coded: bytes) -> bytes:
    """A string without its Huffman code (RFC 7541 5.2)."""
    try:
        return decode_huffman(coded)
    except HPACKDecodingError as error:
        raise FieldBlockError from error


_decode_short = lru_cache(maxsize=1 << 14)(_decode)


def read_string(block: bytes, at: int) -> tuple[bytes, int]:
    """A string literal (RFC 7541 5.2) and the place after it."""
    size, start = read_integer(block, at, 7)
    stop = start + size
    if stop > len(block):
        raise FieldBlockError
    content = block[start:stop]
    if block[at] & 128:
        content = _decode_short(content) if size <= REMEMBERED else _decode(content)
    return content, stop


class FieldBlocks:
    """Reads the blocks of one direction in their order. ``is_partial``: the table may hold entries that were never seen."""

    def __init__(self, most_fields: int, most_bytes: int, *, is_partial: bool = False) -> None:
        self.is_partial = is_partial
        self._most_fields = most_fields
        self._most_bytes = most_bytes
        self._entries: deque[tuple[bytes, bytes]] = deque()
        self._size = 0
        self._room = FIRST_SIZE

    def forget(self) -> None:
        """Blocks were lost: nothing is known of the table any more."""
        self._entries.clear()
        self._size = 0
        self.is_partial = True

    def read(self, block: bytes, fields: Fields) -> None:
        """Append the fields of a block to ``fields``; on an error those before it are there, and the table is forgotten.

        Raises:
            FieldBlockError: it is malformed, or larger than the limits.
        """
        try:
            self._read(block, fields)
        except FieldBlockError:
            self.forget()
            raise

    def _read(self, block: bytes, fields: Fields) -> None:
        at = taken = 0
        while at < len(block):
            first = block[at]
            if 0x80 < first < 0xBE:  # an index of the static table, in one byte
                at += 1
                field = STATIC[first - 0x81]
            elif first & 0x80:
                index, at = read_integer(block, at, 7)
                field = self._entry(index)
            elif first & 0xE0 == 0x20:
                size, at = read_integer(block, at, 5)
                if size > LARGEST_SIZE:
                    raise FieldBlockError
                self._room = size
                self._shrink()
                continue
            else:
                is_kept = first & 0x40
                index, at = read_integer(block, at, 6 if is_kept else 4)
                if index:
                    name = self._entry(index)[0]
                else:
                    name, at = read_string(block, at)
                value, at = read_string(block, at)
                field = (name, value)
                if is_kept:
                    self._entries.appendleft(field)
                    self._size += len(name) + len(value) + OVERHEAD
                    self._shrink()
            taken += len(field[0]) + len(field[1])
            if len(fields) >= self._most_fields or taken > self._most_bytes:
                raise FieldBlockError(is_too_large=True)
            fields.append(field)

    def _entry(self, index: int) -> tuple[bytes, bytes]:
        """The entry of an index (RFC 7541 2.3.3)."""
        if 0 < index <= len(STATIC):
            return STATIC[index - 1]
        place = index - len(STATIC) - 1
        if 0 <= place < len(self._entries):
            return self._entries[place]
        if index > 0 and self.is_partial:
            return b":unknown-index-%d" % index, b""
        raise FieldBlockError

    def _shrink(self) -> None:
        """Drop the oldest entries until the rest fits (RFC 7541 4.3)."""
        while self._size > self._room and self._entries:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + OVERHEAD
