"""Taking and releasing: the rows of many connections, in order, and what is left after the others went."""

from __future__ import annotations

import h11
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.batch import Batch
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.http import START
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import STREAM_WISH
from tests.messages.http.conversation import FIN, Piece, answer, cut, exchanges, facts, make_runs, numbered, read, say

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: %d\r\n\r\nok"


def talk(connections: int, rounds: int) -> list[Piece]:
    pieces = []
    for turn in range(rounds):
        for c in range(connections):
            pieces.append(say(b"GET /%d/%d HTTP/1.1\r\nHost: h%d\r\n\r\n" % (c, turn, c), connection=c))
            pieces.append(answer(OK % c, connection=c))
    return numbered(pieces)


def test_take_orders_by_the_rows_given() -> None:
    http, _ = read(talk(4, 2), connections=4)
    assert [row["target"] for row in facts(http, [3, 1])] == [b"/3/0", b"/3/1", b"/1/0", b"/1/1"]
    assert facts(http, []) == []
    assert http.used == 8


def test_release_sweeps_and_what_is_left_goes_on() -> None:
    first, rest = (
        talk(6, 2),
        [say(b"GET /more HTTP/1.1\r\nHost: h4\r\n\r\n", connection=4, number=90), answer(OK % 4, connection=4, number=91)],
    )
    waiting = [
        say(b"GET /wait HTTP/1.1\r\n\r\n", connection=4, number=80),
        answer(b"HTTP/1.1 200 OK\r\nContent-L", connection=4, number=81),
    ]
    done = [answer(b"ength: 1\r\n\r\nx", connection=4, number=85)]
    whole = facts(read(first + waiting + done + rest, connections=6)[0], [4], starts=True)
    http, _ = read(first + waiting, connections=6)
    offsets = {(4, 0): sum(len(p.content) for p in first + waiting if (p.connection, p.sender) == (4, 0))}
    offsets[4, 1] = sum(len(p.content) for p in first + waiting if (p.connection, p.sender) == (4, 1))
    top = http.text.top
    http.release(np.array([0, 1, 2, 3, 5]))
    assert http.used == 3
    assert http.text.top < top
    for name in ("streams", "pairings"):
        table = getattr(http, name)
        step = table.shape[0] // http.pairings.shape[0]
        assert table[: 4 * step].tobytes() == bytes(4 * step * table.itemsize)
    runs = make_runs(http.memory, done + rest, offsets)
    bundle = Batch(http.memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    http.process_runs(bundle, runs, np.arange(3), new_table(CONNECTION, 9))
    assert facts(http, [4], starts=True) == whole
    http.release(np.array([4]))
    assert http.used == 0
    assert not http.exchanges.connection.any()
    assert facts(http, [4]) == []


def test_release_gives_blocks_back() -> None:
    http, _ = read([say(b"GET / HTT"), answer(b"HTTP/1")])
    assert http.memory.arenas[0][2] == 128
    http.release(np.array([0]))
    assert http.memory.arenas[0][2] == 0


def test_wishes() -> None:
    http, _ = read([])
    runs = make_runs(http.memory, [say(b"PUT / HTTP/1.1\r\nContent-Length: 500\r\n\r\n" + bytes(START))], {})
    wishes = new_table(STREAM_WISH, 2)
    bundle = Batch(http.memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    http.process_runs(bundle, runs, np.arange(1), new_table(CONNECTION, 1), wishes)
    assert list(wishes.skip_until) == [39 + 500, 0]


def test_a_row_is_clean_when_it_is_used_again() -> None:
    http, _ = read([say(b"GET / HTTP/1.1\r\nHost: a\r\nReferer: b\r\n\r\n")])
    http.release(np.array([0]))
    runs = make_runs(http.memory, numbered([answer(OK % 1)]), {})
    bundle = Batch(http.memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    http.process_runs(bundle, runs, np.arange(1), new_table(CONNECTION, 1))
    (row,) = facts(http)
    assert row["index"] == 1
    assert "host" not in row
    assert "has_request" not in row


TOKEN = st.from_regex(r"[A-Za-z][A-Za-z-]{0,8}", fullmatch=True)
BODY = st.binary(max_size=30)
METHODS = st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH"])
STATUS = st.sampled_from([200, 201, 204, 301, 304, 404, 500])


@st.composite
def conversation(draw: st.DrawFn) -> tuple[list[Piece], list[tuple[bytes, bytes, bytes, int, int, int]]]:
    """A well-formed conversation written by h11, and what h11 knows of it."""
    client, server = h11.Connection(h11.CLIENT), h11.Connection(h11.SERVER)
    pieces, expected = [], []
    for turn in range(draw(st.integers(1, 3))):
        method, status = draw(METHODS), draw(STATUS)
        asked, told = draw(BODY) if method in ("POST", "PUT", "PATCH") else b"", draw(BODY)
        by_chunks = draw(st.booleans())
        fields = [("Host", f"h{turn}"), (draw(TOKEN.map("X-{}".format)), draw(TOKEN))]
        if asked:
            fields.append(("Transfer-Encoding", "chunked") if by_chunks else ("Content-Length", str(len(asked))))
        target = "/" + draw(TOKEN)
        out = client.send(h11.Request(method=method, target=target, headers=fields)) or b""
        if asked:
            half = len(asked) // 2
            out += (client.send(h11.Data(asked[:half])) or b"") + (client.send(h11.Data(asked[half:])) or b"")
        out += client.send(h11.EndOfMessage()) or b""
        server.receive_data(out)
        while not isinstance(server.next_event(), h11.EndOfMessage):
            pass
        is_bare = method == "HEAD" or status in (204, 304)
        fields = [("Server", "s"), ("Transfer-Encoding", "chunked") if draw(st.booleans()) else ("Content-Length", str(len(told)))]
        back = server.send(h11.Response(status_code=status, reason="Why", headers=fields)) or b""
        if not is_bare:
            back += server.send(h11.Data(told)) or b""
        back += server.send(h11.EndOfMessage()) or b""
        client.receive_data(back)
        while not isinstance(client.next_event(), h11.EndOfMessage):
            pass
        client.start_next_cycle()
        server.start_next_cycle()
        pieces += [say(out), answer(back)]
        expected.append((method.encode(), target.encode(), b"h%d" % turn, status, len(asked), 0 if is_bare else len(told)))
    return pieces, expected


@settings(max_examples=40, deadline=None)
@given(conversation(), st.integers(1, 50))
def test_well_formed_messages_read_as_h11_wrote_them(made: tuple[list[Piece], list[tuple]], step: int) -> None:
    pieces, expected = made
    for form in (pieces, cut(pieces, step), [*pieces, say(b"", marks=FIN)]):
        rows = exchanges(*form)
        seen = [
            (r["method"], r["target"], r["host"], r["status"], r.get("request_body_bytes", 0), r.get("response_body_bytes", 0))
            for r in rows
        ]
        assert seen == expected
        assert all(row["request_complete"] and row["response_complete"] and "error" not in row for row in rows)


@pytest.mark.parametrize("connections", [1, 50])
def test_interleaved_connections(connections: int) -> None:
    http, _ = read(talk(connections, 3), connections=connections, batch=7)
    rows = facts(http, range(connections))
    assert [row["target"] for row in rows] == [b"/%d/%d" % (c, t) for c in range(connections) for t in range(3)]
    assert all(row["server"] == row["host"][1:] for row in rows)
