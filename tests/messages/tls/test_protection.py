"""Records that lie: every byte changed, every length; nothing that does not authenticate comes out, and only NotOpenedError is raised."""

from __future__ import annotations

import pytest

from analyzer.messages.tls import schedule
from analyzer.messages.tls.protection import Aead, NotOpenedError, Protection, WithMac
from analyzer.registries.cipher_split import split
from tests.messages.tls import protected as p


def pair(suite: int, *, mac_last: bool = False) -> tuple[Protection, p.Sealer12]:
    keys = schedule.split_key_block(split(suite), 0x0303, p.MASTER, p.RANDOM + p.SERVER_RANDOM)[0]
    if split(suite).aead:
        return Aead(split(suite), keys, is_tls13=False), p.Sealer12(suite, is_client=True)
    return WithMac(split(suite), keys, 0x0303, mac_last=mac_last), p.Sealer12(suite, is_client=True, mac_last=mac_last)


def opened(protection: Protection, record: bytes, sequence: int = 0) -> bytes:
    body, out = record[5:], bytearray(len(record))
    kind, size = protection.open(sequence, record[0] << 16 | 0x0303, memoryview(body), memoryview(out))
    assert kind == record[0]
    return bytes(out[:size])


@pytest.mark.parametrize("suite", list(p.SUITES12))
@pytest.mark.parametrize("mac_last", [False, True])
def test_changed_bytes_do_not_open(suite: int, *, mac_last: bool) -> None:
    protection, sealer = pair(suite, mac_last=mac_last)
    record = sealer.seal(23, b"content")
    if suite != 0x0005:
        assert opened(protection, record) == b"content"
    for at in range(5, len(record), 3):
        changed = bytearray(record)
        changed[at] ^= 1
        with pytest.raises(NotOpenedError):
            opened(pair(suite, mac_last=mac_last)[0], bytes(changed))
    for size in range(len(record) - 5):
        with pytest.raises(NotOpenedError):
            opened(pair(suite, mac_last=mac_last)[0], record[: 5 + size])
    with pytest.raises(NotOpenedError):
        opened(pair(suite, mac_last=mac_last)[0], record, sequence=1)


def test_padding_of_tls13() -> None:
    secret = b"s" * 32
    protection = Aead(split(0x1301), schedule.traffic_keys(split(0x1301), secret), is_tls13=True)
    sealer = p.Sealer13(secret)
    for sequence, (content, padding) in enumerate(((b"abc", 0), (b"abc", 50), (b"a\0\0", 3), (b"", 9))):
        record, out = sealer.seal(22, content, padding), bytearray(100)
        kind, size = protection.open(sequence, 23 << 16 | 0x0303, memoryview(record)[5:], memoryview(out))
        assert (kind, bytes(out[:size])) == (22, content)


def test_lost_records_move_the_key_stream() -> None:
    protection, sealer = pair(0x0005)
    lost, found = sealer.seal(23, b"lost"), sealer.seal(23, b"found")
    protection.pass_over(None, len(lost) - 5)
    assert opened(protection, found, 1) == b"found"
