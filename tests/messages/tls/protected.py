"""The other side of decryption, for tests: seals records with `cryptography`, from the RFCs and from nothing of the code under test."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tests.messages.tls import builders as b

RANDOM = bytes(range(32))
SERVER_RANDOM = bytes(range(32, 64))
MASTER = b"m" * 48
SHA256_SUITE, SHA384_SUITE, CHACHA_SUITE = 0x1301, 0x1302, 0x1303


def label13(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label by cryptography's HKDF."""
    described = struct.pack("!H", size) + b.vector(1, b"tls13 " + label) + b"\0"
    algorithm = hashes.SHA384() if len(secret) == 48 else hashes.SHA256()
    return HKDFExpand(algorithm, size, described).derive(secret)


@dataclass
class Sealer13:
    """Records of one direction and epoch of TLS 1.3."""

    secret: bytes
    suite: int = SHA256_SUITE
    sequence: int = 0

    def seal(self, kind: int, content: bytes, padding: int = 0) -> bytes:
        size = {SHA256_SUITE: 16, SHA384_SUITE: 32, CHACHA_SUITE: 32}[self.suite]
        key, iv = label13(self.secret, b"key", size), label13(self.secret, b"iv", 12)
        nonce = bytes(x ^ y for x, y in zip(iv, self.sequence.to_bytes(12, "big"), strict=True))
        self.sequence += 1
        inner = content + bytes([kind]) + bytes(padding)
        header = struct.pack("!BHH", 23, 0x0303, len(inner) + 16)
        cipher = ChaCha20Poly1305(key) if self.suite == CHACHA_SUITE else AESGCM(key)
        return header + cipher.encrypt(nonce, inner, header)

    def update(self) -> None:
        """KeyUpdate."""
        self.secret, self.sequence = label13(self.secret, b"traffic upd", len(self.secret)), 0


def prf12(secret: bytes, seed: bytes, size: int, name: str) -> bytes:
    out, a = b"", seed
    while len(out) < size:
        a = hmac.new(secret, a, name).digest()
        out += hmac.new(secret, a + seed, name).digest()
    return out[:size]


def prf10(secret: bytes, seed: bytes, size: int) -> bytes:
    half = (len(secret) + 1) // 2
    return bytes(x ^ y for x, y in zip(prf12(secret[:half], seed, size, "md5"), prf12(secret[-half:], seed, size, "sha1"), strict=True))


# suite -> (kind, key bytes, fixed iv bytes, mac, prf hash)
SUITES12 = {
    0xC02F: ("gcm", 16, 4, "", "sha256"),
    0xC030: ("gcm", 32, 4, "", "sha384"),
    0xCCA8: ("chacha", 32, 12, "", "sha256"),
    0xC0AC: ("ccm", 16, 4, "", "sha256"),
    0xC0AE: ("ccm8", 16, 4, "", "sha256"),
    0xC013: ("cbc", 16, 0, "sha1", "sha256"),
    0xC028: ("cbc", 32, 0, "sha384", "sha384"),
    0x0005: ("rc4", 16, 0, "sha1", "sha256"),
    0x003B: ("null", 0, 0, "sha256", "sha256"),
}


