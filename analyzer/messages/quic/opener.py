"""Packets of keyed connections opened: those with long headers one by one, those with short headers many at a time.

A loop in Python over packets: rare (only with keys), and one call of the cipher is most of it. Header protection of all packets of one
end is taken off together: the samples go through the block cipher in one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from analyzer.messages.quic.open_kernels import HEAD, NUMBER, PHASE, WIDTH, gather_samples, unmask
from analyzer.messages.quic.protection import TAG, Keys, NotOpenedError
from analyzer.messages.quic.session import Direction, Session
from analyzer.messages.slab import Slab
from analyzer.tables import Bytes, Ints, Rows, grow_table, new_table
from analyzer.tables.quic import QUIC_PLAIN, QUIC_SENT


class Secrets(Protocol):
    """A key log."""

    @property
    def secrets(self) -> int:
        """How many it has."""

    def find(self, random: bytes) -> Mapping[str, bytes]:
        """Label -> secret of one client random."""


_PLAIN_FIELDS = ("connection", "role", "is_early", "slot", "pn", "position", "plain_size", "number", "ts")


class Opener:
    """Sessions of keyed connections, by connection row; ``sent`` is what ``read_frames`` keeps of each (by Session.slot)."""

    def __init__(self, slab: Slab, data: Bytes, limit: int) -> None:
        self.sessions: dict[int, Session] = {}
        self.sent: Rows = new_table(QUIC_SENT, 1)
        self._free: list[int] = []
        self._slots = 0
        self._slab = slab
        self._data = data
        self._limit = limit
        self._plain: list[int] = []  # as _PLAIN_FIELDS, one after the other
        self.counts = {"connections_with_keys": 0, "opened_packets": 0, "not_opened_packets": 0, "key_updates": 0}

    def begin_session(self, connection: int, client: int, secrets: Mapping[str, bytes], version: int) -> Session:
        """A connection whose secrets are known."""
        if self._free:
            slot = self._free.pop()
        else:
            slot = self._slots
            self._slots += 1
            self.sent = grow_table(self.sent, self._slots)
        self.sent[slot : slot + 1] = np.zeros(1, QUIC_SENT)
        session = self.sessions[connection] = Session(connection, client, secrets, version, self._limit, slot)
        self.counts["connections_with_keys"] += 1
        return session

    def open_long(self, keys: Keys | None, packet: memoryview, pn_at: int) -> tuple[int, bytes] | None:
        """(packet number, content) of a Handshake packet; None = it could not be opened."""
        if keys is None:
            return None
        try:
            return keys.open(packet, pn_at)
        except NotOpenedError:
            return None

    def open_early(self, session: Session, packet: memoryview, pn_at: int, place: tuple[int, int]) -> bool:
        """A 0-RTT packet; until the ServerHello is known, each suite that fits the secret is tried. ``place``: time, frame."""
        for keys in session.early:
            opened = self.open_long(keys, packet, pn_at)
            if opened is not None:
                session.early = [keys]
                self._add(session, 0, 1, opened[0], self._slab.put(opened[1]), len(opened[1]), *place)
                return True
        return False

    def _add(  # noqa: PLR0913, PLR0917
        self, session: Session, role: int, early: int, pn: int, position: int, size: int, ts: int, number: int
    ) -> None:
        if position >= 0:
            self._plain += (session.connection, role, early, session.slot, pn, position, size, number, ts)

    def open_short(self, session: Session, role: int, packets: Rows) -> int:
        """Packets (QUIC_PACKET) of one end with short headers, in order; how many could not be opened."""
        direction = session.application[role]
        if direction is None:
            return len(packets)
        sizes: Ints = packets["packet_size"].astype(np.int64) - packets["pn_at"]
        long_enough = sizes >= 4 + TAG
        failed = int((~long_enough).sum())
        packets = packets[long_enough].view(np.recarray)
        room = self._slab.take(int(packets["packet_size"].sum()))
        if len(packets) == 0 or room < 0:
            return failed + len(packets)
        positions, pn_ats = packets["position"].astype(np.int64), packets["pn_at"].astype(np.int64)
        samples = np.empty(16 * len(packets), np.uint8)
        gather_samples(self._data, positions, pn_ats, samples)
        masks = np.frombuffer(direction.header.masks(samples.tobytes()), np.uint8)
        work = (positions, pn_ats, masks)
        lists = positions.tolist(), pn_ats.tolist(), packets["packet_size"].tolist(), packets["number"].tolist(), packets["ts"].tolist()
        first = 0
        while first < len(packets):
            first, lost, room = self._open_some(session, role, direction, first, work, lists, room)
            failed += lost
        return failed

    def _open_some(  # noqa: PLR0913, PLR0917
        self,
        session: Session,
        role: int,
        direction: Direction,
        first: int,
        work: tuple[Ints, Ints, Bytes],
        lists: tuple[list[int], ...],
        room: int,
    ) -> tuple[int, int, int]:
        """Open packets from ``first`` on up to one that fails or changes keys: (packet to go on with, 1 = that one failed, room)."""
        positions, pn_ats, masks = work
        count = len(positions)
        facts, heads, nonces = np.zeros((count, 3), np.int64), np.zeros(HEAD * count, np.uint8), np.zeros(12 * count, np.uint8)
        iv = np.frombuffer(direction.current.iv.to_bytes(12, "big"), np.uint8).copy()
        unmask(self._data, positions, pn_ats, masks, iv, first, direction.largest, facts, heads, nonces)
        numbers, widths, phases = (facts[:, column].tolist() for column in (NUMBER, WIDTH, PHASE))
        nonce_bytes, head_bytes, view = nonces.tobytes(), heads.tobytes(), self._slab.bytes
        decrypt, wrong, phase = direction.current.decrypt_into, direction.current.wrong, direction.phase
        connection, slot, plain = session.connection, session.slot, self._plain
        head = int(HEAD)
        for k, at, pn_at, size, number, ts in zip(range(first, count), *(one[first:] for one in lists), strict=True):
            begin = pn_at + widths[k]
            inner = size - begin - TAG
            if inner < 0:
                return k + 1, 1, room
            if phases[k] != phase:
                return self._open_other(session, role, direction, (k, numbers[k], begin, inner), lists, head_bytes, room)
            try:
                decrypt(
                    nonce_bytes[12 * k : 12 * k + 12],
                    view[at + begin : at + size],
                    head_bytes[head * k : head * k + begin],
                    view[room : room + inner],
                )
            except wrong:
                return k + 1, 1, room
            plain += (connection, role, 0, slot, numbers[k], room, inner, number, ts)
            room += inner
            direction.largest = max(direction.largest, numbers[k])
        return count, 0, room

    def _open_other(  # noqa: PLR0913, PLR0917
        self,
        session: Session,
        role: int,
        direction: Direction,
        packet: tuple[int, int, int, int],
        lists: tuple[list[int], ...],
        heads: bytes,
        room: int,
    ) -> tuple[int, int, int]:
        """A packet of another key phase: of the next one (RFC 9001 6.3), or of the one before that came late."""
        k, pn, begin, inner = packet
        at, size = lists[0][k], lists[2][k]
        tries = [(direction.following(), True)]
        if direction.previous is not None:
            tries.insert(0 if pn < direction.phase_start else 1, (direction.previous, False))
        for protection, is_next in tries:
            nonce = (protection.iv ^ pn).to_bytes(12, "big")
            try:
                content = protection.decrypt(
                    nonce, bytes(self._slab.bytes[at + begin : at + size]), heads[int(HEAD) * k : int(HEAD) * k + begin]
                )
            except protection.wrong:
                continue
            if is_next:
                direction.update(pn)
                self.counts["key_updates"] += 1
            self._slab.bytes[room : room + inner][:] = content
            self._add(session, role, 0, pn, room, inner, lists[4][k], lists[3][k])
            direction.largest = max(direction.largest, pn)
            return k + 1, 0, room + inner
        return k + 1, 1, room

    def plains(self) -> Rows:
        """QUIC_PLAIN rows of what was opened since the last call, in the order of capture."""
        columns: Ints = np.array(self._plain, np.int64).reshape(-1, len(_PLAIN_FIELDS))
        self._plain.clear()
        columns = columns[np.argsort(columns[:, _PLAIN_FIELDS.index("number")], kind="stable")]
        table = new_table(QUIC_PLAIN, len(columns))
        for place, name in enumerate(_PLAIN_FIELDS):
            table[name] = columns[:, place]
        return table

    def release(self, row: int) -> None:
        """Forget a connection; while another path of it is there, its session goes on with that."""
        session = self.sessions.pop(row, None)
        if session is None:
            return
        session.rows.discard(row)
        if not session.rows:
            self._free.append(session.slot)
        elif session.connection == row:
            session.connection = min(session.rows)
