"""The vectors of RFC 9001 A and RFC 9369 A, and packets sealed by the tests' own builder."""

from __future__ import annotations

import pytest

from analyzer.messages.quic.protection import (
    CHACHA,
    HeaderProtection,
    Keys,
    NotOpenedError,
    expand_label,
    full_number,
    initial_keys,
    initial_secrets,
    salt_of,
)
from tests.messages.quic.builders import DCID, V1, V2, initial


def test_initial_secrets_of_version_1() -> None:
    """RFC 9001 A.1."""
    client, server = initial_secrets(1, DCID)
    assert client.hex() == "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea"
    assert server.hex() == "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b"
    assert expand_label("sha256", client, b"quic key", 16).hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert initial_keys(1, DCID, 0).packet.iv == 0xFA044B2F42A3FD3B46FB255C


def test_initial_secrets_of_version_2() -> None:
    """RFC 9369 A.1."""
    client, _ = initial_secrets(V2, DCID)
    assert client.hex() == "14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b"
    assert initial_keys(V2, DCID, 0).packet.iv == 0x91F73E2351D8FA91660E909F


def test_server_initial_of_the_rfc() -> None:
    """RFC 9001 A.3."""
    packet = bytes.fromhex(
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3"
        "dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4"
        "2158407dd074ee"
    )
    number, content = initial_keys(1, DCID, 1).open(memoryview(packet), 18)
    assert number == 1
    assert content[:1] == b"\x02"
    assert len(content) == 99


def test_chacha_mask() -> None:
    """RFC 9001 A.5."""
    secret = bytes.fromhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
    header = HeaderProtection(CHACHA, expand_label("sha256", secret, b"quic hp", 32))
    assert header.masks(bytes.fromhex("5e5cd55c41f69080575d7999c25a5bfb"))[:5].hex() == "aefefe7d03"
    keys = Keys(CHACHA, secret, 1)
    assert keys.next_secret().hex() == "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9"
    assert keys.header.masks(bytes(32))[:16] == keys.header.masks(bytes(16))


@pytest.mark.parametrize("version", [V1, V2])
def test_builder_and_keys_agree(version: int) -> None:
    packet = initial(b"\x01", number=77, version=version)
    at = len(packet) - 1162 - 20
    assert initial_keys(version, DCID, 0).open(memoryview(packet), at) == (77, b"\x01".ljust(1162, b"\0"))
    with pytest.raises(NotOpenedError):
        initial_keys(version, DCID, 1).open(memoryview(packet), at)
    with pytest.raises(NotOpenedError):
        initial_keys(version, DCID, 0).open(memoryview(packet[: at + 19]), at)


def test_salts_of_drafts() -> None:
    assert [salt_of(0xFF000000 + draft).hex()[:8] for draft in (23, 28, 29, 32, 33)] == ["c3eef712"] * 2 + ["afbfec28"] * 2 + ["38762cf7"]


@pytest.mark.parametrize(
    ("expected", "short", "bits", "number"),
    [(0xA82F30EB, 0x9B32, 16, 0xA82F9B32), (0, 5, 8, 5), (256, 255, 8, 255), (255, 0, 8, 256), (0x100, 0x80, 8, 0x180)],
)
def test_packet_numbers(expected: int, short: int, bits: int, number: int) -> None:
    """The first one is RFC 9000 A.3's."""
    assert full_number(expected, short, bits) == number
