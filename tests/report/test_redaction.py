"""A report that can be given away."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from analyzer.capture.facts import CaptureFacts
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet
from analyzer.report.redaction import METHOD_OF, PUBLIC, Redactor, method_of

CAPTURES = Path(__file__).parents[2] / "captures"
KEY = b"a key that is known, for tests only"


def tables_of(name: str) -> list[dict[str, Sheet]]:
    options = Options(limits=Limits(arena_bytes=1 << 20), keylog=tuple(CAPTURES.glob(f"{Path(name).stem}.keylog.txt")))
    return [dict(tables) for tables in Pipeline(options, with_zeek=True, with_heads=True).run([str(CAPTURES / name)])]


@pytest.fixture(scope="module", params=["page-load.pcapng", "failures.pcapng", "http-plain.pcapng", "dns-variety.pcapng", "ipv6.pcapng"])
def both(request: pytest.FixtureRequest) -> tuple[dict[str, list[dict[str, object]]], dict[str, list[dict[str, object]]]]:
    """Rows of all tables, plain and masked."""
    redactor = Redactor(KEY)
    plain: dict[str, list[dict[str, object]]] = {}
    masked: dict[str, list[dict[str, object]]] = {}
    for tables in tables_of(request.param):
        for name, sheet in redactor.apply(tables).items():
            plain.setdefault(name, []).extend(tables[name].to_pylist())
            masked.setdefault(name, []).extend(sheet.to_pylist())
    return plain, masked


def texts_of(rows: dict[str, list[dict[str, object]]]) -> list[str]:
    flat = [value for table in rows.values() for row in table for value in row.values()]
    return [word for value in flat for word in (value if isinstance(value, list) else [value]) if isinstance(word, str)]


def test_nothing_that_says_who_is_left(both: tuple[dict[str, list[dict[str, object]]], dict[str, list[dict[str, object]]]]) -> None:
    plain, masked = both
    secret = {
        str(row[name])
        for row in plain["connections"]
        for name in ("originator_ip", "responder_ip", "host", "dns_name", "tls_sni", "http_url", "uid", "community_id")
        if row[name]
    }
    secret |= {str(row["name"]) for row in plain["dns"] if row["name"]} | {str(row["sha256"]) for row in plain["certificates"]}
    told = texts_of(masked)
    for word in secret - {".", "*"}:
        assert not any(word in text for text in told if len(word) > 3), word
    assert not any("example" in text.lower() and "net" in text for text in told)


def test_rows_still_join(both: tuple[dict[str, list[dict[str, object]]], dict[str, list[dict[str, object]]]]) -> None:
    plain, masked = both
    pairs: dict[str, dict[str, str]] = {}
    for table, column in (
        ("connections", "originator_ip"),
        ("connections", "responder_ip"),
        ("dns", "client_ip"),
        ("dns", "server_ip"),
        ("http", "originator_ip"),
    ):
        for before, after in zip(plain[table], masked[table], strict=True):
            assert pairs.setdefault("ip", {}).setdefault(str(before[column]), str(after[column])) == str(after[column])
    for table, column in (("connections", "host"), ("connections", "dns_name"), ("connections", "tls_sni"), ("http", "host")):
        for before, after in zip(plain[table], masked[table], strict=True):
            if before[column]:
                assert pairs.setdefault("name", {}).setdefault(str(before[column]), str(after[column])) == str(after[column])
    for table in pairs.values():
        assert len(set(table.values())) == len(table)
    numbers = ["connection", "duration_ms", "originator_bytes", "state", "tls_version", "service"]
    assert [[row[name] for name in numbers] for row in plain["connections"]] == [
        [row[name] for name in numbers] for row in masked["connections"]
    ]


@pytest.mark.parametrize(
    ("method", "text", "pattern"),
    [
        ("host", "www.example.org", r"n\w{10}\.example\.org|n\w{10}\.n\w{10}\.org"),
        ("host", "example.org.", r"n\w{10}\.org\."),
        ("host", "_dns-sd._udp.local", r"_dns-sd\._udp\.local"),
        ("host", "192.0.2.1:8080", r"\d+\.\d+\.\d+\.\d+:8080"),
        ("host", "[2001:db8::1]:443", r"\[[0-9a-f:]+\]:443"),
        ("host", "1.2.0.192.in-addr.arpa", r"\d+\.\d+\.\d+\.\d+\.in-addr\.arpa"),
        ("host", "1." * 31 + "2.ip6.arpa", r"([0-9a-f]\.){32}ip6\.arpa"),
        ("host", "two words", r"[a-z2-7]{10}"),
        ("host", ":80", r"[a-z2-7]{10}"),
        ("address", "::ffff:192.0.2.1", r"::ffff:\d+\.\d+\.\d+\.\d+"),
        ("address", "nonsense", r"[a-z2-7]{10}"),
        ("url", "https://ann:pw@www.example.org:8443/a/b?c=d#e", r"https://n\w+\.n\w+\.org:8443/[a-z2-7]{10}\?[a-z2-7]{10}"),
        ("url", "/", r"/"),
        ("url", "/a/b", r"/[a-z2-7]{10}"),
        ("url", "*", r"\*"),
        ("url", "http://", r"http://"),
        ("url", "www.example.org:443", r"n\w+\.n\w+\.org:443"),
        ("answer", "10 mail.example.org.", r"10 n\w+\.n\w+\.org\."),
        ("answer", "192.0.2.1", r"\d+\.\d+\.\d+\.\d+"),
        ("answer", "TXT 5 v=spf1", r"n\w{10} 5 [a-z2-7]{10}"),
        ("distinguished", r"CN=www.example.org,O=Foo\, Inc.,C=US", r"CN=n\w+\.n\w+\.org,O=[a-z2-7]{10},C=[a-z2-7]{10}"),
        ("mail", "ann@example.org", r"[a-z2-7]{10}@n\w+\.org"),
        ("mail", "ann", r"[a-z2-7]{10}"),
        ("digest", "00" * 32, r"[0-9a-f]{64}"),
        ("digest", "AB12", r"[0-9A-F]{4}"),
        ("uid", "CabcdefghijkLMNOPQ", r"C[a-z2-7]{17}"),
        ("token", "Mozilla/5.0", r"[a-z2-7]{10}"),
        ("token", "", r""),
    ],
)
def test_methods(method: str, text: str, pattern: str) -> None:
    (told,) = Redactor(KEY).mask(method, [text])
    assert re.fullmatch(pattern, told), told
    assert told == Redactor(KEY).mask(method, [text])[0]


def test_names_of_a_domain_stay_together_whatever_their_case() -> None:
    first, second, upper = Redactor(KEY).mask("host", ["www.example.org", "api.example.org", "WWW.Example.ORG"])
    assert first.partition(".")[2] == second.partition(".")[2]
    assert first != second
    assert upper == first


def test_the_reverse_tree_fits_the_addresses() -> None:
    redactor = Redactor(KEY)
    (address, name) = (redactor.mask("address", ["192.0.2.7"])[0], redactor.mask("host", ["7.2.0.192.in-addr.arpa"])[0])
    assert name == f"{ipaddress.ip_address(address).reverse_pointer}"


def test_another_key_masks_otherwise() -> None:
    assert Redactor().mask("host", ["www.example.org"]) != Redactor().mask("host", ["www.example.org"])


def test_every_column_of_text_is_masked_or_said_to_be_public() -> None:
    for table, columns in TABLES.items():
        for column in columns:
            method = method_of(table, column.name)
            assert method or column.name not in METHOD_OF or (table, column.name) == ("capture", "name")
    assert not PUBLIC & METHOD_OF.keys()
    assert method_of("any", "a_new_column") == "token"
    assert method_of("http", "user_agent") == method_of("connections", "http_user_agent") == "token"
    assert method_of("certificates", "subject") == "distinguished"
    assert method_of("findings", "subject") == "url"


def test_facts_of_files() -> None:
    (facts,) = (tables["capture"] for tables in tables_of("http-plain.pcapng") if "capture" in tables)
    rows = Redactor(KEY).apply({"capture": facts})["capture"].to_pylist()
    assert not any("http-plain" in str(value) or "Wireshark" in str(value) for row in rows for value in row.values())
    assert {row["value"] for row in rows if row["name"] == "format"} == {"pcapng"}
    told = Redactor(KEY).facts(CaptureFacts("/captures/ann/a.pcap", "a.pcap", notes=["a.pcap ends in the middle."]))
    assert re.fullmatch(r"capture-\w{10}", told.name)
    assert told.notes == [f"{told.name} ends in the middle."]
