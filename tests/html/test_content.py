"""What the page says."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from analyzer.html import content
from analyzer.report.build import TABLES
from tests.html.pages import collected


def test_worst_findings_come_first() -> None:
    groups = content.finding_groups(collected("failures", "lossy-path", "http-plain"))
    ranks = [content.SEVERITIES.index(group["severity"]) for group in groups]
    assert ranks == sorted(ranks, reverse=True)
    assert all(group["why"] and group["advice"] and group["places"] for group in groups)
    assert all(place["frames"] for group in groups for place in group["places"])


def test_tables_show_columns_that_exist() -> None:
    for name, wanted in content.COLUMNS_SHOWN.items():
        if name in TABLES:
            assert set(wanted) <= {column.name for column in TABLES[name]}, name
    tables = {table.name: table for table in content.listed_tables(collected("http-plain"))}
    assert tables["http"].total == len(tables["http"].rows) == 10


def test_quality_is_that_of_the_capture() -> None:
    collector = collected("snaplen-64")
    quality = content.quality_of(collector.facts, collector.summary.transports["tcp"])
    assert quality["verdict"] == "poor"
    assert any("cut" in meaning for _, meaning, _ in quality["signs"])
    assert quality["files"][0][0].endswith("snaplen-64.pcap")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "yes"), (1.25, "1.2"), (["a", "b"], "a, b"), (7, "7"), ("x\x1b", "x\\x1b"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2026-01-02 03:04:05"), ("y" * 1000, "y" * 299 + "…"),
    ],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert content.cell(value) == text


def test_data_cannot_end_its_script() -> None:
    text = content.data_as_text({"a": "</script><!--\u2028&\\x41"})
    assert not {"<", ">", "&", "\u2028"} & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028&\\x41"}
    assert json.loads(content.data_as_text({"a": "\u202e\x9b"})) == {"a": "\\x202e\\x9b"}


def test_titles() -> None:
    one = [{"group": "file", "name": "format", "value": "pcap", "unit": "", "file": f"captures/{name}.pcap"} for name in "abc"]
    assert content.title_of(one[:1]) == "a.pcap"
    assert content.title_of(one) == "3 captures"
    assert content.title_of([]) == "capture"