class Sealer12:
    """Records of one direction up to TLS 1.2."""

    def __init__(self, suite: int, *, is_client: bool, version: int = 0x0303, mac_last: bool = False) -> None:
        self.kind, key_size, iv_size, self.mac, prf = SUITES12[suite]
        self.version, self.mac_last, self.sequence = version, mac_last and self.kind == "cbc", 0
        mac_size = hashlib.new(self.mac).digest_size if self.mac else 0
        if self.kind == "cbc" and version == 0x0301:
            iv_size = 16
        seed, total = b"key expansion" + SERVER_RANDOM + RANDOM, 2 * (mac_size + key_size + iv_size)
        block = prf12(MASTER, seed, total, prf) if version == 0x0303 else prf10(MASTER, seed, total)
        side = 0 if is_client else 1
        self.mac_key = block[side * mac_size :][:mac_size]
        self.key = block[2 * mac_size + side * key_size :][:key_size]
        self.iv = block[2 * (mac_size + key_size) + side * iv_size :][:iv_size]
        self.stream = Cipher(ARC4(self.key), mode=None).encryptor() if self.kind == "rc4" else None

    def seal(self, kind: int, content: bytes) -> bytes:
        body = self._protect(struct.pack("!QBH", self.sequence, kind, self.version), content)
        self.sequence += 1
        return b.record(kind, body, self.version)

    def _protect(self, start: bytes, content: bytes) -> bytes:
        size = struct.pack("!H", len(content))
        if self.kind == "chacha":
            nonce = bytes(x ^ y for x, y in zip(self.iv, self.sequence.to_bytes(12, "big"), strict=True))
            return ChaCha20Poly1305(self.key).encrypt(nonce, content, start + size)
        if self.kind in ("gcm", "ccm", "ccm8"):
            explicit = (self.sequence + 77).to_bytes(8, "big")
            cipher = AESGCM(self.key) if self.kind == "gcm" else AESCCM(self.key, 8 if self.kind == "ccm8" else 16)
            return explicit + cipher.encrypt(self.iv + explicit, content, start + size)
        if not self.mac_last:
            content += hmac.new(self.mac_key, start + size + content, self.mac).digest()
        if self.kind == "null":
            return content
        if self.stream is not None:
            return self.stream.update(content)
        padding = 15 - len(content) % 16
        iv = self.iv or bytes([self.sequence + 1]) * 16
        sealed = Cipher(algorithms.AES(self.key), modes.CBC(iv)).encryptor().update(content + bytes([padding]) * (padding + 1))
        if self.iv:
            self.iv = sealed[-16:]
        else:
            sealed = iv + sealed
        if self.mac_last:
            sealed += hmac.new(self.mac_key, start + struct.pack("!H", len(sealed)) + sealed, self.mac).digest()
        return sealed


def keylog(**secrets: bytes) -> bytes:
    """Lines of a key log for RANDOM."""
    return b"".join(f"{label} {RANDOM.hex()} {secret.hex()}\n".encode() for label, secret in secrets.items())


SECRETS13 = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": b"a" * 32,
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": b"b" * 32,
    "CLIENT_TRAFFIC_SECRET_0": b"c" * 32,
    "SERVER_TRAFFIC_SECRET_0": b"d" * 32,
}
EE = b.message(8, b.vector(2, b.alpn(b"http/1.1")))


def certificate13(*ders: bytes) -> bytes:
    return b.message(11, b"\0" + b.vector(3, b"".join(b.vector(3, der) + b"\0\0" for der in ders)))


VERIFY = b.message(15, b.u16s([0x0804]) + b.vector(2, b"s" * 64))
FINISHED = b.message(20, b"f" * 32)


@dataclass
class Talk13:
    """A TLS 1.3 connection up to both Finished, and sealers for what follows."""

    flight: bytes = EE + certificate13(b"leaf", b"root") + VERIFY + FINISHED

    def __post_init__(self) -> None:
        self.client, self.server = Sealer13(b"c" * 32), Sealer13(b"d" * 32)

    def handshake(self, cut: int = 1 << 14) -> list[b.Send]:
        """``cut``: bytes of the server's flight in one record."""
        early, late = Sealer13(b"b" * 32), Sealer13(b"a" * 32)
        flight = b"".join(early.seal(22, self.flight[at : at + cut]) for at in range(0, len(self.flight), cut))
        return [
            b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO13), 0x0301), 0),
            b.Send(b.SERVER, b.record(22, b.message(2, b.ANSWER13)) + b.CCS + flight, 20),
            b.Send(b.CLIENT, b.CCS + late.seal(22, FINISHED), 22),
        ]


def talk12(suite: int, version: int = 0x0303, *, mac_last: bool = False) -> tuple[list[b.Send], Sealer12, Sealer12]:
    """A handshake up to TLS 1.2 with both Finished, and the two sealers (client, server)."""
    client = Sealer12(suite, is_client=True, version=version, mac_last=mac_last)
    server = Sealer12(suite, is_client=False, version=version, mac_last=mac_last)
    extensions = b.extension(22) if mac_last else b""
    flight = b.message(2, b.server_hello(suite, extensions, version=version, random=SERVER_RANDOM)) + b.message(14)
    sends = [
        b.Send(b.CLIENT, b.record(22, b.message(1, b.client_hello((suite,), extensions, version=version)), 0x0301), 0),
        b.Send(b.SERVER, b.record(22, flight, version), 20),
        b.Send(b.CLIENT, b.record(22, b.message(16, b"k"), version) + b.CCS + client.seal(22, b.message(20, b"f" * 12)), 22),
        b.Send(b.SERVER, b.CCS + server.seal(22, b.message(20, b"g" * 12)), 42),
    ]
    return sends, client, server
