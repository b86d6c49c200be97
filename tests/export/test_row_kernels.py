"""Lines of text against Python's own csv, json, datetime and decimal."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.export import row_kernels as rk
from analyzer.export.cells import Lines, kind_of
from analyzer.report.built import Built, NumberColumn, as_arrow
from analyzer.report.text import milliseconds

TEXT = pa.large_string()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ns_of_time = st.integers(-(2**62), 2**62)
words = st.one_of(
    st.text(max_size=6), st.sampled_from(["=1+1", "+a", "-a", "@a", "\ta", "\ra", 'say "hi"', "a,b", "a\nb", "", ";", "é", "\\"])
)


def render(batch: pa.RecordBatch, form: str, kinds: list[int] | None = None) -> str:
    lines = Lines(batch.schema.names, kinds or [kind_of(kind) for kind in batch.schema.types])
    return b"".join(bytes(piece) for piece in getattr(lines, form)(batch)).decode()


def batch_of(**columns: pa.Array | Built) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([as_arrow(column) for column in columns.values()], list(columns))


def neutral(text: str) -> str:
    """The twin of the rule against formulas."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.none() | words, st.none() | st.lists(words, min_size=1, max_size=3), words), max_size=6))
@example([("=cmd|' /C calc'!A0", ["a", "b"], "plain"), (None, None, "=x"), ("", [""], "x")])
def test_csv_text_is_read_back(rows: list[tuple[str | None, list[str] | None, str]]) -> None:
    alone, many, last = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    batch = batch_of(alone=pa.array(alone, TEXT), many=pa.array(many, pa.list_(TEXT)), last=pa.array(last, TEXT))
    text = render(batch, "csv")
    expected = [[neutral(a or ""), neutral(";".join(m or [])), neutral(z)] for a, m, z in rows]
    assert list(csv.reader(io.StringIO(text, newline=""))) == expected
    assert text.count("\r\n") >= len(rows)


def test_absent_and_empty_text_differ() -> None:
    batch = batch_of(a=pa.array([None, ""], TEXT), b=pa.array(["x", "y"], TEXT))
    assert render(batch, "csv") == ',x\r\n"",y\r\n'


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.none() | words, st.none() | st.lists(words, max_size=3), st.none() | st.integers(-(2**62), 2**62)), max_size=6)
)
@example([("\x00\x1f\x7f\u2028", ['"', "\\"], 0)])
def test_json_is_read_back(rows: list[tuple[str | None, list[str] | None, int | None]]) -> None:
    alone, many, number = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    batch = batch_of(**{"id.a": pa.array(alone, TEXT), "m": pa.array(many, pa.list_(TEXT)), "n": pa.array(number, pa.int64())})
    lines = render(batch, "json").split("\n")[:-1]
    expected = [{k: v for k, v in zip(("id.a", "m", "n"), row, strict=True) if v is not None} for row in rows]
    assert [json.loads(line) for line in lines] == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(-(10**15), 10**15), st.integers(-(10**7), 10**7)), min_size=1, max_size=8))
@example([0, 1, -1, 10**6, 113_000_000, 999_999])
def test_milliseconds_are_exact(ns: list[int]) -> None:
    text = render(batch_of(ms=milliseconds(np.array(ns, np.int64))), "csv").split("\r\n")[:-1]
    assert [Decimal(one) for one in text] == [Decimal(n) / 10**6 for n in ns]
    for one in text:
        assert "e" not in one.lower()
        assert "." not in one or not one.endswith("0")
        assert len(one.partition(".")[2]) <= 6


@settings(max_examples=200, deadline=None)
@given(st.lists(ns_of_time, min_size=1, max_size=5))
@example([1_795_428_842_113_000_000, 951_782_400_000_000_000, -1, 0, 4_107_542_400_000_000_000])
def test_times_are_iso_8601(ns: list[int]) -> None:
    batch = batch_of(t=NumberColumn(pa.timestamp("ns", tz="UTC"), np.array(ns, np.int64)))
    expected = [f"{EPOCH + timedelta(seconds=n // 10**9):%Y-%m-%dT%H:%M:%S}.{n % 10**9:09d}Z" for n in ns]
    assert render(batch, "csv").split("\r\n")[:-1] == expected
    assert [json.loads(line)["t"] for line in render(batch, "json").split("\n")[:-1]] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ns_of_time, st.integers(-(10**15), 10**15)), min_size=1, max_size=5))
@example([(1_362_692_526_869_344_500, 210_000_000)])
def test_zeeks_times_and_intervals(rows: list[tuple[int, int]]) -> None:
    ts, span = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    batch = batch_of(ts=NumberColumn(pa.timestamp("ns", tz="UTC"), ts), duration=milliseconds(span))
    for line, (time, ns) in zip(render(batch, "json", [rk.EPOCH, rk.SECONDS]).split("\n")[:-1], rows, strict=True):
        got = json.loads(line, parse_float=str)
        assert Decimal(got["ts"]) == Decimal((time + 500) // 1000) / 10**6
        assert len(got["ts"].partition(".")[2]) == 6
        assert Decimal(got["duration"]) == Decimal(ns) / 10**9


def test_numbers_truths_and_lists() -> None:
    batch = batch_of(
        n=pa.array([-(2**63) + 1, None, 2**63 - 1], pa.int64()),
        yes=pa.array([True, None, False]),
        ttls=pa.array([[1, 20], None, []], pa.list_(pa.int64())),
    )
    assert render(batch, "csv") == f"{-(2**63) + 1},true,1;20\r\n,,\r\n{2**63 - 1},false,\r\n"
    lines = render(batch, "json", [rk.WHOLE, rk.TRUTH, rk.REALS]).split("\n")
    assert lines[0] == f'{{"n":{-(2**63) + 1},"yes":true,"ttls":[1.0,20.0]}}'
    assert lines[1:] == ["{}", f'{{"n":{2**63 - 1},"yes":false,"ttls":[]}}', ""]
