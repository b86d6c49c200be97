"""TLS bytes and runs from keyword arguments, and the dissector driven with them: nothing of the code under test makes them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.tls import Tls
from analyzer.options import Limits, Options
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import ENDED_OPEN, FROM_ARENA, NOT_KEPT, RUN, STREAM_ENDED
from analyzer.tables.tls import BASES, HANDSHAKE_TEXTS, STEPS

CLIENT, SERVER = 0, 1
START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
RETRY_RANDOM = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")


# ---- bytes


def vector(width: int, content: bytes) -> bytes:
    """Content after its length in ``width`` bytes."""
    return len(content).to_bytes(width, "big") + content


def u16s(values: Iterable[int]) -> bytes:
    return b"".join(struct.pack("!H", value) for value in values)


def record(kind: int, body: bytes, version: int = 0x0303, length: int | None = None) -> bytes:
    return struct.pack("!BHH", kind, version, len(body) if length is None else length) + body


def records(kind: int, body: bytes, size: int, version: int = 0x0303) -> bytes:
    """A body cut into records of at most ``size`` bytes."""
    return b"".join(record(kind, body[i : i + size], version) for i in range(0, len(body), size))


def message(kind: int, body: bytes = b"", length: int | None = None) -> bytes:
    return bytes([kind]) + (len(body) if length is None else length).to_bytes(3, "big") + body


def extension(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("!H", kind) + vector(2, body)


def server_name(name: bytes) -> bytes:
    return extension(0, vector(2, b"\0" + vector(2, name)))


def alpn(*names: bytes) -> bytes:
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def groups(*codes: int) -> bytes:
    return extension(10, vector(2, u16s(codes)))


def point_formats(*codes: int) -> bytes:
    return extension(11, vector(1, bytes(codes)))


def schemes(*codes: int) -> bytes:
    return extension(13, vector(2, u16s(codes)))


def versions(*codes: int) -> bytes:
    return extension(43, vector(1, u16s(codes)))


def key_shares(*codes: int) -> bytes:
    return extension(51, vector(2, b"".join(u16s([code]) + vector(2, b"k" * 32) for code in codes)))


def client_hello(
    suites: Sequence[int] = (0x1301, 0x1302, 0xC02F),
    extensions: bytes | None = b"",
    *,
    version: int = 0x0303,
    session: bytes = b"",
    random: bytes = bytes(range(32)),
) -> bytes:
    """Body of a ClientHello; ``extensions`` None leaves out even their length."""
    tail = b"" if extensions is None else vector(2, extensions)
    return struct.pack("!H", version) + random + vector(1, session) + vector(2, u16s(suites)) + vector(1, b"\0") + tail


def server_hello(
    suite: int = 0xC02F,
    extensions: bytes | None = b"",
    *,
    version: int = 0x0303,
    session: bytes = b"",
    random: bytes = bytes(range(32, 64)),
    compression: int = 0,
) -> bytes:
    tail = b"" if extensions is None else vector(2, extensions)
    return struct.pack("!H", version) + random + vector(1, session) + u16s([suite]) + bytes([compression]) + tail


def certificate_list(*ders: bytes) -> bytes:
    return vector(3, b"".join(vector(3, der) for der in ders))


def ec_key_exchange(group: int = 23, scheme: int = 0x0403) -> bytes:
    return b"\x03" + u16s([group]) + vector(1, b"p" * 65) + u16s([scheme]) + vector(2, b"s" * 70)


def dh_key_exchange(prime: bytes) -> bytes:
    return vector(2, prime) + vector(2, b"\x02") + vector(2, b"y" * len(prime)) + u16s([0x0401]) + vector(2, b"s" * 256)


CCS = record(20, b"\x01")


def data(size: int) -> bytes:
    """An application_data record with a body of ``size`` bytes."""
    return record(23, bytes(i * 7 & 255 for i in range(size)))


def finished12() -> bytes:
    return record(22, b"\xf0" * 40)


HELLO13 = client_hello(
    (0x1301, 0x1302, 0x1303, 0xC02F),
    server_name(b"www.example.org") + groups(29, 23) + versions(0x0304, 0x0303) + key_shares(29) + alpn(b"h2", b"http/1.1"),
    session=b"s" * 32,
)
HELLO12 = client_hello((0xC02F, 0xC013, 0x002F), server_name(b"old.example.org") + groups(29, 23) + alpn(b"http/1.1"))
ANSWER13 = server_hello(0x1301, extension(43, u16s([0x0304])) + extension(51, u16s([29]) + vector(2, b"k" * 32)), session=b"s" * 32)
ANSWER12 = server_hello(0xC02F, extension(0xFF01, b"\0") + extension(23) + alpn(b"http/1.1"))


# ---- runs


@dataclass
class Send:
    """One run to be: who sends what, ms after the start, on which connection."""

    sender: int
    content: bytes
    at: float = 0.0
    connection: int = 0
    gap: int = 0
    marks: int = 0
    number: int = 0
    kept: bool = True


@dataclass
class Capture:
    """A dissector that is fed runs; frames are numbered from 1 in the order of the sends."""

    message_rows: int = 64
    connections: int = 1
    limits: Limits = field(default_factory=lambda: Limits(chunk_bytes=1 << 20, arena_bytes=1 << 22))
    round_trip: float = 0.0

    def __post_init__(self) -> None:
        self.memory = Memory(self.limits.chunk_bytes, chunks=1, arena_bytes=self.limits.arena_bytes)
        self.tls = Tls(self.memory, Options(limits=self.limits), message_rows=self.message_rows)
        self.table = new_table(CONNECTION, self.connections)
        for c in self.table:
            c.syn_ts = c.last_syn_ts = START
            c.ack_ts = START + int(self.round_trip * MILLISECOND) if self.round_trip else 0

    def feed(self, sends: Sequence[Send]) -> Capture:
        """One batch."""
        runs = new_table(RUN, max(1, len(sends)))
        top = 0
        for i, send in enumerate(sends):
            r = runs[i]
            size = len(send.content)
            self.memory.data[top : top + size] = np.frombuffer(send.content, np.uint8)
            r.connection, r.sender, r.gap, r.number = send.connection, send.sender, send.gap, send.number
            r.marks = send.marks | (0 if send.kept else NOT_KEPT)
            r.position = top if send.kept else -1
            r.run_size = size
            r.ts = START + round(send.at * MILLISECOND)
            top += size
        batch = Batch(self.memory, new_table(PACKET, 0), new_table(INTERFACE, 0), START, 0)
        self.tls.process_runs(batch, runs, np.arange(len(sends), dtype=np.int64), self.table)
        self.memory.data[:top] = 0xAA  # spans of a batch die with it
        return self

    def row(self, connection: int = 0) -> dict[str, Any]:
        """A HANDSHAKE row in plain words, with its chains."""
        return plain(self.tls, connection)


def numbered(sends: Iterable[Send]) -> list[Send]:
    """The sends with frame numbers from 1 on."""
    out = list(sends)
    for number, send in enumerate(out, 1):
        send.number = send.number or number
    return out


def end(at: float = 1e6, connection: int = 0) -> list[Send]:
    """Both streams end because the capture does."""
    marks = STREAM_ENDED | ENDED_OPEN | FROM_ARENA
    return [Send(side, b"", at, connection, marks=marks, number=10_000) for side in (CLIENT, SERVER)]


def plain(tls: Tls, connection: int = 0) -> dict[str, Any]:
    taken = tls.take(np.array([connection]))
    row, links = taken.handshakes[0], taken.links
    out: dict[str, Any] = {}
    for name in row.dtype.names:
        if name in HANDSHAKE_TEXTS:
            at, size = int(row[name]), int(row[f"{name}_size"])
            out[name] = tls.text.data[at : at + size].tobytes().decode("latin-1")
        elif name == "history":
            out[name] = bytes(row.history[: row.history_size]).decode()
        elif name == "client_random":
            out[name] = bytes(row.client_random)
        elif name not in ("step_ts", "step_number", "step_basis") and not name.endswith("_size"):
            out[name] = int(row[name])
    out["steps"] = {
        step: (
            BASES[row.step_basis[i]],
            tuple(int(n) for n in row.step_number[i]),
            tuple((int(t) - START) / MILLISECOND for t in row.step_ts[i]),
        )
        for i, step in enumerate(STEPS)
        if row.step_basis[i]
    }
    out["links"] = [(int(x.certificate), int(x.place), int(x.from_client), int(x.number)) for x in links]
    return out


def dissect(sends: Iterable[Send], **options: Any) -> dict[str, Any]:
    """The row of connection 0 after one batch."""
    return Capture(**options).feed(numbered(sends)).row()


def full_tls12(*ders: bytes) -> list[Send]:
    """A full TLS 1.2 handshake with one exchange, one frame a flight."""
    flight = message(2, ANSWER12) + message(11, certificate_list(*ders)) + message(12, ec_key_exchange()) + message(14)
    return [
        Send(CLIENT, record(22, message(1, HELLO12), 0x0301), 0),
        Send(SERVER, record(22, flight), 20),
        Send(CLIENT, record(22, message(16, vector(1, b"p" * 65))) + CCS + finished12(), 22),
        Send(SERVER, record(22, message(4, bytes(100))) + CCS + finished12(), 42),
        Send(CLIENT, data(200), 43),
        Send(SERVER, data(1000) + data(500), 70),
        Send(CLIENT, record(21, b"\x99" * 26), 80),
        Send(SERVER, record(21, b"\x98" * 26), 90),
    ]


def full_tls13() -> list[Send]:
    """A full TLS 1.3 handshake with one exchange: two tickets come with the response."""
    return [
        Send(CLIENT, record(22, message(1, HELLO13), 0x0301), 0),
        Send(SERVER, record(22, message(2, ANSWER13)) + CCS + data(40) + data(900), 20),
        Send(SERVER, data(53), 21),
        Send(CLIENT, CCS + data(53), 22),
        Send(CLIENT, data(150), 23),
        Send(SERVER, data(250) + data(250), 43),
        Send(SERVER, data(1200), 60),
        Send(SERVER, data(700), 61),
        Send(CLIENT, data(19), 70),
        Send(SERVER, data(19), 90),
    ]
