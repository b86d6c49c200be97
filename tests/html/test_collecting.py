"""What is kept: the connections that matter most, whatever the order in which they come."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from analyzer.html.collecting import MOST_EXAMPLES, Ranked, best
from tests.html.pages import collected, flushes


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), max_size=12), st.integers(1, 5))
def test_ranked_keeps_the_best_whatever_the_flushes(batches: list[list[int]], most: int) -> None:
    ranked, whole = Ranked(most), []
    number = 0
    for scores in batches:
        numbers = np.arange(number, number + len(scores))
        number += len(scores)
        whole += list(zip(scores, numbers.tolist(), strict=True))
        table = pa.record_batch({"connection": pa.array(numbers, pa.int64())})
        ranked.add(numbers, np.array(scores, np.float64), {"t": table})
    expected = [at for _, at in sorted(whole, key=lambda pair: (-pair[0], pair[1]))[:most]]
    assert ranked.numbers == expected
    if expected:
        assert sorted(ranked.tables()["t"]["connection"].to_pylist()) == sorted(expected)


def test_best_of_equals_is_the_first() -> None:
    assert best(np.array([5, 3, 4]), np.array([1.0, 1.0, 2.0]), 2).tolist() == [2, 1]


def test_findings_come_first_and_lookups_last() -> None:
    collector = collected("failures")
    order = collector.listed.numbers
    services = {
        row["connection"]: (row["service"], bool(row["findings"]))
        for row in collector.listed.tables()["connections"].to_pylist()
    }  # fmt: skip
    assert services[order[0]][1]
    assert services[order[-1]] == ("dns", False)
    assert collector.summary.connections == len(order)
    assert sum(collector.rules.values()) == sum(collector.summary.findings.values())
    assert all(0 < len(rows) <= MOST_EXAMPLES and all(rows) for rows in collector.examples.values())


def test_rows_are_counted_beyond_what_is_kept() -> None:
    collector = collected("page-load")
    assert collector.rows["milestones"] == sum(tables["milestones"].num_rows for tables in flushes("page-load"))
