"""Connections by an expression."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.columns import Sheet
from analyzer.report.where import Where

CAPTURES = Path(__file__).parents[2] / "captures"


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    (tables,) = Pipeline(Options(limits=Limits(arena_bytes=1 << 20))).run([str(CAPTURES / "page-load.pcapng")])
    return tables["connections"]


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("service == 'https'", lambda row: row["service"] == "https"),
        ("tls_handshake_ms > 24 and host.str.endswith('t')", lambda row: (row["tls_handshake_ms"] or 0) > 24 and row["host"][-1] == "t"),
        ("not tls_resumed", lambda row: row["tls_resumed"] is False),
        ("connection in [3, 5]", lambda row: row["connection"] in (3, 5)),
        ("host.isna()", lambda row: row["host"] is None),
        ("start_time > '2026-11-23 16:26:47.6'", lambda row: str(row["start_time"]) > "2026-11-23 16:26:47.6"),
        ("originator_bytes >\n 1000", lambda row: row["originator_bytes"] > 1000),
        ("host == 'a@b'", lambda _: False),
    ],
)  # fmt: skip
def test_expressions(sheet: Sheet, expression: str, fits: object) -> None:
    assert Where(expression)(sheet).tolist() == [bool(fits(row)) for row in sheet.to_pylist()]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("tls_handshake_m > 1", "no column tls_handshake_m. Did you mean tls_handshake_ms?"),
        ("zzz > 1", "connections have no column zzz. All: analyzer columns connections"),
        ("connection >", "--where connection >: invalid syntax"),
        ("", "as pandas' query takes it"),
        ("host", "that is no condition"),
        ("duration_ms", "that is no condition"),
        ("1 == 1", "that is no condition"),
        ("@os.system('x')", "'os' is not defined"),
        ("__import__('os')", "is not a supported function"),
        ("host.str.nope()", "no attribute 'nope'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(expression: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?").replace("(", r"\(")):
        Where(expression)


def test_what_fails_on_values_is_refused(sheet: Sheet) -> None:
    with pytest.raises(UsageError, match="--where host > 1: "):
        Where("host > 1")(sheet)
