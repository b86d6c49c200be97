"""Who does what in a handshake: steps, versions, resumption, retries, key exchange, alerts; spellings as Zeek's."""

from __future__ import annotations

import pytest

from analyzer.tables.tls import RESUMPTIONS
from tests.messages.tls import builders as b

C, S = b.CLIENT, b.SERVER
STEK = b.extension(35, b"t" * 100)


def hello(kind: int, body: bytes) -> bytes:
    return b.record(22, b.message(kind, body))


def test_full_tls12() -> None:
    row = b.dissect(b.full_tls12(b"leaf", b"root"), round_trip=20)
    assert row["history"] == "CsxknGIti"
    expected = {
        "version": 0x0303,
        "cipher_suite": 0xC02F,
        "group": 23,
        "signature_scheme": 0x0403,
        "alpn": "http/1.1",
        "server_name": "old.example.org",
        "is_established": 1,
        "is_resumed": 0,
        "is_false_start": 0,
        "extended_master_secret": 1,
        "secure_renegotiation": 1,
        "encrypt_then_mac": 0,
        "compression": 0,
        "client": 0,
        "error": 0,
    }
    assert {name: row[name] for name in expected} == expected
    frames = {name: step[1] for name, step in row["steps"].items()}
    assert frames == {
        "client_hello": (1, 1), "server_hello": (2, 2), "certificate": (2, 2), "server_key_exchange": (2, 2), "server_hello_done": (2, 2),
        "client_key_exchange": (3, 3), "client_change_cipher_spec": (3, 3), "client_finished": (3, 3), "session_ticket": (4, 4),
        "server_change_cipher_spec": (4, 4), "server_finished": (4, 4), "first_client_data": (5, 5), "first_server_data": (6, 6),
        "client_close_notify": (7, 7), "server_close_notify": (8, 8),
    }  # fmt: skip
    assert {name for name, step in row["steps"].items() if step[0] != "measured"} == {"client_close_notify", "server_close_notify"}


@pytest.mark.parametrize(
    ("offered", "answered", "resumed"), [(b"s" * 32, b"s" * 32, 1), (b"s" * 32, b"t" * 32, 0), (bytes(32), bytes(32), 0), (b"", b"", 0)]
)
def test_resumed_by_session_id(offered: bytes, answered: bytes, resumed: int) -> None:
    sends = [
        b.Send(C, hello(1, b.client_hello(session=offered))),
        b.Send(S, hello(2, b.server_hello(session=answered)) + b.CCS + b.finished12()),
        b.Send(C, b.CCS + b.finished12()),
    ]
    row = b.dissect(sends)
    assert (row["is_resumed"], row["history"], row["is_established"]) == (resumed, "CsiI", 1)


def test_resumed_by_ticket_without_session_id() -> None:
    start = [b.Send(C, hello(1, b.client_hello(extensions=STEK))), b.Send(S, hello(2, b.server_hello()) + b.CCS + b.finished12())]
    assert b.dissect([*start, b.Send(C, b.CCS + b.finished12())])["is_resumed"] == 1
    assert b.dissect([*start, b.Send(C, b.record(21, b"\x02\x28"))])["is_resumed"] == 0  # given up: not resumed
    full = [start[0], b.Send(S, hello(2, b.server_hello()) + hello(14, b"")), b.Send(C, hello(16, b"k" * 66) + b.CCS)]
    assert b.dissect(full)["is_resumed"] == 0


