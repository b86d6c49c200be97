"""What opened packets carry: stream data in order for the next layer, and what the dissector wants to know."""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.kernel import DONE
from analyzer.messages.quic import frame_kernels as kernels
from analyzer.messages.quic.opener import Opener
from analyzer.messages.quic.session import STREAMS, Session
from analyzer.messages.quic.streams import Stream
from analyzer.messages.slab import Slab
from analyzer.tables import Bytes, Ints, Rows, grow_table, new_table
from analyzer.tables.quic import PIECE_ENDS, PIECE_RESETS, PIECE_STOPS, QUIC_FRAME, QUIC_PIECE

FIELDS: Final = ("connection", "role", "kind", "is_last", "stream", "offset", "code", "position", "frame_size", "number", "ts")
_PIECE_FIELDS: Final = ("connection", "role", "sender", "marks", "stream", "gap", "code", "position", "piece_size", "number", "ts")
Frame = tuple[int, ...]  # as FIELDS


class Application:
    """Frames of the application space; ``pieces`` are those of the batch."""

    def __init__(self, opener: Opener, slab: Slab, data: Bytes) -> None:
        self._opener = opener
        self._slab = slab
        self._data = data
        self._frames = new_table(QUIC_FRAME, 2 * kernels.PER_PACKET)
        self._state: Ints = np.zeros(1, np.int64)
        self._pieces: list[int] = []

    def begin(self) -> None:
        """A new batch."""
        self._pieces.clear()

    def pieces(self) -> Rows:
        """QUIC_PIECE rows of the batch, in the order in which they could be handed on."""
        columns: Ints = np.array(self._pieces, np.int64).reshape(-1, len(_PIECE_FIELDS))
        table = new_table(QUIC_PIECE, len(columns))
        for place, name in enumerate(_PIECE_FIELDS):
            table[name] = columns[:, place]
        return table

    def read(self, plains: Rows, table: Rows) -> list[Frame]:
        """Read QUIC_PLAIN rows: streams are put in order, acknowledgements go to ``table`` (QUIC); the other frames, as FIELDS."""
        others: list[Frame] = []
        i, status = 0, -1
        while status != DONE:
            before = i
            self._state[0] = 0
            status, i = kernels.read_frames(self._data, plains, len(plains), i, table, self._opener.sent, self._frames, self._state)
            frames = self._frames[: int(self._state[0])]
            for frame in zip(*(frames[name].tolist() for name in FIELDS), strict=True):
                if frame[2] == kernels.STREAM:
                    self._add_data(frame, table)
                elif frame[2] in (kernels.RESET, kernels.STOP):
                    self._reset(frame)
                else:
                    others.append(frame)
            if status != DONE and i == before:
                self._frames = grow_table(self._frames, 2 * len(self._frames))
        return others

    def _stream(self, session: Session, key: int) -> Stream | None:
        """The stream with a key (2 * id + role); None = there are too many."""
        stream = session.streams.get(key)
        if stream is None:
            if len(session.streams) >= 2 * STREAMS:
                for old in [k for k, one in session.streams.items() if one.is_over]:
                    del session.streams[old]
                if len(session.streams) >= 2 * STREAMS:
                    return None
            stream = session.streams[key] = Stream()
            if key ^ 1 not in session.streams:
                session.seen_streams += 1
        return stream

    def _add_data(self, frame: Frame, table: Rows) -> None:
        """A STREAM frame."""
        connection, role, _, is_last, stream_id, offset, _, position, size, number, ts = frame
        session = self._opener.sessions.get(connection)
        stream = self._stream(session, 2 * stream_id + role) if session is not None else None
        if session is None or stream is None or stream.is_over:
            return
        end = offset + size
        if is_last and stream.final < 0:
            stream.final = end
        if offset > stream.next:
            if stream.hold(offset, bytes(self._slab.bytes[position : position + size]), number, ts):
                self._give_up(session, stream, stream_id, role, table)
            return
        known = stream.next - offset
        if known:
            table.repeated_bytes[session.connection, role] += min(known, size)
        if known < size or end == stream.final:
            marks = PIECE_ENDS if end == stream.final else 0
            stream.next = max(end, stream.next)
            if known <= size:
                self._piece(session, role, marks, stream_id, 0, position + known, size - known, number, ts)
            if marks:
                stream.is_over = True
                stream.waiting.clear()
        if stream.waiting:
            self._hand_on(session, stream, stream_id, role, (number, ts))

    def _hand_on(  # noqa: PLR0913, PLR0917
        self, session: Session, stream: Stream, stream_id: int, role: int, place: tuple[int, int], gap: int = 0
    ) -> None:
        """What was held and can be handed on now, the first piece after a gap. ``place``: frame and time of what made it so."""
        ready = stream.ready()
        is_whole = stream.final >= 0 and stream.next >= stream.final
        for k, (content, number, ts) in enumerate(ready, 1):
            position = self._slab.put(content)
            if position < 0:
                gap += len(content)
                continue
            is_end = is_whole and k == len(ready)
            self._piece(session, role, PIECE_ENDS if is_end else 0, stream_id, gap, position, len(content), number, ts)
            stream.is_over |= is_end
            gap = 0
            place = (number, ts)
        if is_whole and not stream.is_over:
            stream.is_over = True
            self._piece(session, role, PIECE_ENDS, stream_id, gap, 0, 0, *place)

    def _give_up(self, session: Session, stream: Stream, stream_id: int, role: int, table: Rows) -> None:
        """A hole that is not filled: what is above it is handed on."""
        _, *place = min(stream.waiting.values(), key=lambda one: one[1])
        gap = stream.give_up()
        table.missing_bytes[session.connection, role] += gap
        self._hand_on(session, stream, stream_id, role, (place[0], place[1]), gap)

    def _reset(self, frame: Frame) -> None:
        """RESET_STREAM ends a stream; STOP_SENDING asks the other end to."""
        connection, role, kind, _, stream_id, _, code, position, _, number, ts = frame
        session = self._opener.sessions.get(connection)
        if session is None:
            return
        if kind == kernels.RESET:
            stream = self._stream(session, 2 * stream_id + role)
            if stream is not None:
                stream.is_over = True
                stream.waiting.clear()
        marks = PIECE_RESETS if kind == kernels.RESET else PIECE_STOPS
        self._piece(session, role, marks, stream_id, 0, position, 0, number, ts, code)

    def _piece(  # noqa: PLR0913, PLR0917
        self,
        session: Session,
        role: int,
        marks: int,
        stream_id: int,
        gap: int,
        position: int,
        size: int,
        number: int,
        ts: int,
        code: int = 0,
    ) -> None:
        session.stream_bytes[role] += size
        self._pieces += (session.connection, role, session.client ^ role, marks, stream_id, gap, code, position, size, number, ts)

    def finish(self, session: Session, table: Rows) -> None:
        """The connection is over: holes are given up."""
        for key, stream in session.streams.items():
            while stream.waiting and not stream.is_over:
                self._give_up(session, stream, key >> 1, key & 1, table)
