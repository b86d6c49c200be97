"""Records and messages from runs: any cut gives the same rows; gaps, long messages, lies and ends are counted and never stop it."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES
from analyzer.options import Limits
from analyzer.tables.streams import ENDED_OPEN, STREAM_ENDED
from tests.messages.tls import builders as b

SESSIONS = {"tls12": b.full_tls12(b"leaf" * 50, b"root" * 40), "tls13": b.full_tls13()}


def cut(sends: list[b.Send], places: list[int]) -> list[b.Send]:
    """Every send in pieces at ``places``; frame and time stay, so that the rows must not change."""
    out = []
    for send in b.numbered(sends):
        bounds = sorted({0, len(send.content), *(p for p in places if p < len(send.content))})
        out += [dataclasses.replace(send, content=send.content[i:j]) for i, j in pairwise(bounds)]
    return out


@pytest.mark.parametrize("name", SESSIONS)
def test_cut_at_every_byte(name: str) -> None:
    whole = b.dissect(SESSIONS[name])
    capture = b.Capture().feed(cut(SESSIONS[name], list(range(2000))))
    assert capture.row() == whole
    assert capture.memory.arenas[0][LIVE_BYTES] == 0


@pytest.mark.parametrize("name", SESSIONS)
def test_cut_once_anywhere_in_the_hellos(name: str) -> None:
    whole = b.dissect(SESSIONS[name])
    longest = len(SESSIONS[name][0].content)
    for place in range(1, longest, 7 if longest > 150 else 3):
        assert b.Capture().feed(cut(SESSIONS[name], [place])).row() == whole


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(SESSIONS)), st.lists(st.integers(1, 1400), max_size=8), st.data())
def test_batches_do_not_matter(name: str, places: list[int], draw: st.DataObject) -> None:
    sends = cut(SESSIONS[name], places)
    whole = b.dissect(SESSIONS[name])
    capture = b.Capture(message_rows=draw.draw(st.sampled_from([1, 3, 4, 100])))
    while sends:
        size = draw.draw(st.integers(1, len(sends)))
        capture.feed(sends[:size])
        sends = sends[size:]
    assert capture.row() == whole


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 39, 100])
def test_messages_over_records(size: int) -> None:
    flight = b.message(2, b.ANSWER12) + b.message(11, b.certificate_list(b"der" * 30)) + b.message(14)
    hello = b.message(1, b.HELLO12)
    row = b.dissect([b.Send(b.CLIENT, b.records(22, hello, size)), b.Send(b.SERVER, b.records(22, flight, size))])
    assert (row["server_name"], row["cipher_suite"], row["chain_certificates"], row["history"]) == ("old.example.org", 0xC02F, 1, "Csxn")
    assert row["error"] == 0


def test_first_and_last_byte() -> None:
    hello = b.record(22, b.message(1, b.HELLO12))
    row = b.dissect([b.Send(b.CLIENT, hello[:3], 1), b.Send(b.CLIENT, hello[3:6], 2), b.Send(b.CLIENT, hello[6:], 3)])
    assert row["steps"]["client_hello"] == ("measured", (2, 3), (2.0, 3.0))  # the message begins after its record's header


def test_too_long_message() -> None:
    limits = Limits(chunk_bytes=1 << 20, arena_bytes=1 << 20, handshake_bytes=100)
    flight = b.message(2, b.ANSWER12) + b.message(11, bytes(101)) + b.message(14)
    capture = b.Capture(limits=limits).feed(b.numbered([b.Send(b.SERVER, b.record(22, flight))]))
    row = capture.row()
    assert (row["history"], row["chain"], row["cipher_suite"]) == ("sxn", -1, 0xC02F)
    assert capture.tls.errors["handshake_too_long"] == 1


def test_no_memory_for_a_message() -> None:
    limits = Limits(chunk_bytes=1 << 20, arena_bytes=64)
    hello = b.record(22, b.message(1, b.HELLO12))
    capture = b.Capture(limits=limits).feed(b.numbered([b.Send(b.CLIENT, hello[:50]), b.Send(b.CLIENT, hello[50:] + b.CCS)]))
    assert capture.row()["history"] == "CI"
    assert capture.tls.errors["handshake_not_kept"] == 1


@pytest.mark.parametrize("kept", [True, False])
def test_gap_in_a_handshake_message(kept: bool) -> None:  # noqa: FBT001
    flight = b.record(22, b.message(2, b.ANSWER12) + b.message(11, bytes(500)) + b.message(14))
    hole = [b.Send(b.SERVER, flight[200:300], kept=False)] if not kept else []
    sends = [b.Send(b.SERVER, flight[:200]), *hole, b.Send(b.SERVER, flight[300:] + b.CCS, gap=100 if kept else 0)]
    capture = b.Capture().feed(b.numbered(sends))
    row = capture.row()
    assert (row["history"], row["chain"], row["cipher_suite"]) == ("sxni", -1, 0xC02F)
    assert capture.tls.errors["gap"] == 1
    assert capture.memory.arenas[0][LIVE_BYTES] == 0


def test_gap_inside_application_data_is_only_counted() -> None:
    whole = b.data(5000)
    sends = [*b.full_tls12(), b.Send(b.SERVER, whole[:1000]), b.Send(b.SERVER, whole[4000:] + b.data(7), gap=3000)]
    row = b.dissect(sends)
    assert (row["server_records"], row["server_data_bytes"], row["gaps"], row["error"]) == (4, 6507, 0, 0)


def test_gap_beyond_the_record_finds_the_next_one() -> None:
    sends = [
        *b.full_tls12()[:6],
        b.Send(b.SERVER, b.data(900)[:300]),
        b.Send(b.SERVER, b"\xee" * 200, gap=5000),
        b.Send(b.SERVER, b.data(50)),
    ]
    row = b.dissect(sends)
    assert (row["server_records"], row["gaps"]) == (3, 1)


def test_begins_inside_a_record() -> None:
    sends = [b.Send(b.SERVER, b"\x00" * 100), b.Send(b.CLIENT, b.data(30)), b.Send(b.SERVER, b.data(70))]
    row = b.dissect(sends)
    assert (row["client_records"], row["server_records"], row["is_partial"], row["gaps"]) == (1, 1, 1, 1)


def test_not_tls_any_more() -> None:
    capture = b.Capture().feed(b.numbered([*b.full_tls12(), b.Send(b.CLIENT, b"GET / HTTP/1.1\r\n"), b.Send(b.CLIENT, b.data(9))]))
    assert capture.tls.errors["record_header"] == 1
    assert capture.row()["error"] > 0
    assert capture.row()["client_records"] == 1


def test_unknown_handshake_type() -> None:
    row = b.dissect([b.Send(b.CLIENT, b.record(22, b"\x63" + bytes(40)) + b.record(22, b.message(1, b.HELLO12)))])
    assert (row["history"], row["server_name"]) == ("C", "old.example.org")
    assert row["error"] > 0


def test_stream_that_ends_inside_a_record() -> None:
    sends = [*b.full_tls12()[:5], b.Send(b.SERVER, b.data(1000)[:600], 60), b.Send(b.SERVER, b"", 61, marks=STREAM_ENDED | ENDED_OPEN)]
    capture = b.Capture().feed(b.numbered(sends))
    assert capture.row()["server_data_bytes"] == 595
    assert capture.row()["first_response_number"] == 6
    assert capture.tls.errors["cut_short"] == 1


def test_release_gives_partial_messages_back() -> None:
    hello = b.record(22, b.message(1, b.HELLO12))
    capture = b.Capture().feed(b.numbered([b.Send(b.CLIENT, hello[:60])]))
    assert capture.memory.arenas[0][LIVE_BYTES] > 0
    capture.tls.release(np.array([0]))
    assert capture.memory.arenas[0][LIVE_BYTES] == 0


def test_ssl2_hellos() -> None:
    body = b"\x01\x03\x01" + b.u16s([6, 0, 16]) + bytes.fromhex("00002f010080") + bytes(16)
    hello = b.u16s([0x8000 | len(body)]) + body
    row = b.dissect([b.Send(b.CLIENT, hello), b.Send(b.SERVER, b.record(22, b.message(2, b.server_hello(0x2F, None, version=0x0301))))])
    assert (row["client_version"], row["ciphers_offered"], row["version"], row["history"], row["error"]) == (0x0301, 2, 0x0301, "Cs", 0)
    answer = b"\x04\x00\x01" + b.u16s([2, 0, 0, 16]) + bytes(16)
    row = b.dissect([b.Send(b.CLIENT, hello), b.Send(b.SERVER, b.u16s([0x8000 | len(answer)]) + answer + b"\x80\x99rest")])
    assert (row["version"], row["history"], row["error"]) == (2, "Cs", 0)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SESSIONS)), st.data())
def test_mutated_sessions_never_raise(name: str, draw: st.DataObject) -> None:
    sends = b.numbered(SESSIONS[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        which = draw.draw(st.integers(0, min(3, len(sends) - 1)))
        content = bytearray(sends[which].content)
        place = draw.draw(st.integers(0, len(content) - 1))
        content[place] = draw.draw(st.sampled_from([0, 1, 2, 127, 128, 255, content[place] ^ 1]))
        cut_at = draw.draw(st.one_of(st.just(len(content)), st.integers(1, len(content))))
        gap = draw.draw(st.sampled_from([0, 0, 0, 1, 50, 5000]))
        sends[which] = dataclasses.replace(sends[which], content=bytes(content[:cut_at]), gap=gap)
    capture = b.Capture(message_rows=draw.draw(st.sampled_from([2, 64])))
    capture.feed(sends).feed(b.end())
    assert capture.row()["seen"] <= 1
    assert capture.memory.arenas[0][LIVE_BYTES] == 0
