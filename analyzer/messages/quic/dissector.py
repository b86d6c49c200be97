"""QUIC of all connections: the tables, what is opened, and what is handed on (see the package's text for who does what)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE
from analyzer.memory import Memory
from analyzer.messages.quic import frame_kernels
from analyzer.messages.quic.application import Application
from analyzer.messages.quic.conversation import Conversation
from analyzer.messages.quic.frames import Close, read_frames
from analyzer.messages.quic.handshakes import TEXTS, Handshakes, Packet
from analyzer.messages.quic.id_kernels import add_ids
from analyzer.messages.quic.opener import Secrets
from analyzer.messages.quic.scan_kernels import scan, write_histories
from analyzer.messages.quic.session import Session
from analyzer.options import Options
from analyzer.tables import Bytes, Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables import quic as rows
from analyzer.tables.quic import ERROR_CODES, INFERRED_PLACES, PLACE_CODES, QUIC_ID, QUIC_PACKET
from analyzer.tables.services import QUIC as QUIC_SERVICE
from analyzer.tables.tls import MEASURED

SERVER_ROLE = 1
NO_ROWS: Ints = np.zeros(0, np.int64)
FOUND_ROWS, ID_ROWS = 1 << 10, 1 << 8
ID_LIMIT = 1 << 18  # connection ids remembered: 12 MB


class Frame(NamedTuple):
    """A frame of an opened packet, as ``application.FIELDS``."""

    connection: int
    role: int
    kind: int
    is_last: int
    stream: int
    offset: int
    code: int
    position: int
    frame_size: int
    number: int
    ts: int


class Quic(Handshakes):
    """The dissector: what can be seen without keys, and with them."""

    def __init__(
        self, memory: Memory, options: Options, keylog: Secrets | None = None, *, found_rows: int = FOUND_ROWS, id_rows: int = ID_ROWS
    ) -> None:
        super().__init__(memory, options.limits.handshake_bytes, keylog)
        self._memory = memory
        self._application = Application(self.opener, self._slab, memory.data)
        self._found = new_table(QUIC_PACKET, found_rows)
        self._ids = new_table(QUIC_ID, id_rows)
        self._slots: Ints = np.zeros(4 * id_rows, np.int64)
        self._state: Ints = np.zeros(3, np.int64)
        self._is_used = False

    def process_packets(self, batch: Batch, services: Rows, connections: Rows) -> None:
        """Read the datagrams of connections that ``services`` (SERVICE rows) says speak QUIC, and of their other paths."""
        if self._messages or self._is_used:
            self._slab.clear()
            self._messages.clear()
            self._application.begin()
        if not self._is_used:
            if not np.equal(services["protocol"], QUIC_SERVICE).any():
                return
            self._is_used = True
        self.table = grow_table(self.table, len(services))
        self._hot = self.table.view(np.ndarray)
        wants = int(self._keylog is not None and self._keylog.secrets > 0)
        i, status = 0, -1
        while status != DONE:
            before = i
            self._state[0] = 0
            status, i = scan(
                self._memory.data,
                batch.packets,
                i,
                services,
                connections,
                self.table,
                self._ids,
                self._slots,
                self._found,
                self._state,
                self._errors,
                wants,
            )
            self._open(int(self._state[0]))
            if status != DONE:
                self._grow(is_stuck=i == before and self._state[0] == 0)

    def _grow(self, *, is_stuck: bool) -> None:
        """Make the room that the kernel asked for."""
        if self._state[1] + 64 > len(self._ids):
            self._rebuild_ids()
        if is_stuck:
            self._found = new_table(QUIC_PACKET, 2 * len(self._found))

    def _rebuild_ids(self) -> None:
        """The ids of connections that are still there, in a table that has room for as many again."""
        used = self._ids[: int(self._state[1])].view(np.recarray)
        live = take_rows(used, np.flatnonzero(used["connection"] >= 0))
        if len(live) > ID_LIMIT:
            self._errors[ERROR_CODES["connection_ids"]] += len(live) - ID_LIMIT // 2
            live = take_rows(live, np.arange(len(live) - ID_LIMIT // 2, len(live)))
        room = max(ID_ROWS, 2 * len(live) + 64)
        self._ids = new_table(QUIC_ID, room)
        self._slots = np.zeros(1 << int(4 * room - 1).bit_length(), np.int64)
        self._state[1:] = 0
        columns = [np.ascontiguousarray(live[name], np.int64) for name in ("id_size", "connection", "owner", "number")]
        add_ids(np.ascontiguousarray(live["octets"]).ravel(), *columns, self._ids, self._slots, self._state)

    def _open(self, count: int) -> None:
        """Open the Initials among the packets found, and learn of Retries and version negotiations."""
        if count == 0:
            return
        found = self._found[:count].view(np.recarray)
        kinds, marks = found["kind"], found["marks"].copy()
        chosen = np.flatnonzero((kinds == rows.INITIAL) | (kinds == rows.RETRY) | (kinds == rows.NEGOTIATION))
        is_path = self._hot["is_path"]
        touched: dict[int, Conversation] = {}
        for packet in map(Packet._make, zip(chosen.tolist(), *(found[name][chosen].tolist() for name in Packet._fields[1:]), strict=True)):
            conversation = self._conversations.get(packet.connection)
            if conversation is None:
                client = int(self._hot["client"][packet.connection])
                conversation = self._conversations[packet.connection] = Conversation(client, self._limit)
            touched[packet.connection] = conversation
            if packet.kind != rows.INITIAL:
                self._begin_again(packet, conversation)
            elif not packet.marks & rows.IS_CUT and not is_path[packet.connection]:
                marks[packet.row] |= self._take_initial(packet, conversation)
        if self.opener.sessions:
            self._open_protected(found, marks)
        found["marks"] = marks
        for connection, conversation in touched.items():
            self._hot["initials_opened"][connection] = conversation.opened
            self._hot["crypto_frames"][connection] = conversation.crypto_frames
            self._hot["not_opened"][connection] = conversation.not_opened
        write_histories(found, count, self.table)

    def _session(self, connection: int) -> Session | None:
        """The session of a connection or of the one that it is a path of."""
        session = self.opener.sessions.get(connection)
        if session is None and self._hot["is_path"][connection]:
            session = self.opener.sessions.get(int(self._hot["home_row"][connection]) - 1)
            if session is not None:
                self.opener.sessions[connection] = session
                session.rows.add(connection)
        return session

    def _open_protected(self, found: Rows, marks: Bytes) -> None:
        """Packets of keyed connections: Handshake and 0-RTT packets in order, then those with short headers end by end."""
        kinds = found["kind"]
        chosen = np.flatnonzero((kinds == rows.HANDSHAKE) | (kinds == rows.ZERO_RTT))
        for packet in map(Packet._make, zip(chosen.tolist(), *(found[name][chosen].tolist() for name in Packet._fields[1:]), strict=True)):
            session = self._session(packet.connection)
            if session is not None and not packet.marks & rows.IS_CUT:
                marks[packet.row] |= self._take_handshake(packet, session)
        chosen = np.flatnonzero(kinds == rows.SHORT)
        groups: dict[tuple[int, int], list[int]] = {}
        clients = self._hot["client"]
        for row, connection, sender, number in zip(
            chosen.tolist(), *(found[name][chosen].tolist() for name in ("connection", "sender", "number")), strict=True
        ):
            session = self._session(connection)
            if session is not None and 0 <= session.ready_number <= number:
                groups.setdefault((session.connection, int(sender != clients[connection])), []).append(row)
        for (connection, role), chosen_rows in groups.items():
            session = self.opener.sessions[connection]
            failed = self.opener.open_short(session, role, take_rows(found, np.array(chosen_rows, np.int64)))
            self._count_opened(session, role, len(chosen_rows) - failed, failed)
        self._read_application()

    def _count_opened(self, session: Session, role: int, opened: int, failed: int) -> None:
        sender = session.client ^ role
        self._hot["opened"][session.connection, sender] += opened
        self._hot["failed"][session.connection, sender] += failed
        self.opener.counts["opened_packets"] += opened
        self.opener.counts["not_opened_packets"] += failed

    def _take_handshake(self, packet: Packet, session: Session) -> int:
        """Open a Handshake or 0-RTT packet; the bits that its marks get."""
        role = int(packet.sender != self._hot["client"][packet.connection])
        content = self._slab.bytes[packet.position : packet.position + packet.packet_size]
        if packet.kind == rows.ZERO_RTT:
            if role or not session.early:
                return 0
            is_opened = self.opener.open_early(session, content, packet.pn_at, (packet.ts, packet.number))
            self._hot["early_packets"][session.connection] += is_opened
            self._count_opened(session, role, int(is_opened), int(not is_opened))
            return rows.IS_OPENED if is_opened else 0
        if not 0 <= session.ready_number <= packet.number:
            return 0
        opened = self.opener.open_long(session.handshake[role], content, packet.pn_at)
        self._count_opened(session, role, int(opened is not None), int(opened is None))
        if opened is None:
            return 0
        return rows.IS_OPENED | self._take_frames(packet, session.crypto[0][role], read_frames(opened[1]))

    def _read_application(self) -> None:
        """What the opened packets of the application space hold."""
        plains = self.opener.plains()
        if len(plains) == 0:
            return
        for frame in self._application.read(plains, self.table):
            self._take_frame(Frame._make(frame))
        for connection in np.unique(plains["connection"]).tolist():
            session = self.opener.sessions[connection]
            self._hot["streams"][connection] = session.seen_streams
            for role, direction in enumerate(session.application):
                sender = session.client ^ role
                self._hot["stream_bytes"][connection, sender] = session.stream_bytes[role]
                self._hot["key_updates"][connection, sender] = direction.updates if direction is not None else 0
        np.add.at(self._hot["opened_bytes"], plains["connection"], plains["plain_size"])

    def _take_frame(self, frame: Frame) -> None:
        """A frame other than stream data."""
        session = self.opener.sessions[frame.connection]
        sender, place = session.client ^ frame.role, (frame.ts, frame.number)
        if frame.kind == frame_kernels.CRYPTO:
            stream = session.crypto[1][frame.role]
            stream.add(frame.offset, bytes(self._slab.bytes[frame.position : frame.position + frame.frame_size]), place)
            for message in stream.messages(place):
                self._add_message(frame.connection, sender, message)
        elif frame.kind == frame_kernels.NEW_ID:
            self._hot["connection_ids"][frame.connection, sender] += 1
            octets = np.zeros(rows.CID_MAX, np.uint8)
            octets[: frame.frame_size] = np.frombuffer(self._slab.bytes[frame.position : frame.position + frame.frame_size], np.uint8)
            if self._state[1] + 64 > len(self._ids):
                self._rebuild_ids()
            columns = [np.array([value], np.int64) for value in (frame.frame_size, frame.connection, sender, frame.number)]
            add_ids(octets, *columns, self._ids, self._slots, self._state)
        elif frame.kind in (frame_kernels.CLOSE, frame_kernels.APPLICATION_CLOSE):
            reason = bytes(self._slab.bytes[frame.position : frame.position + frame.frame_size])
            close = Close(frame.kind == frame_kernels.APPLICATION_CLOSE, frame.code, frame.stream, reason)
            self._take_close(frame.connection, sender, close, place)
        elif frame.kind == frame_kernels.DONE_FRAME:
            q = self.table[frame.connection]
            code = PLACE_CODES["confirmed"]
            if frame.role == SERVER_ROLE and (q.place_basis[code] != MEASURED or q.place_number[code] > frame.number):
                self._set_place(q, "confirmed", place)
        else:
            self._note_error(frame.connection, "frame", frame.number)

    def finish(self, rows: Ints) -> None:
        """Connections ``rows`` are over: holes in their streams are given up; ``messages`` and ``pieces`` have only what this brings."""
        if not self._is_used:
            return
        self._messages.clear()
        self._application.begin()
        for row in rows.tolist() if self.opener.sessions else ():
            session = self.opener.sessions.get(row)
            if session is not None and session.connection == row:
                self._application.finish(session, self.table)

    def pieces(self) -> Rows:
        """QUIC_PIECE rows of the batch: what the streams of keyed connections carried."""
        return self._application.pieces()

    def take(self, rows: Ints) -> Rows:
        """Copies of the rows of connections ``rows`` (int64); none where nobody speaks QUIC."""
        taken = take_rows(self.table, rows if self._is_used else NO_ROWS)
        is_read = taken["is_keyed"] == 1
        is_read |= taken["place_ts"][:, PLACE_CODES["response"]] == 0  # a request that nobody answers may be CONNECTION_CLOSE
        read = np.ix_(np.flatnonzero(is_read), np.array([PLACE_CODES[name] for name in INFERRED_PLACES]))
        for field in ("place_ts", "place_number", "place_basis"):  # what was read tells better
            taken[field][read] = 0
        return taken

    def release(self, rows: Ints) -> None:
        """Forget connections ``rows``."""
        rows = rows[rows < len(self.table)]
        if not self._is_used or len(rows) == 0:
            return
        for row in rows.tolist():
            self._conversations.pop(row, None)
            self.opener.release(row)
        hot = self._hot
        seen = rows[hot["seen"][rows] == 1]
        if len(seen) == 0:
            clear_rows(self.table, rows)
            return
        self._text_dead += sum(int(hot[f"{name}_size"][seen].sum()) for name in TEXTS)
        used = self._ids[: int(self._state[1])]
        is_gone = np.zeros(len(self.table) + 1, np.bool_)  # the last place answers for -1
        is_gone[seen] = True
        used["connection"][is_gone[used["connection"]]] = -1
        homes = np.flatnonzero((hot["is_path"] == 1) & is_gone[hot["home_row"] - 1])
        hot["home_row"][homes] = 0
        clear_rows(self.table, rows)
        if self._text_dead > max(self.text.top // 2, 1 << 15):
            self._compact_text()
