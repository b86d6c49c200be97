"""Key log text, in pieces of any size, beside a dictionary made line by line."""

from __future__ import annotations

import random

import pytest

from analyzer.messages.tls.keylog import LABELS, KeyLog


def lines(count: int, seed: int = 1) -> list[str]:
    r = random.Random(seed)
    label = (*LABELS, "EXPORTER_SECRET")
    randoms = [r.randbytes(32).hex() for _ in range(count // 4)]
    return [f"{r.choice(label)} {r.choice(randoms)} {r.randbytes(r.choice((32, 48))).hex()}" for _ in range(count)]


@pytest.mark.parametrize("step", [1, 7, 300])
def test_finds_what_a_dictionary_finds(step: int) -> None:
    text, log, twin = lines(300), KeyLog(), {}
    for at in range(0, len(text), step):
        log.add("\n".join(text[at : at + step]).encode())
    for line in text:
        label, name, secret = line.split()
        if label in LABELS:
            twin.setdefault(name, {})[label] = bytes.fromhex(secret)
    assert {name: log.find(bytes.fromhex(name)) for name in twin} == twin
    assert log.find(bytes(32)) == {}
    assert log.known.tolist() == sorted(log.known.tolist())
    assert (log.lines, log.garbage) == (300, 0)
    assert log.others == sum(line.startswith("EXPORTER") for line in text)
    assert log.secrets + log.others == 300


@pytest.mark.parametrize(
    ("line", "is_garbage"),
    [
        ("# a comment", False),
        ("", False),
        ("   ", False),
        ("RSA 0123456789abcdef " + "00" * 48, False),
        ("garbage", True),
        ("CLIENT_RANDOM", True),
        ("CLIENT_RANDOM ", True),
        ("CLIENT_RANDOM " + "00" * 31 + " " + "00" * 48, True),
        ("CLIENT_RANDOM " + "00" * 33 + " " + "00" * 48, True),
        ("CLIENT_RANDOM " + "00" * 32, True),
        ("CLIENT_RANDOM " + "00" * 32 + " " + "00" * 31, True),
        ("CLIENT_RANDOM " + "00" * 32 + " " + "00" * 65, True),
        ("CLIENT_RANDOM " + "00" * 32 + " " + "0" * 95, True),
        ("CLIENT_RANDOM " + "00" * 32 + " " + "00" * 48 + " more", True),
        ("CLIENT_RANDOM " + "0g" * 32 + " " + "00" * 48, True),
        ("\x00\xff\x80", True),
    ],
)
def test_garbage_is_counted(line: str, *, is_garbage: bool) -> None:
    log = KeyLog()
    log.add(line.encode("latin-1"))
    assert log.garbage == is_garbage
    assert log.secrets == 0


def test_line_ends_and_capital_digits() -> None:
    log = KeyLog()
    log.add(b"CLIENT_RANDOM " + b"AB" * 32 + b" " + b"Cd" * 48 + b" \r\n\r\n")
    assert log.find(b"\xab" * 32) == {"CLIENT_RANDOM": b"\xcd" * 48}
    assert log.garbage == 0
