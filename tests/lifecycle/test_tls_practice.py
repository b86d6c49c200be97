"""Rules of good practice: each fires where it should, with its frame and amount, and not next to it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.tls_practice import LIFETIMES, PRACTICE_RULES, is_poor, judge_practice, most_days
from analyzer.messages.tls.certificates import Certificate
from tests.lifecycle.builders import finished, set_step

DAY = 86_400 * 10**9
GOOD: dict[str, Any] = {"seen": 1, "version": 0x0303, "cipher_suite": 0xC02F, "offers_modern": 1}


def ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


def handshake(mss: int = 1460, links: int = 0, **fields: Any) -> Finished:
    chain = [{"connection": 5, "certificate": n, "place": n} for n in range(links)]
    f = finished([{"syn_ts": 1}], handshakes=[{**GOOD, **fields}], endpoints_a=[{"mss": mss}], chain_links=chain)
    set_step(f.handshakes[0], "server_hello", (20, 3))
    set_step(f.handshakes[0], "certificate", (21, 4))
    return f


def fired(f: Finished, *certificates: Certificate) -> list[tuple[str, int, int]]:
    hits = judge_practice(f, certificates)
    return [(hit.rule, int(n), int(a)) for hit in hits for n, a in zip(hit.number, hit.amount, strict=True)]


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({}, []),
        ({"ticket_offered": 1}, ["tls.no_resumption"]),
        ({"ticket_offered": 1, "is_resumed": 1}, []),
        ({"psk_offered": 1, "cipher_suite": 0x1301, "version": 0x0304}, ["tls.no_resumption"]),
        ({"psk_offered": 1, "is_resumed": 1, "resumed_by": 3, "cipher_suite": 0x1301, "version": 0x0304}, []),
        ({"cipher_suite": 0x009C}, ["tls.better_suite_offered"]),
        ({"cipher_suite": 0xC013}, ["tls.better_suite_offered"]),
        ({"cipher_suite": 0xC013, "offers_modern": 0}, []),
        ({"cipher_suite": -1}, []),
    ],
)
def test_rules_of_handshakes(fields: dict[str, Any], rules: list[str]) -> None:
    assert fired(handshake(**fields)) == [(rule, 3, 0) for rule in rules]


@pytest.mark.parametrize(("suite", "poor"), [(0xC02F, False), (0x1301, False), (0x009E, False), (0x009C, True), (0xC014, True), (0, False)])
def test_poor_suites(suite: int, *, poor: bool) -> None:
    assert is_poor(suite) == poor


@pytest.mark.parametrize(("mss", "bytes_each", "long"), [(1460, 7300, False), (1460, 7301, True), (0, 7301, True), (1380, 6901, True)])
def test_certificates_beyond_the_first_window(mss: int, bytes_each: int, *, long: bool) -> None:
    chain = [Certificate(n, "", "", bytes_each) for n in range(2)]
    assert fired(handshake(mss, links=2), *chain) == ([("tls.certificate_flight", 4, 2 * bytes_each)] if long else [])


def test_limits_of_public_authorities() -> None:
    days = [date(2018, 3, 1), date(2020, 9, 1), date(2026, 3, 15), date(2027, 3, 15), date(2029, 3, 15)]
    assert [begin for begin, _ in LIFETIMES] == [(day - date(1970, 1, 1)).days for day in days]
    assert [most_days(ns(day)) for day in days] == [825, 398, 200, 100, 47]
    assert [most_days(ns(day) - 1) for day in days] == [0, 825, 398, 200, 100]


@pytest.mark.parametrize(("days", "timestamps", "long"), [(398, 2, False), (399, 2, True), (4000, 0, False)])
def test_long_lifetimes(days: int, timestamps: int, *, long: bool) -> None:
    begin = ns(date(2024, 1, 1))
    one = Certificate(0, "", "", 100, not_before=begin, not_after=begin + days * DAY, timestamps=timestamps)
    assert fired(handshake(links=1), one) == ([("tls.long_lifetime", 4, days * DAY)] if long else [])
    assert fired(handshake(links=1), Certificate(0, "", "", 100, timestamps=1)) == []


def test_all_rules_are_listed() -> None:
    f = handshake(links=1)
    assert {rule.name for rule in PRACTICE_RULES} == {hits.rule for hits in judge_practice(f, [Certificate(0, "", "", 100)])}
    assert all(rule.advice.endswith(".") for rule in PRACTICE_RULES)
    assert judge_practice(finished([]), [])[0].order.tolist() == []
