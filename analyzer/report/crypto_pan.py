"""Addresses masked so that two that share their first k bits still do, and no others: Crypto-PAn.

Source: J. Xu, J. Fan, M. Ammar, S. Moon, "Prefix-Preserving IP Address Anonymization" (ICNP 2002). Bit k of an address is flipped by one
bit of AES-128 over its first k bits, filled up with secret bits. So networks stay networks, and the map is one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from analyzer.tables import Bytes

KEY_BYTES: Final = 32
_TOGETHER: Final = 1024  # addresses encrypted in one call: 2 MB of blocks for IPv6


class AddressMap:
    """The map of one key: 16 bytes for AES, 16 from which the secret bits come."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        # each block is a function of its own address: there is nothing to chain
        self._cipher = Cipher(algorithms.AES(key[:16]), modes.ECB())  # noqa: S305
        self._pad: Bytes = np.frombuffer(self._encrypt(key[16:]), np.uint8)

    def _encrypt(self, blocks: bytes) -> bytes:
        encryptor = self._cipher.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()

    def mask(self, addresses: Sequence[bytes]) -> list[bytes]:
        """Addresses of 4 or 16 bytes, all of the same length, masked."""
        found: list[bytes] = []
        for at in range(0, len(addresses), _TOGETHER):
            found += self._mask_some(addresses[at : at + _TOGETHER])
        return found

    def _mask_some(self, addresses: Sequence[bytes]) -> list[bytes]:
        size = len(addresses[0])
        plain = np.frombuffer(b"".join(addresses), np.uint8).reshape(len(addresses), size)
        bits = 8 * size
        # row k: the first k bits set, the others not
        masks = np.packbits(np.tri(bits, bits, -1, np.uint8), axis=1)
        blocks = np.empty((len(addresses), bits, 16), np.uint8)
        blocks[:] = self._pad
        blocks[:, :, :size] = (plain[:, None, :] & masks) | (self._pad[:size] & ~masks)
        told = np.frombuffer(self._encrypt(blocks.tobytes()), np.uint8).reshape(blocks.shape)
        flips = np.packbits(told[:, :, 0] >> 7, axis=1)
        return [row.tobytes() for row in plain ^ flips]
