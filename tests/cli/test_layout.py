"""Numbers and lines for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.cli.layout import clip, counted, endpoint, flow, milliseconds, period, printable, size, span

SECOND = 1_000_000_000
NOON = 1_700_049_600 * SECOND  # 2023-11-15 12:00:00 UTC


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "."), (float("nan"), "."), (0.0, "0.0"), (0.04, "0.0"), (999.94, "999.9"), (999.96, "1000"), (1163.4, "1163")],
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (31_200_000, "31.2 MB"), (5 * 10**15, "5000.0 TB")]
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


def test_counted_knows_one_from_many() -> None:
    assert counted(1, "connection") == "1 connection"
    assert counted(0, "connection") == "0 connections"
    assert counted(48_211, "packet") == "48,211 packets"
    assert counted(2, "query", "queries") == "2 queries"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (2_500_000, "2.5 ms"),
        (59 * SECOND, "59.0 s"),
        (338_800_000_000, "5 min 38.8 s"),
        (359_990_000_000, "5 min 59.9 s"),
        (2 * 3600 * SECOND + 61 * SECOND, "2 h 1 min"),
        (12 * 86400 * SECOND, "12 days"),
    ],
)
def test_span(ns: int, text: str) -> None:
    assert span(ns) == text


def test_period_says_the_day_once() -> None:
    assert period(NOON, NOON + SECOND) == "2023-11-15 12:00:00.000 to 12:00:01.000 UTC (1.0 s)"
    assert period(NOON, NOON + 86400 * SECOND) == "2023-11-15 12:00:00.000 to 2023-11-16 12:00:00.000 UTC (24 h 0 min)"


def test_endpoint_puts_ipv6_in_brackets() -> None:
    assert endpoint("192.0.2.1", 80) == "192.0.2.1:80"
    assert endpoint("2001:db8::1", 80) == "[2001:db8::1]:80"
    assert endpoint("2001:db8::1", None) == "2001:db8::1"


def test_printable_cannot_harm_a_terminal() -> None:
    assert printable("a\x1b[31mb\nc\u202ed\udcff") == "a\\x1b[31mb\\x0ac\\x202ed\\udcff"
    assert printable("é 日本") == "é 日本"


def test_clip_shows_the_cut() -> None:
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcde…"


@given(st.lists(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=20), st.integers(20, 60))
def test_flow_fits_and_loses_nothing(cells: list[str], width: int) -> None:
    lines = flow(cells, width, indent=2)
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split() == cells


def test_flow_keeps_commas_at_the_ends_of_lines() -> None:
    assert flow(["aaaa", "bbbb", "cccc"], 11, gap=", ") == ["aaaa, bbbb,", "  cccc"]
