"""HTTP/2 of many connections at once: frames, header blocks, and the EXCHANGE rows until their connections leave."""

from __future__ import annotations

from itertools import starmap
from typing import Final

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS
from analyzer.memory import Memory, Text
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.http.decoders import Decoders
from analyzer.messages.http.http2.frame_kernels import (
    BYTE_AT,
    CURSOR,
    FRAME_ROOM,
    FRAMES,
    LIMIT,
    NEED,
    ROOM,
    RUN_AT,
    TOP,
    account,
    drop_blocks,
    read_frames,
)
from analyzer.messages.http.http2.session import Session
from analyzer.messages.http.http2.streams import Frame, Streams
from analyzer.messages.http.media_kernels import tell_media
from analyzer.options import Options
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables import http2 as h2
from analyzer.tables.http import CODED_PIECE, EXCHANGE, HTTP_ERRORS, OTHER_CODING
from analyzer.tables.http2 import HTTP2_DIRECTION, HTTP2_FRAME

_TEXT_FIELDS: Final = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
_FIELDS: Final = ("connection", "sender", "kind", "frame_flags", "marks", "stream", "position", "piece_bytes",
                  "first_ts", "first_number", "last_ts", "last_number")  # fmt: skip
_READ: Final = np.zeros(256, np.bool_)
_READ[[h2.HEADERS, h2.RST_STREAM, h2.SETTINGS, h2.PUSH_PROMISE, h2.GOAWAY, h2.CONTINUATION, h2.ALTSVC, h2.PREFACE, h2.LOSS]] = True
VERSION: Final = 20  # EXCHANGE.version


