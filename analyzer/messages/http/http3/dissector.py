"""HTTP/3 of many connections: streams to exchanges, and the EXCHANGE rows until their connections leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from analyzer.memory import Memory, Text
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.http.decoders import Decoders
from analyzer.messages.http.http2 import fields as field_rules
from analyzer.messages.http.http3 import frames as h3
from analyzer.messages.http.http3.frames import Frame, Framer, Place
from analyzer.messages.http.http3.qpack import Fields, SectionError, Sections
from analyzer.messages.http.media_kernels import tell_media
from analyzer.options import Options
from analyzer.tables import Ints, Rows, grow_table, new_table, take_rows
from analyzer.tables.http import EXCHANGE, HTTP_ERROR_CODES, HTTP_ERRORS, NO_CODING, OTHER_CODING, START
from analyzer.tables.quic import PIECE_ENDS, PIECE_RESETS, PIECE_STOPS

_TEXT_FIELDS: Final = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
_PIECE: Final = ("connection", "role", "sender", "marks", "stream", "gap", "code", "position", "piece_size", "number", "ts")
VERSION: Final = 30  # EXCHANGE.version
CONTROL, PUSH, ENCODER, DECODER, OTHER = 0, 1, 2, 3, -2  # stream types (RFC 9114 6.2, RFC 9204 4.2)
TABLE_CAPACITY: Final = 1  # SETTINGS_QPACK_MAX_TABLE_CAPACITY
SIDES: Final = ("request", "response")


@dataclass(slots=True)
class Section:
    """A field section that waits for entries of the table."""

    size: int
    first: Place
    ends: bool = False


@dataclass(slots=True)
class Side:
    """One direction of a request stream; totals go to the row with ``_settle``."""

    framer: Framer
    body: int = 0
    missing: int = 0
    last: Place = (0, 0)
    is_over: bool = False
    waiting: list[Section] = field(default_factory=list)
    held: bytearray = field(default_factory=bytearray)  # of a body whose head waits


@dataclass(slots=True)
class Request:
    """One request stream."""

    x: int
    sides: tuple[Side, Side]


@dataclass(slots=True)
class Session:
    """One connection. Roles: 0 = client, 1 = server; ``sections`` and ``unidirectional`` are by who sends."""

    connection: int
    client: int
    sections: tuple[Sections, Sections]
    requests: dict[int, Request] = field(default_factory=dict)
    kinds: dict[int, int] = field(default_factory=dict)  # of unidirectional streams, by 2 * id + role
    framers: dict[int, Framer] = field(default_factory=dict)  # of control streams
    heads: dict[int, bytes] = field(default_factory=dict)  # a stream type that is not whole
    rows: list[int] = field(default_factory=list)


class Http3:
    """The HTTP/3 dissector; what it keeps and answers is as with ``Http``."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False, bodies: Bodies | None = None) -> None:
        self._bytes = memory.data.data
        self._limits = options.limits
        self._keeps_heads = options.keep_heads
        self._decodes = decode or options.decode_bodies or bodies is not None
        self._keeps_bodies = bodies is not None
        self._decoders = Decoders(options.limits, bodies)
        self._sessions: dict[int, Session] = {}
        self.exchanges: Rows = new_table(EXCHANGE, 64)
        self._hot = self.exchanges.view(np.ndarray)
        self._used = self._dead = 0
        self.text = Text()
        self.text.top = 1
        self.counts: Ints = np.zeros(len(HTTP_ERRORS), np.int64)

    def process_pieces(self, pieces: Rows) -> None:
        """Read QUIC_PIECE rows of connections that speak HTTP/3."""
        touched: dict[tuple[int, int], tuple[Session, Request]] = {}
        for piece in zip(*(pieces[name].tolist() for name in _PIECE), strict=True):
            connection, role, sender, marks, stream, gap, code, position, size, number, ts = piece
            session = self._sessions.get(connection)
            if session is None:
                session = self._begin(connection, sender ^ role)
            place = (ts, number)
            content = self._bytes[position : position + size]
            if stream & 2:
                self._unidirectional(session, 2 * stream + role, content, gap, place)
            elif not stream & 1:
                request = session.requests.get(stream)
                if request is None:
                    if marks & (PIECE_RESETS | PIECE_STOPS) and role:
                        continue
                    request = self._open(session, stream)
                touched[connection, stream] = session, request
                if marks & (PIECE_RESETS | PIECE_STOPS):
                    self._reset(request, role, code)
                    continue
                side = request.sides[role]
                if size or gap:
                    self._read(session, request, stream, role, side.framer.read(content, gap, place), gap, place)
                if marks & PIECE_ENDS:
                    side.is_over = True
                    side.last = place
        for (_, stream), (session, request) in touched.items():
            self._settle(session, request, stream)

    def _begin(self, connection: int, client: int) -> Session:
        sections = (Sections(self._limits.head_bytes), Sections(self._limits.head_bytes))
        session = self._sessions[connection] = Session(connection, client, sections)
        return session

    def _open(self, session: Session, stream: int) -> Request:
        """A new exchange."""
        if len(session.requests) >= self._limits.http2_streams:
            self._note(session.requests.pop(next(iter(session.requests))).x, "too_many_streams", 0)
        x = self._used
        self.exchanges = grow_table(self.exchanges, x + 1)
        self._hot = self.exchanges.view(np.ndarray)
        self._used += 1
        session.rows.append(x)
        row = self._hot[x]
        row["connection"], row["index"], row["client"] = session.connection, len(session.rows), session.client
        row["stream"], row["version"] = 1 + stream, VERSION
        sides = (Side(Framer(self._limits.head_bytes, self._decodes)), Side(Framer(self._limits.head_bytes, self._decodes)))
        request = session.requests[stream] = Request(x, sides)
        return request

    def _note(self, x: int, name: str, number: int) -> None:
        """Count an anomaly; the first one stays on its exchange."""
        code = HTTP_ERROR_CODES[name]
        self.counts[code] += 1
        if x >= 0 and self._hot[x]["error"] == 0:
            self._hot[x]["error"], self._hot[x]["error_number"] = code, number

    # ---- request streams

    def _read(self, session: Session, request: Request, stream: int, role: int, found: list[Frame], gap: int, place: Place) -> None:  # noqa: PLR0913, PLR0917
        """What a piece of a request stream holds."""
        side = request.sides[role]
        side.last = place
        if gap:
            side.missing += gap
            if side.framer.is_lost:
                self._note(request.x, "gap_in_framing", place[1])
        for frame in found:
            if frame.kind == h3.DATA:
                side.body += frame.size
                if self._decodes:
                    self._take_body(request, role, frame.content)
            elif frame.kind == h3.HEADERS:
                self._section(session, request, stream, role, frame, place)
            elif frame.kind in h3.FORBIDDEN or frame.kind in (h3.SETTINGS, h3.GOAWAY, h3.CANCEL_PUSH, h3.MAX_PUSH_ID):
                self._note(request.x, "bad_frame", place[1])

    def _take_body(self, request: Request, role: int, content: bytes) -> None:
        """More of a body, to be decoded; while its head waits it does, too, as far as there is room."""
        row, side = self._hot[request.x], request.sides[role]
        if side.waiting:
            side.held += content[: self._limits.head_bytes - len(side.held)]
        elif row[f"{SIDES[role]}_coding"] != OTHER_CODING or self._keeps_bodies:
            self._decoders.take(row, role, content, self.text.data, self.counts)

    def _section(self, session: Session, request: Request, stream: int, role: int, frame: Frame, place: Place) -> None:  # noqa: PLR0913, PLR0917
        """A field section: the head or the trailers of a message."""
        section = Section(frame.size, frame.first)
        side = request.sides[role]
        if side.waiting:  # one waits on this stream already: what follows it cannot be read before it
            self._note(request.x, "bad_field_block", place[1])
            return
        try:
            fields = session.sections[role].read(stream, frame.content)
        except SectionError as fault:
            self._note(request.x, "head_too_large" if fault.is_too_large or side.framer.is_too_large else "bad_field_block", place[1])
            fields = []
        if fields is None:
            side.waiting.append(section)
            self._keep(request, role, section, [], place)
        else:
            self._keep(request, role, section, fields, place)

    def _keep(self, request: Request, role: int, section: Section, fields: Fields, place: Place) -> None:
        """What the fields of a message say; those of one that waits come later."""
        row, side = self._hot[request.x], SIDES[role]
        status = field_rules.status_of(fields) if role else 0
        if 100 <= status < 200:
            if row["info_ts"] == 0:
                row["info_ts"], row["info_number"] = section.first
            row["info_status"] = status
            return
        if not row[f"has_{side}"]:
            row[f"has_{side}"] = 1
            row[f"{side}_first_ts"], row[f"{side}_first_number"] = section.first
            self._tell(row, role, fields)
            row[f"{side}_head_bytes"] += section.size
        else:
            field_rules.keep_trailers(row, fields)
            row[f"{side}_head_bytes"] += section.size
        if self._keeps_heads and fields:
            before = self.text.data[row[f"{side}_head"] : row[f"{side}_head"] + row[f"{side}_head_size"]].tobytes()
            row[f"{side}_head"], row[f"{side}_head_size"] = self.text.append(before + field_rules.head_of(fields))
        if fields and field_rules.is_forbidden(fields):
            self._note(request.x, "forbidden_field", place[1])

    def _tell(self, row: np.void, role: int, fields: Fields) -> None:
        if role:
            row["response_version"] = VERSION
            row["status"] = max(field_rules.status_of(fields), 0)
            field_rules.keep_response(row, self.text, fields)
        else:
            field_rules.keep_request(row, self.text, fields)
        side = SIDES[role]
        if self._decodes and fields and row[f"{side}_coding"] != OTHER_CODING:
            row[f"{side}_is_decoded"] = row[f"{side}_coding"] != NO_CODING
            row[f"{side}_start"], row[f"{side}_start_size"] = self.text.append(bytes(START))

    def _resume(self, session: Session, stream: int, role: int, place: Place) -> None:
        """The table has what the section of a stream waited for."""
        request = session.requests.get(stream)
        if request is None or not request.sides[role].waiting:
            return
        request.sides[role].waiting.pop()
        try:
            fields = session.sections[role].resume(stream)
        except SectionError:
            self._note(request.x, "bad_field_block", place[1])
            return
        self._tell(self._hot[request.x], role, fields)
        if self._keeps_heads:
            side = SIDES[role]
            row = self._hot[request.x]
            row[f"{side}_head"], row[f"{side}_head_size"] = self.text.append(field_rules.head_of(fields))
        held = request.sides[role].held
        if held:
            self._take_body(request, role, bytes(held))
            held.clear()

    def _reset(self, request: Request, role: int, code: int) -> None:
        """RESET_STREAM, or STOP_SENDING: who gave up first, and why (RFC 9114 4.1.1)."""
        row = self._hot[request.x]
        if row["reset_by"] == 0:
            row["reset_by"], row["reset_code"] = 1 + role, code

    def _settle(self, session: Session, request: Request, stream: int) -> None:
        """Totals to the row; a request stream that both ends have ended is forgotten."""
        row = self._hot[request.x]
        for role, side in enumerate(request.sides):
            name = SIDES[role]
            row[f"{name}_body_bytes"] = side.body
            if side.last[1]:
                row[f"{name}_last_ts"], row[f"{name}_last_number"] = side.last
                if not row[f"has_{name}"] and row[f"{name}_first_ts"] == 0:
                    row[f"{name}_first_ts"], row[f"{name}_first_number"] = side.last
            row[f"{name}_complete"] = side.is_over and not side.framer.is_lost
        row["missing_bytes"] = sum(side.missing for side in request.sides)
        row["request_missing_bytes"] = request.sides[0].missing
        if all(side.is_over and not side.waiting for side in request.sides):
            session.requests.pop(stream, None)

    # ---- unidirectional streams

    def _unidirectional(self, session: Session, key: int, content: memoryview, gap: int, place: Place) -> None:
        """Control, encoder, decoder and push streams begin with their type."""
        kind = session.kinds.get(key)
        begin = 0
        if kind is None:
            head = session.heads.pop(key, b"") + bytes(content[:8])
            if gap or not head:
                session.kinds[key] = OTHER
                return
            wide = 1 << (head[0] >> 6)
            if len(head) < wide:
                session.heads[key] = head
                return
            kind = session.kinds[key] = int.from_bytes(head[:wide], "big") & ((1 << (8 * wide - 2)) - 1)
            begin = max(wide - (len(head) - len(content[:8])), 0)
        role = key & 1
        if kind == ENCODER:
            if gap:
                session.sections[role].forget()
            for stream in session.sections[role].add_instructions(bytes(content[begin:])):
                self._resume(session, stream, role, place)
        elif kind == CONTROL:
            framer = session.framers.get(key)
            if framer is None:
                framer = session.framers[key] = Framer(self._limits.head_bytes)
            for frame in framer.read(content[begin:], gap, place):
                if frame.kind == h3.SETTINGS:
                    session.sections[1 - role].set_capacity(h3.read_settings(frame.content).get(TABLE_CAPACITY, 0))

    # ---- when connections leave

    @property
    def anomalies(self) -> dict[str, int]:
        """How often each thing of HTTP_ERRORS happened, those that did."""
        return {HTTP_ERRORS[code][0]: int(count) for code, count in enumerate(self.counts) if count}

    def take(self, rows: Ints) -> Rows:
        """Copies of the EXCHANGE rows of these connection rows, ordered by (place in ``rows``, index)."""
        here = [x for row in rows.tolist() if row in self._sessions for x in self._sessions[row].rows]
        taken = take_rows(self.exchanges, np.array(here, np.int64))
        if self._decodes and len(taken):
            tell_media(self.text.data, taken)
        return taken

    def release(self, rows: Ints) -> None:
        """Forget these connection rows; table and text are swept when more than half is dead."""
        self._decoders.release(rows)
        for row in rows.tolist():
            session = self._sessions.pop(row, None)
            self._dead += len(session.rows) if session is not None else 0
        if 2 * self._dead > self._used:
            self._sweep()

    def _sweep(self) -> None:
        """Drop dead rows and their text."""
        kept = np.array([x for session in self._sessions.values() for x in session.rows], np.int64)
        places = dict(zip(kept.tolist(), range(len(kept)), strict=True))
        for session in self._sessions.values():
            session.rows = [places[x] for x in session.rows]
            for request in session.requests.values():
                request.x = places[request.x]
        fresh = new_table(EXCHANGE, max(64, 2 * len(kept)))
        fresh[: len(kept)] = take_rows(self.exchanges, kept)
        self.exchanges, self._used, self._dead = fresh, len(kept), 0
        self._hot = fresh.view(np.ndarray)
        live = fresh[: len(kept)].view(np.recarray)
        self.text.compact([(live[name], live[name + "_size"]) for name in _TEXT_FIELDS])
        self.text.top = max(self.text.top, 1)
