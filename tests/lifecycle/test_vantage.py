"""Where the capture was taken, by the handshake and by the routers that packets passed; and who speaks for whom."""

from __future__ import annotations

import pytest

from analyzer.lifecycle.vantage import BASES, PROXIES, find_proxies, find_vantage, hops
from analyzer.tables.connections import IN_THE_MIDDLE, NEAR_ORIGINATOR, NEAR_RESPONDER, VANTAGES
from analyzer.tables.services import FTP, HTTP, SOCKS
from tests.lifecycle.builders import finished


def end(ttl: int) -> dict[str, int]:
    return {"packets": 1, "ttl": ttl}


@pytest.mark.parametrize(("ttl", "expected"), [(64, 0), (63, 1), (128, 0), (117, 11), (255, 0), (244, 11), (30, 2), (1, 31)])
def test_hops(ttl: int, expected: int) -> None:
    assert hops(finished([{}], endpoints_a=[end(ttl)]).originators).tolist() == [expected]


def test_an_end_that_sent_nothing_has_no_hops() -> None:
    assert hops(finished([{}]).originators).tolist() == [-1]


@pytest.mark.parametrize(
    ("told", "ttls", "expected"),
    [
        (NEAR_ORIGINATOR, (64, 55), ("originator", "handshake, hops")),
        (NEAR_ORIGINATOR, (64, 128), ("originator", "handshake")),
        (NEAR_ORIGINATOR, (55, 64), ("originator", "handshake, against hops")),
        (IN_THE_MIDDLE, (60, 60), ("middle", "handshake")),
        (IN_THE_MIDDLE, (60, 64), ("responder", "hops")),
        (0, (64, 55), ("originator", "hops")),
        (NEAR_RESPONDER, (55, 64), ("responder", "handshake, hops")),
        (0, (60, 60), ("unknown", "handshake")),
    ],
)
def test_two_witnesses(told: int, ttls: tuple[int, int], expected: tuple[str, str]) -> None:
    place, basis = find_vantage(finished([{"vantage": told}], endpoints_a=[end(ttls[0])], endpoints_b=[end(ttls[1])]))
    assert (VANTAGES[place[0]], BASES[basis[0]]) == expected


def test_other_protocols_have_no_place() -> None:
    place, _ = find_vantage(finished([{"protocol": 17}], endpoints_a=[end(64)], endpoints_b=[end(50)]))
    assert place.tolist() == [0]


@pytest.mark.parametrize(
    ("outer", "other_ttl", "expected"),
    [(0, 0, None), (HTTP, 0, "tunnel"), (SOCKS, 50, "tunnel"), (FTP, 0, None), (0, 63, None), (0, 50, "ttl")],
)
def test_proxies(outer: int, other_ttl: int, expected: str | None) -> None:
    f = finished([{}], services=[{"outer": outer}], endpoints_b=[end(64) | {"ttl_other": other_ttl}])
    assert [PROXIES[one] for one in find_proxies(f)] == [expected]
