"""Record protection of one direction: bytes of a protected record in, its content out (RFC 8446 5.2, RFC 5246 6.2.3).

`cryptography` is imported when the first keys are met; one cipher object serves all records of an epoch. ``open`` answers how many
bytes of content it has written, or raises: nothing that does not authenticate is handed on.
"""

from __future__ import annotations

import hmac
from functools import cache, partial
from typing import Any, Final

from analyzer.messages.tls.schedule import HASH_SIZES, HASHES, TLS_10, Keys
from analyzer.registries.cipher_split import CipherSuite

APPLICATION_DATA: Final = 23


class NotOpenedError(Exception):
    """The record does not authenticate with these keys."""


@cache
def _aeads() -> tuple[dict[str, Any], Any]:
    """AEAD objects by mode, and what they raise."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - late: only who has keys pays
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305  # noqa: PLC0415

    short = partial(AESCCM, tag_length=8)
    return {"GCM": AESGCM, "POLY1305": ChaCha20Poly1305, "CCM": AESCCM, "CCM_8": short}, (InvalidTag, ValueError)


class Protection:
    """One epoch of one direction."""

    tag_size = 0
    lead = 0  # bytes of a record's body before its content
    overhead = 0  # bytes of a record's body that are no content; with CBC about
    is_searchable = True  # False: a try that fails moves the key stream

    def open(self, sequence: int, header: int, body: memoryview, out: memoryview) -> tuple[int, int]:
        """Open a record: (type of its content, bytes of it in ``out``). ``header``: its type and version, type << 16 | version.

        Raises:
            NotOpenedError: it does not authenticate, or is shorter than what protects it.
        """
        raise NotImplementedError

    def pass_over(self, body: memoryview | None, size: int) -> None:
        """A record of ``size`` bytes was lost (None) or could not be opened: move what depends on its bytes."""


class Aead(Protection):
    """AES-GCM, AES-CCM and ChaCha20-Poly1305, in TLS 1.2 and 1.3."""

    def __init__(self, suite: CipherSuite, keys: Keys, *, is_tls13: bool) -> None:
        ciphers, self._wrong = _aeads()
        self.tag_size = 8 if suite.mode == "CCM_8" else 16
        self._decrypt = ciphers[suite.mode](keys.key).decrypt_into
        self._is_tls13 = is_tls13
        self._iv = keys.iv
        self.lead = self._explicit = 8 if len(keys.iv) == 4 else 0
        self.overhead = self.tag_size + self._explicit + is_tls13
        self._taken = self.tag_size + self._explicit
        self._iv_number = int.from_bytes(keys.iv, "big")

    def open(self, sequence: int, header: int, body: memoryview, out: memoryview) -> tuple[int, int]:
        """As Protection.open."""
        size = len(body) - self._taken
        if size < 0:
            raise NotOpenedError
        try:
            if self._is_tls13:
                data = (header << 16 | len(body)).to_bytes(5, "big")
                self._decrypt((self._iv_number ^ sequence).to_bytes(12, "big"), body, data, out[:size])
                kind = out[size - 1] if size else 0
                return (kind, size - 1) if kind else _unpad(out, size)
            data = (sequence << 40 | header << 16 | size).to_bytes(13, "big")
            if self._explicit:
                self._decrypt(self._iv + bytes(body[:8]), body[8:], data, out[:size])
            else:
                self._decrypt((self._iv_number ^ sequence).to_bytes(12, "big"), body, data, out[:size])
        except self._wrong as error:
            raise NotOpenedError from error
        return header >> 16, size


def _unpad(out: memoryview, size: int) -> tuple[int, int]:
    """Content type and size of a TLSInnerPlaintext: what stands before its zeros (RFC 8446 5.4)."""
    size = len(bytes(out[:size]).rstrip(b"\0"))
    return (out[size - 1], size - 1) if size else (0, 0)


class WithMac(Protection):
    """CBC, RC4 and NULL with an HMAC (RFC 5246 6.2.3.1 and 6.2.3.2; encrypt-then-mac by RFC 7366)."""

    def __init__(self, suite: CipherSuite, keys: Keys, version: int, *, mac_last: bool) -> None:
        from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, Camellia, TripleDES  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

        self._hash = HASHES[suite.mac]
        self.tag_size = HASH_SIZES[self._hash]
        self._mac_key = keys.mac_key
        self._mac_last = mac_last and suite.mode == "CBC"
        self._block = suite.block_bits // 8 if suite.mode == "CBC" else 0
        self.lead = 0 if version == TLS_10 else self._block
        self._chained = keys.iv if version == TLS_10 and self._block else b""
        self.overhead = self.tag_size + 2 * self._block
        self.is_searchable = suite.encryption != "RC4"
        self._stream: Any = None
        self._make: Any = None
        if self._block:
            known: dict[str, Any] = {"AES": algorithms.AES, "CAMELLIA": Camellia, "3DES": TripleDES}
            algorithm = known[suite.encryption](keys.key)
            self._make = lambda iv: Cipher(algorithm, modes.CBC(iv)).decryptor()
        elif suite.encryption == "RC4":
            self._stream = Cipher(ARC4(keys.key), mode=None).decryptor()

    def _check(self, start: int, content: bytes, tag: bytes) -> None:
        """``start``: sequence number, type and version in one number."""
        covered = (start << 16 | len(content)).to_bytes(13, "big") + content
        if not hmac.compare_digest(hmac.digest(self._mac_key, covered, self._hash), tag):
            raise NotOpenedError

    def open(self, sequence: int, header: int, body: memoryview, out: memoryview) -> tuple[int, int]:
        """As Protection.open."""
        start = sequence << 24 | header
        content = bytes(body)
        if self._block:
            content = self._open_cbc(start, content)
        else:
            if self._stream is not None:
                content = self._stream.update(content)
            content = self._split_tag(start, content, len(content))
        out[: len(content)] = content
        return header >> 16, len(content)

    def _split_tag(self, start: int, content: bytes, end: int) -> bytes:
        size = end - self.tag_size
        if size < 0:
            raise NotOpenedError
        self._check(start, content[:size], content[size:end])
        return content[:size]

    def _open_cbc(self, start: int, content: bytes) -> bytes:
        if self._mac_last:
            size = len(content) - self.tag_size
            if size < 0:
                raise NotOpenedError
            self._check(start, content[:size], content[size:])
            content = content[:size]
        iv = self._chained or content[: self._block]
        text = content if self._chained else content[self._block :]
        if not text or len(text) % self._block or len(iv) != self._block:
            raise NotOpenedError
        plain = self._make(iv).update(text)
        size = len(plain) - 1 - plain[-1]
        if size < 0 or plain[size:] != bytes([plain[-1]]) * (len(plain) - size):
            raise NotOpenedError
        plain = plain[:size] if self._mac_last else self._split_tag(start, plain, size)
        if self._chained:
            self._chained = content[-self._block :]
        return plain

    def pass_over(self, body: memoryview | None, size: int) -> None:
        """As Protection.pass_over."""
        if self._stream is not None and body is None:
            self._stream.update(bytes(size))
        if self._chained:  # the last block is the next IV; where it was lost, the next record cannot be opened, but the one after it can
            end = size - (self.tag_size if self._mac_last else 0)
            self._chained = bytes(self._block) if body is None or end < self._block else bytes(body[end - self._block : end])
