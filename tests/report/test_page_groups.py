"""Parents of exchanges: against a plain loop, and the cases one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.page_groups import Asked, find_parents, find_roots, latest_before

S = 1_000_000_000


def asked(*rows: dict[str, int]) -> Asked:
    defaults = {
        "client": 1,
        "url": -1,
        "referrer": -1,
        "location": -1,
        "origin": -1,
        "start": 0,
        "end": 0,
        "is_html": 0,
        "is_redirect": 0,
        "fetch": 0,
    }
    table = [{**defaults, "start": k, "end": k, **row} for k, row in enumerate(rows)]
    columns = {name: np.array([row[name] for row in table], np.int64) for name in Asked._fields}
    columns["is_html"], columns["is_redirect"] = columns["is_html"] == 1, columns["is_redirect"] == 1
    return Asked(**columns)


def parents(*rows: dict[str, int]) -> list[int]:
    found: list[int] = find_parents(asked(*rows)).tolist()
    return found


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 3), st.booleans()), max_size=12))
def test_latest_before(rows: list[tuple[int, bool, int, bool]]) -> None:
    keys, there, wanted, wants = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0, np.int64),) * 4
    expected = [max((j for j in range(k) if there[j] and keys[j] == wanted[k]), default=-1) if wants[k] else -1 for k in range(len(rows))]
    assert latest_before(keys, there.astype(bool), wanted, wants.astype(bool)).tolist() == expected


def test_resources_by_referer_and_their_own() -> None:
    page, style, font = {"url": 1, "is_html": 1}, {"url": 2, "referrer": 1}, {"url": 3, "referrer": 2}
    assert parents(page, style, font, {**style, "client": 2}) == [-1, 0, 1, -1]


def test_redirects_lead_to_documents() -> None:
    hops = {"url": 1, "location": 2, "is_redirect": 1}, {"url": 2, "location": 3, "is_redirect": 1}
    rows = (*hops, {"url": 3, "is_html": 1, "fetch": 1}, {"url": 9, "referrer": 3})
    found = find_parents(asked(*rows))
    assert found.tolist() == [-1, 0, 1, 2]
    assert find_roots(found).tolist() == [0, 0, 0, 0]
    assert parents(hops[0], {"url": 2, "start": 40 * S, "is_html": 1}) == [-1, -1]


def test_a_referer_that_is_only_an_origin() -> None:
    page = {"url": 1, "origin": 7, "is_html": 1}
    assert parents(page, {"url": 5, "referrer": 7}, {"url": 5, "referrer": 7, "start": 31 * S}) == [-1, 0, -1]


def test_hints_of_the_browser() -> None:
    page = {"url": 1, "is_html": 1, "fetch": 1}
    assert parents(page, {"url": 5, "fetch": 2}, {"url": 6, "referrer": 1, "fetch": 1, "is_html": 1}, {"url": 7, "is_html": 1}) == [
        -1,
        0,
        -1,
        -1,
    ]


def test_a_link_without_hints_is_a_new_page_only_later() -> None:
    page, link = {"url": 1, "is_html": 1}, {"url": 2, "referrer": 1, "is_html": 1}
    assert parents(page, {**link, "start": S // 2}) == [-1, 0]
    assert parents(page, {**link, "start": 2 * S}) == [-1, -1]
