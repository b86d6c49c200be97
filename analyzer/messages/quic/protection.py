"""From secrets to keys, and packets opened (RFC 9001 5, RFC 9369 3.3).

Initial packets are protected by keys that everybody can derive from the client's first destination connection id; all others by
secrets of the TLS handshake, which a key log has.
"""

from __future__ import annotations

import hmac
from functools import cache, lru_cache
from typing import Any, Final

from analyzer.registries.quic import VERSION_1, VERSION_2

SALT_1: Final = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
SALT_2: Final = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")
SALT_23: Final = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")  # drafts 23 to 28
SALT_29: Final = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")  # drafts 29 to 32

AES_128, AES_256, CHACHA, CCM = 0x1301, 0x1302, 0x1303, 0x1304
KEY_SIZES: Final = {AES_128: 16, AES_256: 32, CHACHA: 32, CCM: 16}
TAG: Final = 16


class NotOpenedError(Exception):
    """The tag is wrong, or the packet is too short."""


def salt_of(version: int) -> bytes:
    """The salt of Initial keys of a version."""
    if version == VERSION_2:
        return SALT_2
    if version == VERSION_1 or version & 0xFF > 32:
        return SALT_1
    return SALT_29 if version & 0xFF >= 29 else SALT_23


def hash_name(suite: int) -> str:
    """The hash of a cipher suite."""
    return "sha384" if suite == AES_256 else "sha256"


@cache
def _described(label: bytes, size: int) -> bytes:
    return size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\0\1"


def expand_label(name: str, secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label without context (RFC 8446 7.1)."""
    return hmac.digest(secret, _described(label, size), name)[:size]  # nothing longer than one hash is ever asked for


@cache
def _ciphers() -> tuple[Any, Any, Any, Any, Any]:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305  # noqa: PLC0415

    def block(key: bytes) -> Any:
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305  # RFC 9001 5.4.3

    return block, algorithms.ChaCha20, Cipher, {AES_128: AESGCM, AES_256: AESGCM, CHACHA: ChaCha20Poly1305, CCM: AESCCM}, InvalidTag


class HeaderProtection:
    """Masks of one direction (RFC 9001 5.4); they stay the same over key updates."""

    def __init__(self, suite: int, key: bytes) -> None:
        block, self._chacha, self._cipher, _, _ = _ciphers()
        self._key = key
        self._block = None if suite == CHACHA else block(key)

    def masks(self, samples: bytes) -> bytes:
        """16 bytes for each sample of 16, of which the first 5 are its mask."""
        if self._block is not None:
            masks: bytes = self._block(samples)
            return masks
        zeros, parts = bytes(16), []
        for at in range(0, len(samples), 16):
            cipher = self._cipher(self._chacha(self._key, samples[at : at + 16]), mode=None)
            parts.append(cipher.encryptor().update(zeros))
        return b"".join(parts)


class PacketProtection:
    """Key and IV of one direction and key phase."""

    def __init__(self, suite: int, secret: bytes, version: int) -> None:
        prefix = b"quicv2 " if version == VERSION_2 else b"quic "
        name = hash_name(suite)
        _, _, _, aeads, self.wrong = _ciphers()
        aead = aeads[suite](expand_label(name, secret, prefix + b"key", KEY_SIZES[suite]))
        self.decrypt = aead.decrypt
        self.decrypt_into = aead.decrypt_into
        self.iv = int.from_bytes(expand_label(name, secret, prefix + b"iv", 12), "big")


class Keys:
    """All that opens the packets of one direction and level; ``update`` goes to the next key phase."""

    def __init__(self, suite: int, secret: bytes, version: int) -> None:
        self.suite, self.version = suite, version
        prefix = b"quicv2 " if version == VERSION_2 else b"quic "
        self.header = HeaderProtection(suite, expand_label(hash_name(suite), secret, prefix + b"hp", KEY_SIZES[suite]))
        self.packet = PacketProtection(suite, secret, version)
        self.secret = secret
        self.largest = -1  # packet number opened so far

    def next_secret(self) -> bytes:
        """The secret after a key update (RFC 9001 6.1)."""
        label = b"quicv2 ku" if self.version == VERSION_2 else b"quic ku"
        return expand_label(hash_name(self.suite), self.secret, label, len(self.secret))

    def open(self, packet: memoryview, pn_at: int) -> tuple[int, bytes]:
        """(packet number, content) of a packet with a long header, whose number begins at ``pn_at``.

        Raises:
            NotOpenedError: the tag is wrong, or it is too short.
        """
        if len(packet) < pn_at + 4 + TAG:
            raise NotOpenedError
        mask = self.header.masks(bytes(packet[pn_at + 4 : pn_at + 20]))
        first = packet[0] ^ (mask[0] & 0x0F)
        wide = (first & 3) + 1
        end = pn_at + wide
        head = bytearray(packet[:end])
        head[0] = first
        short = 0
        for k in range(wide):
            head[pn_at + k] ^= mask[1 + k]
            short = short << 8 | head[pn_at + k]
        number = full_number(self.largest + 1, short, 8 * wide)
        try:
            content: bytes = self.packet.decrypt((self.packet.iv ^ number).to_bytes(12, "big"), packet[end:], head)
        except self.packet.wrong as error:
            raise NotOpenedError from error
        self.largest = max(self.largest, number)
        return number, content


def full_number(expected: int, short: int, bits: int) -> int:
    """The packet number that ends in ``short`` and lies nearest to ``expected`` (RFC 9000 A.3)."""
    window = 1 << bits
    number = (expected & ~(window - 1)) | short
    if number <= expected - window // 2 and number < (1 << 62) - window:
        return number + window
    return number - window if number > expected + window // 2 and number >= window else number


@lru_cache(4096)
def initial_secrets(version: int, dcid: bytes) -> tuple[bytes, bytes]:
    """Secrets of Initial packets: client's, server's (RFC 9001 5.2)."""
    start = hmac.digest(salt_of(version), dcid, "sha256")
    return expand_label("sha256", start, b"client in", 32), expand_label("sha256", start, b"server in", 32)


def initial_keys(version: int, dcid: bytes, end: int) -> Keys:
    """Keys of the Initial packets of the client (``end`` 0) or the server (1)."""
    return Keys(AES_128, initial_secrets(version, dcid)[end], version)
