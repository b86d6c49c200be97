"""From secrets to keys: the PRF of TLS 1.0 to 1.2 (RFC 5246 5, RFC 4346 5), HKDF of TLS 1.3 (RFC 8446 7.1), sizes by suite."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from analyzer.registries.cipher_split import CipherSuite

TLS_10: Final = 0x0301
TLS_11: Final = 0x0302
TLS_12: Final = 0x0303

HASHES: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512", "SM3": "sm3"}
HASH_SIZES: Final = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
AEAD_MODES: Final = frozenset({"GCM", "CCM", "CCM_8", "POLY1305"})
BLOCK_CIPHERS: Final = frozenset({"AES", "CAMELLIA", "3DES"})


@dataclass(frozen=True)
class Keys:
    """What protects one direction. ``iv``: fixed part of the nonce of an AEAD, or the first IV of CBC in TLS 1.0."""

    key: bytes
    iv: bytes
    mac_key: bytes = b""


def p_hash(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash of RFC 5246 5."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


def prf(suite: CipherSuite, version: int, secret: bytes, seed: bytes, size: int) -> bytes:
    """The pseudorandom function of a protocol version; ``seed`` begins with the label."""
    if version >= TLS_12:
        return p_hash(HASHES[suite.prf_hash], secret, seed, size)
    half = (len(secret) + 1) // 2
    md5 = p_hash("md5", secret[:half], seed, size)
    sha1 = p_hash("sha1", secret[len(secret) - half :], seed, size)
    return bytes(x ^ y for x, y in zip(md5, sha1, strict=True))


def is_supported(suite: CipherSuite, version: int) -> bool:
    """Whether records of this suite can be opened."""
    if suite.export or suite.prf_hash not in HASHES or suite.prf_hash == "SM3":
        return False
    if suite.tls13 or suite.mode in AEAD_MODES:
        return suite.mode in AEAD_MODES and suite.encryption in ("AES", "CHACHA20") and version >= TLS_12
    if suite.mac not in HASHES or version < TLS_10:
        return False
    return suite.null_encryption or suite.encryption == "RC4" or (suite.mode == "CBC" and suite.encryption in BLOCK_CIPHERS)


def iv_size(suite: CipherSuite, version: int) -> int:
    """Bytes of ``Keys.iv`` up to TLS 1.2."""
    if suite.mode == "POLY1305":
        return 12
    if suite.aead:
        return 4
    return suite.block_bits // 8 if suite.mode == "CBC" and version == TLS_10 else 0


def key_size(suite: CipherSuite) -> int:
    """Bytes of a key; 3DES has parity bits."""
    return 24 if suite.encryption == "3DES" else suite.key_bits // 8


def split_key_block(suite: CipherSuite, version: int, master: bytes, randoms: bytes) -> tuple[Keys, Keys]:
    """Keys of client and server from the master secret; ``randoms`` are the client's and the server's (RFC 5246 6.3)."""
    sizes = (0 if suite.aead else HASH_SIZES[HASHES[suite.mac]], key_size(suite), iv_size(suite, version))
    block = prf(suite, version, master, b"key expansion" + randoms[32:] + randoms[:32], 2 * sum(sizes))
    parts, at = [], 0
    for size in sizes:
        for _ in range(2):
            parts.append(block[at : at + size])
            at += size
    return Keys(parts[2], parts[4], parts[0]), Keys(parts[3], parts[5], parts[1])


def expand_label(name: str, secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label without context (RFC 8446 7.1)."""
    described = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + b"\0\1"
    return hmac.digest(secret, described, name)[:size]  # nothing longer than one hash is ever asked for


def traffic_keys(suite: CipherSuite, secret: bytes) -> Keys:
    """Key and IV of a traffic secret (RFC 8446 7.3)."""
    name = HASHES[suite.prf_hash]
    return Keys(expand_label(name, secret, b"key", suite.key_bits // 8), expand_label(name, secret, b"iv", 12))


def next_secret(suite: CipherSuite, secret: bytes) -> bytes:
    """The traffic secret after a KeyUpdate (RFC 8446 7.2)."""
    return expand_label(HASHES[suite.prf_hash], secret, b"traffic upd", len(secret))
