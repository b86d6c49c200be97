"""The TLS handshake in CRYPTO frames: bytes in any order to messages (RFC 9000 19.6, RFC 9001 4.1.3)."""

from __future__ import annotations

from typing import NamedTuple

Place = tuple[int, int]  # time, frame


class Message(NamedTuple):
    """One handshake message with the places of its first and last byte."""

    kind: int
    body: bytes
    first: Place
    last: Place


class CryptoStream:
    """One end's CRYPTO frames of one level. What is beyond ``limit`` bytes is left out, which ``beyond`` counts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()  # from offset 0 without holes
        self._parts: list[tuple[int, Place]] = []  # where the bytes of each frame begin, and its place
        self._waiting: dict[int, tuple[bytes, Place]] = {}
        self._waiting_bytes = 0
        self._read = 0
        self.beyond = 0
        self.conflicts = 0

    def add(self, offset: int, content: bytes, place: Place) -> None:
        """Bytes of a frame."""
        if offset + len(content) > self._limit:
            self.beyond += 1
            return
        have = len(self._content)
        if offset > have:
            held = self._waiting.get(offset)
            if held is None or len(held[0]) < len(content):
                self._waiting_bytes += len(content)
                if self._waiting_bytes > 4 * self._limit:
                    self.beyond += 1
                    return
                self._waiting[offset] = (content, place)
            return
        self._append(offset, content, place)
        while self._waiting:
            ready = [at for at in self._waiting if at <= len(self._content)]
            if not ready:
                return
            for at in sorted(ready):
                self._append(at, *self._waiting.pop(at))

    def _append(self, offset: int, content: bytes, place: Place) -> None:
        have = len(self._content)
        known = min(have - offset, len(content))
        if self._content[offset : offset + known] != content[:known]:
            self.conflicts += 1
        if offset + len(content) > have:
            self._parts.append((have, place))
            self._content += content[have - offset :]

    def messages(self, place: Place) -> list[Message]:
        """The messages that are complete with what came at ``place``."""
        found = []
        while len(self._content) >= self._read + 4:
            start = self._read
            size = int.from_bytes(self._content[start + 1 : start + 4], "big")
            end = start + 4 + size
            if end > len(self._content):
                break
            found.append(Message(self._content[start], bytes(self._content[start + 4 : end]), self._first(start, end), place))
            self._read = end
        return found

    def _first(self, start: int, end: int) -> Place:
        """The earliest of the places where bytes from ``start`` to ``end`` came from."""
        places = []
        for k, (begin, place) in enumerate(self._parts):
            stop = self._parts[k + 1][0] if k + 1 < len(self._parts) else len(self._content)
            if begin < end and stop > start:
                places.append(place)
        return min(places, key=lambda one: one[1])

    @property
    def is_waiting(self) -> bool:
        """A message is not complete, or bytes wait above a hole."""
        return bool(self._waiting) or self._read < len(self._content)
