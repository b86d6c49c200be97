"""From where a client knew that a name speaks QUIC."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_hints import MOST_HINTS, MOST_NAMES, Hint, Hints, host_of, learned, ports_of_alt_svc, ports_of_record
from analyzer.messages.dns import Dns
from analyzer.tables.quic import BY_ALT_SVC, BY_ALTSVC_FRAME, BY_HTTPS_RECORD
from tests.lifecycle.builders import MS, finished

ME = (0, 1, 50_000)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ('1 . alpn="h2,h3"', [443]),
        ('1 . alpn="h3-29,h2" port=8443 ipv4hint=192.0.2.1', [8443]),
        ('1 . alpn="h2"', []),
        ("0 www.example.org.", []),
        ("", []),
    ],
)
def test_records(text: str, ports: list[int]) -> None:
    assert ports_of_record(text) == ports


@pytest.mark.parametrize(
    ("value", "ports"),
    [
        (b'h3=":443"; ma=86400', [443]),
        (b'h3=":8443"; ma=3600, h3-29=":443"; persist=1', [443, 8443]),
        (b'h2="alt.example.org:443"', []),
        (b'quic="alt.example.org:443"; v="46"', [443]),
        (b"clear", []),
        (b'h3=":99999"', []),
        (b'h3="' + b"x" * 9000, []),
        (b"", []),
    ],
)
def test_alt_svc(value: bytes, ports: list[int]) -> None:
    assert ports_of_alt_svc(value) == ports


@pytest.mark.parametrize(
    ("authority", "host"), [(b"WWW.example.org:443", b"www.example.org"), (b"u@a.test.", b"a.test"), (b"[::1]:8", b"[::1]"), (b"", b"")]
)
def test_hosts(authority: bytes, host: bytes) -> None:
    assert host_of(authority) == host


def hints(*known: tuple[bytes, Hint]) -> Hints:
    found = Hints()
    for name, hint in known:
        found._add(name, hint)
    return found


def test_the_newest_before_the_connection_counts() -> None:
    old, new, late = (Hint(ts, ts, 7, ME[:2], 443, BY_ALT_SVC) for ts in (1, 5, 9))
    known = hints((b"a.test", old), (b"a.test", late), (b"a.test", new))
    assert known.find(b"a.test", ME, 443, 8) == new
    assert known.find(b"a.test", ME, 443, 0) is None
    assert known.find(b"a.test", ME, 8443, 8) is None
    assert known.find(b"b.test", ME, 443, 8) is None


def test_another_client_counts_only_when_it_is_the_only_one() -> None:
    other, third = Hint(1, 1, 7, (0, 2), 443, BY_ALT_SVC), Hint(2, 2, 7, (0, 3), 443, BY_ALT_SVC)
    assert hints((b"a.test", other)).find(b"a.test", ME, 443, 8) == other
    assert hints((b"a.test", other), (b"a.test", third)).find(b"a.test", ME, 443, 8) is None


def test_memory_is_bounded() -> None:
    known = hints(*((b"%d.test" % k, Hint(k, k, 1, ME[:2], 443, 1)) for k in range(MOST_NAMES + 9)))
    assert len(known) == MOST_NAMES
    many = hints(*((b"a.test", Hint(k, k, 1, ME[:2], 443, 1)) for k in range(1000)))
    assert len(many._by_name[b"a.test"]) == MOST_HINTS


def exchange(text: bytes, **fields: Any) -> Finished:
    host, _, value = text.partition(b"|")
    spans = {"host": 0, "host_size": len(host), "alt_svc": len(host) + 1, "alt_svc_size": len(value)}
    row = {"connection": 5, "response_first_ts": 3 * MS, "response_first_number": 4, **spans, **fields}
    f = finished([{"a_lo": 1, "a_port": 40_000, "b_lo": 9, "b_port": 443}], exchanges=[row])
    return replace(f, texts=replace(f.texts, http=np.frombuffer(text, np.uint8)))


def test_responses_and_frames() -> None:
    for fields, expected in (
        ({}, Hint(3 * MS, 4, 1, ME[:2], 443, BY_ALT_SVC)),
        ({"alt_svc_ts": 2 * MS, "alt_svc_number": 3}, Hint(2 * MS, 3, 1, ME[:2], 443, BY_ALTSVC_FRAME)),
    ):
        known = Hints()
        f = exchange(b'Www.Example.org|h3=":443"', **fields)
        known.learn_responses(f.exchanges, f.texts.http, f.connections, f.exchange_order)
        assert known.find(b"www.example.org", ME, 443, 10 * MS) == expected
    nothing = Hints()
    f = exchange(b"www.example.org|")
    nothing.learn_responses(f.exchanges, f.texts.http, f.connections, f.exchange_order)
    assert len(nothing) == 0


@pytest.mark.parametrize(("name", "port"), [(b"WWW.example.org", 443), (b"_8443._https.www.example.org", 8443)])
def test_lookups(name: bytes, port: int) -> None:
    rdata = b'1 . alpn="h2,h3"'
    lookup = {"connection": 0, "qtype": 65, "name": 0, "name_size": len(name), "client_lo": 1, "response_ts": 2, "response_number": 3}
    record = {"rrtype": 65, "rdata": len(name), "rdata_size": len(rdata)}
    f = finished([{}], lookups=[{"qtype": 1}, {**lookup, "answer_records": 1}], records=[record])
    text = SimpleNamespace(data=np.frombuffer(name + rdata, np.uint8))
    dns = cast("Dns", SimpleNamespace(lookups=f.lookups, records=f.records, text=text, answers=np.array([0, 1])))
    known = Hints()
    known.learn_lookups(dns, f.connections)
    assert known.find(b"www.example.org", ME, port, 5) == Hint(2, 3, 1, ME[:2], port, BY_HTTPS_RECORD)


def test_what_connections_learned() -> None:
    f = finished([{"protocol": 17, "a_lo": 1, "b_lo": 9, "b_port": 443, "first_ts": 8}, {}])
    known = hints((b"a.test", Hint(5, 6, 7, ME[:2], 443, BY_ALT_SVC)))
    assert learned(f, [b"a.test"], np.array([0]), known).tolist() == [(BY_ALT_SVC, 5, 6, 7), (0, 0, 0, 0)]
    assert not learned(f, [b""], np.array([0]), known)["how"].any()
    assert not learned(f, [b"a.test"], np.array([0]), Hints())["how"].any()
