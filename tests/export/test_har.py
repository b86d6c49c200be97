"""HAR: the published schema holds, times add up, secrets are masked, pages have their entries."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator
from referencing import Registry, Resource

from analyzer.cli import run
from analyzer.export.har import FIRST_PHASES, iso_time, read_cookies, request_of, resource_type, response_of, timings, total_time
from analyzer.report.heads import MASK

ROOT = Path(__file__).parents[2]
SCHEMAS = Path(__file__).parent / "har-schema"  # npm har-schema 2.0.0, with its licence
PARTS = ("blocked", "dns", "connect", "send", "wait", "receive")


@cache
def validator() -> Draft6Validator:
    found = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in found.items())
    return Draft6Validator(found["har.json"], registry=registry, format_checker=Draft6Validator.FORMAT_CHECKER)


def archive(folder: Path, name: str, *options: str) -> dict[str, Any]:
    keys = ROOT / "captures" / f"{name}.keylog.txt"
    capture = next((ROOT / "captures").glob(f"{name}.pcap*"))
    more = ["--keylog", str(keys)] if keys.exists() else []
    assert run(["analyze", str(capture), "-o", str(folder), "-f", "har", "--quiet", *more, *options]) == 0
    log: dict[str, Any] = json.loads((folder / "capture.har").read_text())["log"]
    return log


@pytest.mark.parametrize("name", ["page-load", "http-plain", "http2", "https-tls13", "failures", "websocket", "proxy-connect", "dns-tcp"])
def test_archives_are_as_the_schema_says(tmp_path: Path, name: str) -> None:
    log = archive(tmp_path / "har", name)
    validator().validate({"log": log})
    assert log["version"] == "1.2"
    assert [path.name for path in (tmp_path / "har").iterdir() if not path.name.startswith(".")] == ["capture.har"]
    starts = [entry["startedDateTime"] for entry in log["entries"]]
    assert starts == sorted(starts)
    pages = {page["id"] for page in log["pages"]}
    for entry in log["entries"]:
        told = entry["timings"]
        assert all(told[part] >= 0 for part in ("send", "wait", "receive"))
        assert all(told[part] >= 0 or told[part] == -1 for part in told)
        assert told["ssl"] <= told["connect"]
        assert entry["time"] == pytest.approx(sum(told[part] for part in PARTS if told[part] >= 0), abs=1e-5)
        assert entry.get("pageref") is None or entry["pageref"] in pages
        assert "#" not in entry["request"]["url"]


def since_epoch(time: str) -> float:
    """Milliseconds of an ISO time."""
    return datetime.fromisoformat(time).timestamp() * 1e3


def test_beside_the_archive_of_the_browser_itself(tmp_path: Path) -> None:
    """Each request that went over the wire, with its status; times within a few milliseconds of those that the browser measured."""
    log = archive(tmp_path / "har", "devtools")
    browser = json.loads((ROOT / "captures" / "devtools.browser.har").read_text())["log"]["entries"]
    sent = [entry for entry in browser if "_fromCache" not in entry]
    assert len(sent) == len(browser) - 1

    def named(entries: list[dict[str, Any]]) -> dict[tuple[str, str, int], dict[str, Any]]:
        return {(entry["request"]["method"], entry["request"]["url"], entry["response"]["status"]): entry for entry in entries}

    ours, theirs = named(log["entries"]), named(sent)
    assert len(ours) == len(log["entries"]) == len(sent) == 16
    assert ours.keys() == theirs.keys()
    near = partial(pytest.approx, abs=5)
    for key, entry in theirs.items():
        timing, told = entry["_timing"], ours[key]["timings"]
        spent = {
            name: timing[f"{part}End"] - timing[f"{part}Start"] if timing[f"{part}Start"] >= 0 else -1
            for name, part in (("dns", "dns"), ("connect", "connect"), ("ssl", "ssl"), ("send", "send"))
        }
        assert (told["connect"] >= 0, told["ssl"] >= 0) == (spent["connect"] >= 0, spent["ssl"] >= 0), key
        for name in ("connect", "ssl", "send"):
            assert told[name] == near(spent[name]), (key, name)
        wait = timing["receiveHeadersStart"] - timing["sendEnd"]
        whole = entry["timings"]["wait"] + entry["timings"]["receive"]
        assert told["wait"] + told["receive"] == near(whole), key
        if entry["response"]["content"]["size"] < 14_000:  # else one TLS record has the head and more than the first flight can carry
            assert told["wait"] == near(wait), key
        if spent["dns"] >= 0:  # the browser asks before it knows what for, so only the ends agree
            queued = max(entry["timings"]["_blocked_queueing"], 0)
            end = since_epoch(entry["startedDateTime"]) + queued + timing["dnsEnd"]
            assert since_epoch(ours[key]["startedDateTime"]) + told["dns"] == near(end), key


def test_a_request_before_the_end_of_the_handshake() -> None:
    exchange = {"index": 1, "version": "1.1", "request_send_ms": 0.0, "server_wait_ms": 9.0, "response_receive_ms": 1.0}
    phases = {"dns": 5.0, "dns_to_connect": 1.0, "tcp_connect": 20.0, "tcp_to_tls": 2.0, "tls_handshake": 40.0}
    for wait, connect, ssl in ((-15.0, 47.0, 25.0), (-41.0, 21.0, 0.0), (-90.0, 0.0, 0.0), (3.0, 62.0, 40.0)):
        told, before = timings(exchange, {f"{name}_ms": value for name, value in {**phases, "request_wait": wait}.items()})
        assert (told["connect"], told["ssl"], told["blocked"]) == (connect, ssl, 1.0 + max(wait, 0.0))
        assert before == told["dns"] + told["connect"] + told["blocked"]


def test_a_page_and_its_entries(tmp_path: Path) -> None:
    log = archive(tmp_path / "har", "page-load")
    (page,) = log["pages"]
    assert page["title"] == "https://www.example.org/"
    assert {entry["pageref"] for entry in log["entries"]} == {page["id"]}
    first = log["entries"][0]
    second = next(entry for entry in log["entries"] if entry["connection"] == first["connection"] and entry is not first)
    assert first["_lifecycle"]["phases"]["tls_handshake"]["basis"] == "measured"
    assert (first["_tls"]["version"], first["_resourceType"], first["request"]["httpVersion"]) == ("TLS 1.3", "document", "HTTP/2.0")
    assert {"name": ":path", "value": "/"} in first["request"]["headers"]
    assert first["response"]["content"] == {"size": 605, "mimeType": "text/html", "compression": 251}
    assert (second["timings"]["dns"], second["timings"]["connect"]) == (-1, -1)


def test_heads_of_http1_keep_order_and_case(tmp_path: Path) -> None:
    first = archive(tmp_path / "har", "http-plain")["entries"][0]
    names = [field["name"] for field in first["request"]["headers"]]
    assert names[:2] == ["Host", "User-Agent"]
    assert first["request"]["httpVersion"] == "HTTP/1.1"
    assert first["response"]["statusText"] == "OK"


def test_what_is_secret_is_masked_unless_asked_for(tmp_path: Path) -> None:
    masked = json.dumps(archive(tmp_path / "a", "websocket"))
    told = json.dumps(archive(tmp_path / "b", "websocket", "--include-secrets"))
    assert MASK in masked
    assert MASK not in told


def test_encrypted_exchanges_only_when_asked_for(tmp_path: Path) -> None:
    capture = str(ROOT / "captures" / "page-load.pcapng")
    for option, count in (((), 0), (("--har-include-encrypted",), 4)):
        assert run(["analyze", capture, "-o", str(tmp_path / str(count)), "-f", "har", "--quiet", *option]) == 0
        log = json.loads((tmp_path / str(count) / "capture.har").read_text())["log"]
        validator().validate({"log": log})
        assert len(log["entries"]) == count
    entry = log["entries"][0]
    assert (entry["request"]["url"], entry["response"]["status"], entry["_encrypted"]) == ("https://www.example.org/", 0, True)
    assert entry["timings"]["ssl"] > 0
    assert entry["_lifecycle"]["basis"] == "inferred"


def test_timings_of_a_first_and_a_later_exchange() -> None:
    connection = {
        "dns_ms": 10.0,
        "dns_to_connect_ms": 1.0,
        "tcp_connect_ms": 20.0,
        "tcp_to_tls_ms": 0.5,
        "tls_handshake_ms": 30.0,
        "request_wait_ms": 2.0,
    }
    exchange = {"index": 1, "request_send_ms": 0.1, "server_wait_ms": -4.0, "response_receive_ms": None}
    told, before = timings(exchange, connection)
    assert told == {"blocked": 3.0, "dns": 10.0, "connect": 50.5, "ssl": 30.0, "send": 0.1, "wait": 0, "receive": 0}
    assert before == 63.5
    assert total_time(told) == 63.6
    told, before = timings({**exchange, "index": 2}, connection)
    assert (told["blocked"], told["dns"], told["connect"], told["ssl"], before) == (-1, -1, -1, -1, 0)
    told, _ = timings(exchange, dict.fromkeys(connection))
    assert (told["dns"], told["connect"], told["ssl"], told["blocked"]) == (-1, -1, -1, -1)


def test_pieces() -> None:
    assert iso_time(1_500_000_000_123_456_789) == "2017-07-14T02:40:00.123456Z"
    assert read_cookies([["Cookie", "a=1; b"], ["Set-Cookie", "c=2; Path=/"]], "cookie") == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": ""},
    ]
    assert read_cookies([["Set-Cookie", "c=2; Path=/"]], "set-cookie") == [{"name": "c", "value": "2"}]
    assert [resource_type(mime) for mime in ("text/html", "text/css", "image/png", "application/x")] == [
        "document",
        "stylesheet",
        "image",
        "other",
    ]
    row: dict[str, Any] = dict.fromkeys(("method", "version", "request_head_bytes", "status", "reason", "response_version", "location",
                                         "response_decoded_bytes", "response_content_type", "response_media_type", "content_encoding",
                                         "response_first_frame", "response_head_bytes"))  # fmt: skip
    row |= {"url": "http://[bad?a=1#x", "request_body_bytes": 0, "response_body_bytes": 0}
    assert request_of(row, [])["queryString"] == []
    assert response_of(row, [])["status"] == 0
    assert request_of({**row, "url": "http://h/?a=1&b="}, [])["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]


def test_connecting_with_quic_is_its_handshake() -> None:
    exchange: dict[str, Any] = {"index": 1, "version": "3.0", "request_send_ms": 0.0, "server_wait_ms": 20.0, "response_receive_ms": 1.0}
    connection: dict[str, Any] = {f"{name}_ms": None for name in FIRST_PHASES} | {"tls_handshake_ms": 40.0, "request_wait_ms": 3.0}
    told, before = timings(exchange, connection)
    assert (told["connect"], told["ssl"], told["blocked"], before) == (40.0, 40.0, 3.0, 43.0)
    told, _ = timings({**exchange, "version": "2.0"}, connection)
    assert told["connect"] == -1.0


@pytest.mark.parametrize("where", ["connection > 3", "service == 'https' or connection == 2", "transport == 'tcp' and connection % 2 == 0"])
def test_heads_stay_with_their_exchanges_when_connections_are_chosen(where: str, tmp_path: Path) -> None:
    captures = [str(ROOT / "captures" / name) for name in ("page-load.pcapng", "http-plain.pcapng", "http2-clear.pcapng")]
    command = ["analyze", *captures, "-f", "har", "-o", str(tmp_path / "har"), "--har-include-encrypted", "--quiet", "--where", where]
    assert run(command) == 0
    (path,) = (tmp_path / "har").glob("*.har")
    entries = json.loads(path.read_text())["log"]["entries"]
    hidden = [one for one in entries if one.get("_encrypted")]
    read = [one for one in entries if not one.get("_encrypted")]
    assert hidden
    assert read
    assert not any(one["request"]["headers"] for one in hidden)
    for one in read:
        fields = {field["name"].lower(): field["value"] for field in one["request"]["headers"]}
        assert (fields.get("host") or fields.get(":authority")) == one["request"]["url"].split("/")[2], one["request"]["url"]
