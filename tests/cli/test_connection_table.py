"""The table of connections at every width."""

from datetime import UTC, datetime
from typing import Any

import pytest

from analyzer.cli.connection_table import connection_table, name_of, remark_on
from analyzer.report.summary import SHOWN_PHASES

SLOW_SERVER = {"server_wait_ms": 900.3, "tcp_connect_ms": 61.0, "total_ms": 961.3}


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    blank = {
        "connection": number,
        "start_time": datetime(2026, 11, 23, 10, 14, 3, tzinfo=UTC),
        "transport": "tcp",
        "host": "www.example.org",
        "responder_ip": "192.0.2.1",
        "responder_port": 443,
        "service": "https",
        "state": "SF",
        "finding": None,
        "total_ms": 0.0,
        **{f"{name}_ms": None for name in SHOWN_PHASES},
    }
    return {**blank, **fields}


def finding(meaning: str, amount: int = 0, unit: str | None = None, detail: str | None = None) -> dict[str, Any]:
    return {"meaning": meaning, "amount": amount, "amount_unit": unit, "detail": detail, "subject": "www.example.org"}


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_lines_fit_and_keep_what_matters(width: int) -> None:
    rows = [row(k, host="a-host-with-a-rather-long-name.example.org", finding=finding("the connection was refused")) for k in (7, 11_111)]
    lines = connection_table(rows, width).splitlines()
    assert all(len(line) <= width for line in lines)
    head = lines[0].split()
    assert head[:1] == ["#"]
    assert set(head) >= {"host", "service", "state", "dns", "tcp", "tls", "wait", "recv", "total"}
    assert ("stands" in head) == (width >= 120)
    assert all(line.split()[0] == number for line, number in zip(lines[1:], ("7", "11111"), strict=True))


def test_wide_terminals_show_the_start_and_what_stands_out() -> None:
    lines = connection_table([row(1, **SLOW_SERVER)], 140).splitlines()
    assert lines[1].split()[:3] == ["1", "10:14:03", "www.example.org"]
    assert lines[1].endswith("wait: 94% of the time")


def test_absent_is_a_dot() -> None:
    assert connection_table([row(start_time=None)], 140).splitlines()[1].split() == ["1", ".", "www.example.org", "https", "SF", *["."] * 6]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "www.example.org"),
        ({"host": None}, "192.0.2.1:443"),
        ({"host": None, "responder_ip": "2001:db8::1"}, "[2001:db8::1]:443"),
        ({"host": None, "transport": "icmp", "responder_port": 8}, "192.0.2.1"),
        ({"host": None, "service": "dns", "finding": finding("the name does not exist")}, "www.example.org"),
    ],
)
def test_names(fields: dict[str, Any], name: str) -> None:
    assert name_of(row(**fields)) == name


def test_a_remark_on_the_slowest_phase_only_where_it_matters() -> None:
    assert remark_on(row(**SLOW_SERVER)) == "wait: 94% of the time"
    assert remark_on(row(server_wait_ms=30.0, total_ms=40.0)) == ""
    assert remark_on(row()) == ""
