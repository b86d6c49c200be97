"""Fields: which are kept, whatever their case, order, folds and number."""

from __future__ import annotations

import base64

import pytest

from analyzer.tables.http import HTTP_ERROR_CODES
from tests.messages.http.conversation import answer, cut, exchanges, read, say

FIELDS = {
    "host": b"Host",
    "referrer": b"Referer",
    "user_agent": b"User-Agent",
    "origin": b"Origin",
    "request_type": b"Content-Type",
}
ANSWERED = {
    "response_type": b"Content-Type",
    "content_encoding": b"Content-Encoding",
    "server": b"Server",
    "location": b"Location",
    "alt_svc": b"Alt-Svc",
    "upgrade": b"Upgrade",
}


@pytest.mark.parametrize("change", [bytes, bytes.upper, bytes.lower])
def test_every_kept_field(change: type[bytes]) -> None:
    asked = b"".join(change(name) + b":\t " + name + b"! \t\r\n" for name in FIELDS.values())
    told = b"".join(change(name) + b":" + name + b"?\n" for name in ANSWERED.values())
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\n" + asked + b"\r\n"), answer(b"HTTP/1.1 204 N\r\n" + told + b"\n"))
    for field, name in FIELDS.items():
        assert row[field] == name + b"!"
    for field, name in ANSWERED.items():
        assert row[field] == name + b"?"


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        (b"Host: a\r\nHost: b", b"b"),
        (b"Host: a\r\nHost:", b"a"),
        (b"Host: a\r\n\tb\r\n  c", b"a b c"),
        (b"Host:\r\n a", b"a"),
        (b"Host: a \r\n \r\n b", b"a b"),
        (b"Host : a", b"a"),
        (b"Host\r\n :\r\n a", b"a"),
        (b"Hos: x\r\nHostt: y\r\nHost: a:80", b"a:80"),
        (b"X: " + b"y" * 300 + b"\r\nHost: \xff\x80", b"\xff\x80"),
        (b"Host: a\rb", b"a\rb"),
    ],
)
def test_values(lines: bytes, host: bytes) -> None:
    talk = [say(b"GET / HTTP/1.1\r\n" + lines + b"\r\n\r\n")]
    (row,) = exchanges(*talk)
    assert row["host"] == host
    odd = "blank_before_colon" if b" :" in lines else "host_repeated" if lines.count(b"Host:") > 1 else "none"
    odd = "forbidden_byte" if b"\r" in lines.replace(b"\r\n", b"") else odd
    assert row.get("error", 0) == HTTP_ERROR_CODES[odd]
    assert exchanges(*cut(talk, 1)) == [row]


@pytest.mark.parametrize(
    ("value", "user"),
    [
        (b"Basic " + base64.b64encode(b"test:pa:ss"), b"test"),
        (b"bASIC   " + base64.b64encode(b"a:"), b"a"),
        (b"Basic " + base64.b64encode(b"long user name \xc3\xa9:x").rstrip(b"="), b"long user name \xc3\xa9"),
        (b"Basic " + base64.b64encode(b"no colon"), None),
        (b"Basic " + base64.b64encode(b":empty"), None),
        (b"Basic !!!!", None),
        (b"Basic", None),
        (b"Bearer " + base64.b64encode(b"a:b"), None),
    ],
)
def test_basic_users(value: bytes, user: bytes | None) -> None:
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nAuthorization: " + value + b"\r\n\r\n"))
    assert row.get("username") == user


def test_passwords_are_not_kept() -> None:
    for secret in (b"user:hunter22", b"hunter22hunter22"):
        http, _ = read([say(b"GET / HTTP/1.1\r\nAuthorization: Basic " + base64.b64encode(secret) + b"\r\n\r\n")])
        assert b"hunter22" not in http.text.data.tobytes()


def test_fields_of_proxies() -> None:
    lines = b"via: 1.1 a\r\nHost: h\r\nX-Forwarded-For: 1\r\n 2\r\nForwarded:\r\nClient-Ip: 3\r\nXroxy-Connection: k\r\nX-Forwarded-From: f"
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\n" + lines + b"\r\n\r\n"))
    assert row["proxied"].split(b"\n") == [
        b"VIA -> 1.1 a", b"X-FORWARDED-FOR -> 1 2", b"FORWARDED -> ", b"CLIENT-IP -> 3", b"XROXY-CONNECTION -> k", b"X-FORWARDED-FROM -> f",
    ]  # fmt: skip


def test_shortest_proxy_fields_fit_the_text() -> None:
    (row,) = exchanges(say(b"A b HTTP/1.1\r\n" + b"via:\n" * 500 + b"\n"))
    assert row["proxied"] == b"\n".join([b"VIA -> "] * 500)


def test_a_blank_before_a_colon_and_a_second_host() -> None:
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"))
    assert (row["host"], row["error"]) == (b"a", HTTP_ERROR_CODES["blank_before_colon"])
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"))
    assert (row["host"], row["error"]) == (b"b", HTTP_ERROR_CODES["host_repeated"])


@pytest.mark.parametrize(("value", "fetch"), [(b"document", 1), (b"manifest", 2), (b"empty", 2)])
def test_what_a_browser_asks_for(value: bytes, fetch: int) -> None:
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nSec-Fetch-Dest: " + value + b"\r\n\r\n"))
    assert row["fetch"] == fetch
