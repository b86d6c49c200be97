"""Hellos: what they say against dpkt, and lies at every length."""

from __future__ import annotations

import dpkt
import pytest

from analyzer.registries.tls import GREASE
from tests.messages.tls import builders as b


def hello_row(body: bytes) -> dict[str, object]:
    return b.dissect([b.Send(b.CLIENT, b.record(22, b.message(1, body), 0x0301))])


def test_client_hello() -> None:
    body = b.client_hello(
        (0x2A2A, 0x1301, 0xC02F, 0x00FF, 0x5600),
        b.extension(0x3A3A)
        + b.server_name(b"www.example.org")
        + b.groups(0x4A4A, 4588, 29)
        + b.versions(0x5A5A, 0x0304, 0x0303)
        + b.key_shares(0x4A4A, 4588, 29)
        + b.alpn(b"h2", b"http/1.1")
        + b.extension(41, b"psk")
        + b.extension(0xFE0D, b"ech"),
        random=bytes(range(100, 132)),
    )
    row = hello_row(body)
    oracle = dpkt.ssl.TLSClientHello(body)
    expected = {
        "server_name": "www.example.org",
        "client_version": oracle.version,
        "offered_version": 0x0304,
        "ciphers_offered": 2,
        "groups_offered": "4588-29",
        "shares_offered": "4588-29",
        "alpn_offered": "h2,http/1.1",
        "post_quantum_offered": 1,
        "psk_offered": 1,
        "is_ech": 1,
        "client_random": oracle.random,
        "record_version": 0x0301,
        "version": 0,
        "cipher_suite": -1,
        "error": 0,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("body", [b.HELLO13, b.HELLO12, b.client_hello((1,), None)])
def test_every_truncation(body: bytes) -> None:
    before_extensions = 34 + 1 + body[34] + 2 + int.from_bytes(body[35 + body[34] : 37 + body[34]]) + 2
    for size in range(len(body)):
        row = hello_row(body[:size])
        assert row["history"] == "C"
        assert (row["error"] > 0) == (size != before_extensions)  # a hello without extensions is a hello


@pytest.mark.parametrize("body", [b.HELLO13, b.HELLO12])
def test_every_byte_lies(body: bytes) -> None:
    for place in range(34, len(body)):
        for value in (0, 255):
            row = hello_row(body[:place] + bytes([value]) + body[place + 1 :])
            assert row["history"] == "C"


def test_what_was_read_before_the_lie_stays() -> None:
    body = b.client_hello((0x1301,), b.server_name(b"kept.example") + b"\x00\x10\xff\xff")
    row = hello_row(body)
    assert row["server_name"] == "kept.example"
    assert row["error"] > 0


def test_a_server_name_that_lies_leaves_the_text_before_it_alone() -> None:
    """Its size counts as nothing, not as minus one: the last letter before belongs to another connection."""
    lying = b.client_hello((0xC02F,), b.extension(0, b"\xff\xff\0\0\x01x") + b.groups(29))
    hellos = [b.Send(b.CLIENT, b.record(22, b.message(1, body)), connection=k) for k, body in enumerate((b.HELLO12, lying))]
    capture = b.Capture(connections=2).feed(b.numbered(hellos))
    assert (capture.row(0)["server_name"], capture.row(0)["extensions_offered"]) == ("old.example.org", "0-10-16")
    assert (capture.row(1)["server_name"], capture.row(1)["extensions_offered"]) == ("", "0-10")


def test_huge_hello() -> None:
    suites = [i * 7919 & 0xFFFF for i in range(9000)]
    hello = b.message(1, b.client_hello(suites, b""))
    row = b.dissect([b.Send(b.CLIENT, b.records(22, hello, 16000))])  # sorted for JA4 without taking quadratic time
    assert row["ciphers_offered"] == len([code for code in suites if code not in GREASE and code not in (0x00FF, 0x5600)])
    assert str(row["ja4"]).startswith("t12i990000_")


@pytest.mark.parametrize("body", [b.ANSWER12, b.ANSWER13])
def test_server_hello_truncated_anywhere(body: bytes) -> None:
    for size in range(len(body)):
        hello = b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO13)))
        row = b.dissect([hello, b.Send(b.SERVER, b.record(22, b.message(2, body[:size])))])
        assert row["history"][0] == "C"


@pytest.mark.parametrize("version", [0x7F12, 0x0304])
def test_early_draft_without_session_id(version: int) -> None:
    body = b.u16s([version]) + bytes(32) + b.u16s([0x1301]) + b.vector(2, b.extension(40, b.u16s([23]) + b.vector(2, b"k" * 65)))
    row = b.dissect([b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO13))), b.Send(b.SERVER, b.record(22, b.message(2, body)))])
    assert (row["version"], row["cipher_suite"], row["group"], row["error"]) == (version, 0x1301, 23, 0)


@pytest.mark.parametrize(("tail", "downgrade"), [("444F574E47524401", 1), ("444F574E47524400", 2), ("444F574E47524402", 0)])
def test_downgrade_sentinel(tail: str, downgrade: int) -> None:
    body = b.server_hello(random=bytes(24) + bytes.fromhex(tail))
    assert b.dissect([b.Send(b.SERVER, b.record(22, b.message(2, body)))])["downgrade"] == downgrade
