from dataclasses import replace

import numpy as np

from analyzer.report.attribution import COLUMNS, build_attribution
from analyzer.tables.dns import CACHED, CAUSED
from tests.lifecycle.builders import MS, finished

TEXT = b"?a.orgb.orgx.y z.y"
SECOND = 1000 * MS


def built(connections, attributions, **tables):
    f = finished(connections, attributions=attributions, **tables)
    text = np.frombuffer(TEXT, np.uint8)
    f = replace(f, texts=replace(f.texts, dns=text, attribution=text))
    columns = build_attribution(f)
    assert list(columns) == [column.name for column in COLUMNS]
    return [dict(zip(columns, row, strict=True)) for row in zip(*(column.to_pylist() for column in columns.values()), strict=True)]


def test_everything_that_is_known():
    known = {
        "basis": CAUSED, "name": 1, "name_size": 5, "lookup": 7, "resolution": 6, "kind_ns": (20 * MS, 30 * MS, 0), "searched": 1,
        "cnames": 11, "cnames_size": 7, "candidates": 2, "other": (6, 0, 0, 0), "other_size": (5, 0, 0, 0), "is_hint": 1, "ttl": 60,
        "response_ts": 10 * SECOND, "queries": 3, "server_lo": 0x08080808,
    }  # fmt: skip
    known_row, outlived, nothing = built(
        [{"first_ts": 12 * SECOND + 500 * MS}, {"first_ts": 75 * SECOND}, {"first_ts": 1}], [known, {**known, "basis": CACHED}, {}]
    )
    assert known_row == {
        "dns_name": "a.org", "dns_source": "caused", "dns_lookup": 7, "dns_resolution": 6, "dns_a_ms": 20.0, "dns_aaaa_ms": 30.0,
        "dns_https_ms": None, "dns_names_tried": 1, "dns_cnames": "x.y z.y", "dns_candidates": 2, "dns_other_names": ["b.org"],
        "dns_from_hint": True, "dns_answer_age_ms": 2500.0, "dns_ttl_s": 60, "dns_ttl_left_s": 58, "dns_queries": 3,
        "dns_server_ip": "8.8.8.8", "race": None, "race_result": None, "race_delay_ms": None,
    }  # fmt: skip
    assert (outlived["dns_source"], outlived["dns_ttl_left_s"]) == ("cached", -5)
    assert set(nothing.values()) == {None}


def test_who_won():
    race = {"race": 1, "race_ts": 1 * SECOND}
    opened = {"first_ts": 1250 * MS, "synack_ts": 2, "ack_ts": 3}
    rows = built([{"first_ts": 1 * SECOND}, opened, opened], [race, race, race], endpoints_a=[{}, {"first_payload_ts": 5}, {}])
    assert [(row["race"], row["race_result"], row["race_delay_ms"]) for row in rows] == [
        (1, "lost", 0.0),
        (1, "won", 250.0),
        (1, "lost", 250.0),
    ]
