"""Frames of one direction of a stream (RFC 9114 7), from pieces of it in order: what is small is collected, bodies are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
FORBIDDEN: Final = frozenset((2, 6, 8, 9))  # types that only HTTP/2 has (RFC 9114 7.2.8)
_KEPT: Final = frozenset((HEADERS, SETTINGS, GOAWAY, PUSH_PROMISE))
Place = tuple[int, int]  # time, frame


class Frame(NamedTuple):
    """One frame that is complete, or a part of a body (DATA; ``size`` bytes)."""

    kind: int
    content: bytes
    size: int
    first: Place


@dataclass(slots=True)
class Framer:
    """State of one direction. ``is_lost``: bytes are missing where a frame should begin, nothing more can be read.

    ``keeps_bodies``: DATA has its content.
    """

    limit: int
    keeps_bodies: bool = False
    kind: int = -1
    left: int = 0
    is_lost: bool = False
    is_too_large: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _content: bytearray = field(default_factory=bytearray)
    _first: Place = (0, 0)

    def read(self, content: bytes | memoryview, gap: int, place: Place) -> list[Frame]:
        """The frames that end in these bytes, and what they have of a body."""
        if self.is_lost or (gap and not self._pass_gap(gap)):
            return []
        found, at, end = [], 0, len(content)
        while at < end:
            if self.kind < 0:
                at = self._take_header(content, at, place)
                if self.kind < 0:
                    break
                if self.left == 0:
                    found.append(self._finish())
                continue
            size = min(self.left, end - at)
            if self.kind == DATA:
                found.append(Frame(DATA, bytes(content[at : at + size]) if self.keeps_bodies else b"", size, place))
            elif self.kind in _KEPT and not self.is_too_large:
                self._content += content[at : at + size]
            at += size
            self.left -= size
            if self.left == 0:
                if self.kind == DATA:
                    self.kind = -1
                else:
                    found.append(self._finish())
        return found

    def _take_header(self, content: bytes | memoryview, at: int, place: Place) -> int:
        """Type and length, byte by byte; the position after them."""
        header = self._header
        if not header:
            self._first = place
        while at < len(content):
            header.append(content[at])
            at += 1
            wide = 1 << (header[0] >> 6)
            if len(header) > wide and len(header) == wide + (1 << (header[wide] >> 6)):
                self.kind = _varint(header[:wide])
                self.left = _varint(header[wide:])
                self.is_too_large = self.kind in _KEPT and self.left > self.limit
                header.clear()
                break
        return at

    def _finish(self) -> Frame:
        frame = Frame(self.kind, bytes(self._content), len(self._content), self._first)
        self._content.clear()
        self.kind = -1
        return frame

    def _pass_gap(self, gap: int) -> bool:
        """Bytes are missing; whether reading can go on behind them: within a body or a frame that nobody wants."""
        if self.kind >= 0 and self.kind not in _KEPT and gap <= self.left:
            self.left -= gap
            if self.left == 0:
                self.kind = -1
            return True
        self.is_lost = True
        return False


def _varint(content: bytearray) -> int:
    return int.from_bytes(content, "big") & ((1 << (8 * len(content) - 2)) - 1)


def read_settings(content: bytes) -> dict[int, int]:
    """Identifier -> value (RFC 9114 7.2.4), as far as they are well-formed."""
    found: dict[int, int] = {}
    at, numbers = 0, []
    while at < len(content) and len(found) < 64:
        wide = 1 << (content[at] >> 6)
        if at + wide > len(content):
            break
        numbers.append(_varint(bytearray(content[at : at + wide])))
        at += wide
        if len(numbers) == 2:
            found[numbers[0]] = numbers[1]
            numbers.clear()
    return found
