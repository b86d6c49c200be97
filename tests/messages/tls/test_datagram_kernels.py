"""DTLS datagrams: hellos with cookies, several records, fragments, lies; in batches of any size."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.tables import new_table
from analyzer.tables.packets import ANALYSED, INTERFACE, PACKET
from analyzer.tables.services import DTLS, SERVICE
from tests.messages.tls import builders as b


def record(kind: int, body: bytes, epoch: int = 0) -> bytes:
    return struct.pack("!BHHIHH", kind, 0xFEFD, epoch, 0, 0, len(body)) + body


def message(kind: int, body: bytes, sequence: int = 0, offset: int = 0, size: int | None = None) -> bytes:
    piece = body[offset : None if size is None else offset + size]
    numbers = len(body).to_bytes(3, "big") + struct.pack("!H", sequence) + offset.to_bytes(3, "big") + len(piece).to_bytes(3, "big")
    return bytes([kind]) + numbers + piece


def hello(cookie: bytes = b"") -> bytes:
    start = b"\xfe\xfd" + bytes(range(32)) + b.vector(1, b"") + b.vector(1, cookie)
    return start + b.vector(2, b.u16s([0xC02F, 0xC02B])) + b.vector(1, b"\0") + b.vector(2, b.groups(23) + b.server_name(b"d.example"))


ANSWER = b.server_hello(0xC02F, b.extension(0xFF01, b"\0"), version=0xFEFD)
DATAGRAMS = [
    (0, record(22, message(1, hello()))),
    (1, record(22, message(3, b"\xfe\xff" + b.vector(1, b"cookie")))),
    (0, record(22, message(1, hello(b"cookie"), 1))),
    (1, record(22, message(2, ANSWER)) + record(22, message(11, b.certificate_list(b"leaf"), 1) + message(14, b"", 2))),
    (0, record(22, message(16, b"k" * 40)) + record(20, b"\1") + record(22, b"f" * 40, 1)),
    (1, record(20, b"\1") + record(22, b"g" * 40, 1)),
    (0, record(23, b"d" * 30, 1)),
]


def dissected(datagrams: list[tuple[int, bytes]], step: int = 100, message_rows: int = 64) -> b.Capture:
    capture, services = b.Capture(message_rows=message_rows), new_table(SERVICE, 1)
    services.protocol = DTLS
    for at in range(0, len(datagrams), step):
        packets, top = new_table(PACKET, len(datagrams[at : at + step])), 0
        for number, (p, (sender, content)) in enumerate(zip(packets, datagrams[at : at + step], strict=True), at + 1):
            capture.memory.data[top : top + len(content)] = np.frombuffer(content, np.uint8)
            p.protocol, p.outcome, p.sender, p.number, p.ts = 17, ANALYSED, sender, number, b.START + number
            p.offset, p.payload, p.payload_size = top, 0, len(content)
            top += len(content)
        capture.tls.process_packets(Batch(capture.memory, packets, new_table(INTERFACE, 0), 0, 0), capture.table, services)
        capture.memory.data[:top] = 0xAA
    return capture


@pytest.mark.parametrize("step", [1, 3, 100])
@pytest.mark.parametrize("message_rows", [1, 64])
def test_handshake(step: int, message_rows: int) -> None:
    capture = dissected(DATAGRAMS, step, message_rows)
    row = capture.row()
    assert (row["version"], row["cipher_suite"], row["server_name"]) == (0xFEFD, 0xC02F, "d.example")
    assert row["history"] == "CvCsxnGIi"
    assert row["ja4"].startswith("dd2d0202")
    assert row["is_established"] == 1
    assert [capture.tls.der(link[0]) for link in row["links"]] == [b"leaf"]
    assert row["steps"]["client_finished"][0] == row["steps"]["server_finished"][0] == "measured"


@pytest.mark.parametrize("step", [1, 100])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [0, 1, 1, 0, 1, 2, 3, 2, 4, 4]])
def test_fragments(step: int, order: list[int]) -> None:
    body = b.certificate_list(b"leaf" * 100)
    pieces = [(1, record(22, message(11, body, 1, at, 100))) for at in range(0, len(body), 100)]
    capture = dissected([*DATAGRAMS[:3], (1, record(22, message(2, ANSWER))), *(pieces[k] for k in order)], step)
    row = capture.row()
    assert row["history"] == "CvCsx"
    assert capture.tls.der(row["links"][0][0]) == b"leaf" * 100
    assert row["steps"]["certificate"][0] == "measured"
    capture.tls.release(np.array([0]))
    assert capture.memory.arenas[0][2] == 0


def test_fragments_that_are_not_all_there_or_too_many() -> None:
    body = b.certificate_list(b"leaf" * 100)
    start = [*DATAGRAMS[:3], (1, record(22, message(2, ANSWER)))]
    capture = dissected([*start, (1, record(22, message(11, body, 1, 0, 100))), (1, record(22, message(11, body, 1, 200, 100)))])
    assert capture.row()["history"] == "CvCs"
    capture.tls.release(np.array([0]))
    assert capture.memory.arenas[0][2] == 0
    huge = b"\x0b" + (1 << 20).to_bytes(3, "big") + bytes(5) + (50).to_bytes(3, "big") + bytes(50)
    row = dissected([*start, (1, record(22, huge))]).row()
    assert (row["history"], row["chain_certificates"], row["error"]) == ("CvCsx", 0, 3)


def test_bytes_that_lie() -> None:
    r = np.random.default_rng(4)
    for _ in range(60):
        damaged = []
        for sender, content in DATAGRAMS:
            wrong = bytearray(content[: int(r.integers(0, len(content) + 1))])
            for at in r.integers(0, max(len(wrong), 1), 3):
                if wrong:
                    wrong[at] = r.integers(0, 256)
            damaged.append((sender, bytes(wrong)))
        assert dissected(damaged).row() == dissected(damaged, 1).row()


ANSWER13 = b.server_hello(
    0x1301, b.extension(43, b.u16s([0xFEFC])) + b.extension(51, b.u16s([23]) + b.vector(2, b"k" * 65)), version=0xFEFD
)


def unified(body: bytes, *, long_number: bool = True, length: bool = True, connection_id: bytes = b"") -> bytes:
    """A record of DTLS 1.3 (RFC 9147 4)."""
    bits = 0x20 | bool(connection_id) << 4 | long_number << 3 | length << 2 | 2
    return bytes([bits]) + connection_id + bytes(2 if long_number else 1) + (b.u16s([len(body)]) if length else b"") + body


@pytest.mark.parametrize(
    "shape", [{}, {"long_number": False}, {"length": False}, {"long_number": False, "length": False}, {"connection_id": b"id"}]
)
def test_records_of_dtls13(shape: dict[str, Any]) -> None:
    flight = [(0, record(22, message(1, hello()))), (1, record(22, message(2, ANSWER13)))]
    row = dissected([*flight, (1, unified(bytes(40), **shape)), (0, unified(bytes(40), **shape))]).row()
    assert (row["version"], row["group"], row["is_established"]) == (0xFEFC, 23, 1)
    assert (row["client_records"], row["server_records"]) == (1, 1)


def test_several_records_of_dtls13_in_a_datagram() -> None:
    flight = [
        (0, record(22, message(1, hello()))),
        (1, record(22, message(2, ANSWER13)) + unified(bytes(60)) + unified(bytes(17)) + unified(b"short")),
    ]
    assert dissected(flight).row()["server_records"] == 2


@pytest.mark.parametrize("message_rows", [1, 3])
def test_many_small_records_of_dtls13(message_rows: int) -> None:
    assert dissected([(1, unified(bytes(17)) * 60)], message_rows=message_rows).row()["server_records"] == 60
