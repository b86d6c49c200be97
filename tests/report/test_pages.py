"""Pages of a capture: members, bounds, and the critical path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer.report.pages import MEMBERS, PARTS, Pages, _Groups
from tests.report.test_page_groups import asked

CAPTURES = Path(__file__).parents[2] / "captures"


def test_a_page_of_a_browser() -> None:
    report = analyzer.analyze(CAPTURES / "page-load.pcapng", keylog=CAPTURES / "page-load.keylog.txt")
    (page,) = report.pages.itertuples()
    assert (page.url, page.requests, page.connections, page.basis, page.status) == ("https://www.example.org/", 7, 3, "hint", 200)
    first = report.http.iloc[0]
    assert page.first_byte_ms == pytest.approx((first.response_time - page.start_time).total_seconds() * 1000, abs=0.001)
    assert page.critical_path[0] == f"{page.connection}/{page.exchange}"
    spent = sum(getattr(page, f"path_{part}_ms") for part in PARTS if part != "loss")
    assert spent >= page.duration_ms - 0.001
    assert page.waited_for in PARTS


def test_nothing_to_group() -> None:
    sheets = Pages().build()
    assert (sheets["pages"].num_rows, sheets[MEMBERS].num_rows) == (0, 0)
    assert analyzer.analyze(CAPTURES / "https-tls13.pcapng").pages.empty


def test_the_critical_path_goes_through_what_ended_last_before() -> None:
    groups = _Groups.__new__(_Groups)
    columns = {"begin": [0, 10, 12, 30], "end": [8, 25, 28, 60], "first_byte": [5, 20, 20, 50]}
    groups._x = {name: np.array(values) for name, values in columns.items()}
    groups._parents = np.array([-1, 0, 0, 1])
    assert groups._path(0, np.arange(4)) == [0, 2, 3]
    assert len(asked({}).start) == 1
