"""Initial and Handshake packets once they are opened: messages for TLS, transport parameters, CONNECTION_CLOSE, to the QUIC rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.memory import Memory, Text
from analyzer.messages.quic.conversation import INITIALS, Conversation
from analyzer.messages.quic.crypto import CryptoStream, Message, Place
from analyzer.messages.quic.frames import Close, Frames
from analyzer.messages.quic.opener import Opener, Secrets
from analyzer.messages.quic.parameters import describe_parameters, find_extension, idle_timeout, parse_parameters
from analyzer.messages.slab import Slab
from analyzer.registries.quic import version_name
from analyzer.tables import Ints, Rows, new_table
from analyzer.tables import quic as rows
from analyzer.tables.quic import ERROR_CODES, ERRORS, PLACE_CODES, QUIC
from analyzer.tables.tls import MEASURED, NO_RECORD, TLS_MESSAGE

CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS = 1, 2, 8
HANDSHAKE, ALERT, FATAL = 22, 21, 2  # of TLS
CRYPTO_ERROR = 0x0100  # RFC 9001 4.8: with a TLS alert in the lower byte
_MESSAGE_FIELDS = (
    "connection", "sender", "content_type", "handshake_type", "version", "length", "alert", "position",
    "first_ts", "first_number", "last_ts", "last_number",
)  # fmt: skip
TEXTS = ("reason", "client_parameters", "server_parameters", "offered_versions")


class Packet(NamedTuple):
    """A row of the packets found, as plain numbers."""

    row: int
    connection: int
    sender: int
    kind: int
    marks: int
    version: int
    position: int
    packet_size: int
    pn_at: int
    number: int
    ts: int


class Handshakes:
    """One QUIC row per connection row in ``table``; spans of it are in ``text``."""

    def __init__(self, memory: Memory, limit: int, keylog: Secrets | None) -> None:
        self.table = new_table(QUIC, 1)
        self.text = Text()
        self.text.top = 1
        self._hot = self.table.view(np.ndarray)  # the same rows; plain arrays answer faster
        self._limit = limit
        self._slab = Slab(memory)
        self._keylog = keylog
        self.opener = Opener(self._slab, memory.data, limit)
        self._errors: Ints = np.zeros(len(ERRORS), np.int64)
        self._conversations: dict[int, Conversation] = {}
        self._messages: list[int] = []  # as _MESSAGE_FIELDS, one after the other
        self._text_dead = 0

    @property
    def errors(self) -> dict[str, int]:
        """How often each kind of ERRORS was met."""
        return {name: int(self._errors[code]) for name, code in ERROR_CODES.items() if code > 0}

    def messages(self) -> Rows:
        """TLS_MESSAGE rows of the batch: what CRYPTO frames carried, in the order in which it was complete."""
        return _as_rows(self._messages, TLS_MESSAGE, _MESSAGE_FIELDS)

    def _take_initial(self, packet: Packet, conversation: Conversation) -> int:
        """Open an Initial and read what it holds; the bits that its marks get."""
        if conversation.opened[packet.sender] >= INITIALS:
            self._note_error(packet.connection, "initials", packet.number)
            return 0
        content = self._slab.bytes[packet.position : packet.position + packet.packet_size]
        frames = conversation.open(content, packet.pn_at, packet.version, packet.sender)
        if frames is None:
            conversation.not_opened += 1
            self._note_error(packet.connection, "not_opened", packet.number)
            return 0
        conversation.crypto_frames[packet.sender] += len(frames.crypto)
        return rows.IS_OPENED | self._take_frames(packet, conversation.streams[packet.sender], frames)

    def _begin_again(self, packet: Packet, conversation: Conversation) -> None:
        """A Retry or a version negotiation of the server; of the client it means nothing (RFC 9000 17.2.1, 17.2.5)."""
        if packet.sender == conversation.client or conversation.opened[packet.sender]:
            return
        is_negotiation = packet.kind == rows.NEGOTIATION
        conversation.begin_again()
        if is_negotiation and not self._hot["offered_versions_size"][packet.connection]:
            content = bytes(
                self._slab.bytes[packet.position + packet.pn_at : packet.position + min(packet.packet_size, packet.pn_at + 256)]
            )
            codes = [int.from_bytes(content[at : at + 4], "big") for at in range(0, len(content) - 3, 4)]
            self._keep_text(packet.connection, "offered_versions", ",".join(version_name(code) for code in codes).encode())

    def _take_frames(self, packet: Packet, stream: CryptoStream, frames: Frames) -> int:
        """What an Initial or Handshake packet holds; the bits that its marks get."""
        connection, sender, place, marks = packet.connection, packet.sender, (packet.ts, packet.number), 0
        if not frames.is_good:
            self._note_error(connection, "frame", packet.number)
        if frames.crypto:
            told = stream.beyond, stream.conflicts
            for offset, content in frames.crypto:
                stream.add(offset, content, place)
            for name, before, after in zip(("crypto_offset", "crypto_conflict"), told, (stream.beyond, stream.conflicts), strict=True):
                if after > before:
                    self._note_error(connection, name, packet.number)
            for message in stream.messages(place):
                marks |= rows.HAS_HELLO if message.kind in (CLIENT_HELLO, SERVER_HELLO) else 0
                if not self._is_repeated(connection, message):
                    self._add_message(connection, sender, message)
                    self._learn(packet, message)
        if frames.close is not None:
            marks |= rows.HAS_CLOSE
            self._take_close(connection, sender, frames.close, place)
        return marks

    def _is_repeated(self, connection: int, message: Message) -> bool:
        """Whether it is the ClientHello from before a Retry."""
        conversation = self._conversations.get(connection)
        if message.kind != CLIENT_HELLO or conversation is None:
            return False
        is_same = conversation.hello == message.body
        conversation.hello = message.body
        return is_same

    def _learn(self, packet: Packet, message: Message) -> None:
        """What a message of the handshake says about keys and transport parameters."""
        connection, sender = packet.connection, packet.sender
        if message.kind == CLIENT_HELLO:
            if not self._hot["client_parameters_size"][connection]:
                self._read_parameters(connection, "client_parameters", sender, message)
            if self._keylog is not None and self._keylog.secrets and connection not in self.opener.sessions:
                secrets = self._keylog.find(message.body[2:34])
                self._hot["is_keyed"][connection] = 1 if secrets else 2
                if secrets:
                    self.opener.begin_session(connection, sender, secrets, packet.version)
        elif message.kind == SERVER_HELLO and connection in self.opener.sessions:
            self.opener.sessions[connection].read_server_hello(message.body, packet.version, packet.number)
        elif message.kind == ENCRYPTED_EXTENSIONS and not self._hot["server_parameters_size"][connection]:
            self._read_parameters(connection, "server_parameters", sender, message)

    def _read_parameters(self, connection: int, name: str, sender: int, message: Message) -> None:
        parameters = parse_parameters(find_extension(message.kind, message.body))
        self._hot["idle_timeout_ms"][connection, sender] = idle_timeout(parameters)
        self._keep_text(connection, name, describe_parameters(parameters).encode())

    def _take_close(self, connection: int, sender: int, close: Close, place: Place) -> None:
        """CONNECTION_CLOSE: the first of the connection, and that of the other end."""
        q = self.table[connection]
        if q.close_kind != rows.NOT_CLOSED:
            if sender != q.close_sender and q.place_ts[PLACE_CODES["second_close"]] == 0:
                self._set_place(q, "second_close", place)
            return
        q.close_kind = rows.BY_APPLICATION if close.is_application else rows.BY_TRANSPORT
        q.close_sender, q.close_code, q.close_frame_type = sender, close.code, close.frame_type
        self._keep_text(connection, "reason", close.reason[:256])
        self._set_place(q, "close", place)
        if not close.is_application and close.code >> 8 == CRYPTO_ERROR >> 8:
            self._messages += (connection, sender, ALERT, -1, NO_RECORD, 2, FATAL << 8 | close.code & 255, -1, *place, *place)

    def _add_message(self, connection: int, sender: int, message: Message) -> None:
        """A handshake message for TLS to read."""
        position = self._slab.put(message.body)
        size = len(message.body)
        self._messages += (connection, sender, HANDSHAKE, message.kind, NO_RECORD, size, 0, position, *message.first, *message.last)

    def _set_place(self, q: np.record, name: str, place: Place) -> None:
        code = PLACE_CODES[name]
        q.place_ts[code], q.place_number[code], q.place_basis[code] = *place, MEASURED

    def _keep_text(self, connection: int, name: str, content: bytes) -> None:
        self._hot[name][connection], self._hot[f"{name}_size"][connection] = self.text.append(content)

    def _note_error(self, connection: int, name: str, number: int) -> None:
        code = ERROR_CODES[name]
        self._errors[code] += 1
        q = self.table[connection]
        if q.error == 0 or number < q.error_number:
            q.error, q.error_number = code, number

    def _compact_text(self) -> None:
        hot = self.table
        live = np.flatnonzero(hot["seen"])
        spans = [(hot[name][live], hot[f"{name}_size"][live]) for name in TEXTS]
        self.text.compact(spans)
        for name, (positions, _) in zip(TEXTS, spans, strict=True):
            hot[name][live] = positions
        self.text.top = max(self.text.top, 1)
        self._text_dead = 0


def _as_rows(numbers: list[int], kind: np.dtype[np.void], fields: tuple[str, ...]) -> Rows:
    """Numbers of rows, one after the other, as a table; the fields not named are zero."""
    table = new_table(kind, len(numbers) // len(fields))
    columns: Ints = np.array(numbers, np.int64).reshape(-1, len(fields))
    for place, name in enumerate(fields):
        table[name] = columns[:, place]
    return table