@pytest.mark.parametrize(("offers", "accepts", "resumed"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_resumed_tls13(offers: bool, accepts: bool, resumed: int) -> None:  # noqa: FBT001
    first = b.client_hello((0x1301,), b.versions(0x0304) + (b.extension(41, b"psk") if offers else b""), session=b"s" * 32)
    extensions = b.extension(43, b.u16s([0x0304])) + (b.extension(41, b"\0\0") if accepts else b"")
    answer = b.server_hello(0x1301, extensions, session=b"s" * 32)
    assert b.dissect([b.Send(C, hello(1, first)), b.Send(S, hello(2, answer))])["is_resumed"] == resumed


def test_hello_retry_request() -> None:
    retry = b.server_hello(0x1301, b.extension(43, b.u16s([0x0304])) + b.extension(51, b.u16s([24])), random=b.RETRY_RANDOM)
    sends = [
        b.Send(C, hello(1, b.HELLO13), 0),
        b.Send(S, hello(2, retry) + b.CCS, 10),
        b.Send(C, b.CCS + hello(1, b.HELLO13), 20),
        b.Send(S, hello(2, b.ANSWER13) + b.data(500), 30),
        b.Send(C, b.data(53), 40),
    ]
    row = b.dissect(sends)
    assert (row["history"], row["is_retried"], row["retry_group"], row["group"], row["is_established"]) == ("CjiICs", 1, 24, 29, 1)
    steps = ("client_hello", "hello_retry_request", "second_client_hello", "server_hello", "client_finished")
    assert [row["steps"][step][1][0] for step in steps] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("body", "group", "bits"),
    [
        (b.ec_key_exchange(29), 29, 0),
        (b.dh_key_exchange(b"\xff" * 256), 0, 2048),
        (b.dh_key_exchange(b"\x01" + b"\xff" * 127), 0, 1017),
        (b.dh_key_exchange(b"\xff" * 768), 0, 6144),  # its length looks like a named curve
        (b.ec_key_exchange(29)[:30], 0, 0),
        (b"\x03", 0, 0),
        (b"", 0, 0),
    ],
)
def test_server_key_exchange(body: bytes, group: int, bits: int) -> None:
    row = b.dissect([b.Send(S, hello(2, b.server_hello()) + hello(12, body))])
    assert (row["group"], row["prime_bits"]) == (group, bits)


def test_export_rsa_is_no_diffie_hellman() -> None:
    row = b.dissect([b.Send(S, hello(2, b.server_hello(0x0003)) + hello(12, b.dh_key_exchange(b"\xff" * 64)))])
    assert row["prime_bits"] == 0


def test_alerts() -> None:
    sends = [
        b.Send(C, hello(1, b.HELLO12)),
        b.Send(S, b.record(21, b"\x01\x70")),
        b.Send(S, b.record(21, b"\x02\x28")),
        b.Send(C, b.record(21, b"\x01\x00")),
    ]
    row = b.dissect(sends)
    assert (row["alert_level"], row["alert_code"], row["alert_sender"], row["last_alert_code"]) == (2, 40, S, 0)
    assert row["history"] == "CllL"
    assert row["steps"]["alert"][1] == (2, 2)
    assert row["steps"]["client_close_notify"] == ("measured", (4, 4), (0.0, 0.0))


def test_client_certificate() -> None:
    flight = hello(2, b.ANSWER12) + hello(11, b.certificate_list(b"server")) + hello(13, b"\1\1\0\0") + hello(14, b"")
    answer = hello(11, b.certificate_list(b"client", b"issuer")) + hello(16, b"k" * 66) + hello(15, b"v" * 70) + b.CCS + b.finished12()
    row = b.dissect([b.Send(C, hello(1, b.HELLO12)), b.Send(S, flight), b.Send(C, answer)])
    assert row["history"] == "CsxrnXGYI"
    assert row["links"] == [(0, 0, 0, 2), (1, 0, 1, 3), (2, 1, 1, 3)]
    assert {"client_certificate", "certificate_verify", "certificate_request"} <= set(row["steps"])


def test_the_client_may_be_the_other_end() -> None:
    swapped = [b.Send(1 - send.sender, send.content, send.at) for send in b.full_tls12()]
    row = b.dissect(swapped)
    assert (row["client"], row["history"], row["is_established"], row["client_records"]) == (1, "CsxknGIti", 1, 1)


def test_one_sided() -> None:
    row = b.dissect([send for send in b.full_tls12() if send.sender == S])
    assert (row["client"], row["history"], row["version"], row["is_established"]) == (C, "sxknti", 0x0303, 0)


def test_long_history_stops() -> None:
    row = b.dissect([b.Send(S, hello(0, b"") * 150)])
    assert row["history"] == "H" * 100 or row["history"] == "h" * 100


def psk(*identities: tuple[bytes, int]) -> bytes:
    listed = b"".join(b.vector(2, name) + age.to_bytes(4, "big") for name, age in identities)
    return b.extension(41, b.vector(2, listed) + b.vector(2, b.vector(1, bytes(32))))


@pytest.mark.parametrize(("taken", "how"), [(0, "psk"), (1, "external psk"), (2, "psk"), (61, "psk"), (300, "psk")])
def test_a_key_that_was_shared_otherwise_is_no_ticket(taken: int, how: str) -> None:
    """RFC 8446 4.2.11: an identity established externally has an age of 0."""
    hello = b.client_hello((0x1301,), b.versions(0x0304) + psk((b"t" * 40, 7), (b"external", 0), (b"u", 1 << 31)), session=b"s" * 32)
    answer = b.server_hello(0x1301, b.extension(43, b.u16s([0x0304])) + b.extension(41, b.u16s([taken])), session=b"s" * 32)
    row = b.dissect([b.Send(b.CLIENT, b.record(22, b.message(1, hello)), 0), b.Send(b.SERVER, b.record(22, b.message(2, answer)), 1)])
    assert (row["psk_identities"], row["psk_identity"]) == (3, "74" * 32)
    assert RESUMPTIONS[row["resumed_by"]] == how
    assert row["is_resumed"] == 1


@pytest.mark.parametrize(
    ("body", "count", "first"),
    [
        (b"", 0, ""),
        (b"\0", 0, ""),
        (b"\0\4\0\x63ab", 0, "6162"),
        (b.vector(2, b.vector(2, b"ab") + b"\0\0\0"), 0, "6162"),
        (b.vector(2, (b.vector(2, b"\xff") + b"\0\0\0\0") * 70), 70, "ff"),
        (b"\xff\xff" + b.vector(2, b"") + b"\0\0\0\0", 1, ""),
    ],
)
def test_identities_that_lie(body: bytes, count: int, first: str) -> None:
    hello = b.client_hello((0x1301,), b.versions(0x0304) + b.extension(41, body), session=b"s" * 32)
    row = b.dissect([b.Send(b.CLIENT, b.record(22, b.message(1, hello)), 0)])
    assert (row["psk_identities"], row["psk_identity"]) == (count, first)


def test_renegotiations_are_counted() -> None:
    again = [b.Send(b.CLIENT, b.finished12() + b.CCS + b.finished12(), 100), b.Send(b.SERVER, b.CCS + b.finished12(), 101)]
    assert b.dissect(b.full_tls12(b"der"))["renegotiations"] == 0
    assert b.dissect(b.full_tls12(b"der") + again + again)["renegotiations"] == 2
    assert b.dissect(b.full_tls13() + again)["renegotiations"] == 0


@pytest.mark.parametrize(("suites", "modern"), [((0x002F, 0xC02F), 1), ((0x002F, 0xC013), 0), ((0xCCA9,), 1), ((0x1301,), 0)])
def test_whether_a_modern_suite_was_offered(suites: tuple[int, ...], modern: int) -> None:
    row = b.dissect([b.Send(b.CLIENT, hello(1, b.client_hello(suites, STEK)), 0)])
    assert (row["offers_modern"], row["ticket_offered"]) == (modern, 1)
