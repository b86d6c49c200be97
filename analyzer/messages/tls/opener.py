"""Protected records of keyed connections to what is in them: handshake messages and alerts as TLS_MESSAGE rows, content as RUN rows.

The framing kernel hands on whole records of the connections that the key log knows, in the order of their last bytes, among all other
messages. Here each is opened, and a new table of messages is made: every record that was opened keeps its row (marked OPENED, so that
records are counted as without keys) and is followed by the messages in it. The kernels that read handshakes then see them as if they had
been sent in clear. Application data becomes runs of a child stream with the connection and sender of the outer one; a record that came
in several frames gives two runs, so that its first byte has the time of its first frame and its last byte that of its last.

A loop in Python over records: rare (only with keys), and one call of the cipher dwarfs it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from analyzer.memory import Memory
from analyzer.messages.slab import Slab
from analyzer.messages.tls.certificate_compression import MESSAGE as COMPRESSED
from analyzer.messages.tls.certificate_compression import decompress
from analyzer.messages.tls.keylog import KeyLog
from analyzer.messages.tls.session import Direction, Session
from analyzer.tables import Bytes, Ints, Rows, new_table, take_rows
from analyzer.tables.streams import RUN
from analyzer.tables.tls import AFTER_GAP, DAMAGED, ENDED, IN_ARENA, KEYED, OPENED, PROTECTED

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, END_OF_EARLY_DATA, CERTIFICATE, FINISHED, KEY_UPDATE = 1, 2, 5, 11, 20, 24


class Message(NamedTuple):
    """A row of the message table, as plain numbers."""

    row: int
    connection: int
    sender: int
    content_type: int
    handshake_type: int
    marks: int
    version: int
    length: int
    alert: int
    position: int
    first_ts: int
    first_number: int
    last_ts: int
    last_number: int
    first_part: int


_FIELDS: Final = Message._fields[1:]
COUNTS: Final = (
    "connections_with_keys",
    "decrypted_records",
    "not_decrypted_records",
    "not_decryptable_connections",
    "resynchronised_records",
    "decrypted_bytes",
)
# numbers of a message inside a record, to stand after the record's row
_FOUND_FIELDS: Final = ("row", "content_type", "handshake_type", "length", "alert", "position", "first_ts", "first_number")
_RUN_FIELDS: Final = ("connection", "sender", "marks", "gap", "position", "run_size", "offset", "number", "ts")


class Opener:
    """Sessions of keyed connections. ``counts`` says what was opened and what was not."""

    def __init__(self, memory: Memory, keylog: KeyLog, handshake_bytes: int) -> None:
        self._keylog = keylog
        self._limit = handshake_bytes
        self._slab = Slab(memory)
        self._sessions: dict[int, Session] = {}
        self._runs: list[int] = []  # as _RUN_FIELDS, one after the other: no object for each
        self._found: list[int] = []  # as _FOUND_FIELDS
        self._opened: list[int] = []  # row and type of the content of each record
        self.counts = dict.fromkeys(COUNTS, 0)

    def begin(self) -> None:
        """A new batch: what was opened in the last one is gone."""
        self._slab.clear()
        self._runs.clear()

    def runs(self) -> Rows:
        """RUN rows of what was inside, in the order of the records' last bytes, once a batch; valid until ``begin``."""
        table = new_table(RUN, len(self._runs) // len(_RUN_FIELDS))
        rows: Ints = np.array(self._runs, np.int64).reshape(-1, len(_RUN_FIELDS))
        for column, name in enumerate(_RUN_FIELDS):
            table[name] = rows[:, column]
        self.counts["decrypted_bytes"] += int(rows[:, _RUN_FIELDS.index("run_size")].sum())
        return table

    def open_messages(self, messages: Rows, used: int) -> tuple[Rows, int]:
        """TLS_MESSAGE rows with those of what is inside the protected ones, and their number; the same table where nothing is keyed."""
        rows = np.flatnonzero(messages["marks"][:used] & KEYED)
        if len(rows) == 0:
            return messages, used
        self._found.clear()
        self._opened.clear()
        keyed, sessions = take_rows(messages, rows), self._sessions
        for m in zip(rows.tolist(), *(keyed[name].tolist() for name in _FIELDS), strict=True):
            session = sessions.get(m[1])
            if session is not None and m[5] & PROTECTED:
                self._take_record(session, Message._make(m))
            else:
                self._take(session, Message._make(m))
        return self._merged(messages, used)

    def _take(self, session: Session | None, m: Message) -> None:
        if m.content_type == HANDSHAKE and m.handshake_type >= 0:
            if m.position >= 0:
                self._read_clear(session, m)
        elif session is not None:
            direction = session.directions[m.sender]
            if m.marks & AFTER_GAP:
                direction.lose(m.length)
            elif m.marks & ENDED:
                if session.has_content:
                    self._add_run(direction, m, 0, 0)
            elif m.content_type == CHANGE_CIPHER_SPEC:
                session.change_cipher_spec(m.sender)

    def _read_clear(self, session: Session | None, m: Message) -> None:
        """A hello in clear."""
        body = bytes(self._slab.view(m.position, m.length))
        if m.handshake_type == CLIENT_HELLO:
            self._read_client_hello(session, m, body[2:34])
        elif m.handshake_type == SERVER_HELLO and session is not None:
            session.read_server_hello(body)
            self.counts["not_decryptable_connections"] += session.is_unsupported

    def _read_client_hello(self, session: Session | None, m: Message, random: bytes) -> None:
        secrets = self._keylog.find(random)
        if session is not None:
            session.renew(random, secrets)
        elif secrets:
            self._sessions[m.connection] = Session(m.sender, random, secrets)
            self.counts["connections_with_keys"] += 1

    def _take_record(self, session: Session, m: Message) -> None:
        """A protected record: open it, and hand on what is inside."""
        if session.is_unsupported:
            return
        direction = session.directions[m.sender]
        room = self._slab.room(m.length) if m.position >= 0 else -1
        if room < 0:
            direction.pass_over(m.content_type, None, m.length)
            return
        was_lost = direction.is_lost
        out = self._slab.view(room, m.length)
        opened = direction.open((m.content_type, m.version), self._slab.view(m.position, m.length), out)
        if opened is None:
            self.counts["not_decrypted_records"] += 1
            return
        kind, size = opened
        if was_lost:
            self.counts["resynchronised_records"] += 1
        self._opened += (m.row, kind)
        if kind == APPLICATION_DATA:
            self._slab.keep(size)
            session.has_content = True
            self._add_content(direction, m, room, size)
        elif kind == HANDSHAKE:
            self._add_messages(session, m, room, size)
        elif kind == ALERT and size == 2:
            self._found += (m.row, ALERT, -1, 2, out[0] << 8 | out[1], -1, m.first_ts, m.first_number)

    def _add_content(self, direction: Direction, m: Message, position: int, size: int) -> None:
        """Application data as one run, or two where it came in several frames."""
        if size == 0:
            return
        if m.first_number != m.last_number:
            lead = direction.stage.protection.lead if direction.stage is not None else 0
            first = min(max(m.first_part - lead, 1), size - 1)
            if first > 0:
                offset, gap = direction.offset + direction.gap, direction.gap
                self._runs += (m.connection, m.sender, 0, gap, position, first, offset, m.first_number, m.first_ts)
                direction.offset, direction.gap = offset + first, 0
                position, size = position + first, size - first
        self._add_run(direction, m, position, size)

    def _add_run(self, direction: Direction, m: Message, position: int, size: int) -> None:
        """A run that ends where the message ends; one without bytes ends the stream as the outer one ended."""
        offset = direction.offset + direction.gap
        marks = 0 if size else m.alert
        self._runs += (m.connection, m.sender, marks, direction.gap, position, size, offset, m.last_number, m.last_ts)
        direction.offset = offset + size
        direction.gap = 0

    def _add_messages(self, session: Session, m: Message, position: int, size: int) -> None:
        """The handshake messages that are complete with this record."""
        direction = session.directions[m.sender]
        place = (m.first_ts, m.first_number)
        content = bytes(self._slab.view(position, size))
        if direction.pending:
            content = bytes(direction.pending) + content
            place = direction.pending_place
            direction.pending.clear()
        at = 0
        while at + 4 <= len(content):
            length = int.from_bytes(content[at + 1 : at + 4], "big")
            if length > self._limit:
                return
            if at + 4 + length > len(content):
                break
            self._add_message(session, m, (content[at], content[at + 4 : at + 4 + length]), place)
            at += 4 + length
            place = (m.first_ts, m.first_number)
        if at < len(content):
            direction.pending += content[at:]
            direction.pending_place = place

    def _add_message(self, session: Session, m: Message, message: tuple[int, bytes], place: tuple[int, int]) -> None:
        """One handshake message (type and body) that ends with ``m`` and began at ``place`` (time and frame)."""
        kind, body = message
        certificate = decompress(body, self._limit) if kind == COMPRESSED else None
        if certificate is not None:
            kind, body = CERTIFICATE, certificate
        self._found += (m.row, HANDSHAKE, kind, len(body), 0, self._slab.put(body), *place)
        if session.is_tls13:
            direction = session.directions[m.sender]
            if kind == KEY_UPDATE:
                direction.update()
            elif kind in (FINISHED, END_OF_EARLY_DATA) and direction.stage is not None:
                direction.leave(direction.stage.name)
        elif kind == CLIENT_HELLO:
            self._read_client_hello(session, m, body[2:34])
        elif kind == SERVER_HELLO:
            session.read_server_hello(body)

    def _merged(self, messages: Rows, used: int) -> tuple[Rows, int]:
        """The messages with what was found after each record; blocks stay with the old table."""
        found: Ints = np.array(self._found, np.int64).reshape(-1, len(_FOUND_FIELDS))
        order = np.argsort(np.concatenate([np.arange(used), found[:, 0]]), kind="stable")
        merged = take_rows(messages, np.concatenate([np.arange(used), found[:, 0]])[order])
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        marks: Bytes = merged["marks"]
        sealed = (marks & PROTECTED) != 0
        merged["position"][sealed] = -1
        marks[sealed] &= 255 - IN_ARENA
        opened: Ints = np.array(self._opened, np.int64).reshape(-1, 2)
        self.counts["decrypted_records"] += len(opened)
        merged["alert"][places[opened[:, 0]]] = opened[:, 1]
        marks[places[opened[:, 0]]] |= OPENED
        inside = places[used:]
        for column, name in enumerate(_FOUND_FIELDS[1:], 1):
            merged[name][inside] = found[:, column]
        marks[inside] &= 255 - (PROTECTED | DAMAGED | IN_ARENA | OPENED)
        return merged, len(merged)

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        if self._sessions:
            for row in rows.tolist():
                self._sessions.pop(row, None)

    @property
    def sessions(self) -> int:
        """Connections that are being opened."""
        return len(self._sessions)


def describe_opening(counts: dict[str, int], keylog: KeyLog) -> list[str]:
    """Sentences for people about how opening went; none where no keys were given."""
    said = []
    if keylog.garbage:
        said.append(f"TLS keys: {keylog.garbage:,} of {keylog.lines:,} lines are no key log lines: left out.")
    if not keylog.secrets:
        if keylog.lines:
            said.append("TLS keys: none of the lines holds a secret that opens records.")
        return said
    if not counts["connections_with_keys"]:
        said.append("TLS keys: no connection in the capture is one of those that the keys are for.")
    if counts["not_decrypted_records"]:
        total = counts["decrypted_records"] + counts["not_decrypted_records"]
        said.append(
            f"TLS keys: {counts['not_decrypted_records']:,} of {total:,} records could not be decrypted (wrong keys, or bytes are missing)."
        )
    if counts["not_decryptable_connections"]:
        said.append(
            f"TLS keys: {counts['not_decryptable_connections']:,} connections use a cipher suite or compression that cannot be decrypted."
        )
    return said
