"""Packets with short headers: in order, lost, damaged, over key updates; sessions that come and go."""

from __future__ import annotations

import hmac

import numpy as np

from analyzer.memory import Memory
from analyzer.messages.quic.opener import Opener
from analyzer.messages.quic.session import Session
from analyzer.messages.slab import Slab
from analyzer.tables import Rows, new_table
from analyzer.tables.quic import QUIC_PACKET
from tests.messages.quic.builders import seal
from tests.messages.tls.builders import server_hello

SECRET = b"d" * 32
ID = b"server01"


def next_secret(secret: bytes) -> bytes:
    label = b"tls13 quic ku"
    return hmac.digest(secret, b"\0\x20" + bytes([len(label)]) + label + b"\0\1", "sha256")


def short(number: int, content: bytes, secret: bytes = SECRET, phase: int = 0) -> bytes:
    return seal(bytes([0x40 | phase << 2]) + ID, number, content, secret)


class Opened:
    """A session whose client sends packets."""

    def __init__(self) -> None:
        self.memory = Memory(1 << 16, 1, 8 << 20)
        self.opener = Opener(Slab(self.memory), self.memory.data, 1 << 16)
        self.session: Session = self.opener.begin_session(5, 0, {"CLIENT_TRAFFIC_SECRET_0": SECRET}, 1)
        self.session.read_server_hello(server_hello(0x1301), 1, 0)

    def open(self, packets: list[bytes]) -> tuple[int, list[tuple[int, bytes]]]:
        """(how many failed, (number, content) of the others)."""
        rows: Rows = new_table(QUIC_PACKET, len(packets))
        at = 0
        for k, packet in enumerate(packets):
            self.memory.data[at : at + len(packet)] = np.frombuffer(packet, np.uint8)
            rows[k].position, rows[k].packet_size, rows[k].pn_at, rows[k].number = at, len(packet), 9, k + 1
            at += len(packet)
        failed = self.opener.open_short(self.session, 0, rows)
        told = self.opener.plains()
        return failed, [(int(p.pn), self.memory.data[p.position : p.position + p.plain_size].tobytes()) for p in told]


def test_in_order_and_not() -> None:
    numbers = [0, 1, 3, 2, 900, 901]
    failed, told = Opened().open([short(number, b"content %d" % number) for number in numbers])
    assert failed == 0
    assert told == [(number, b"content %d" % number) for number in numbers]


def test_damaged_packets_are_counted_and_the_others_read() -> None:
    good = [short(number, b"content") for number in range(6)]
    bad = bytes(good[2][:20]) + b"\xff\xff" + good[2][22:]
    failed, told = Opened().open([good[0], bad, good[1], b"\x40" + ID + bytes(12), b"\x40" + ID + b"\xaa" * 60, good[5]])
    assert failed == 3
    assert [number for number, _ in told] == [0, 1, 5]


def update_keys(number: int, secret: bytes, phase: int) -> bytes:
    """A packet of another key phase: header protection stays that of the first secret."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from tests.messages.quic.builders import expand

    head = bytes([0x43 | phase << 2]) + ID + number.to_bytes(4, "big")
    nonce = (int.from_bytes(expand(secret, "quic iv", 12), "big") ^ number).to_bytes(12, "big")
    body = AESGCM(expand(secret, "quic key", 16)).encrypt(nonce, b"phase", head)
    mask = Cipher(algorithms.AES(expand(SECRET, "quic hp", 16)), modes.ECB()).encryptor().update(body[:16])
    return bytes([head[0] ^ mask[0] & 0x1F]) + head[1:9] + bytes(a ^ b for a, b in zip(head[9:], mask[1:], strict=False)) + body


def test_key_updates() -> None:
    second = next_secret(SECRET)
    third = next_secret(second)
    one = Opened()
    packets = [
        short(0, b"phase"),
        update_keys(2, second, 1),
        update_keys(1, SECRET, 0),
        update_keys(3, second, 1),
        update_keys(4, third, 0),
    ]
    failed, told = one.open(packets)
    assert failed == 0
    assert [number for number, _ in told] == [0, 2, 1, 3, 4]
    direction = one.session.application[0]
    assert direction is not None
    assert direction.updates == 2


def test_without_a_secret_nothing_is_opened() -> None:
    one = Opened()
    one.session.application[0] = None
    assert one.open([short(0, b"x")])[0] == 1


def test_sessions_go_with_their_rows() -> None:
    one = Opened()
    one.opener.sessions[9] = one.session
    one.session.rows.add(9)
    one.opener.release(5)
    assert one.session.connection == 9
    one.opener.release(9)
    one.opener.release(9)
    assert one.opener.sessions == {}
    assert one.opener.begin_session(1, 0, {}, 1).slot == one.session.slot
