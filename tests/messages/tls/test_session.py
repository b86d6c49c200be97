"""Where a direction stands: attempts are bounded, and a direction that only fails is given up."""

from __future__ import annotations

import pytest

from analyzer.messages.tls.session import FAILURES, TRIES, Direction, Session, parse_server_hello, traffic_stage
from analyzer.registries.cipher_split import split
from tests.messages.tls import builders as b
from tests.messages.tls import protected as p


def direction() -> tuple[Direction, p.Sealer13]:
    d = Direction()
    d.enter(traffic_stage("application", split(0x1301), b"s" * 32))
    return d, p.Sealer13(b"s" * 32)


def opens(d: Direction, record: bytes) -> bool:
    return d.open(23 << 16 | 0x0303, memoryview(record)[5:], memoryview(bytearray(100))) is not None


@pytest.mark.parametrize("lost", [1, TRIES, TRIES + 1])
def test_tries_are_bounded(lost: int) -> None:
    d, sealer = direction()
    sealer.sequence = lost
    d.lose(10)
    assert opens(d, sealer.seal(23, b"x")) == (lost <= TRIES)


def test_bytes_that_are_missing_tell_how_far() -> None:
    d, sealer = direction()
    sealer.sequence = 1000
    d.lose(1000 * 16_405)
    assert opens(d, sealer.seal(23, b"x"))


def test_given_up_after_many_failures() -> None:
    d, sealer = direction()
    for _ in range(FAILURES):
        assert not opens(d, bytes(40))
    assert not opens(d, sealer.seal(23, b"x"))


@pytest.mark.parametrize("size", range(0, 80, 7))
def test_cut_server_hello(size: int) -> None:
    body = b.ANSWER13[:size]
    assert (parse_server_hello(body) is None) == (size < 38 + 32)
    Session(0, p.RANDOM, {}).read_server_hello(body)


def test_retry_is_no_answer() -> None:
    session = Session(0, p.RANDOM, p.SECRETS13)
    session.read_server_hello(b.server_hello(0x1301, b.extension(43, b.u16s([0x0304])), random=b.RETRY_RANDOM))
    assert not session.is_tls13
    session.read_server_hello(b.ANSWER13)
    direction = session.directions[0]
    assert direction.stage is not None
    assert [direction.stage.name, *(stage.name for stage in direction.later)] == ["handshake", "application"]
