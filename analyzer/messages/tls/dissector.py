"""TLS of all connections: the tables and their kernels (see the package's text for who does what)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT
from analyzer.memory import Memory, Text
from analyzer.messages.tls.bursts import Bursts
from analyzer.messages.tls.certificate_kernels import match_certificates
from analyzer.messages.tls.certificates import Certificate, read_certificate
from analyzer.messages.tls.datagram_kernels import frame_datagrams
from analyzer.messages.tls.fingerprint_kernels import fingerprint_hellos
from analyzer.messages.tls.framing_kernels import frame_runs, give_back
from analyzer.messages.tls.handshake_kernels import read_messages
from analyzer.messages.tls.keylog import KeyLog
from analyzer.messages.tls.opener import Opener
from analyzer.options import Options
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.services import DTLS
from analyzer.tables.tls import (
    CERTIFICATE_SPAN,
    CHAIN_LINK,
    DISTINCT,
    ERROR_CODES,
    ERRORS,
    HANDSHAKE,
    HANDSHAKE_TEXTS,
    PROGRESS,
    TLS_MESSAGE,
    TLS_STREAM,
)

MESSAGE_ROWS = 1 << 13  # messages between two calls of the handshake kernel
FINGERPRINTS = 1 << 12  # distinct raw fingerprints kept; more are hashed anew each time
FINGERPRINT_BYTES = 1 << 20
SCRATCH_SIZE = 256 + (1 << 15)  # one list of code points is at most 65 535 bytes long

# places in ``counts``, see read_messages
TEXT_TOP, SPANS, FIRST_LINK, CHAIN_LIMIT, FINGERPRINTS_USED, FIRST_ERROR = 0, 1, 2, 3, 5, 8
NO_ROWS: Ints = np.zeros(0, np.int64)


class Taken(NamedTuple):
    """What a flush takes along: HANDSHAKE rows in the order asked for, and the CHAIN_LINK rows that their chains point into."""

    handshakes: Rows
    links: Rows


class Tls:
    """One HANDSHAKE row per connection row that speaks TLS, its certificate chains, and the distinct certificates.

    ``handshakes`` is indexed by connection row; spans of it are in ``text``. ``certificates[n]`` is certificate number ``n``. What the
    secrets of ``keylog`` open is in ``opener`` after each batch.
    """

    def __init__(self, memory: Memory, options: Options, *, message_rows: int = MESSAGE_ROWS) -> None:
        self.memory = memory
        self.options = options
        self.handshakes: Rows = new_table(HANDSHAKE, 1)
        self.text = Text()
        self.text.top = 1  # a span never begins at 0
        self.certificates: list[Certificate] = []
        self.keylog = KeyLog()
        self.opener = Opener(memory, self.keylog, options.limits.handshake_bytes)
        self._streams = new_table(TLS_STREAM, 2)
        self._progress = new_table(PROGRESS, 1)
        self._messages = new_table(TLS_MESSAGE, message_rows)
        self._spans = new_table(CERTIFICATE_SPAN, message_rows)
        self._links = new_table(CHAIN_LINK, message_rows)
        self._links_used = 0
        self._links_dead = 0
        self._text_dead = 0
        self._fingerprints = new_table(DISTINCT, FINGERPRINTS)
        self._fingerprint_slots = np.full(2 * FINGERPRINTS, -1, np.int64)
        self._fingerprint_bytes = np.zeros(FINGERPRINT_BYTES, np.uint8)
        self._known = new_table(DISTINCT, message_rows)
        self._known_slots = np.full(16, -1, np.int64)
        self._known_text = Text()
        self._known_state = np.zeros(3, np.int64)
        self._counts = np.zeros(FIRST_ERROR + len(ERRORS), np.int64)
        self._counts[CHAIN_LIMIT] = options.limits.chain_certificates
        self._scratch = np.zeros(SCRATCH_SIZE, np.int64)
        self._bursts = Bursts()

    @property
    def errors(self) -> dict[str, int]:
        """How often each kind of ERRORS was met."""
        return {name: int(self._counts[FIRST_ERROR + code]) for name, code in ERROR_CODES.items() if code > 0}

    def process_runs(self, batch: Batch, runs: Rows, wanted: Ints, connections: Rows) -> None:
        """Read the runs ``runs[wanted]`` (int64 row numbers in capture order), all of connections that speak TLS."""
        self.opener.begin()
        if len(wanted) == 0:
            return
        self._fit(connections.shape[0])
        memory, arena, limit = batch.memory.data, batch.memory.arenas[0], self.options.limits.handshake_bytes
        status, k, at = GROW_ROWS, 0, -1
        while status != DONE:
            before = (k, at)
            known = self.keylog.known
            status, k, at, used = frame_runs(memory, arena, runs, wanted, k, at, self._messages, self._streams, limit, known)
            messages, count = self.opener.open_messages(self._messages, used)
            self._read_messages(messages, count, connections)
            self._fingerprint(messages, count)
            self._bursts.read(messages, count, self.handshakes)
            give_back(memory, arena, self._messages, used, self._streams, NO_ROWS)
            if status != DONE and used == 0 and (k, at) == before:
                self._messages = new_table(TLS_MESSAGE, 2 * self._messages.shape[0])

    def process_packets(self, batch: Batch, connections: Rows, services: Rows) -> None:
        """Read the datagrams of connections that ``services`` (SERVICE rows) says speak DTLS."""
        if not np.equal(services["protocol"], DTLS).any():
            return
        self._fit(connections.shape[0])
        memory, arena, limit = batch.memory.data, batch.memory.arenas[0], self.options.limits.handshake_bytes
        status, i = GROW_ROWS, 0
        while status != DONE:
            before = i
            status, i, used = frame_datagrams(memory, arena, batch.packets, services, i, self._messages, self._streams, limit)
            self._read_messages(self._messages, used, connections)
            self._fingerprint(self._messages, used)
            give_back(memory, arena, self._messages, used, self._streams, NO_ROWS)
            if status != DONE and used == 0 and i == before:
                self._messages = new_table(TLS_MESSAGE, 2 * self._messages.shape[0])

    def process_messages(self, messages: Rows, connections: Rows) -> None:
        """Read TLS_MESSAGE rows that came without records (QUIC), in the order of their last bytes."""
        if len(messages) == 0:
            return
        self._fit(connections.shape[0])
        self._read_messages(messages, len(messages), connections)
        self._fingerprint(messages, len(messages))

    def _fit(self, rows: int) -> None:
        """Make the state tables as long as the connection table."""
        self.handshakes = grow_table(self.handshakes, rows)
        self._progress = grow_table(self._progress, rows)
        self._streams = grow_table(self._streams, 2 * rows)

    def _read_messages(self, messages: Rows, used: int, connections: Rows) -> None:
        counts, i = self._counts, 0
        status = GROW_ROWS
        while status != DONE:
            counts[TEXT_TOP] = self.text.top
            counts[FIRST_LINK] = self._links_used
            status, i = read_messages(
                self.memory.data,
                messages,
                i,
                used,
                self.handshakes,
                self._progress,
                connections,
                self.text.data,
                self._spans,
                counts,
                self._scratch,
            )
            self.text.top = int(counts[TEXT_TOP])
            if status == GROW_TEXT:
                self.text.make_room(8 * int(messages[i].length) + 64)
            elif status == GROW_ROWS and counts[SPANS] == 0:
                self._spans = new_table(CERTIFICATE_SPAN, int(counts[CHAIN_LIMIT]) + self._spans.shape[0])
            self._keep_chains()

    def _fingerprint(self, messages: Rows, used: int) -> None:
        counts, i, status = self._counts, 0, GROW_TEXT
        while status != DONE:
            status, i = fingerprint_hellos(
                self.memory.data,
                messages,
                i,
                used,
                self.handshakes,
                self.text.data,
                self._fingerprints,
                self._fingerprint_slots,
                self._fingerprint_bytes,
                counts,
                self._scratch,
            )
            self.text.top = int(counts[TEXT_TOP])
            if status == GROW_TEXT:
                self.text.make_room(12 * int(messages[i].length) + 512)

    def _keep_chains(self) -> None:
        """Number the certificates cut out so far, read the new ones, and keep who sent which."""
        used = int(self._counts[SPANS])
        if used == 0:
            return
        self._counts[SPANS] = 0
        state, i = self._known_state, 0
        first_new, status = int(state[0]), GROW_ROWS
        while status != DONE:
            status, i = match_certificates(
                self.memory.data, self._spans, i, used, self._known, self._known_slots, self._known_text.data, state
            )
            self._known_text.top = int(state[1])
            if status == GROW_ROWS:
                self._known = grow_table(self._known, int(state[0]) + 1)
                self._known_slots = np.full(4 * self._known_slots.size, -1, np.int64)
                state[2] = 0
            elif status == GROW_TEXT:
                self._known_text.make_room(int(self._spans[i].length))
        for number in range(first_new, int(state[0])):  # each distinct certificate once
            row = self._known[number]
            der = self._known_text.data[row.position : row.position + row.length].tobytes()
            certificate = read_certificate(number, der)
            self._counts[FIRST_ERROR + ERROR_CODES["certificate"]] += certificate.error != ""
            self.certificates.append(certificate)
        spans, first = self._spans[:used], self._links_used
        self._links = grow_table(self._links, first + used)
        links = self._links[first : first + used]
        for name in ("connection", "certificate", "place", "from_client", "number", "ts"):
            links[name] = spans[name]
        self._links_used = first + used

    def der(self, number: int) -> bytes:
        """The bytes of certificate ``number``."""
        row = self._known[number]
        return self._known_text.data[row.position : row.position + row.length].tobytes()

    def raw_fingerprints(self) -> dict[str, str]:
        """Digest -> raw form of the distinct fingerprints kept: JA3 and JA3S (32 digits), second and third part of JA4 (12 digits)."""
        raw = {}
        for row in self._fingerprints[: int(self._counts[FINGERPRINTS_USED])]:
            if row.digest_size:
                text = self._fingerprint_bytes[row.position : row.position + row.length].tobytes().decode("ascii")
                raw[bytes(row.digest[: row.digest_size]).decode("ascii")] = text
        return raw

    def take(self, rows: Ints) -> Taken:
        """Copies of the rows of connections ``rows`` (int64)."""
        taken = take_rows(self.handshakes, rows)
        starts = np.stack([taken.chain, taken.client_chain], axis=1).ravel().astype(np.int64)
        sizes = np.stack([taken.chain_certificates, taken.client_chain_certificates], axis=1).ravel().astype(np.int64)
        ends = np.cumsum(sizes)
        places = np.arange(int(sizes.sum())) + np.repeat(starts - (ends - sizes), sizes)
        moved = np.where(sizes > 0, ends - sizes, -1).reshape(-1, 2)
        is_tls = taken.seen == 1
        taken.chain[is_tls] = moved[is_tls, 0]
        taken.client_chain[is_tls] = moved[is_tls, 1]
        return Taken(taken, take_rows(self._links, places))

    def take_bursts(self, rows: Ints) -> Rows:
        """Copies of the BURST rows of connections ``rows`` (int64), in their order."""
        return self._bursts.take(rows)

    def release(self, rows: Ints) -> None:
        """Forget connections ``rows``: their rows become zero; text and chains are compacted when half of them is dead."""
        rows = np.ascontiguousarray(rows[rows < len(self.handshakes)], np.int64)
        if len(rows) == 0:
            return
        give_back(self.memory.data, self.memory.arenas[0], self._messages, 0, self._streams, rows)
        self.opener.release(rows)
        self._bursts.release(rows)
        hot = self.handshakes.view(np.ndarray)
        seen = rows[hot["seen"][rows] == 1]
        self._text_dead += sum(int(hot[f"{name}_size"][seen].sum()) for name in HANDSHAKE_TEXTS)
        self._links_dead += sum(int(hot[name][seen].sum()) for name in ("chain_certificates", "client_chain_certificates"))
        for table, places in ((self.handshakes, rows), (self._progress, rows), (self._streams, 2 * rows), (self._streams, 2 * rows + 1)):
            clear_rows(table, places)
        if self._text_dead > max(self.text.top // 2, 1 << 15):
            self._compact_text()
        if self._links_dead > max(self._links_used // 2, 1 << 10):
            self._compact_chains()

    def _compact_text(self) -> None:
        hot = self.handshakes
        live = np.flatnonzero(hot["seen"])
        spans = [(hot[name][live], hot[f"{name}_size"][live]) for name in HANDSHAKE_TEXTS]
        self.text.compact(spans)
        for name, (positions, _) in zip(HANDSHAKE_TEXTS, spans, strict=True):
            hot[name][live] = positions
        self._text_dead = 0

    def _compact_chains(self) -> None:
        live = np.flatnonzero((self.handshakes.chain_certificates > 0) | (self.handshakes.client_chain_certificates > 0))
        taken, links = self.take(live)
        self._links[: links.shape[0]] = links
        self._links_used, self._links_dead = links.shape[0], 0
        self.handshakes.chain[live] = taken.chain
        self.handshakes.client_chain[live] = taken.client_chain
