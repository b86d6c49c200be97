"""Bodies in gzip or deflate (RFC 9110 8.4.1), decoded to know their length and their first bytes; what is decoded is not kept.

A rare and intricate thing, so zlib and a Python object for each body that is being read: their number, and how much a body may grow,
are limited. The limit on growth is looked at after every SLICE bytes of a body, so that it does not depend on how the body came.
"""

from __future__ import annotations

import zlib

import numpy as np

from analyzer.options import Limits
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.http import HTTP_ERROR_CODES

BAD_CODING = HTTP_ERROR_CODES["bad_content_coding"]
TOO_LARGE = HTTP_ERROR_CODES["decoded_too_large"]
SLICE = 4096  # coded bytes decoded at a time: four megabytes at most
FREE = 1 << 18  # bytes that any body may grow to
GZIP_HEADER, ZLIB_HEADER, NO_HEADER = 31, 15, -15  # zlib's wbits


def choose_format(head: bytes) -> int:
    """What the first two bytes begin: gzip (RFC 1952 2.3), zlib (RFC 1950 2.2), or bare deflate as some servers send it."""
    if head == b"\x1f\x8b":
        return GZIP_HEADER
    return ZLIB_HEADER if head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0 else NO_HEADER


class Decoder:
    """One body: ``decoded`` bytes of ``taken`` so far; ``error`` is 0 or why it is read no further, ``is_over`` nothing more comes."""

    def __init__(self, index: int, ratio: int) -> None:
        self.index = index
        self.decoded = 0
        self.taken = 0
        self.error = 0
        self.is_over = False
        self._ratio = ratio
        self._head = b""
        self._zlib: zlib._Decompress | None = None

    def feed(self, piece: memoryview, wanted: int) -> bytes:
        """Decode more of the body; the first ``wanted`` bytes of what came."""
        start = b""
        if self._zlib is None:
            taken = 2 - len(self._head)
            self._head += bytes(piece[:taken])
            piece = piece[taken:]
            if len(self._head) < 2:
                return start
            self._zlib = zlib.decompressobj(choose_format(self._head))
            start = self._step(self._head, wanted)
        at = 0
        while at < len(piece) and not self.is_over:
            size = SLICE - self.taken % SLICE
            start += self._step(piece[at : at + size], wanted - len(start))
            at += size
        return start

    def give_up(self) -> None:
        """Read no further: there are too many."""
        self.error, self.is_over, self._zlib = TOO_LARGE, True, None

    def _step(self, piece: bytes | memoryview, wanted: int) -> bytes:
        assert self._zlib is not None
        try:
            content = self._zlib.decompress(piece)
        except zlib.error:
            self.error, self.is_over = BAD_CODING, True
            return b""
        self.taken += len(piece)
        self.decoded += len(content)
        if self.taken % SLICE == 0 and self.decoded > self._ratio * self.taken + FREE:
            self.error = TOO_LARGE
        self.is_over = self._zlib.eof or self.error != 0
        return content[:wanted]


class Decoders:
    """The bodies being decoded, one a stream (2 * connection + 1 for responses), in order of their beginning."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bodies: dict[int, Decoder] = {}
        self._open: dict[int, Decoder] = {}  # those of them that go on

    def decode(self, pieces: Rows, coded: Bytes, exchanges: Rows, text: Bytes, counts: Ints) -> None:
        """Decode CODED_PIECE rows: sizes, first bytes and errors go to their EXCHANGE rows."""
        content, table = coded.data, exchanges.view(np.ndarray)
        for x, is_response, at, size in pieces.tolist():
            row = table[x]
            side = "response" if is_response else "request"
            stream, index = 2 * int(row["connection"]) + is_response, int(row["index"])
            decoder = self._bodies.get(stream)
            if decoder is None or decoder.index != index:
                decoder = self._begin(stream, index)
            if stream not in self._open:
                if decoder.error:
                    note(row, side, decoder.error, counts)
                continue
            have, before = int(row[f"{side}_start_have"]), decoder.decoded
            start = decoder.feed(content[at : at + size], int(row[f"{side}_start_size"]) - have)
            if start:
                place = int(row[f"{side}_start"]) + have
                text[place : place + len(start)] = np.frombuffer(start, np.uint8)
                row[f"{side}_start_have"] = have + len(start)
            row[f"{side}_decoded_bytes"] += decoder.decoded - before
            if decoder.error:
                note(row, side, decoder.error, counts)
            if decoder.is_over:
                del self._open[stream]

    def _begin(self, stream: int, index: int) -> Decoder:
        """A new body; over the limit the oldest one is read no further."""
        self._open.pop(stream, None)
        decoder = self._bodies[stream] = self._open[stream] = Decoder(index, self._limits.decoded_ratio)
        if len(self._open) > self._limits.decoders:
            self._open.pop(next(iter(self._open))).give_up()
        return decoder

    def release(self, rows: Ints) -> None:
        """Forget the bodies of these connection rows."""
        for row in set(rows.tolist()) & {stream >> 1 for stream in self._bodies}:
            for stream in (2 * row, 2 * row + 1):
                self._bodies.pop(stream, None)
                self._open.pop(stream, None)


def note(row: np.void, side: str, code: int, counts: Ints) -> None:
    """Count what was wrong with a body; the first thing wrong stays on its exchange, with the frame in which the message began."""
    if row["error"] != code:
        counts[code] += 1
    if row["error"] == 0:
        row["error"] = code
        row["error_number"] = row[f"{side}_first_number"]
