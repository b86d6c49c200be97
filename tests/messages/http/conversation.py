"""HTTP conversations as pieces of stream bytes, fed to ``Http`` in any cut and in any batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.http.exchanges import Http, text_of
from analyzer.options import Limits, Options
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.http import EXCHANGE, MEDIA_TYPES
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import ENDED_BY_RESET, ENDED_OPEN, NOT_KEPT, RUN, STREAM_ENDED

CLIENT, SERVER = 0, 1
FIN, RST, OPEN = STREAM_ENDED, STREAM_ENDED | ENDED_BY_RESET, STREAM_ENDED | ENDED_OPEN
SPAN_NAMES = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
PLACES = ("_ts", "_number")


@dataclass(frozen=True)
class Piece:
    """Bytes of one stream that came in one frame; ``unseen`` more follow that were counted but not kept."""

    sender: int
    content: bytes = b""
    gap: int = 0
    marks: int = 0
    number: int = 0
    connection: int = 0
    unseen: int = 0


def say(content: bytes, **more: Any) -> Piece:
    """The client sends."""
    return Piece(CLIENT, content, **more)


def answer(content: bytes, **more: Any) -> Piece:
    """The server sends."""
    return Piece(SERVER, content, **more)


def numbered(pieces: Iterable[Piece]) -> list[Piece]:
    """Each piece a frame of its own, from 1."""
    return [replace(piece, number=piece.number or k + 1) for k, piece in enumerate(pieces)]


def cut(pieces: Sequence[Piece], step: int, first: int = 0) -> list[Piece]:
    """The same bytes in runs of ``step`` bytes (the first of ``first``); the frame of each byte stays."""
    out = []
    for piece in numbered(pieces):
        bounds = [0, *range(first or step, len(piece.content), step), len(piece.content)]
        for start, stop in itertools.pairwise(bounds):
            if stop > start or not piece.content:
                is_last = stop == len(piece.content)
                out.append(
                    replace(
                        piece,
                        content=piece.content[start:stop],
                        gap=piece.gap if start == 0 else 0,
                        marks=piece.marks if is_last else 0,
                        unseen=piece.unseen if is_last else 0,
                    )
                )
                if not piece.content:
                    break
    return out


def make_runs(memory: Memory, pieces: Sequence[Piece], offsets: dict[tuple[int, int], int], at: int = 0) -> Rows:
    """RUN rows of the pieces, their bytes in ``memory`` from ``at`` on."""
    runs = new_table(RUN, sum(2 if piece.unseen else 1 for piece in pieces))
    k = 0
    for piece in pieces:
        key = (piece.connection, piece.sender)
        parts = [(piece.content, len(piece.content), piece.gap)] + ([(None, piece.unseen, 0)] if piece.unseen else [])
        for content, size, gap in parts:
            run = runs[k]
            k += 1
            run.connection, run.sender, run.gap, run.run_size = piece.connection, piece.sender, gap, size
            run.number, run.ts = piece.number, 10 * piece.number
            offsets[key] = offsets.get(key, 0) + gap
            run.offset = offsets[key]
            offsets[key] += size
            if content is None:
                run.position, run.marks = -1, NOT_KEPT | piece.marks
            else:
                memory.data[at : at + size] = np.frombuffer(content, np.uint8)
                run.position, run.marks = at, 0 if piece.unseen else piece.marks
                at += size
    return runs


def read(
    pieces: Iterable[Piece],
    *,
    batch: int = 0,
    rows: int = 1,
    limits: Limits | None = None,
    connections: int = 1,
    arena: int = 1 << 20,
    keep_heads: bool = False,
) -> tuple[Http, list[tuple[int, ...]]]:
    """Feed the pieces in batches of ``batch`` runs (0 = one batch); the dissector and the tunnels it told of."""
    pieces = numbered(pieces)
    memory = Memory(1 << 20, 1, arena)
    http = Http(memory, Options(limits=limits or Limits(), keep_heads=keep_heads), rows, decode=True)
    http.text.data = np.zeros(2, np.uint8)  # every growth is exercised
    table, offsets, tunnels = new_table(CONNECTION, connections), {}, []
    step = batch or max(1, len(pieces))
    for start in range(0, len(pieces), step):
        memory.data[: 1 << 20] = 0xEE  # what an earlier batch pointed to is gone
        runs = make_runs(memory, pieces[start : start + step], offsets)
        bundle = Batch(memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
        found = http.process_runs(bundle, runs, np.arange(runs.size), table)
        tunnels += [tuple(int(value) for value in row)[:5] for row in found]  # not its row
    return http, tunnels


def facts(http: Http, rows: Sequence[int] = (0,), *, places: bool = True, starts: bool = False) -> list[dict[str, Any]]:
    """The exchanges of connection rows as dictionaries without what is zero; spans as bytes. ``starts``: with what bodies begin with."""
    out = []
    for row in http.take(np.array(rows, np.int64)):
        fact: dict[str, Any] = {}
        for name in row.dtype.names:
            if "_start" in name or name.endswith("_media"):
                if starts and name.endswith("_start") and row[f"{name}_have"]:
                    fact[name] = text_of(http.text.data, row, name)[: row[f"{name}_have"]]
                elif starts and name.endswith("_media"):
                    fact[name] = MEDIA_TYPES[row[name]]
                continue
            stem = name.removesuffix("_size")
            if name in SPAN_NAMES or name == "following" or (not places and name.endswith(PLACES)):
                continue
            if stem in SPAN_NAMES:
                if row[name]:
                    fact[stem] = text_of(http.text.data, row, stem)
            elif row[name]:
                fact[name] = int(row[name])
        out.append(fact)
    return out


def exchanges(*pieces: Piece, **more: Any) -> list[dict[str, Any]]:
    """The exchanges of one conversation."""
    return facts(read(pieces, **more)[0])
