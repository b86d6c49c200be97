"""Field sections of one direction (RFC 9204) by ``pylsqpack``.

A section may refer to entries of the dynamic table that have not come yet: then it waits for them. What could grow without bound is
bounded before the decoder sees it: the table, a section's length, and what a section of references would unpack to.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import pylsqpack

Fields: TypeAlias = list[tuple[bytes, bytes]]

LARGEST_TABLE: Final = 1 << 16
DEFAULT_TABLE: Final = 4096  # that the client of 0-RTT remembers, as long as the server's SETTINGS have not come
BLOCKED: Final = 256  # sections that may wait
UNPACKED: Final = 64 << 20  # bytes a section could become: more is a bomb


class SectionError(Exception):
    """A field section that cannot be read; ``is_too_large``: only because of a limit."""

    def __init__(self, *, is_too_large: bool = False) -> None:
        super().__init__()
        self.is_too_large = is_too_large


class Sections:
    """The decoder of what one end sends. ``capacity``: of the table, as the other end's SETTINGS say (None = not known yet)."""

    def __init__(self, limit: int) -> None:
        self.capacity: int | None = None
        self._limit = limit
        self._decoder: pylsqpack.Decoder | None = None
        self._inserted = 0
        self.is_broken = False

    def _open(self) -> pylsqpack.Decoder:
        if self._decoder is None:
            capacity = DEFAULT_TABLE if self.capacity is None else min(self.capacity, LARGEST_TABLE)
            self._decoder = pylsqpack.Decoder(capacity, BLOCKED)
        return self._decoder

    def set_capacity(self, capacity: int) -> None:
        """The other end's SETTINGS; what is later than the first use of the table is too late."""
        self.capacity = capacity
        if self._inserted == 0:
            self._decoder = None

    def add_instructions(self, content: bytes) -> list[int]:
        """Bytes of the encoder stream; the streams whose sections can be read now."""
        if self.is_broken:
            return []
        decoder = self._open()
        self._inserted += len(content)
        try:
            ready: list[int] = decoder.feed_encoder(content)
        except pylsqpack.EncoderStreamError:
            self.is_broken = True
            return []
        return ready

    def forget(self) -> None:
        """Bytes of the encoder stream are missing: references to the table are lost from here on."""
        self.is_broken = True

    def read(self, stream: int, content: bytes) -> Fields | None:
        """The fields of a section; None = it waits for entries.

        Raises:
            SectionError: it cannot be read.
        """
        if len(content) > self._limit or len(content) * min(2 * self._inserted, LARGEST_TABLE) > UNPACKED:
            raise SectionError(is_too_large=True)
        try:
            _, fields = self._open().feed_header(stream, content)
        except pylsqpack.StreamBlocked:
            if self.is_broken:
                raise SectionError from None
            return None
        except (pylsqpack.DecompressionFailed, ValueError) as error:
            raise SectionError from error
        return list(fields)

    def resume(self, stream: int) -> Fields:
        """The fields of a section that waited.

        Raises:
            SectionError: it cannot be read.
        """
        try:
            _, fields = self._open().resume_header(stream)
        except (pylsqpack.DecompressionFailed, pylsqpack.StreamBlocked, ValueError) as error:
            raise SectionError from error
        return list(fields)
