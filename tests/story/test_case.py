"""Everything of one connection, whichever flush it was in, and no more than that."""

from __future__ import annotations

import pytest

from analyzer.errors import UsageError
from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.story.case import Case, Gatherer
from tests.story.stories import CAPTURES, case


def gather(word: str, name: str = "https-tls13.pcapng", flush_rows: int = 4000) -> Case:
    gatherer = Gatherer(word)
    for tables in Pipeline(Options(), flush_rows=flush_rows).run([str(CAPTURES / name)]):
        gatherer.add(tables)
    return gatherer.case()


@pytest.mark.parametrize("flush_rows", [1, 4000])
def test_a_connection_with_its_lookups(flush_rows: int) -> None:
    one = gather("2", flush_rows=flush_rows)
    assert one.get("host") == "www.example.org"
    assert [row["type"] for row in one.lookups] == ["A", "AAAA"]
    assert {"milestones", "tls", "tcp"} <= set(one.tables)
    assert one.end("responder")["sender"] == "responder"
    assert one == case("https-tls13", number=2)


@pytest.mark.parametrize("flush_rows", [1, 4000])
def test_a_lookup_with_what_it_caused(flush_rows: int) -> None:
    one = gather("1", flush_rows=flush_rows)
    assert one.caused == [(2, "www.example.org")]
    assert len(one.rows("dns")) == 2


def test_found_by_host_and_by_uid() -> None:
    assert gather("www.example.org").get("connection") == 2
    assert gather(case("https-tls13", number=1).get("uid")).get("connection") == 1


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("99", "there is no connection 99 among the"),
        ("9" * 30, "no connection with the uid or the host 999"),
        ("nobody.example", "no connection with the uid or the host nobody.example"),
        ("www.example.org", "2 connections have the host www.example.org: 2, 4. Give the number of one."),
    ],
)
def test_refusals(word: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        gather(word, "http-plain.pcapng")


def test_certificates_are_those_of_the_connection() -> None:
    one = case("https-tls12-ecdsa")
    assert one.get("tls_certificate_sha256") in one.certificates
    assert case("failures", number=9).certificates == {}


def test_one_sided() -> None:
    assert case("one-sided").is_one_sided
    assert not case("failures", number=11).is_one_sided  # repeats its SYN, and nothing else
