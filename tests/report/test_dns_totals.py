"""Totals by server and by name against counts made by hand, and over any cut into flushes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.dns_totals import DnsTotals
from analyzer.tables.dns import OUTCOMES
from tests.lifecycle.builders import MS, finished

NAMES = b"?a.orgb.orgA.ORG"  # position 0 is never a span
SPANS = {"a.org": (1, 5, 11), "b.org": (6, 5, 22), "A.ORG": (11, 5, 11)}


def flush(lookups):
    rows = []
    for name, server, outcome, took, queries in lookups:
        at, size, name_hash = SPANS[name]
        answered = took is not None
        rows.append(
            {
                "connection": 5, "has_query": 1, "has_response": int(answered), "name": at, "name_size": size, "name_hash": name_hash,
                "server_lo": server, "server_port": 53, "ip_version": 4, "outcome": OUTCOMES.index(outcome), "queries": queries,
                "query_ts": 1, "last_query_ts": 1 + 5 * MS * (queries - 1), "response_ts": 1 + took * MS if answered else 0,
            }
        )  # fmt: skip
    f = finished([{"protocol": 17}], lookups=rows)
    text = np.frombuffer(NAMES, np.uint8)
    return replace(f, texts=replace(f.texts, dns=text, attribution=text))


def told(flushes, **limits):
    totals = DnsTotals(**limits)
    for lookups in flushes:
        totals.add(flush(lookups))
    return totals.servers().to_pylist(), totals.names().to_pylist()


def test_counts_and_times():
    servers, names = told(
        [
            [("a.org", 1, "answered", 10, 1), ("A.ORG", 1, "nodata", 30, 2), ("b.org", 2, "timeout", None, 3)],
            [("a.org", 1, "servfail", 20, 1), ("b.org", 1, "nxdomain", 40, 1)],
        ]
    )
    first, second = servers
    assert (first["server_ip"], first["server_port"], first["protocol"]) == ("0.0.0.1", 53, "dns")
    assert [first[k] for k in ("lookups", "answered", "nodata", "nxdomain", "failed", "unanswered", "repeated")] == [4, 1, 1, 1, 1, 0, 1]
    assert [first[k] for k in ("median_ms", "p95_ms", "max_ms")] == [20.0, 40.0, 40.0]  # 10, 20, 25 (from the last query), 40
    assert [second[k] for k in ("lookups", "unanswered", "repeated", "median_ms")] == [1, 1, 1, None]
    assert [(row["name"], row["lookups"], row["max_ms"]) for row in names] == [("a.org", 3, 30.0), ("b.org", 2, 40.0)]


def test_repeats_multicast_and_orphans_are_left_out():
    f = flush([("a.org", 1, "answered", 10, 1)] * 4)
    f.lookups["is_repeat"][0], f.lookups["is_multicast"][1], f.lookups["has_query"][2] = 2, 1, 0
    totals = DnsTotals()
    totals.add(f)
    assert [row["lookups"] for row in totals.servers().to_pylist()] == [1]


def test_nothing_at_all():
    assert told([]) == ([], [])
    assert told([[]]) == ([], [])


def test_too_many_groups():
    servers, names = told([[("a.org", n, "answered", 1, 1) for n in range(9)], [("a.org", 3, "answered", 1, 1)]], names=4)
    assert [(row["server_ip"], row["lookups"]) for row in servers] == [("0.0.0.3", 2), ("0.0.0.0", 1), ("0.0.0.1", 1), ("0.0.0.2", 1)]
    assert [row["lookups"] for row in names] == [10]


def test_a_full_log_keeps_a_share_of_the_times():
    _, (row,) = told([[("a.org", 1, "answered", n, 1) for n in range(k, 1000, 10)] for k in range(10)], times=100)
    assert row["lookups"] == 1000
    assert row["median_ms"] == pytest.approx(500, abs=80)


LOOKUPS = st.lists(
    st.tuples(
        st.sampled_from(list(SPANS)),
        st.integers(1, 3),
        st.sampled_from(["answered", "nxdomain", "refused", "timeout"]),
        st.one_of(st.none(), st.integers(20, 90)),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=30,
)


@given(LOOKUPS, st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_flushes_do_not_matter_and_quantiles_are_exact(lookups, one, other):
    cuts = sorted((min(one, len(lookups)), min(other, len(lookups))))
    whole = told([lookups])
    assert told([lookups[: cuts[0]], lookups[cuts[0] : cuts[1]], lookups[cuts[1] :]]) == whole
    for row in whole[0]:
        waits = sorted(t - 5 * (n - 1) for _, server, _, t, n in lookups if t is not None and f"0.0.0.{server}" == row["server_ip"])
        expected = [waits[max(math.ceil(share * len(waits)) - 1, 0)] if waits else None for share in (0.5, 0.95, 1.0)]
        assert [row[k] for k in ("median_ms", "p95_ms", "max_ms")] == expected
