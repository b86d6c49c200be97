"""OCSP responses: read, kept from both places they come in, and bytes that are none."""

from __future__ import annotations

import pytest

from analyzer.messages.tls.staples import MALFORMED, read_staple
from tests.messages.tls import builders as b
from tests.messages.tls.staple_builder import NOON, refusal, response

NOON_NS = int(NOON.timestamp()) * 10**9
DAY_NS = 86_400 * 10**9


def test_what_a_response_says() -> None:
    good = read_staple(response())
    assert (good.status, good.this_update, good.next_update, good.revoked, good.serial) == ("good", NOON_NS, NOON_NS + 7 * DAY_NS, 0, 77)
    revoked = read_staple(response("REVOKED", days=None))
    assert (revoked.status, revoked.next_update, revoked.revoked) == ("revoked", 0, NOON_NS - DAY_NS)
    assert read_staple(response("UNKNOWN")).status == "unknown"
    assert read_staple(refusal()).status == "try later"


@pytest.mark.parametrize("cut", [0, 1, 5, 40, -1])
def test_bytes_that_are_none(cut: int) -> None:
    assert read_staple(response()[:cut]).status == MALFORMED


def status(der: bytes, kind: int = 1) -> bytes:
    return bytes([kind]) + b.vector(3, der)


def shown(row: dict[str, object]) -> object:
    return row["staple"]


@pytest.mark.parametrize("size", [1, 200, 4000])
def test_a_status_message_is_kept(size: int) -> None:
    der = bytes(i * 7 & 127 for i in range(size))
    flight = b.message(2, b.ANSWER12) + b.message(11, b.certificate_list(b"leaf")) + b.message(22, status(der)) + b.message(14)
    sends = [b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO12)), 0), b.Send(b.SERVER, b.records(22, flight, 1000), 1)]
    assert shown(b.dissect(sends)) == der.decode()


@pytest.mark.parametrize("body", [b"", b"\1", status(b"x", kind=2), b"\1\0\0\5abc", status(b"")])
def test_a_status_message_that_lies_is_none(body: bytes) -> None:
    flight = b.message(2, b.ANSWER12) + b.message(22, body) + b.message(14)
    sends = [b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO12)), 0), b.Send(b.SERVER, b.record(22, flight), 1)]
    assert shown(b.dissect(sends)) == ""


def entry(der: bytes, *extensions: bytes) -> bytes:
    return b.vector(3, der) + b.vector(2, b"".join(extensions))


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        (entry(b"leaf", b.extension(18, b"sct"), b.extension(5, status(b"stapled"))), "stapled"),
        (entry(b"leaf"), ""),
        (entry(b"leaf", b.extension(5, b"\1\0\0\xffno")), ""),
        (b.vector(3, b"leaf") + b"\xff\xff\0\5", ""),
    ],
)
def test_tls13_staples_the_leaf(first: bytes, kept: str) -> None:
    """A Certificate message as decryption hands it on: here in clear, which nobody sends."""
    body = b"\0" + b.vector(3, first + entry(b"root", b.extension(5, status(b"other"))))
    flight = b.record(22, b.message(2, b.ANSWER13)) + b.record(22, b.message(11, body))
    sends = [b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO13)), 0), b.Send(b.SERVER, flight, 1)]
    assert shown(b.dissect(sends)) == kept
