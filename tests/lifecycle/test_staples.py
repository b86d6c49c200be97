"""Rules about stapled OCSP responses, each with the frame of the message that held one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.lifecycle.finished import Finished, Texts
from analyzer.lifecycle.staples import STAPLE_RULES, find_staples, judge_staples
from analyzer.messages.tls.certificates import Certificate
from tests.lifecycle.builders import finished, set_step
from tests.messages.tls.staple_builder import NOON, refusal, response

DAY = 86_400 * 10**9
NOON_NS = int(NOON.timestamp()) * 10**9


def handshakes(*ders: bytes, ts: int = NOON_NS + DAY, **fields: Any) -> Finished:
    text = b"".join(ders)
    rows, at = [], 0
    for der in ders:
        key = 1 + ders.index(der)
        rows.append({"seen": 1, "is_established": 1, "staple": at, "staple_size": len(der), "staple_key": key, **fields})
        at += len(der)
    f = finished([{"syn_ts": 1}] * len(ders), handshakes=rows)
    for row in f.handshakes:
        set_step(row, "certificate_status", (1, 7))
        row["step_ts"][:] = np.where(row["step_ts"] != 0, ts, 0)
    object.__setattr__(f, "texts", Texts(np.frombuffer(text, np.uint8), *[np.zeros(0, np.uint8)] * 4))
    return f


def fired(f: Finished, *certificates: Certificate) -> list[tuple[str, list[int], list[int]]]:
    hits = judge_staples(f, certificates)
    return [(hit.rule, hit.order.tolist(), hit.number.tolist()) for hit in hits if len(hit.order)]


@pytest.mark.parametrize(
    ("der", "ts", "rules"),
    [
        (response(), NOON_NS + DAY, []),
        (response("REVOKED"), NOON_NS + DAY, ["tls.certificate_revoked"]),
        (response("UNKNOWN"), NOON_NS + DAY, ["tls.staple_unusable"]),
        (refusal(), NOON_NS + DAY, ["tls.staple_unusable"]),
        (b"no response", NOON_NS + DAY, ["tls.staple_unusable"]),
        (response(), NOON_NS + 8 * DAY, ["tls.staple_outdated"]),
        (response(), NOON_NS - DAY, ["tls.staple_outdated"]),
        (response(days=None), NOON_NS + 8 * DAY, []),
    ],
)
def test_rules(der: bytes, ts: int, rules: list[str]) -> None:
    assert fired(handshakes(der, ts=ts)) == [(rule, [0], [7]) for rule in rules]


def test_each_distinct_response_is_read_once() -> None:
    good, revoked = response(), response("REVOKED")
    staples = find_staples(handshakes(good, revoked, good))
    assert [one.status for one in staples.distinct] == ["good", "revoked"]
    assert staples.index.tolist() == [0, 1, 0]
    assert staples.having("revoked").tolist() == [False, True, False]


def test_a_certificate_that_must_be_stapled() -> None:
    certificate = Certificate(0, "aa", "bb", 3, must_staple=True)
    f = handshakes(b"", b"", staple_asked=1)
    for row in f.handshakes:
        row["step_ts"][:], row["step_number"][:] = 0, 0
        set_step(row, "certificate", (1, 9))
    links = np.zeros(2, f.chain_links.dtype).view(np.recarray)
    links["connection"] = f.rows
    object.__setattr__(f, "chain_links", links)
    assert fired(f, certificate) == [("tls.staple_missing", [0, 1], [9, 9])]
    f.handshakes["staple_asked"][0] = 0
    assert fired(f, certificate) == [("tls.staple_missing", [1], [9])]
    assert fired(f, Certificate(0, "aa", "bb", 3)) == []


def test_all_rules_are_listed() -> None:
    assert {rule.name for rule in STAPLE_RULES} == {hits.rule for hits in judge_staples(handshakes(response()), ())}
