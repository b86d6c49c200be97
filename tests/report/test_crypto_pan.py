"""Masked addresses: the vectors of the authors' sample, and what makes the map what it is."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.crypto_pan import AddressMap

# key and addresses of the sample that comes with the authors' program
KEY = bytes([21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45,
             42, 132, 34, 2])  # fmt: skip
SAMPLE = {
    "128.11.68.132": "135.242.180.132",
    "129.118.74.4": "134.136.186.123",
    "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160",
}


def test_the_sample() -> None:
    masked = AddressMap(KEY).mask([ipaddress.IPv4Address(address).packed for address in SAMPLE])
    assert [str(ipaddress.IPv4Address(one)) for one in masked] == list(SAMPLE.values())


def slow_mask(key: bytes, address: bytes) -> bytes:
    """Bit by bit, as the paper says it."""
    cipher = Cipher(algorithms.AES(key[:16]), modes.ECB())

    def encrypt(block: bytes) -> bytes:
        return cipher.encryptor().update(block)

    pad, bits = encrypt(key[16:]), 8 * len(address)
    plain, secret = int.from_bytes(address), int.from_bytes(pad[: len(address)])
    flips = 0
    for k in range(bits):
        low = (1 << (bits - k)) - 1
        block = ((plain & ~low) | (secret & low)).to_bytes(len(address)) + pad[len(address) :]
        flips = flips << 1 | encrypt(block)[0] >> 7
    return (plain ^ flips).to_bytes(len(address))


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=4))
def test_it_does_what_the_paper_says(key: bytes, addresses: list[bytes]) -> None:
    assert AddressMap(key).mask(addresses) == [slow_mask(key, address) for address in addresses]
    short = [address[:4] for address in addresses]
    assert AddressMap(key).mask(short) == [slow_mask(key, address) for address in short]


def common(a: bytes, b: bytes) -> int:
    """How many first bits two addresses share."""
    return 8 * len(a) - (int.from_bytes(a) ^ int.from_bytes(b)).bit_length()


@settings(max_examples=20)
@given(st.lists(st.binary(min_size=4, max_size=4), min_size=2, max_size=30))
def test_common_prefixes_stay_and_nothing_else_does(addresses: list[bytes]) -> None:
    masked = AddressMap(KEY).mask(addresses)
    for (a, b), (x, y) in zip(pairwise(addresses), pairwise(masked), strict=True):
        assert common(a, b) == common(x, y)


def test_many_addresses_and_none() -> None:
    addresses = [k.to_bytes(4) for k in range(3000)]
    masked = AddressMap(KEY).mask(addresses)
    assert len(set(masked)) == 3000
    assert masked[2999] == AddressMap(KEY).mask(addresses[2999:])[0]
    assert AddressMap(KEY).mask([]) == []


def test_a_key_has_its_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AddressMap(b"short")
