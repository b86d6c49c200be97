"""Secrets to keys: which labels, which suites, key phases."""

from __future__ import annotations

from analyzer.messages.quic.protection import AES_128, AES_256, CHACHA, expand_label
from analyzer.messages.quic.session import RETRY_RANDOM, Direction, Session
from tests.messages.tls.builders import server_hello

SECRETS = {
    "CLIENT_EARLY_TRAFFIC_SECRET": b"e" * 32,
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": b"c" * 32,
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": b"s" * 32,
    "CLIENT_TRAFFIC_SECRET_0": b"d" * 32,
}


def test_a_session_begins_with_the_server_hello() -> None:
    one = Session(3, 0, SECRETS, 1, 1 << 16, 0)
    assert [keys.suite for keys in one.early] == [AES_128, CHACHA]
    one.read_server_hello(server_hello(0x1301, random=RETRY_RANDOM), 1, 5)
    one.read_server_hello(b"short", 1, 5)
    one.read_server_hello(server_hello(0xC02F), 1, 5)
    assert one.ready_number == -1
    one.read_server_hello(server_hello(0x1303), 1, 7)
    assert one.ready_number == 7
    assert [keys.suite for keys in one.early] == [CHACHA]
    assert all(one.handshake)
    assert one.application[0] is not None
    assert one.application[1] is None


def test_labels_from_before_the_standard() -> None:
    one = Session(3, 0, {f"QUIC_{label}": secret for label, secret in SECRETS.items()}, 1, 1 << 16, 0)
    one.read_server_hello(server_hello(0x1301), 1, 7)
    assert all(one.handshake)


def test_early_data_of_a_suite_with_sha384() -> None:
    one = Session(3, 0, {"CLIENT_EARLY_TRAFFIC_SECRET": b"e" * 48}, 1, 1 << 16, 0)
    assert [keys.suite for keys in one.early] == [AES_256]


def test_key_phases() -> None:
    """RFC 9001 6.1: each secret follows from the one before."""
    one = Direction(AES_128, b"a" * 32, 1)
    second = expand_label("sha256", b"a" * 32, b"quic ku", 32)
    third = expand_label("sha256", second, b"quic ku", 32)
    assert one.following().iv == int.from_bytes(expand_label("sha256", second, b"quic iv", 12), "big")
    one.update(100)
    assert one.current.iv == int.from_bytes(expand_label("sha256", second, b"quic iv", 12), "big")
    assert one.following().iv == int.from_bytes(expand_label("sha256", third, b"quic iv", 12), "big")
    assert (one.phase, one.phase_start, one.updates) == (1, 100, 1)
    assert one.previous is not None
