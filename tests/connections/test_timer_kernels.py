"""When a connection is over, to the nanosecond."""

from __future__ import annotations

import pytest

from tests.connections.rows import HANDSHAKE, SECOND, START, client, packet, run, server

CLOSE = (*HANDSHAKE, client("FA", seq=1, ack=1), server("FA", seq=1, ack=2), client("A", seq=2, ack=2))
RESET = (*HANDSHAKE, client("R", seq=1))


def count(before: tuple[dict[str, int], ...], after: dict[str, int], pause: int, *, zeek: bool) -> int:
    """Number of connections when ``after`` comes ``pause`` ns after the last of ``before`` (which come at once)."""
    return len(run([*(p | {"ts": START} for p in before), after | {"ts": START + pause}], zeek_timeouts=zeek))


UDP = packet(protocol=17, dst_port=9999)
DNS = packet(protocol=17, dst_port=53)
PING = packet(protocol=1, src_port=8, dst_port=0)
GRE = packet(protocol=47)
LATE = client("A", seq=1, ack=1)


@pytest.mark.parametrize(
    ("before", "after", "limit", "zeek"),
    [
        ((UDP,), UDP, 60 * SECOND, False),
        ((UDP,), UDP, 60 * SECOND, True),
        ((DNS,), DNS, 10 * SECOND, False),
        ((DNS,), DNS, 10 * SECOND, True),
        ((PING,), PING, 60 * SECOND, False),
        ((GRE,), GRE, 60 * SECOND, False),
        (CLOSE, LATE, 5 * SECOND, False),
        (CLOSE, LATE, 5 * SECOND, True),
        (RESET, LATE, 5 * SECOND, False),
        (RESET, LATE, 5 * SECOND, True),
        (HANDSHAKE, LATE, 300 * SECOND, True),
        ((client("S"),), client("S"), 5 * SECOND, True),
        ((client("S"), server("A", ack=1)), client("S"), 5 * SECOND, True),
    ],
)
def test_limit_is_exact(before: tuple[dict[str, int], ...], after: dict[str, int], limit: int, *, zeek: bool) -> None:
    assert count(before, after, limit - 1, zeek=zeek) == 1
    assert count(before, after, limit, zeek=zeek) == 2


@pytest.mark.parametrize("before", [HANDSHAKE, (client("S"),), (client("A", seq=1),), (*HANDSHAKE, client("FA", seq=1, ack=1))])
def test_idle_tcp_is_never_split(before: tuple[dict[str, int], ...]) -> None:
    assert count(before, LATE, 100_000 * SECOND, zeek=False) == 1


def times(seconds: tuple[float, ...], fields: dict[str, int], *, zeek: bool) -> list[object]:
    facts = run([fields | {"ts": START + int(second * SECOND)} for second in seconds], zeek_timeouts=zeek)
    return [connection["packets_0"] for connection in facts]


def test_each_packet_moves_the_deadline() -> None:
    assert times((0, 59, 118, 177, 237), UDP, zeek=False) == [4, 1]


def test_straggler_moves_the_deadline_of_a_closed_connection_but_not_zeeks() -> None:
    packets = [p | {"ts": START} for p in CLOSE] + [LATE | {"ts": START + i * 4 * SECOND} for i in (1, 2, 3)]
    assert len(run(packets)) == 1
    assert len(run(packets, zeek_timeouts=True)) == 2


def test_syn_is_given_up_whatever_is_sent_again() -> None:
    assert times((0, 1, 3, 7, 15), client("S"), zeek=True) == [3, 1, 1]
    assert times((0, 1, 3, 7, 15), client("S"), zeek=False) == [5]


def test_zeek_looks_at_dns_every_ten_seconds() -> None:
    """8.5 s quiet at the look at 10 s, so the next look is at 20 s; when no packet comes between, the look is late."""
    other = packet(protocol=17, src_port=7, dst_port=9999)
    dense = [DNS, DNS | {"ts": START + 3 * SECOND // 2}, other | {"ts": START + 10 * SECOND}, DNS | {"ts": START + 11 * SECOND}]
    assert [facts["packets_0"] for facts in run(dense, zeek_timeouts=True) if facts["b_port"] == 53] == [3]
    sparse = [dense[0], dense[1], dense[3]]
    assert [facts["packets_0"] for facts in run(sparse, zeek_timeouts=True)] == [2, 1]


def test_clock_going_back_does_not_end_anything_early() -> None:
    assert times((0, -30, 59.5), UDP, zeek=False) == [3]
