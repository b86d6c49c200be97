"""HTTP/2 conversations: frames as bytes, fed to ``Http2`` in any cut and in any batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hpack import Encoder

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.http.http2 import Http2
from analyzer.options import Limits, Options
from analyzer.tables import new_table, plain_rows
from analyzer.tables.connections import CONNECTION
from analyzer.tables.http import EXCHANGE, HTTP_ERRORS
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import ENDED_OPEN, NOT_KEPT, RUN, STREAM_ENDED

CLIENT, SERVER = 0, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32
SPANS = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
Piece = tuple[int, bytes]
GAP = object()


def frame(kind: int, bits: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame (RFC 9113 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, bits)) + stream.to_bytes(4, "big") + payload


def settings(*pairs: tuple[int, int], ack: bool = False) -> bytes:
    """A SETTINGS frame."""
    return frame(4, int(ack), 0, b"".join(n.to_bytes(2, "big") + v.to_bytes(4, "big") for n, v in pairs))


def data(stream: int, content: bytes, *, end: bool = False, pad: int | None = None) -> bytes:
    """A DATA frame."""
    if pad is None:
        return frame(0, int(end), stream, content)
    return frame(0, PADDED | int(end), stream, bytes((pad,)) + content + bytes(pad))


class Sender:
    """One end: its header blocks share a table."""

    def __init__(self) -> None:
        self._encoder = Encoder()

    def block(self, *fields: tuple[str, str]) -> bytes:
        return self._encoder.encode(list(fields))

    def headers(self, stream: int, *fields: tuple[str, str], end: bool = False, bits: int = END_HEADERS) -> bytes:
        return frame(1, bits | int(end), stream, self.block(*fields))

    def get(self, stream: int, path: str = "/", *more: tuple[str, str], end: bool = True, method: str = "GET") -> bytes:
        head = ((":method", method), (":scheme", "https"), (":authority", "h.example"), (":path", path))
        return self.headers(stream, *head, *more, end=end)

    def status(self, stream: int, status: int = 200, *more: tuple[str, str], end: bool = False) -> bytes:
        return self.headers(stream, (":status", str(status)), *more, end=end)


def read(
    pieces: Sequence[Any], *, cut: int = 0, batch: int = 0, limits: Limits | None = None, heads: bool = False, decode: bool = False
) -> Http2:
    """Feed pieces (sender, bytes) or (sender, bytes, gap before), cut into runs of ``cut`` bytes, in batches of ``batch`` runs."""
    memory = Memory(1 << 21, 1, 1 << 20)
    h2 = Http2(memory, Options(limits=limits or Limits(), keep_heads=heads), decode=decode)
    h2._frames = h2._frames[:2].copy()  # every growth is exercised
    h2._payloads.data = np.zeros(1, np.uint8)
    h2.exchanges, h2._flows = h2.exchanges[:1].copy(), h2._flows[:1].copy()
    h2._rows = plain_rows(h2.exchanges)
    rows: list[tuple[int, bytes, int, int]] = []
    for number, (sender, content, *gap) in enumerate(pieces, 1):
        step = cut or max(1, len(content))
        parts = [content[at : at + step] for at in range(0, len(content), step)] or [b""]
        rows += [(sender, part, gap[0] if gap and k == 0 else 0, number) for k, part in enumerate(parts)]
    connections, offsets = new_table(CONNECTION, 1), [0, 0]
    size = batch or max(1, len(rows))
    bundle = Batch(memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    for start in range(0, len(rows), size):
        memory.data[: 1 << 21] = 0xEE
        here = rows[start : start + size]
        runs, top = new_table(RUN, len(here)), 0
        for run, (sender, part, gap, number) in zip(runs, here, strict=True):
            memory.data[top : top + len(part)] = np.frombuffer(part, np.uint8)
            offsets[sender] += gap
            run.sender, run.position, run.run_size, run.gap = sender, top, len(part), gap
            run.offset, run.number, run.ts = offsets[sender], number, 10 * number
            offsets[sender] += len(part)
            top += len(part)
        h2.process_runs(bundle, runs, np.arange(len(runs)), connections)
    last = new_table(RUN, 2)
    last.sender, last.position, last.marks = [0, 1], -1, NOT_KEPT | STREAM_ENDED | ENDED_OPEN
    h2.process_runs(bundle, last, np.arange(2), connections)
    return h2


def facts(h2: Http2) -> list[dict[str, Any]]:
    """The exchanges as dictionaries without what is zero; spans as bytes."""
    out = []
    for row in h2.take(np.array([0]))[0]:
        fact: dict[str, Any] = {}
        for name in row.dtype.names:
            stem = name.removesuffix("_size")
            if name in SPANS or "_start" in name:
                continue
            if stem in SPANS:
                if row[name]:
                    fact[stem] = h2.text.data[row[stem] : row[stem] + row[name]].tobytes()
            elif row[name]:
                fact[name] = int(row[name])
        fact["error"] = HTTP_ERRORS[fact.get("error", 0)][0]
        out.append(fact)
    return out


def exchanges(*pieces: Any, **more: Any) -> list[dict[str, Any]]:
    """The exchanges of one conversation."""
    return facts(read(pieces, **more))
