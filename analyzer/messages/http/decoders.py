"""Bodies in a content coding (RFC 9110 8.4.1), decoded to know their length and their first bytes; what is decoded is not kept here.

A rare and intricate thing, so a library and a Python object for each body that is being read: their number, and how much a body may grow,
are limited. The limit on growth is looked at after every SLICE bytes of a body, so that it does not depend on how the body came.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np

from analyzer.messages.http.bodies import Bodies, number_of
from analyzer.options import Limits
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.http import BROTLI, DEFLATE, GZIP, HTTP_ERROR_CODES, HTTP_ERRORS, NO_CODING, OTHER_CODING, ZSTD

BAD_CODING = HTTP_ERROR_CODES["bad_content_coding"]
TOO_LARGE = HTTP_ERROR_CODES["decoded_too_large"]
SLICE = 4096  # coded bytes decoded at a time: four megabytes at most
FREE = 1 << 18  # bytes that any body may grow to
GZIP_HEADER, ZLIB_HEADER, NO_HEADER = 31, 15, -15  # zlib's wbits
BROTLI_STEP: Final = 1 << 20  # bytes that Brotli may hand out at a time
ZSTD_SLICE: Final = 32  # coded bytes at a time: each four may be a block of 128 KiB
ZSTD_WINDOW: Final = 8 << 20  # RFC 9659: no decoder needs more
PEEK: Final = 2  # bytes that tell gzip from zlib and bare deflate
OPTIONAL: Final = {BROTLI: "brotli", ZSTD: "zstandard"}
"""Codings whose library comes with the extra ``http``."""


def choose_format(head: bytes) -> int:
    """What the first two bytes begin: gzip (RFC 1952 2.3), zlib (RFC 1950 2.2), or bare deflate as some servers send it."""
    if head == b"\x1f\x8b":
        return GZIP_HEADER
    return ZLIB_HEADER if head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0 else NO_HEADER


class Zlib:
    """gzip and deflate."""

    def __init__(self, head: bytes) -> None:
        self._zlib = zlib.decompressobj(choose_format(head))

    @property
    def is_over(self) -> bool:
        """Whether the coded body has ended."""
        return self._zlib.eof

    def step(self, piece: bytes | memoryview) -> Iterator[bytes]:
        """Decode a piece of at most SLICE bytes."""
        yield self._zlib.decompress(piece)


class Brotli:
    """Brotli (RFC 7932)."""

    def __init__(self) -> None:
        library: Any = importlib.import_module("brotli")
        self._brotli = library.Decompressor()

    @property
    def is_over(self) -> bool:
        """Whether the coded body has ended."""
        return bool(self._brotli.is_finished())

    def step(self, piece: bytes | memoryview) -> Iterator[bytes]:
        """Decode a piece."""
        yield self._brotli.process(bytes(piece), output_buffer_limit=BROTLI_STEP)
        while not self._brotli.can_accept_more_data() and not self._brotli.is_finished():
            yield self._brotli.process(b"", output_buffer_limit=BROTLI_STEP)


class Zstd:
    """Zstandard (RFC 8878)."""

    def __init__(self) -> None:
        library: Any = importlib.import_module("zstandard")
        self._zstd = library.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    @property
    def is_over(self) -> bool:
        """Whether the coded body has ended."""
        return bool(self._zstd.eof)

    def step(self, piece: bytes | memoryview) -> Iterator[bytes]:
        """Decode a piece."""
        for at in range(0, len(piece), ZSTD_SLICE):
            if not self._zstd.eof:
                yield self._zstd.decompress(piece[at : at + ZSTD_SLICE])


Taker: TypeAlias = Zlib | Brotli | Zstd


def make_taker(coding: int, head: bytes) -> Taker | None:
    """What takes a coding off; ``head``: the first PEEK bytes. None where its library is not installed."""
    if coding in (GZIP, DEFLATE):
        return Zlib(head)
    try:
        return Brotli() if coding == BROTLI else Zstd()
    except ImportError:
        return None


class Decoder:
    """One body: ``decoded`` bytes of ``taken`` so far; ``error`` is 0 or why it is read no further, ``is_over`` nothing more comes.

    ``is_unknown``: the library that takes its coding off is not installed.
    """

    def __init__(self, index: int, ratio: int, coding: int = GZIP, sink: Callable[[bytes], None] | None = None) -> None:
        self.index = index
        self.decoded = 0
        self.taken = 0
        self.error = 0
        self.is_over = False
        self.is_unknown = False
        self._ratio = ratio
        self._coding = coding
        self._sink = sink
        self._head = b""
        self._taker: Taker | None = None

    def feed(self, piece: bytes | memoryview, wanted: int) -> bytes:
        """Decode more of the body; the first ``wanted`` bytes of what came."""
        start = b""
        if self._taker is None:
            peek = PEEK if self._coding in (GZIP, DEFLATE) else 0
            taken = peek - len(self._head)
            self._head += bytes(piece[:taken])
            piece = piece[taken:]
            if len(self._head) < peek:
                return start
            self._taker = make_taker(self._coding, self._head)
            if self._taker is None:
                self.is_unknown = self.is_over = True
                return start
            start = self._step(self._head, wanted) if peek else b""
        at = 0
        while at < len(piece) and not self.is_over:
            size = SLICE - self.taken % SLICE
            start += self._step(piece[at : at + size], wanted - len(start))
            at += size
        return start

    def give_up(self) -> None:
        """Read no further: there are too many."""
        self.error, self.is_over, self._taker = TOO_LARGE, True, None

    def _step(self, piece: bytes | memoryview, wanted: int) -> bytes:
        assert self._taker is not None
        start, most = b"", self._ratio * (self.taken - self.taken % SLICE + SLICE) + FREE
        try:
            for content in self._taker.step(piece):
                start += content[: max(wanted - len(start), 0)]
                self.decoded += len(content)
                if self.decoded > most and not isinstance(self._taker, Zlib):  # these are asked in smaller steps
                    self.decoded, self.error = most + 1, TOO_LARGE  # wherever the body was cut
                    break
                if self._sink is not None:
                    self._sink(content)
        except Exception:  # noqa: BLE001 - each library has its own errors for hostile bytes
            self.error, self.is_over = BAD_CODING, True
            return start
        self.taken += len(piece)
        if self.taken % SLICE == 0 and self.decoded > self._ratio * self.taken + FREE:
            self.error = TOO_LARGE
        self.is_over = self._taker.is_over or self.error != 0
        return start


class Decoders:
    """The bodies being decoded, in order of their beginning: by connection, stream of HTTP/2 and whether they are responses.

    ``bodies`` takes them, and those that are in no coding, or in one that nobody here knows, as they came.
    """

    def __init__(self, limits: Limits, bodies: Bodies | None = None) -> None:
        self._limits = limits
        self._kept = bodies
        self._bodies: dict[tuple[int, int, int], Decoder] = {}
        self._open: dict[tuple[int, int, int], Decoder] = {}  # those of them that go on

    def decode(self, pieces: Rows, coded: Bytes, exchanges: Rows, text: Bytes, counts: Ints) -> None:
        """Decode CODED_PIECE rows: sizes, first bytes and errors go to their EXCHANGE rows."""
        content, table = coded.data, exchanges.view(np.ndarray)
        for x, is_response, at, size in pieces.tolist():
            self.take(table[x], is_response, content[at : at + size], text, counts)

    def take(self, row: np.void, is_response: int, content: bytes | memoryview, text: Bytes, counts: Ints) -> None:
        """Decode more of one body, as ``decode`` does."""
        side = "response" if is_response else "request"
        coding, kept = int(row[f"{side}_coding"]), self._kept
        number = 0
        if kept is not None:
            number = number_of(kept, row, side)
            kept.count(number, len(content))
        if coding in (NO_CODING, OTHER_CODING):
            if coding == NO_CODING:
                keep_start(row, side, content, text)
            if kept is not None:
                kept.add(number, content)
            return
        stream, index = (int(row["connection"]), int(row["stream"]), is_response), int(row["index"])
        decoder = self._bodies.get(stream)
        if decoder is None or decoder.index != index:
            decoder = self._begin(stream, index, coding, number)
        if stream in self._open:
            before = decoder.decoded
            keep_start(row, side, decoder.feed(content, int(row[f"{side}_start_size"] - row[f"{side}_start_have"])), text)
            row[f"{side}_decoded_bytes"] += decoder.decoded - before
            if decoder.is_over:
                del self._open[stream]
        if decoder.error:
            note(row, side, decoder.error, counts)
        if decoder.is_unknown:
            row[f"{side}_is_decoded"] = 0
        if kept is not None:
            _tell(kept, number, decoder, content)

    def _begin(self, stream: tuple[int, int, int], index: int, coding: int, number: int) -> Decoder:
        """A new body; over the limit the oldest one is read no further."""
        self._open.pop(stream, None)
        sink = partial(self._kept.add, number) if self._kept is not None else None
        decoder = self._bodies[stream] = self._open[stream] = Decoder(index, self._limits.decoded_ratio, coding, sink)
        if len(self._open) > self._limits.decoders:
            self._open.pop(next(iter(self._open))).give_up()
        return decoder

    def release(self, rows: Ints) -> None:
        """Forget the bodies of these connection rows."""
        gone = set(rows.tolist()) & {stream[0] for stream in self._bodies}
        for stream in [stream for stream in self._bodies if stream[0] in gone] if gone else ():
            self._bodies.pop(stream)
            self._open.pop(stream, None)


def _tell(bodies: Bodies, number: int, decoder: Decoder, content: bytes | memoryview) -> None:
    """What did not become of a body that is kept."""
    if decoder.error:
        bodies.cut(number, HTTP_ERRORS[decoder.error][0])
    if decoder.is_unknown:
        bodies.add(number, content)


def keep_start(row: np.void, side: str, content: bytes | memoryview, text: Bytes) -> None:
    """Put what a body begins with where there is room for it."""
    have = int(row[f"{side}_start_have"])
    start = content[: int(row[f"{side}_start_size"]) - have]
    place = int(row[f"{side}_start"]) + have
    text[place : place + len(start)] = np.frombuffer(start, np.uint8)
    row[f"{side}_start_have"] = have + len(start)


def note(row: np.void, side: str, code: int, counts: Ints) -> None:
    """Count what was wrong with a body; the first thing wrong stays on its exchange, with the frame in which the message began."""
    if row["error"] != code:
        counts[code] += 1
    if row["error"] == 0:
        row["error"] = code
        row["error_number"] = row[f"{side}_first_number"]
