"""How connections end, RSTs that do not fit, and where the capture was taken."""

from __future__ import annotations

import pytest

from analyzer.tables.connections import CLOSE_KINDS, RESET_ID_DIFFERS, RESET_TTL_DIFFERS, VANTAGES
from tests.connections.rows import HANDSHAKE, SECOND, START, client, server, timed, track
from tests.connections.test_analysis_kernels import MS

FIN, BACK = client("FA", seq=1, ack=1), server("FA", seq=1, ack=2)


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        ([client("S")], "unanswered"),
        ([client("S"), client("S")], "unanswered"),
        ([client("S"), server("RA", ack=1)], "refused"),
        ([*HANDSHAKE], "open"),
        ([*HANDSHAKE, client("A", 5, seq=1, ack=1)], "open"),
        ([*HANDSHAKE, FIN], "one-sided fin"),
        ([*HANDSHAKE, FIN, BACK], "fin"),
        ([*HANDSHAKE, server("FA", seq=1, ack=1), client("FA", seq=1, ack=2)], "fin"),
        ([*HANDSHAKE, FIN, server("A", 5, seq=1, ack=2), server("FA", seq=6, ack=2)], "half-close"),
        ([*HANDSHAKE, FIN, BACK, client("R", seq=2)], "reset after fin"),
        ([*HANDSHAKE, FIN, server("R", seq=1)], "reset after fin"),
        ([*HANDSHAKE, server("R", seq=1)], "reset"),
        ([client("A", 5, seq=1), server("R", seq=1)], "reset"),
        ([client("S"), client("R", seq=1)], "reset"),
    ],
)
def test_close_kind(packets: list[dict[str, int]], expected: str) -> None:
    tracker, _ = track(timed(packets))
    tracker.expire(START + SECOND, everything=True)
    assert CLOSE_KINDS[int(tracker.connections["close_kind"][0])][0] == expected


@pytest.mark.parametrize(
    ("ttl", "ip_id", "expected"),
    [
        (64, 16, 0),
        (62, 16, 0),
        (61, 16, RESET_TTL_DIFFERS),
        (128, 16, RESET_TTL_DIFFERS),
        (64, 0, 0),
        (64, 5000, RESET_ID_DIFFERS),
        (200, 5000, RESET_TTL_DIFFERS | RESET_ID_DIFFERS),
    ],
)
def test_reset_of_another_sender(ttl: int, ip_id: int, expected: int) -> None:
    data = [client("A", 10, seq=1 + 10 * i, ack=1, ip_id=10 + i) for i in range(6)]
    tracker, _ = track(timed([*HANDSHAKE, *data, client("R", seq=61, ttl=ttl, ip_id=ip_id)]))
    assert tracker.connections["reset_marks"][0] == expected


def test_reset_is_the_first_packet_of_its_end() -> None:
    tracker, _ = track(timed([client("S"), server("RA", ack=1, ttl=250)]))
    assert tracker.connections["reset_marks"][0] == 0


@pytest.mark.parametrize(
    ("synack", "ack", "expected"),
    [(100, 101, "originator"), (1, 100, "responder"), (50, 100, "middle"), (0, 0, "unknown"), (100, 90, "unknown")],
)
def test_vantage(synack: int, ack: int, expected: str) -> None:
    times = (0, synack, ack)
    tracker, _ = track([p | {"ts": START + at * MS} for p, at in zip(HANDSHAKE, times, strict=True)])
    tracker.expire(START + SECOND, everything=True)
    assert VANTAGES[int(tracker.connections["vantage"][0])] == expected
    assert tracker.connections["irtt_ns"][0] == ack * MS


def test_without_a_whole_handshake_it_is_unknown() -> None:
    tracker, _ = track(timed(HANDSHAKE[:2]))
    tracker.expire(START + SECOND, everything=True)
    assert VANTAGES[int(tracker.connections["vantage"][0])] == "unknown"
