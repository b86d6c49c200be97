"""HTTP of many connections at once: state tables, growth, and the EXCHANGE rows until their connections leave."""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS
from analyzer.memory import Memory, Text
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.http.decoders import Decoders
from analyzer.messages.http.framing_kernels import drop_blocks, frame
from analyzer.messages.http.head_kernels import FACTS
from analyzer.messages.http.media_kernels import tell_media
from analyzer.messages.http.pairing_kernels import (
    BYTE_AT,
    CODED_NEED,
    CODED_ROOM,
    CODED_TOP,
    CURSOR,
    DECODES,
    HEAD_LIMIT,
    KEEPS_HEADS,
    NEED,
    PIECE_ROOM,
    PIECES,
    ROW_ROOM,
    RUN_AT,
    TEXT_ROOM,
    TEXT_TOP,
    TUNNEL_ROOM,
    TUNNELS,
    USED,
    WAIT_LIMIT,
)
from analyzer.options import Options
from analyzer.tables import Bytes, Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.http import CODED_PIECE, EXCHANGE, HTTP_ERRORS, HTTP_PAIRING, HTTP_STREAM, HTTP_TUNNEL

_TEXT_FIELDS = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))


class Http:
    """The HTTP/1.x dissector. ``decode``: codings are taken off bodies, for their length and to see what they are; ``bodies`` takes them.

    ``exchanges[:used]`` are the rows of connections that have not left; rows that have left and wait to be swept have connection -1.
    Spans point into ``text``. ``counts`` holds how often each of HTTP_ERRORS happened.
    """

    def __init__(
        self, memory: Memory, options: Options, rows: int = 1 << 10, *, decode: bool = False, bodies: Bodies | None = None
    ) -> None:
        self.memory = memory
        self.streams: Rows = new_table(HTTP_STREAM, 2 * rows)
        self.pairings: Rows = new_table(HTTP_PAIRING, rows)
        self.exchanges: Rows = new_table(EXCHANGE, rows)
        self.tunnels: Rows = new_table(HTTP_TUNNEL, 2 * rows)
        self.text = Text()
        self.text.top = 1
        self._pieces: Rows = new_table(CODED_PIECE, rows)
        self._coded = Text()
        self._decoders = Decoders(options.limits, bodies)
        self.counts: Ints = np.zeros(len(HTTP_ERRORS), np.int64)
        self._dead = 0
        self._ranks: Ints = np.full(rows, -1, np.int64)
        # line starts of one head: the start line, the fields, the empty line
        self._lines: Ints = np.zeros(options.limits.head_fields + 2, np.int64)
        self._facts: Ints = np.zeros(FACTS, np.int64)
        self._cursor: Ints = np.zeros(CURSOR, np.int64)
        self._cursor[HEAD_LIMIT] = options.limits.head_bytes
        self._cursor[WAIT_LIMIT] = options.limits.pending_requests
        self._cursor[DECODES] = 2 if bodies is not None else decode or options.decode_bodies
        self._cursor[KEEPS_HEADS] = options.keep_heads

    @property
    def used(self) -> int:
        """Rows of ``exchanges`` in use."""
        return int(self._cursor[USED])

    @property
    def anomalies(self) -> dict[str, int]:
        """How often each thing of HTTP_ERRORS happened, those that did."""
        return {HTTP_ERRORS[code][0]: int(count) for code, count in enumerate(self.counts) if count}

    def process_runs(self, batch: Batch, runs: Rows, wanted: Ints, connections: Rows, wishes: Rows | None = None) -> Rows:
        """Read the runs ``wanted`` (int64 indices into ``runs``, HTTP connections only, both directions, in capture order).

        Returns the HTTP_TUNNEL rows of this batch: where connections left HTTP. ``connections`` is the CONNECTION table; ``wishes``
        (a row per stream with ``skip_until``, int64) is told up to which stream offset bytes of bodies need not be delivered.
        """
        if len(wanted) == 0:
            return _first(self.tunnels, 0)
        self._fit(connections.shape[0])
        cursor, text = self._cursor, self.text
        cursor[RUN_AT], cursor[BYTE_AT], cursor[TUNNELS] = 0, -1, 0
        cursor[PIECES], cursor[CODED_TOP] = 0, 0
        while True:
            cursor[TEXT_TOP], cursor[TEXT_ROOM] = text.top, text.data.size
            cursor[ROW_ROOM], cursor[TUNNEL_ROOM] = self.exchanges.shape[0], self.tunnels.shape[0]
            cursor[PIECE_ROOM], cursor[CODED_ROOM] = self._pieces.shape[0], self._coded.data.size
            status = frame(
                batch.memory.data, runs, wanted, self.streams, self.pairings, self.exchanges, self.tunnels, self._pieces, text.data,
                self._coded.data, self.memory.arenas[0], self._lines, self._facts, self.counts, cursor,
            )  # fmt: skip
            text.top, self._coded.top = int(cursor[TEXT_TOP]), int(cursor[CODED_TOP])
            if status == DONE:
                break
            self._grow(status)
        if cursor[PIECES]:
            pieces = _first(self._pieces, int(cursor[PIECES]))
            if cursor[KEEPS_HEADS]:
                pieces = self._keep_trailers(pieces)
            self._decoders.decode(pieces, self._coded.data, self.exchanges, text.data, self.counts)
        if wishes is not None:
            streams = 2 * runs["connection"][wanted].astype(np.int64) + runs["sender"][wanted]
            wishes["skip_until"][streams] = self.streams["skip_until"][streams]
        return _first(self.tunnels, int(cursor[TUNNELS]))

    def _keep_trailers(self, pieces: Rows) -> Rows:
        """Trailers become further lines of their heads; the pieces of bodies."""
        is_trailer = pieces["is_response"] > 1
        for piece in pieces[is_trailer]:  # rare
            row = self.exchanges[int(piece["exchange"])]
            side = "response" if piece["is_response"] & 1 else "request"
            at, size = int(piece["position"]), int(piece["piece_bytes"])
            head = text_of(self.text.data, row, f"{side}_head") + self._coded.data[at : at + size].tobytes()
            row[f"{side}_head"], row[f"{side}_head_size"] = self.text.append(head)
        return take_rows(pieces, np.flatnonzero(~is_trailer)) if is_trailer.any() else pieces

    def take(self, rows: Ints) -> Rows:
        """A copy of the EXCHANGE rows of these connection rows, ordered by (place in ``rows``, index)."""
        live = _first(self.exchanges, self.used)
        if not self.used or not rows.size:
            return new_table(EXCHANGE, 0)
        is_here = rows < self._ranks.size  # connections begun since HTTP was seen last have no place yet
        self._ranks[rows[is_here]] = np.flatnonzero(is_here)
        ranks = np.where(live.connection >= 0, self._ranks[live.connection], -1)
        self._ranks[rows[is_here]] = -1
        found = np.flatnonzero(ranks >= 0)
        taken = take_rows(live, found[np.lexsort((live["index"][found], ranks[found]))])
        tell_media(self.text.data, taken)
        return taken

    def release(self, rows: Ints) -> None:
        """Forget these connection rows: their state and their exchanges. Table and text are swept when more than half is dead."""
        rows = rows[rows < self.pairings.shape[0]]
        if len(rows) == 0:
            return
        self._decoders.release(rows)
        streams = np.concatenate((2 * rows, 2 * rows + 1))
        if self.streams.block_size[streams].any():
            drop_blocks(self.memory.data, self.memory.arenas[0], self.streams, rows)
        clear_rows(self.streams, streams)
        has_exchanges = bool(self.pairings.exchanges[rows].any())
        clear_rows(self.pairings, rows)
        if not has_exchanges:
            return
        live = _first(self.exchanges, self.used)
        self._ranks[rows] = 0
        gone = np.flatnonzero((live.connection >= 0) & (self._ranks[live.connection] == 0))
        self._ranks[rows] = -1
        live.connection[gone] = -1
        self._dead += gone.size
        if 2 * self._dead > self.used:
            self._sweep()

    def _fit(self, rows: int) -> None:
        """Make the state tables as long as the connection table."""
        self.streams = grow_table(self.streams, 2 * rows)
        self.pairings = grow_table(self.pairings, rows)
        if self._ranks.size < rows:
            self._ranks = np.full(self.pairings.shape[0], -1, np.int64)

    def _grow(self, status: int) -> None:
        """Make the room the kernel asked for; it asks again only for something else."""
        if status == GROW_ROWS:
            before = self.exchanges.shape[0] + self.tunnels.shape[0] + self._pieces.shape[0]
            self.exchanges = grow_table(self.exchanges, self.used + 1)
            self.tunnels = grow_table(self.tunnels, int(self._cursor[TUNNELS]) + 2)
            self._pieces = grow_table(self._pieces, int(self._cursor[PIECES]) + 1)
            grown = self.exchanges.shape[0] + self.tunnels.shape[0] + self._pieces.shape[0] > before
        else:
            before = self.text.data.size + self._coded.data.size
            self.text.make_room(int(self._cursor[NEED]))
            self._coded.make_room(int(self._cursor[CODED_NEED]))
            grown = self.text.data.size + self._coded.data.size > before
        if not grown:
            raise RuntimeError("HTTP framing asked for room that it had")

    def _sweep(self) -> None:
        """Drop dead rows and their text; references to rows follow."""
        used = self.used
        kept = np.flatnonzero(self.exchanges.connection[:used] >= 0)
        places = np.zeros(used + 1, np.int64)  # 1 + old row -> 1 + new row, 0 stays 0
        places[kept + 1] = np.arange(1, kept.size + 1)
        self.exchanges[: kept.size] = take_rows(self.exchanges, kept)
        clear_rows(self.exchanges, np.arange(kept.size, used))
        self._cursor[USED] = kept.size
        self._dead = 0
        live = _first(self.exchanges, kept.size)
        live.following = places[live.following]
        rows = np.unique(live.connection)
        for name in ("first_waiting", "last_waiting", "last"):
            self.pairings[name][rows] = places[self.pairings[name][rows]]
        for streams in (2 * rows, 2 * rows + 1):
            self.streams.exchange[streams] = places[self.streams.exchange[streams]]
        self.text.compact([(live[name], live[name + "_size"]) for name in _TEXT_FIELDS])
        self.text.top = max(self.text.top, 1)


def _first(table: Rows, rows: int) -> Rows:
    """The first rows of a table, not copied."""
    return table[:rows].view(np.recarray)


def text_of(data: Bytes, row: np.record, name: str) -> bytes:
    """The bytes of one span field of one row (for looking at single rows)."""
    at, size = int(row[name]), int(row[name + "_size"])
    return data[at : at + size].tobytes()
