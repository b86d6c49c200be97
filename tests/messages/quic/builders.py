"""QUIC packets from keyword arguments, sealed with ``cryptography``; and the stages up to QUIC and TLS driven with datagrams."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from analyzer.connections import Tracker
from analyzer.messages.quic import Quic
from analyzer.messages.services import Services
from analyzer.messages.tls import Tls
from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.tables import Rows, take_rows
from analyzer.tables.quic import PLACES
from tests.builders import CLIENT, SERVER, Frame, batches, udp_packet
from tests.messages.tls.builders import client_hello, server_hello

V1, V2 = 1, 0x6B3343CF
SALTS = {V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9"}
DCID, CLIENT_ID, SERVER_ID = bytes.fromhex("8394c8f03e515708"), b"client00", b"server01"
TYPES = {"initial": 0, "zero_rtt": 1, "handshake": 2, "retry": 3}
START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


def varint(value: int, wide: int = 0) -> bytes:
    """RFC 9000 16."""
    for bits, size in ((6, 1), (14, 2), (30, 4), (62, 8)):
        if value < 1 << bits and size >= wide:
            return (value | (size.bit_length() - 1) << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError


def expand(secret: bytes, label: str, size: int) -> bytes:
    name = b"tls13 " + label.encode()
    return hmac.digest(secret, size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0\1", "sha256")[:size]


def initial_secret(dcid: bytes, version: int, sender: str) -> bytes:
    return expand(hmac.digest(bytes.fromhex(SALTS[version]), dcid, "sha256"), f"{sender} in", 32)


def crypto(content: bytes, offset: int = 0) -> bytes:
    return b"\x06" + varint(offset) + varint(len(content)) + content


def handshake(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def seal(head: bytes, number: int, content: bytes, secret: bytes, version: int = V1) -> bytes:
    """A packet whose header without packet number is ``head``; AES-128-GCM."""
    prefix = "quicv2" if version == V2 else "quic"
    key, iv, hp = (expand(secret, f"{prefix} {name}", size) for name, size in (("key", 16), ("iv", 12), ("hp", 16)))
    head = bytes([head[0] | 3]) + head[1:] + number.to_bytes(4, "big")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    body = AESGCM(key).encrypt(nonce, content, head)
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(body[:16])
    first = head[0] ^ mask[0] & (0x0F if head[0] & 0x80 else 0x1F)
    return bytes([first]) + head[1:-4] + bytes(a ^ b for a, b in zip(head[-4:], mask[1:], strict=False)) + body


def long_head(kind: str, dcid: bytes, scid: bytes, rest: int, *, token: bytes = b"", version: int = V1) -> bytes:
    bits = TYPES[kind] + (version == V2) & 3
    head = bytes([0xC0 | bits << 4]) + version.to_bytes(4, "big") + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid
    return head + (varint(len(token)) + token if kind == "initial" else b"") + varint(rest, 2)


def initial(
    content: bytes,
    *,
    sender: str = "client",
    number: int = 0,
    dcid: bytes | None = None,
    scid: bytes | None = None,
    keyed_by: bytes = DCID,
    token: bytes = b"",
    version: int = V1,
    pad: int = 1162,
) -> bytes:
    """An Initial packet, padded so that a datagram of it alone is large enough."""
    target = (DCID if sender == "client" else CLIENT_ID) if dcid is None else dcid
    source = (CLIENT_ID if sender == "client" else SERVER_ID) if scid is None else scid
    content = content.ljust(pad, b"\0")
    head = long_head("initial", target, source, len(content) + 20, token=token, version=version)
    return seal(head, number, content, initial_secret(keyed_by, version, sender), version)


def handshake_packet(size: int = 100, *, sender: str = "client", version: int = V1) -> bytes:
    """A Handshake packet that nobody can open; ``size``: its length field."""
    ids = (SERVER_ID, CLIENT_ID) if sender == "client" else (CLIENT_ID, SERVER_ID)
    return long_head("handshake", *ids, size, version=version) + bytes(range(size % 256)) + bytes(size - size % 256)


def short_packet(dcid: bytes = SERVER_ID, size: int = 60, *, spin: int = 0) -> bytes:
    return bytes([0x40 | spin << 5]) + dcid + bytes(size)


def retry(scid: bytes = b"retryid1", token: bytes = b"token") -> bytes:
    return b"\xf0\0\0\0\1" + bytes([len(CLIENT_ID)]) + CLIENT_ID + bytes([len(scid)]) + scid + token + bytes(16)


def negotiation(versions: Sequence[int] = (V1, 0x1A2A3A4A)) -> bytes:
    ids = bytes([len(CLIENT_ID)]) + CLIENT_ID + bytes([len(DCID)]) + DCID
    return b"\x80\0\0\0\0" + ids + b"".join(version.to_bytes(4, "big") for version in versions)


def hello(**fields: Any) -> bytes:
    return handshake(1, client_hello(**fields))


def answer(**fields: Any) -> bytes:
    return handshake(2, server_hello(**fields))


def from_client(payload: bytes, at: int = 0, *, port: int = 50000, length: int | None = None) -> Frame:
    return Frame(udp_packet(payload, src_port=port, dst_port=443), START + at * MILLISECOND, length)


def from_server(payload: bytes, at: int = 0, *, port: int = 50000) -> Frame:
    return Frame(udp_packet(payload, src=SERVER, dst=CLIENT, src_port=443, dst_port=port), START + at * MILLISECOND)


class Stages:
    """Decoder, Tracker, Services, Quic and Tls over frames, cut into batches at will."""

    def __init__(self, frames: Sequence[Frame], cuts: Sequence[int] = (), *, options: Options | None = None, **rows: int) -> None:
        options = options or Options()
        parts = batches(frames, cuts, arena_bytes=8 << 20)
        memory = parts[0].memory
        decoder, self.tracker, services = Decoder(options), Tracker(options), Services(memory, ())
        self.quic, self.tls = Quic(memory, options, **rows), Tls(memory, options)
        for part in parts:
            decoder.decode(part)
            self.tracker.track(part)
            services.name_datagrams(part, self.tracker.connections)
            self.quic.process_packets(part, services.table, self.tracker.connections)
            self.tls.process_messages(self.quic.messages(), self.tracker.connections)

    def row(self, connection: int = 1) -> np.record:
        """The QUIC row of connection number ``connection``."""
        return self.quic.table[self.place(connection)]

    def place(self, connection: int = 1) -> int:
        return int(np.flatnonzero(self.tracker.connections["number"] == connection)[0])

    def places(self, connection: int = 1) -> dict[str, int]:
        """Frames of the places that were seen."""
        numbers = self.row(connection).place_number.tolist()
        return {name: number for name, number in zip(PLACES, numbers, strict=True) if number}

    def text(self, name: str, connection: int = 1) -> str:
        q = self.row(connection)
        at, size = int(q[name]), int(q[f"{name}_size"])
        return self.quic.text.data[at : at + size].tobytes().decode()

    def history(self, connection: int = 1) -> str:
        q = self.row(connection)
        return q.history[: int(q.history_size)].tobytes().decode()

    def tls_text(self, name: str, connection: int = 1) -> str:
        h = self.tls.handshakes[self.place(connection)]
        at, size = int(h[name]), int(h[f"{name}_size"])
        return self.tls.text.data[at : at + size].tobytes().decode()

    def everything(self) -> tuple[bytes, bytes, str]:
        """All rows and texts, to compare two ways of cutting batches."""
        n = int((self.tracker.connections["number"] > 0).sum())
        rows: Rows = take_rows(self.quic.table, np.arange(n))
        told = [self.text(name, k + 1) for k in range(n) for name in ("reason", "client_parameters", "offered_versions")]
        for name in ("reason", "client_parameters", "server_parameters", "offered_versions"):
            rows[name] = 0
        h = take_rows(self.tls.handshakes, np.arange(n))
        return rows.tobytes(), h["step_number"].tobytes(), "|".join(told)
