"""Pairing: answers find their requests by order, and never a wrong one."""

from __future__ import annotations

from analyzer.options import Limits
from tests.messages.http.conversation import answer, exchanges, facts, read, say

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def ask(k: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\n\r\n" % k


def test_answer_without_request_has_its_own_row() -> None:
    first, second = exchanges(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: s\r\n\r\nok"), say(ask(1)), answer(OK))
    assert first == {
        "index": 1,
        "has_response": 1,
        "response_complete": 1,
        "status": 200,
        "response_first_ts": 10,
        "response_first_number": 1,
        "response_last_ts": 10,
        "response_last_number": 1,
        "response_head_bytes": 49,
        "response_body_bytes": 2,
        "response_framing": 1,
        "response_version": 11,
        "reason": b"OK",
        "server": b"s",
    }
    assert (second["target"], second["status"]) == (b"/1", 200)


def test_the_client_may_be_either_end() -> None:
    (row,) = exchanges(answer(ask(1)), say(OK))
    assert (row["client"], row["target"], row["status"]) == (1, b"/1", 200)
    (row,) = exchanges(say(OK))
    assert row["client"] == 1


def test_interim_before_any_request_waits_for_its_final_answer() -> None:
    (row,) = exchanges(answer(b"HTTP/1.1 100 C\r\n\r\n" + OK))
    assert (row["info_status"], row["status"]) == (100, 200)


def test_too_many_waiting_requests_end_pairing() -> None:
    asked = b"".join(ask(k) for k in range(5))
    http, _ = read([say(asked), answer(OK * 4), say(ask(9)), answer(OK)], limits=Limits(pending_requests=3))
    rows = facts(http)
    assert [(row.get("target"), row.get("status")) for row in rows] == [
        (b"/0", 200), (b"/1", 200), (b"/2", 200), (b"/3", None), (b"/4", None), (None, 200), (b"/9", None), (None, 200),
    ]  # fmt: skip
    assert rows[3]["error"] == 17
    assert http.anomalies == {"too_many_pending": 1}


def test_one_sided_requests_are_all_kept() -> None:
    rows = exchanges(*[say(ask(k)) for k in range(250)])
    assert [row["index"] for row in rows] == list(range(1, 251))
