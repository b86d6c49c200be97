"""A cipher suite taken apart: key exchange, authentication, symmetric cipher, integrity.

The name of a suite is its definition. Up to TLS 1.2 it reads `TLS_<left>_WITH_<right>` (RFC 5246, appendix C):

    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        left  = ECDHE_RSA            key exchange ECDHE, authentication RSA
        right = AES_128_GCM_SHA256   cipher AES, 128 bits, GCM; an AEAD, so SHA256 is the hash of the PRF, not a MAC

TLS 1.3 names (RFC 8446, B.4) have no left part: `TLS_AES_128_GCM_SHA256`. There the key exchange is the group of the
server's key_share and the authentication the certificate or PSK, so this module says NEGOTIATED and the handshake rows
give the answer. `left` and `right` are two tables below; all else is counting tokens. Unknown codes, GREASE and the
signalling values keep their number as name and every part is UNKNOWN.

Source: names of `cipher_suites`; rules from RFC 5246, 5288, 6655, 7905, 8446, 9150, 9189, 9367, AEGIS for TLS. 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from analyzer.registries.cipher_suites import REGISTERED, SSL2_KINDS, UNREGISTERED, suite_name

UNKNOWN: Final = "unknown"
NEGOTIATED: Final = "negotiated"
NONE: Final = "none"
AEAD: Final = "AEAD"
NULL: Final = "NULL"


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """One suite. Bits are bits; a 0 means "does not apply"; None means "the suite alone does not tell"."""

    code: int
    name: str
    known: bool
    key_exchange: str  # RSA, DH and ECDH (static), DHE, ECDHE, PSK, SRP, KRB5, ... ; NEGOTIATED in TLS 1.3
    authentication: str  # RSA, DSS, ECDSA (also Ed25519, Ed448), PSK, RSA+PSK, none, ... ; NEGOTIATED in TLS 1.3
    encryption: str  # AES, CHACHA20, 3DES, RC4, NULL, ...
    key_bits: int  # of the key as it is used; 3DES is 168 though it is worth 112
    mode: str  # CBC, GCM, CCM, CCM_8, POLY1305, CTR, CNT, MGM, AEGIS, STREAM, none
    block_bits: int  # block size of the cipher, 0 for stream ciphers and NULL; 64 is the birthday problem (Sweet32)
    mac: str  # AEAD, MD5, SHA-1, SHA256, SHA384, RMD160, OMAC, IMIT, GOSTR3411, NULL; HMAC-SHA256 in RFC 9150
    tag_bits: int  # what each record carries for integrity
    prf_hash: str  # hash of the PRF in TLS 1.2 and of HKDF in TLS 1.3
    forward_secrecy: bool | None  # key exchange is DHE, ECDHE or a hybrid
    export: bool
    anonymous: bool
    tls13: bool

    @property
    def aead(self) -> bool:
        """True where encryption and integrity are one algorithm."""
        return self.mac == AEAD

    @property
    def null_encryption(self) -> bool:
        """True where the data is readable on the wire."""
        return self.encryption == NULL

    @property
    def cipher(self) -> str:
        """The symmetric cipher in one word: `AES-128-GCM`, `CHACHA20-POLY1305`, `3DES-CBC`, `RC4-128`, `NULL`."""
        if self.encryption in (NULL, UNKNOWN):
            return self.encryption
        size = "" if self.encryption in _SIZE_IN_NAME else str(self.key_bits)
        mode = "" if self.mode in ("STREAM", "AEGIS", NONE) else self.mode
        return "-".join(part for part in (self.encryption, size, mode) if part)

    def prf_hash_in(self, version: int) -> str:
        """Hash of the PRF when the suite runs in this protocol version (0x0303 = TLS 1.2; RFC 5246, 5; RFC 4346, 5).

        Before TLS 1.2 (SSL 3.0 to TLS 1.1, DTLS 1.0) the PRF is MD5 and SHA-1 together, whatever the suite.
        """
        old = version in (0x0002, 0x0300, 0x0301, 0x0302, 0xFEFF)
        return "MD5+SHA-1" if old and self.known else self.prf_hash


# left of _WITH_ -> (key exchange, authentication). `_EXPORT` and `_EXPORT1024` are taken off before.
_LEFT: Final[dict[str, tuple[str, str]]] = {
    "NULL": (NONE, NONE),
    "RSA": ("RSA", "RSA"),
    "RSA_FIPS": ("RSA", "RSA"),
    "DH_RSA": ("DH", "RSA"),
    "DH_DSS": ("DH", "DSS"),
    "DHE_RSA": ("DHE", "RSA"),
    "DHE_DSS": ("DHE", "DSS"),
    "DH_anon": ("DHE", NONE),
    "ECDH_RSA": ("ECDH", "RSA"),
    "ECDH_ECDSA": ("ECDH", "ECDSA"),
    "ECDHE_RSA": ("ECDHE", "RSA"),
    "ECDHE_ECDSA": ("ECDHE", "ECDSA"),
    "ECDH_anon": ("ECDHE", NONE),
    "CECPQ1_RSA": ("hybrid CECPQ1", "RSA"),
    "CECPQ1_ECDSA": ("hybrid CECPQ1", "ECDSA"),
    "PSK": ("PSK", "PSK"),
    "DHE_PSK": ("DHE", "PSK"),
    "PSK_DHE": ("DHE", "PSK"),  # RFC 6655 spells two of its suites this way
    "ECDHE_PSK": ("ECDHE", "PSK"),
    "RSA_PSK": ("RSA", "RSA+PSK"),
    "SRP_SHA": ("SRP", "SRP"),
    "SRP_SHA_RSA": ("SRP", "RSA"),
    "SRP_SHA_DSS": ("SRP", "DSS"),
    "KRB5": ("KRB5", "KRB5"),
    "ECCPWD": ("ECCPWD", "ECCPWD"),
    "ECJPAKE": ("ECJPAKE", "ECJPAKE"),
    "GOSTR341094": ("GOSTR341094", "GOSTR341094"),
    "GOSTR341001": ("GOSTR341001", "GOSTR341001"),
    "GOSTR341112_256": ("GOSTR341112_256", "GOSTR341112_256"),
}

# start of the right part, longest first -> (cipher, key bits, block bits, mode or "" when the next token is the mode)
_CIPHERS: Final[tuple[tuple[str, str, int, int, str], ...]] = (
    ("NULL", NULL, 0, 0, NONE),
    ("RC4_128", "RC4", 128, 0, "STREAM"),
    ("RC4_56", "RC4", 56, 0, "STREAM"),
    ("RC4_40", "RC4", 40, 0, "STREAM"),
    ("RC2_CBC_56", "RC2", 56, 64, "CBC"),
    ("RC2_CBC_40", "RC2", 40, 64, "CBC"),
    ("RC2", "RC2", 128, 64, ""),
    ("IDEA", "IDEA", 128, 64, ""),
    ("DES40", "DES", 40, 64, ""),
    ("DES_CBC_40", "DES", 40, 64, "CBC"),
    ("DES", "DES", 56, 64, ""),
    ("3DES_EDE", "3DES", 168, 64, ""),
    ("AES_128", "AES", 128, 128, ""),
    ("AES_256", "AES", 256, 128, ""),
    ("CAMELLIA_128", "CAMELLIA", 128, 128, ""),
    ("CAMELLIA_256", "CAMELLIA", 256, 128, ""),
    ("ARIA_128", "ARIA", 128, 128, ""),
    ("ARIA_256", "ARIA", 256, 128, ""),
    ("SEED", "SEED", 128, 128, ""),
    ("SM4", "SM4", 128, 128, ""),
    ("CHACHA20", "CHACHA20", 256, 0, ""),
    ("AEGIS_128L", "AEGIS-128L", 128, 0, "AEGIS"),
    ("AEGIS_256", "AEGIS-256", 256, 0, "AEGIS"),
    ("KUZNYECHIK", "KUZNYECHIK", 256, 128, ""),
    ("MAGMA", "MAGMA", 256, 64, ""),
    ("28147", "GOST28147", 256, 64, ""),
)
_SIZE_IN_NAME: Final = frozenset({"3DES", "IDEA", "SEED", "SM4", "CHACHA20", "AEGIS-128L", "AEGIS-256"}) | {
    "KUZNYECHIK", "MAGMA", "GOST28147",
}  # fmt: skip

_AEAD_MODES: Final = frozenset({"GCM", "CCM", "CCM_8", "OCB", "POLY1305", "MGM", "AEGIS"})

# last token -> (name of the MAC, its bits). OMAC and MGM tags are one cipher block, see _tag_bits.
_MACS: Final[dict[str, tuple[str, int]]] = {
    "MD5": ("MD5", 128),
    "SHA": ("SHA-1", 160),
    "SHA256": ("SHA256", 256),
    "SHA384": ("SHA384", 384),
    "RMD": ("RMD160", 160),
    "IMIT": ("IMIT", 32),
    "OMAC": ("OMAC", 0),
    "GOSTR3411": ("GOSTR3411", 256),
    "NULL": (NULL, 0),
}
_PRF_HASHES: Final = frozenset({"SHA256", "SHA384", "SHA512", "SM3"})

_EPHEMERAL: Final = frozenset({"DHE", "ECDHE", "hybrid CECPQ1"})


def is_tls13_name(name: str) -> bool:
    """True for a suite of TLS 1.3 (RFC 8446): no `_WITH_`, or one of the MGM suites of RFC 9367 that kept it."""
    return name.startswith("TLS_") and ("_WITH_" not in name or "_MGM_" in name)


def _split_right(right: str) -> tuple[str, int, int, str, list[str]]:
    """Cipher, key bits, block bits, mode, and the tokens after them."""
    start = max((row for row in _CIPHERS if f"{right}_".startswith(f"{row[0]}_")), key=lambda row: len(row[0]))
    prefix, cipher, key_bits, block_bits, mode = start
    rest = [token for token in right[len(prefix) :].split("_") if token]
    if not mode:
        mode, rest = rest[0], rest[1:]
        if mode == "CCM" and rest[:1] == ["8"]:
            mode, rest = "CCM_8", rest[1:]
    return cipher, key_bits, block_bits, mode, rest


def _tag_bits(mode: str, mac: str, block_bits: int) -> int:
    """Integrity bits of a record: RFC 5116 (128), RFC 6655 (CCM_8: 64), RFC 9189 and 9367 (one block), else the HMAC."""
    if mode == "CCM_8":
        return 64
    if mode == "MGM" or mac == "OMAC":
        return block_bits
    if mode in _AEAD_MODES:
        return 128
    return _MACS[mac][1]


def _prf_hash(left: str, rest: list[str]) -> str:
    """Hash of the PRF (TLS 1.2) or HKDF (TLS 1.3): the last token where it is strong enough to be one, else SHA256."""
    if left.startswith("GOST"):
        return "GOSTR3411"
    last = rest[-1] if rest else ""
    return last if last in _PRF_HASHES else "SHA256"


def _of_name(code: int, name: str) -> CipherSuite:
    """Take a suite's name apart by the rules above."""
    tls13 = is_tls13_name(name)
    plain = name.removesuffix("_OLD").removesuffix("_2").removeprefix("TLS_").removeprefix("SSL_")
    left, _, right = plain.rpartition("_WITH_")
    base = left.removesuffix("_EXPORT1024").removesuffix("_EXPORT")
    integrity_only = name in ("TLS_SHA256_SHA256", "TLS_SHA384_SHA384")  # RFC 9150: HMAC and HKDF with one hash
    if integrity_only:
        right = f"NULL_{right.rpartition('_')[2]}"
    cipher, key_bits, block_bits, mode, rest = _split_right(right)
    mac_token = rest[-1] if rest else NULL
    mac = AEAD if mode in _AEAD_MODES else _MACS[mac_token][0]
    if integrity_only:
        mac = f"HMAC-{mac}"
    key_exchange, authentication = (NEGOTIATED, NEGOTIATED) if tls13 else _LEFT[base]
    return CipherSuite(
        code=code,
        name=name,
        known=True,
        key_exchange=key_exchange,
        authentication=authentication,
        encryption=cipher,
        key_bits=key_bits,
        mode=mode,
        block_bits=block_bits,
        mac=mac,
        tag_bits=_tag_bits(mode, mac_token, block_bits),
        prf_hash=_prf_hash(left, rest),
        forward_secrecy=None if tls13 else key_exchange in _EPHEMERAL,
        export=base != left,
        anonymous=authentication == NONE,
        tls13=tls13,
    )


