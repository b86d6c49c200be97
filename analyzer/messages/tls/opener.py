"""Protected records of keyed connections to what is in them: handshake messages and alerts as TLS_MESSAGE rows, content as RUN rows.

The framing kernel hands on whole records of the connections that the key log knows, in the order of their last bytes, among all other
messages. Here each is opened, and a new table of messages is made: every record that was opened keeps its row (marked OPENED, so that
records are counted as without keys) and is followed by the messages in it. The kernels that read handshakes then see them as if they had
been sent in clear. Application data becomes runs of a child stream with the connection and sender of the outer one; a record that came
in several frames gives two runs, so that its first byte has the time of its first frame and its last byte that of its last.

A loop in Python over records, only with keys: it calls the cipher and notes numbers, tables are made of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np

from analyzer.memory import Memory
from analyzer.messages.slab import Slab
from analyzer.messages.tls.certificate_compression import MESSAGE as COMPRESSED
from analyzer.messages.tls.certificate_compression import decompress
from analyzer.messages.tls.keylog import KeyLog
from analyzer.messages.tls.session import Direction, Session
from analyzer.tables import Bytes, Ints, Rows, join_tables, new_table, take_rows
from analyzer.tables.streams import RUN
from analyzer.tables.tls import AFTER_GAP, DAMAGED, ENDED, IN_ARENA, KEYED, OPENED, PROTECTED, TLS_MESSAGE

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, END_OF_EARLY_DATA, CERTIFICATE, FINISHED, KEY_UPDATE = 1, 2, 5, 11, 20, 24
RANDOM_END: Final = 34  # of the body of a hello

Row: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]  # its number in the table, then as _FIELDS
_FIELDS: Final = ("connection", "sender", "content_type", "handshake_type", "marks", "version", "length", "position")
COUNTS: Final = (
    "connections_with_keys",
    "decrypted_records",
    "not_decrypted_records",
    "not_decryptable_connections",
    "resynchronised_records",
    "decrypted_bytes",
)
# numbers of a message inside a record, to stand after the record's row
_FOUND_FIELDS: Final = ("row", "content_type", "handshake_type", "length", "alert", "position")
_CONTENT_SIZE: Final = 6  # numbers of content: row of the record, position, bytes, offset, bytes missing before, lead


class Opener:
    """Sessions of keyed connections. ``counts`` says what was opened and what was not."""

    def __init__(self, memory: Memory, keylog: KeyLog, handshake_bytes: int) -> None:
        self._keylog = keylog
        self._limit = handshake_bytes
        self._slab = Slab(memory)
        self._memory = memory
        self._sessions: dict[int, Session] = {}
        self._messages: Rows = new_table(TLS_MESSAGE, 0)  # those being read
        self._secrets: dict[int, dict[str, bytes]] = {}  # row of a ClientHello -> secrets of its connection
        # one number after the other: no object for each record
        self._found: list[int] = []  # as _FOUND_FIELDS
        self._places: list[tuple[int, int, int]] = []  # message that began in an earlier record, time and frame of its first byte
        self._opened: list[int] = []  # row and type of the content of each record
        self._content: list[int] = []
        self._runs: list[Rows] = []
        self.counts = dict.fromkeys(COUNTS, 0)

    def begin(self) -> None:
        """A new batch: what was opened in the last one is gone."""
        self._slab.clear()
        self._runs.clear()

    def runs(self) -> Rows:
        """RUN rows of what was inside, in the order of the records' last bytes, once a batch; valid until ``begin``."""
        if not self._runs:
            return new_table(RUN, 0)
        table = join_tables(self._runs)
        self.counts["decrypted_bytes"] += int(table["run_size"].sum())
        return table

    def open_messages(self, messages: Rows, used: int) -> tuple[Rows, int]:
        """TLS_MESSAGE rows with those of what is inside the protected ones, and their number; the same table where nothing is keyed."""
        m = messages[:used].view(np.ndarray)
        marks, kind = m["marks"], m["content_type"]
        if not (marks & KEYED).any():
            return messages, used
        is_clear_hello = (kind == HANDSHAKE) & ((m["handshake_type"] == CLIENT_HELLO) | (m["handshake_type"] == SERVER_HELLO))
        is_clear_hello &= m["position"] >= 0
        is_wanted = is_clear_hello | (kind == CHANGE_CIPHER_SPEC) | ((marks & (PROTECTED | AFTER_GAP | ENDED)) != 0)
        rows = np.flatnonzero(((marks & KEYED) != 0) & is_wanted)
        keyed = take_rows(messages, rows)
        self._messages = messages
        for numbers in (self._found, self._places, self._opened, self._content):
            numbers.clear()
        self._find_secrets(rows, keyed)
        self._read(zip(rows.tolist(), *(keyed[name].tolist() for name in _FIELDS), strict=True))
        self._runs.append(self._content_runs())
        return self._merged(messages, used)

    def _find_secrets(self, rows: Ints, keyed: Rows) -> None:
        """Look up the secrets of all ClientHellos at once."""
        at = np.flatnonzero((keyed["handshake_type"] == CLIENT_HELLO) & (keyed["position"] >= 0) & (keyed["length"] >= RANDOM_END))
        spans = keyed["position"][at][:, None] + np.arange(2, RANDOM_END)
        self._secrets = dict(zip(rows[at].tolist(), self._keylog.find_all(self._memory.data[spans]), strict=True))

    def _read(self, rows: Iterable[Row]) -> None:
        """Open the records of all connections in their order, and follow what changes their keys."""
        sessions, memory, take = self._sessions, self._slab.bytes, self._slab.take
        for row, connection, sender, kind, handshake_type, marks, version, length, position in rows:
            session = sessions.get(connection)
            if session is None or not marks & PROTECTED:
                self._follow(session, (row, connection, sender, kind, handshake_type, marks, version, length, position))
                continue
            if session.is_unsupported:
                continue
            direction = session.directions[sender]
            room = take(length) if position >= 0 else -1
            if room < 0:
                direction.pass_over(kind, None, length)
                continue
            was_lost = direction.is_lost
            opened = direction.open(kind << 16 | version, memory[position : position + length], memory[room : room + length])
            if opened is None:
                self.counts["not_decrypted_records"] += 1
                continue
            inner, size = opened
            self.counts["resynchronised_records"] += was_lost
            self._opened += (row, inner)
            if inner == APPLICATION_DATA:
                session.has_content = True
                if size:
                    self._content += (row, room, size, *direction.move(size), direction.lead)
            elif inner == HANDSHAKE:
                self._add_messages(session, direction, row, (room, size))
            elif inner == ALERT and size == 2:
                self._found += (row, ALERT, -1, 2, memory[room] << 8 | memory[room + 1], -1)

    def _follow(self, session: Session | None, m: Row) -> None:
        """What is no protected record but changes what follows: hellos in clear, change_cipher_spec, gaps and ends."""
        row, connection, sender, kind, handshake_type, marks, _, length, position = m
        memory = self._slab.bytes
        if handshake_type == CLIENT_HELLO and position >= 0:
            self._read_client_hello(row, connection, sender, bytes(memory[position + 2 : position + RANDOM_END]))
        elif session is None:
            return
        elif handshake_type == SERVER_HELLO and position >= 0:
            session.read_server_hello(bytes(memory[position : position + length]))
            self.counts["not_decryptable_connections"] += session.is_unsupported
        elif marks & AFTER_GAP:
            session.directions[sender].lose(length)
        elif marks & ENDED:
            if session.has_content:
                self._content += (row, 0, 0, *session.directions[sender].move(0), 0)
        elif kind == CHANGE_CIPHER_SPEC:
            session.change_cipher_spec(sender)

    def _read_client_hello(self, row: int, connection: int, sender: int, random: bytes) -> None:
        """A ClientHello in clear: of a connection whose secrets are known, or of one that may change its keys."""
        secrets, session = self._secrets.get(row, {}), self._sessions.get(connection)
        if session is not None:
            session.renew(random, secrets)
        elif secrets:
            self._sessions[connection] = Session(sender, random, secrets)
            self.counts["connections_with_keys"] += 1

    def _add_messages(self, session: Session, direction: Direction, row: int, span: tuple[int, int]) -> None:
        """The handshake messages that are complete with this record, whose content is at ``span`` (position and size)."""
        memory, (at, size) = self._slab.bytes, span
        began = direction.pending_place if direction.pending else None
        if began is not None:
            content = bytes(direction.pending) + bytes(memory[at : at + size])
            direction.pending.clear()
            at, size = self._slab.put(content), len(content)
            if at < 0:
                return
        end = at + size
        while at + 4 <= end:
            kind, length = memory[at], memory[at + 1] << 16 | memory[at + 2] << 8 | memory[at + 3]
            if length > self._limit:
                return
            if at + 4 + length > end:
                break
            if began is not None:
                self._places.append((len(self._found) // len(_FOUND_FIELDS), *began))
                began = None
            self._add_message(session, direction, row, (kind, at + 4, length))
            at += 4 + length
        if at < end:
            direction.pending += memory[at:end]
            m = self._messages[row]
            direction.pending_place = began or (int(m.first_ts), int(m.first_number))

    def _add_message(self, session: Session, direction: Direction, row: int, message: tuple[int, int, int]) -> None:
        """One handshake message (type, position and size of its body) that ends in the record ``row``."""
        kind, position, length = message
        if kind == COMPRESSED:
            certificate = decompress(bytes(self._slab.bytes[position : position + length]), self._limit)
            if certificate is not None:
                kind, position, length = CERTIFICATE, self._slab.put(certificate), len(certificate)
        self._found += (row, HANDSHAKE, kind, length, 0, position)
        if session.is_tls13:
            if kind == KEY_UPDATE:
                direction.update()
            elif kind in (FINISHED, END_OF_EARLY_DATA) and direction.stage is not None:
                direction.leave(direction.stage.name)
        elif kind == CLIENT_HELLO:
            random = bytes(self._slab.bytes[position + 2 : position + min(length, RANDOM_END)])
            session.renew(random, self._keylog.find(random) if len(random) == RANDOM_END - 2 else {})
        elif kind == SERVER_HELLO:
            session.read_server_hello(bytes(self._slab.bytes[position : position + length]))

    def _content_runs(self) -> Rows:
        """RUN rows of the content: one for a record, two where it came in several frames, none but a mark where a stream ends."""
        numbers: Ints = np.array(self._content, np.int64).reshape(-1, _CONTENT_SIZE)
        row, position, size, offset, gap, lead = numbers.T
        m = take_rows(self._messages, row)
        first = np.where(m["first_number"] != m["last_number"], np.minimum(np.maximum(m["first_part"] - lead, 1), size - 1), 0)
        first = np.maximum(first, 0)
        at = np.repeat(np.arange(len(row)), 1 + (first > 0))
        is_first = np.zeros(len(at), np.bool_)
        is_first[:-1] = at[:-1] == at[1:]
        done = np.where(is_first, 0, first[at])  # bytes of the record in the run before
        table = new_table(RUN, len(at))
        for name in ("connection", "sender"):
            table[name] = m[name][at]
        table["marks"] = np.where(size == 0, m["alert"], 0)[at]
        table["gap"] = np.where(done > 0, 0, gap[at])
        table["position"] = position[at] + done
        table["run_size"] = np.where(is_first, first[at], size[at] - done)
        table["offset"] = offset[at] + done
        for name in ("number", "ts"):
            table[name] = np.where(is_first, m[f"first_{name}"][at], m[f"last_{name}"][at])
        return table

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
        for place, ts, number in self._places:
            merged["first_ts"][inside[place]], merged["first_number"][inside[place]] = ts, number
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


def describe_opening(counts: dict[str, int], keylog: KeyLog, opened_elsewhere: int = 0) -> list[str]:
    """Sentences for people about how opening went; none where no keys were given. ``opened_elsewhere``: keyed connections of QUIC."""
    said = []
    if keylog.garbage:
        said.append(f"TLS keys: {keylog.garbage:,} of {keylog.lines:,} lines are no key log lines: left out.")
    if not keylog.secrets:
        if keylog.lines:
            said.append("TLS keys: none of the lines holds a secret that opens records.")
        return said
    if not counts["connections_with_keys"] + opened_elsewhere:
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
