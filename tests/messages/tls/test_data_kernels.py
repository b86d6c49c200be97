"""The rule without keys (TLS 1.3): Finished, tickets, first exchange; and the same exchange in TLS 1.2, where it is measured."""

from __future__ import annotations

import pytest

from tests.messages.tls import builders as b

C, S = b.CLIENT, b.SERVER


def answer(suite: int) -> bytes:
    extensions = b.extension(43, b.u16s([0x0304])) + b.extension(51, b.u16s([29]) + b.vector(2, b"k" * 32))
    return b.record(22, b.message(2, b.server_hello(suite, extensions, session=b"s" * 32)))


def session(*after: b.Send, suite: int = 0x1301) -> dict[str, object]:
    start = [b.Send(C, b.record(22, b.message(1, b.HELLO13)), 0), b.Send(S, answer(suite) + b.CCS + b.data(900), 20)]
    return b.dissect([*start, *after], round_trip=20)


def frames(row: dict[str, object], *names: str) -> list[object]:
    steps = row["steps"]
    return [(steps[name][0], steps[name][1][0]) if name in steps else None for name in names]  # type: ignore[index, operator]


def test_full_tls13() -> None:
    row = b.dissect(b.full_tls13(), round_trip=20)
    names = ("client_finished", "server_finished", "first_client_data", "session_ticket", "first_server_data", "server_close_notify")
    assert frames(row, *names) == [("inferred", n) for n in (4, 3, 5, 6, 7, 10)]
    assert (row["last_request_number"], row["first_response_number"], row["last_response_number"]) == (5, 7, 8)
    assert (row["history"], row["is_established"], row["client_records"], row["server_records"]) == ("CsiI", 1, 3, 8)


@pytest.mark.parametrize(("suite", "size"), [(0x1301, 53), (0x1302, 69), (0x1303, 53), (0x1304, 53), (0x1305, 45)])
def test_finished_by_its_length(suite: int, size: int) -> None:
    row = session(b.Send(C, b.CCS + b.data(size), 22), suite=suite)
    assert frames(row, "client_finished", "server_finished") == [("inferred", 3), ("inferred", 2)]
    row = session(b.Send(C, b.CCS + b.data(size + 10), 22), b.Send(C, b.data(200), 23), suite=suite)
    assert frames(row, "client_finished", "first_client_data") == [("bounded", 3), ("bounded", 4)]


def test_client_certificate_comes_before_finished() -> None:
    row = session(b.Send(C, b.data(1200), 22), b.Send(C, b.data(150), 23), b.Send(C, b.data(53), 24), b.Send(C, b.data(300), 25))
    assert frames(row, "client_finished", "first_client_data") == [("inferred", 5), ("inferred", 6)]


def test_finished_is_not_looked_for_after_the_server_spoke() -> None:
    row = session(b.Send(C, b.data(80), 22), b.Send(S, b.data(400), 60), b.Send(C, b.data(53), 70))
    assert frames(row, "client_finished", "first_client_data") == [("bounded", 3), ("bounded", 5)]


def test_single_ticket_before_any_request() -> None:
    row = session(b.Send(C, b.data(53), 22), b.Send(S, b.data(250), 42), b.Send(C, b.data(90), 100), b.Send(S, b.data(700), 130))
    assert frames(row, "session_ticket", "first_client_data", "first_server_data") == [("inferred", n) for n in (4, 5, 6)]


def test_ticket_as_long_as_the_one_offered() -> None:
    identity = b.vector(2, b.vector(2, b"t" * 200) + bytes(4)) + b.vector(2, b.vector(1, bytes(32)))
    first = b.client_hello((0x1301,), b.versions(0x0304) + b.extension(41, identity))
    start = [b.Send(C, b.record(22, b.message(1, first)), 0), b.Send(S, answer(0x1301) + b.data(100), 20)]
    later = [b.Send(C, b.data(53) + b.data(90), 22), b.Send(S, b.data(200 + 42), 42), b.Send(S, b.data(900), 43)]
    assert frames(b.dissect([*start, *later], round_trip=20), "session_ticket", "first_server_data") == [("inferred", 4), ("inferred", 5)]


def test_server_data_too_early_to_be_the_answer() -> None:
    row = session(b.Send(C, b.data(53) + b.data(90), 22), b.Send(S, b.data(300), 25), b.Send(S, b.data(5000), 60))
    assert row["first_response_number"] == 5


def test_exchange_ends_when_the_client_sends_again() -> None:
    row = session(
        b.Send(C, b.data(53) + b.data(90), 22),
        b.Send(S, b.data(5000), 60),
        b.Send(S, b.data(4000), 62),
        b.Send(C, b.data(80), 90),
        b.Send(S, b.data(3000), 120),
    )
    assert (row["last_request_number"], row["first_response_number"], row["last_response_number"]) == (3, 4, 5)


def test_early_data() -> None:
    sends = [
        b.Send(C, b.record(22, b.message(1, b.HELLO13)) + b.CCS + b.data(120), 0),
        b.Send(S, answer(0x1301) + b.CCS + b.data(200), 20),
        b.Send(C, b.data(21) + b.data(53), 22),
    ]
    row = b.dissect(sends, round_trip=20)
    assert (row["early_records"], row["history"]) == (1, "CIsi")
    assert frames(row, "first_client_data", "client_finished", "server_finished") == [("inferred", 1), ("inferred", 3), ("bounded", 2)]


def test_alert_instead_of_finished() -> None:
    row = session(b.Send(C, b.data(19), 22))
    assert frames(row, "client_finished", "alert", "client_close_notify") == [None, ("inferred", 3), None]


def test_close_notify_is_the_last_alert_sized_record() -> None:
    row = session(b.Send(C, b.data(53), 22), b.Send(C, b.data(19), 30), b.Send(C, b.data(100), 40))
    assert frames(row, "client_close_notify") == [None]


def test_tls12_exchange_is_measured() -> None:
    row = b.dissect(b.full_tls12(), round_trip=20)
    assert frames(row, "first_client_data", "first_server_data") == [("measured", 5), ("measured", 6)]
    assert (row["last_request_number"], row["first_response_number"], row["last_response_number"]) == (5, 6, 6)


def test_false_start() -> None:
    sends = b.full_tls12()
    sends[3], sends[4] = sends[4], sends[3]
    row = b.dissect(sends)
    assert (row["is_false_start"], row["is_established"]) == (1, 1)
    assert b.dissect(b.full_tls12())["is_false_start"] == 0