class Http2(Streams):
    """The HTTP/2 dissector; what it keeps and answers is as with ``Http``."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False, bodies: Bodies | None = None) -> None:
        super().__init__(options, decodes=decode or options.decode_bodies or bodies is not None)
        self._keeps_bodies = bodies is not None
        self._memory = memory
        self._directions: Rows = new_table(HTTP2_DIRECTION, 2)
        self._frames: Rows = new_table(HTTP2_FRAME, 256)
        self._payloads = Text()
        self._decoders = Decoders(options.limits, bodies)
        self._cursor: Ints = np.zeros(CURSOR, np.int64)
        self._cursor[LIMIT] = options.limits.head_bytes

    # ---- runs to frames

    def process_runs(self, batch: Batch, runs: Rows, wanted: Ints, connections: Rows) -> None:
        """Read the runs ``wanted`` (int64 indices into ``runs``, HTTP/2 connections only, both directions, in capture order)."""
        if len(wanted) == 0:
            return
        n = len(connections)
        self._directions, self._windows = grow_table(self._directions, 2 * n), grow_table(self._windows, n)
        self._links = grow_table(self._links, n)
        frames = self._read_frames(batch, runs, wanted)
        if len(frames) == 0:
            return
        for row in np.unique(frames["connection"]).tolist():
            if row not in self._sessions:
                self._begin(row, int(connections["flipped"][row]))
        content = self._payloads.data.tobytes() if self._cursor[TOP] else b""
        self._count_frames(frames)
        read = np.flatnonzero(_READ[frames["kind"]])
        for frame in starmap(Frame, zip(*(frames[name][read].tolist() for name in _FIELDS), strict=True)):
            self._read(frame, content)
        slots, touched = self._slots(frames)
        account(frames, slots, self.exchanges, self._flows, self._windows, self._payloads.data)
        if self._decodes:
            self._decode(batch, frames, slots)
        rows = np.array([x for _, _, x in touched], np.int64)
        for k in np.flatnonzero(self.exchanges["request_complete"][rows] & self.exchanges["response_complete"][rows]).tolist():
            session, stream, _ = touched[k]
            session.streams.pop(stream, None)

    def _read_frames(self, batch: Batch, runs: Rows, wanted: Ints) -> Rows:
        """HTTP2_FRAME rows of the batch."""
        cursor, payloads = self._cursor, self._payloads
        cursor[RUN_AT], cursor[BYTE_AT], cursor[FRAMES], cursor[TOP] = 0, -1, 0, 0
        payloads.top = 0
        while True:
            cursor[FRAME_ROOM], cursor[ROOM] = len(self._frames), payloads.data.size
            status = read_frames(
                batch.memory.data, runs, wanted, self._directions, self._frames, payloads.data, self._memory.arenas[0], cursor
            )
            if status == DONE:
                return self._frames[: int(cursor[FRAMES])].view(np.recarray)
            payloads.top = int(cursor[TOP])
            before = len(self._frames) + payloads.data.size
            if status == GROW_ROWS:
                self._frames = grow_table(self._frames, len(self._frames) + 2)
            else:
                payloads.make_room(int(cursor[NEED]))
            if len(self._frames) + payloads.data.size == before:
                raise RuntimeError("HTTP/2 framing asked for room that it had")

    def _count_frames(self, frames: Rows) -> None:
        """Frames and pings of each connection."""
        kinds = frames["kind"]
        counted = (kinds != h2.DATA) & (kinds < h2.PREFACE)
        np.add.at(self._links["frames"], (frames["connection"][counted], frames["sender"][counted]), 1)
        asking = (kinds == h2.PING) & (frames["frame_flags"] & h2.ACK == 0)
        np.add.at(self._links["pings"], frames["connection"][asking], 1)

    def _slots(self, frames: Rows) -> tuple[Ints, list[tuple[Session, int, int]]]:
        """For each frame 1 + the row of its stream's exchange, 0 = none; and which streams of which sessions these are."""
        keys = frames["connection"].astype(np.int64) << 31 | frames["stream"]
        found, inverse = np.unique(keys, return_inverse=True)
        touched, slots = [], np.zeros(len(found), np.int64)
        for k, key in enumerate(found.tolist()):
            session, stream = self._sessions[key >> 31], key & 0x7FFFFFFF
            x = session.streams.get(stream, -1)
            if x >= 0:
                slots[k] = 1 + x
                touched.append((session, stream, x))
        return slots[inverse], touched

    def _decode(self, batch: Batch, frames: Rows, slots: Ints) -> None:
        """What bodies are when their coding is taken off."""
        at = np.flatnonzero((frames["kind"] == h2.DATA) & (slots > 0) & (frames["piece_bytes"] > 0) & (frames["position"] >= 0))
        if len(at) == 0:
            return
        pieces = new_table(CODED_PIECE, len(at))
        pieces["exchange"] = slots[at] - 1
        pieces["is_response"] = frames["sender"][at] != self.exchanges["client"][pieces["exchange"]]
        pieces["position"], pieces["piece_bytes"] = frames["position"][at], frames["piece_bytes"][at]
        coding = np.where(
            pieces["is_response"] == 1,
            self.exchanges["response_coding"][pieces["exchange"]],
            self.exchanges["request_coding"][pieces["exchange"]],
        )
        pieces = take_rows(pieces, np.flatnonzero((coding != OTHER_CODING) | self._keeps_bodies))
        self._decoders.decode(pieces, batch.memory.data, self.exchanges, self.text.data, self.counts)

    # ---- when connections leave

    @property
    def anomalies(self) -> dict[str, int]:
        """How often each thing of HTTP_ERRORS happened, those that did."""
        return {HTTP_ERRORS[code][0]: int(count) for code, count in enumerate(self.counts) if count}

    def advertised(self) -> Rows:
        """Copies of the EXCHANGE rows with Alt-Svc of connections that have not left."""
        live = np.array([x for session in self._sessions.values() for x in session.rows], np.int64)
        return take_rows(self.exchanges, live[self.exchanges["alt_svc_size"][live] > 0])

    def take(self, rows: Ints) -> tuple[Rows, Rows]:
        """Copies of the EXCHANGE rows of these connection rows, ordered by (place in ``rows``, index), and of their HTTP2_LINK rows."""
        here = [self._sessions[row] for row in rows.tolist() if row in self._sessions]
        taken = take_rows(self.exchanges, np.array([x for session in here for x in session.rows], np.int64))
        if self._decodes and len(taken):
            tell_media(self.text.data, taken)
        links = take_rows(self._links, np.array([session.connection for session in here], np.int64))
        for link, session in zip(links, here, strict=True):
            link["client"], link["is_partial"] = session.client, session.is_partial
            link["stall_ns"] = self._windows[session.connection].stall_ns if not session.is_partial else 0
        return taken, links

    def release(self, rows: Ints) -> None:
        """Forget these connection rows; table and text are swept when more than half is dead."""
        here = [row for row in rows.tolist() if row in self._sessions]
        known = rows[2 * rows + 1 < len(self._directions)]
        if len(known):
            drop_blocks(self._memory.data, self._memory.arenas[0], self._directions, known)
            clear_rows(self._directions, np.concatenate((2 * known, 2 * known + 1)))
            clear_rows(self._windows, known)
            clear_rows(self._links, known)
        if not here:
            return
        self._decoders.release(np.array(here, np.int64))
        self._dead += sum(len(self._sessions.pop(row).rows) for row in here)
        if 2 * self._dead > self._used:
            self._sweep()