# SSL 2.0 kinds: (cipher, key bits, block bits, export). Always RSA and MD5; the secret part of an export key is 40 bits.
_SSL2: Final[dict[int, tuple[str, int, int, bool]]] = {
    0x010080: ("RC4", 128, 0, False),
    0x020080: ("RC4", 40, 0, True),
    0x030080: ("RC2", 128, 64, False),
    0x040080: ("RC2", 40, 64, True),
    0x050080: ("IDEA", 128, 64, False),
    0x060040: ("DES", 56, 64, False),
    0x0700C0: ("3DES", 168, 64, False),
}


def _of_ssl2(code: int) -> CipherSuite:
    """One of the seven cipher kinds of SSL 2.0."""
    cipher, key_bits, block_bits, export = _SSL2[code]
    mode = "CBC" if block_bits else "STREAM"
    return CipherSuite(
        code, SSL2_KINDS[code], known=True, key_exchange="RSA", authentication="RSA", encryption=cipher,
        key_bits=key_bits, mode=mode, block_bits=block_bits, mac="MD5", tag_bits=128, prf_hash="MD5",
        forward_secrecy=False, export=export, anonymous=False, tls13=False,
    )  # fmt: skip


def _unknown(code: int) -> CipherSuite:
    """A code that is no known suite: its number, and nothing claimed."""
    return CipherSuite(
        code, suite_name(code), known=False, key_exchange=UNKNOWN, authentication=UNKNOWN, encryption=UNKNOWN,
        key_bits=0, mode=UNKNOWN, block_bits=0, mac=UNKNOWN, tag_bits=0, prf_hash=UNKNOWN, forward_secrecy=None,
        export=False, anonymous=False, tls13=False,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def split(code: int) -> CipherSuite:
    """The parts of a cipher suite by its code (16 bits; 24 bits for SSL 2.0 kinds). Never raises for any number.

    Unknown codes, GREASE (RFC 8701) and the signalling values 0x00FF and 0x5600 have `known` False and every part
    UNKNOWN.
    """
    name = REGISTERED.get(code) or UNREGISTERED.get(code)
    if name is not None:
        return _of_name(code, name)
    return _of_ssl2(code) if code in _SSL2 else _unknown(code)
