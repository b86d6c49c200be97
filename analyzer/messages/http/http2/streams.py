"""Frames other than DATA to exchanges: header blocks, settings, resets, and what they leave behind of their connections."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from analyzer.memory import Text
from analyzer.messages.http.http2 import fields as field_rules
from analyzer.messages.http.http2.field_blocks import FieldBlockError, FieldBlocks, Fields
from analyzer.messages.http.http2.session import FIRST_WINDOW, UNKNOWN_WINDOW, Block, Session
from analyzer.options import Options
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, plain_rows, take_rows
from analyzer.tables import http2 as h2
from analyzer.tables.http import EXCHANGE, HTTP_ERROR_CODES, HTTP_ERRORS, NO_CODING, OTHER_CODING, START
from analyzer.tables.http2 import HTTP2_FLOW, HTTP2_LINK

_TEXT_FIELDS: Final = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
VERSION: Final = 20  # EXCHANGE.version
MOST_ALTERNATIVES: Final = 64  # ALTSVC frames of a connection that are read: each is held against what was asked so far
AFTER_OTHERS: Final = (0, HTTP_ERROR_CODES["bad_content_coding"], HTTP_ERROR_CODES["decoded_too_large"])  # what another anomaly replaces


class Frame(NamedTuple):
    """A row of HTTP2_FRAME as plain numbers."""

    connection: int
    sender: int
    kind: int
    bits: int
    marks: int
    stream: int
    position: int
    piece_bytes: int
    first_ts: int
    first_number: int
    last_ts: int
    last_number: int


class Streams:
    """Sessions, and their EXCHANGE rows until they leave. Spans point into ``text``; ``counts``: how often each of HTTP_ERRORS happened."""

    def __init__(self, options: Options, *, decodes: bool) -> None:
        self._limits = options.limits
        self._keeps_heads = options.keep_heads
        self._decodes = decodes
        self._sessions: dict[int, Session] = {}
        self._windows: Rows = new_table(HTTP2_FLOW, 1)  # of connections
        self._links: Rows = new_table(HTTP2_LINK, 1)
        self.exchanges: Rows = new_table(EXCHANGE, 64)
        self._rows = plain_rows(self.exchanges)
        self._flows: Rows = new_table(HTTP2_FLOW, 64)
        self._used = 0
        self._dead = 0
        self.text = Text()
        self.text.top = 1
        self.counts: Ints = np.zeros(len(HTTP_ERRORS), np.int64)

    def begin_upgraded(self, row: int, client: int) -> None:
        """A connection goes on in HTTP/2 after a request of HTTP/1 that asked for it: its first stream answers that request."""
        session = self._begin(row, client)
        session.is_partial = False
        session.client, session.upgraded_stream = client, 1
        for reader in session.readers:
            reader.is_partial = False

    def _begin(self, row: int, client: int) -> Session:
        limits = self._limits
        readers = tuple(FieldBlocks(limits.head_fields, limits.head_bytes, is_partial=True) for _ in range(2))
        session = self._sessions[row] = Session(row, client, readers)  # type: ignore[arg-type]
        self._links = grow_table(self._links, row + 1)
        self._windows = grow_table(self._windows, row + 1)
        clear_rows(self._links, np.array([row]))
        self._links[row].connection = row
        self._windows[row].window[:] = FIRST_WINDOW
        return session

    def _read(self, frame: Frame, content: bytes) -> None:
        """One frame other than DATA."""
        session = self._sessions[frame.connection]
        payload = content[frame.position : frame.position + frame.piece_bytes]
        if frame.kind == h2.PREFACE:
            session.client, session.is_partial = frame.sender, False
            for reader in session.readers:
                reader.is_partial = False
        elif frame.kind == h2.LOSS:
            session.readers[frame.sender].forget()
            session.blocks[frame.sender] = None
        elif frame.kind == h2.SETTINGS:
            self._settings(session, frame, payload)
        elif frame.kind == h2.GOAWAY:
            self._goaway(session, frame, payload)
        elif frame.kind == h2.RST_STREAM:
            self._reset(session, frame, payload)
        elif frame.kind == h2.ALTSVC:
            self._alternative(session, frame, payload)
        else:
            self._block(session, frame, payload)

    def _note(self, session: Session, x: int, name: str, frame: Frame) -> None:
        """Count an anomaly; the first one stays on its exchange, else on the connection."""
        code = HTTP_ERROR_CODES[name]
        self.counts[code] += 1
        row = self._rows[x] if x >= 0 else self._links[session.connection]
        if row["error"] in AFTER_OTHERS:
            row["error"], row["error_number"] = code, frame.last_number

    def _settings(self, session: Session, frame: Frame, payload: bytes) -> None:
        """SETTINGS (RFC 9113 6.5): the first window of the other end's streams is what this end says."""
        if len(payload) % 6 or frame.stream or (frame.bits & h2.ACK and payload):
            self._note(session, -1, "bad_frame", frame)
            return
        told = self._links[session.connection].settings[frame.sender]
        for at in range(0, len(payload), 6):
            number, value = int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big")
            if number < len(told):
                told[number] = 1 + value
            if number == 4:
                step = value - session.first_windows[1 - frame.sender]
                session.first_windows[1 - frame.sender] = value
                for x in session.streams.values():
                    self._flows[x].window[1 - frame.sender] += step

    def _goaway(self, session: Session, frame: Frame, payload: bytes) -> None:
        """GOAWAY (RFC 9113 6.8)."""
        if len(payload) < 8:
            self._note(session, -1, "bad_frame", frame)
            return
        link = self._links[session.connection]
        link.goaway_stream[frame.sender] = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        link.goaway_code[frame.sender] = 1 + int.from_bytes(payload[4:8], "big")
        link.goaway_number[frame.sender], link.goaway_ts[frame.sender] = frame.last_number, frame.last_ts

    def _reset(self, session: Session, frame: Frame, payload: bytes) -> None:
        """RST_STREAM (RFC 9113 6.4)."""
        x = session.streams.get(frame.stream, -1)
        if len(payload) != 4:
            self._note(session, x, "bad_frame", frame)
            return
        if x < 0:
            return
        row = self._rows[x]
        if row["reset_by"] == 0:
            self._links[session.connection].resets += 1
            row["reset_by"] = 1 if frame.sender == session.client else 2
            row["reset_code"] = int.from_bytes(payload, "big")

    def _alternative(self, session: Session, frame: Frame, payload: bytes) -> None:
        """ALTSVC (RFC 7838 4): on a stream for what it asked, on stream 0 for the origin that it names; clients do not send it."""
        size = int.from_bytes(payload[:2], "big")
        origin, value = payload[2 : 2 + size], payload[2 + size :]
        if len(payload) < 2 + size or (size == 0) != (frame.stream != 0) or frame.sender == session.client:
            return
        session.alternative_frames += 1
        if session.alternative_frames > MOST_ALTERNATIVES:
            return
        known = [session.streams.get(frame.stream, -1)] if frame.stream else session.rows
        host = origin.rpartition(b"/")[2].lower()
        for x in known:
            row = self.exchanges[x]
            asked = self.text.data[row["host"] : row["host"] + row["host_size"]].tobytes().lower()
            if x >= 0 and value and not row["alt_svc_size"] and (frame.stream or asked == host):
                field_rules.keep_text(row, self.text, field_rules.ALT_SVC, value)
                row["alt_svc_ts"], row["alt_svc_number"] = frame.last_ts, frame.last_number
                return
        if frame.stream == 0 and value:
            session.alternatives[host] = value, frame.last_ts, frame.last_number

    def _keep_alternative(self, session: Session, row: np.void) -> None:
        """What an ALTSVC frame said about the origin before it was asked."""
        asked = self.text.data[row["host"] : row["host"] + row["host_size"]].tobytes().lower()
        value, row["alt_svc_ts"], row["alt_svc_number"] = session.alternatives.pop(asked, (b"", 0, 0))
        field_rules.keep_text(row, self.text, field_rules.ALT_SVC, value)

    def _block(self, session: Session, frame: Frame, payload: bytes) -> None:
        """A header block, or a part of one (RFC 9113 4.3)."""
        sender, blocks = frame.sender, session.blocks
        is_lost = bool(frame.marks & h2.NOT_READ)
        if frame.kind == h2.CONTINUATION:
            block = blocks[sender]
            if block is None or block.stream != frame.stream:
                blocks[sender] = None
                session.readers[sender].forget()
                self._note(session, -1, "bad_frame", frame)
                return
            if len(block.content) + len(payload) <= self._limits.head_bytes:
                block.content += payload
            else:
                block.is_lost = True
            block.is_lost |= is_lost
        else:
            begin, stop = 0, len(payload)
            if frame.bits & h2.PADDED:
                begin, stop = 1, stop - (payload[0] if payload else 0)
            promised = 0
            if frame.kind == h2.PUSH_PROMISE:
                promised = int.from_bytes(payload[begin : begin + 4], "big") & 0x7FFFFFFF
                begin += 4
            elif frame.bits & h2.HAS_PRIORITY:
                begin += 5
            if not is_lost and (begin > stop or frame.stream == 0):
                session.readers[sender].forget()
                self._note(session, -1, "bad_frame", frame)
                return
            ends = frame.kind == h2.HEADERS and bool(frame.bits & h2.END_STREAM)
            block = Block(frame.stream, promised, ends, frame.first_ts, frame.first_number, bytearray(payload[begin:stop]), is_lost)
        if frame.bits & h2.END_HEADERS:
            blocks[sender] = None
            self._finish_block(session, block, frame)
        else:
            blocks[sender] = block

    def _finish_block(self, session: Session, block: Block, frame: Frame) -> None:
        """A header block is whole: the head or the trailers of a message."""
        fields: Fields = []
        error = ""
        reader = session.readers[frame.sender]
        if block.is_lost:
            reader.forget()
            error = "head_too_large"
        else:
            try:
                reader.read(bytes(block.content), fields)
            except FieldBlockError as fault:
                error = "head_too_large" if fault.is_too_large else "bad_field_block"
        if session.is_partial and block.promised == 0 and (fields or not session.rows):
            if field_rules.has_field(fields, b":method"):
                session.client = frame.sender
            elif field_rules.has_field(fields, b":status"):
                session.client = 1 - frame.sender
        if block.promised:
            x = self._open(session, block.promised)
            self._rows[x]["is_pushed"] = 1
            self._links[session.connection].pushes += 1
            self._request(session, x, block, frame, fields)
            self._rows[x]["request_complete"] = 1
        else:
            found = session.streams.get(block.stream, -1)
            x = found if found >= 0 else self._open(session, block.stream)
            if frame.sender == session.client:
                self._request(session, x, block, frame, fields)
            else:
                self._response(x, block, frame, fields)
        if error:
            self._note(session, x, error, frame)
        elif field_rules.is_forbidden(fields):
            self._note(session, x, "forbidden_field", frame)

    def _open(self, session: Session, stream: int) -> int:
        """A new exchange; its row."""
        if len(session.streams) >= self._limits.http2_streams:
            oldest = next(iter(session.streams))
            x = session.streams.pop(oldest)
            self.counts[HTTP_ERROR_CODES["too_many_streams"]] += 1
            if self._rows[x]["error"] == 0:
                self._rows[x]["error"] = HTTP_ERROR_CODES["too_many_streams"]
        x = self._used
        self._flows = grow_table(self._flows, x + 1)
        if x == len(self._rows):
            self.exchanges = grow_table(self.exchanges, x + 1)
            self._rows = plain_rows(self.exchanges)
        self._used += 1
        session.rows.append(x)
        session.streams[stream] = x
        row, flow = self._rows[x], self._flows[x]
        row["connection"], row["index"], row["client"] = session.connection, len(session.rows), session.client
        row["stream"], row["version"] = 1 + stream, VERSION
        if stream == session.upgraded_stream:
            row["request_complete"] = 1
        flow.window[:] = UNKNOWN_WINDOW if session.is_partial else session.first_windows
        self._links[session.connection].streams += 1
        return x

    def _keep_head(self, row: np.void, name: str, fields: Fields, block: Block) -> None:
        """Sizes of a head, its fields when they are asked for, and room for the body's first bytes."""
        row[f"{name}_head_bytes"] += len(block.content)
        if self._keeps_heads:
            before = self.text.data[row[f"{name}_head"] : row[f"{name}_head"] + row[f"{name}_head_size"]].tobytes()
            row[f"{name}_head"], row[f"{name}_head_size"] = self.text.append(before + field_rules.head_of(fields))

    def _begin_body(self, row: np.void, name: str) -> None:
        """Room for the first bytes of a body."""
        if self._decodes and row[f"{name}_coding"] != OTHER_CODING:
            row[f"{name}_is_decoded"] = row[f"{name}_coding"] != NO_CODING
            row[f"{name}_start"], row[f"{name}_start_size"] = self.text.append(bytes(START))

    def _request(self, session: Session, x: int, block: Block, frame: Frame, fields: Fields) -> None:
        """The head of a request, or its trailers."""
        row = self._rows[x]
        if not row["has_request"]:
            row["has_request"] = 1
            row["client"] = session.client
            row["request_first_ts"], row["request_first_number"] = block.first_ts, block.first_number
            field_rules.keep_request(row, self.text, fields)
            if session.alternatives:
                self._keep_alternative(session, row)
            if not block.ends_stream and not block.promised:
                self._begin_body(row, "request")
        self._keep_head(row, "request", fields, block)
        if frame.last_ts >= row["request_last_ts"]:
            row["request_last_ts"], row["request_last_number"] = frame.last_ts, frame.last_number
        if block.ends_stream:
            row["request_complete"] = 1

    def _response(self, x: int, block: Block, frame: Frame, fields: Fields) -> None:
        """The head of a response, one before it (1xx), or its trailers."""
        row, status = self._rows[x], field_rules.status_of(fields)
        if 100 <= status < 200:
            if row["info_ts"] == 0:
                row["info_ts"], row["info_number"] = block.first_ts, block.first_number
            row["info_status"] = status
            return
        if not row["has_response"]:
            row["has_response"], row["response_version"] = 1, VERSION
            row["status"] = max(status, 0)
            row["response_first_ts"], row["response_first_number"] = block.first_ts, block.first_number
            field_rules.keep_response(row, self.text, fields)
            if not block.ends_stream:
                self._begin_body(row, "response")
        else:
            field_rules.keep_trailers(row, fields)
        self._keep_head(row, "response", fields, block)
        if frame.last_ts >= row["response_last_ts"]:
            row["response_last_ts"], row["response_last_number"] = frame.last_ts, frame.last_number
        if block.ends_stream:
            row["response_complete"] = 1

    def _sweep(self) -> None:
        """Drop dead rows and their text."""
        kept = np.array([x for session in self._sessions.values() for x in session.rows], np.int64)
        places = dict(zip(kept.tolist(), range(len(kept)), strict=True))
        for session in self._sessions.values():
            session.rows = [places[x] for x in session.rows]
            session.streams = {stream: places[x] for stream, x in session.streams.items()}
        for name in ("exchanges", "_flows"):
            table = getattr(self, name)
            fresh = new_table(table.dtype, max(64, 2 * len(kept)))
            fresh[: len(kept)] = take_rows(table, kept)
            setattr(self, name, fresh)
        self._rows = plain_rows(self.exchanges)
        self._used, self._dead = len(kept), 0
        live = self.exchanges[: len(kept)].view(np.recarray)
        self.text.compact([(live[name], live[name + "_size"]) for name in _TEXT_FIELDS])
        self.text.top = max(self.text.top, 1)
