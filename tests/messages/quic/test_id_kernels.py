"""Connection ids: a connection is known again under another address, by any end, and forgotten with its row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.quic.id_kernels import add_ids, find_id
from analyzer.tables import new_table
from analyzer.tables.quic import QUIC_ID, SHORT
from tests.messages.quic.builders import (
    CLIENT_ID,
    SERVER_ID,
    Stages,
    answer,
    crypto,
    from_client,
    from_server,
    hello,
    initial,
    short_packet,
)

START = [from_client(initial(crypto(hello()))), from_server(initial(crypto(answer()), sender="server"), 10)]


@given(st.lists(st.binary(min_size=4, max_size=20), max_size=40, unique=True))
@settings(max_examples=30)
def test_table_beside_a_dict(octets: list[bytes]) -> None:
    ids, slots, state = new_table(QUIC_ID, 64), np.zeros(128, np.int64), np.zeros(3, np.int64)
    padded = np.frombuffer(b"".join(one.ljust(20, b"\0") for one in octets), np.uint8).copy()
    columns = [np.array([f(k) for k in range(len(octets))], np.int64) for f in (lambda k: len(octets[k]), lambda k: k, lambda k: k & 1)]
    for _ in range(2):
        add_ids(padded, *columns, columns[1], ids, slots, state)
    assert state[1] == len(octets)
    for k, one in enumerate(octets):
        row = find_id(np.frombuffer(one, np.uint8).copy(), 0, len(one), ids, slots)
        assert ids[row].connection == k
    assert find_id(np.frombuffer(b"abc", np.uint8).copy(), 0, 3, ids, slots) < 0


def test_a_client_under_another_port() -> None:
    frames = [*START, from_client(short_packet(), 20), from_client(short_packet(), 30, port=60000)]
    frames.append(from_server(short_packet(CLIENT_ID), 40, port=60000))
    stages = Stages(frames)
    q, path = stages.row(1), stages.row(2)
    assert (q.paths, q.is_path) == (1, 0)
    assert stages.places(1)["migration"] == 4
    assert (path.is_path, path.home_row, path.client) == (1, stages.place(1) + 1, 0)
    assert path.packets[:, SHORT].tolist() == [1, 1]
    assert Stages(frames, [1, 2, 3, 4]).everything() == stages.everything()


def test_the_server_speaks_first_on_the_new_path() -> None:
    stages = Stages([*START, from_client(short_packet(), 20), from_server(short_packet(CLIENT_ID), 30, port=60000)])
    path = stages.row(2)
    assert (path.is_path, path.client) == (1, 1)


def test_what_only_looks_like_it_is_none() -> None:
    stages = Stages([*START, *(from_client(short_packet(b"unknown!"), 20 + k, port=60000) for k in range(6))])
    assert stages.row(2).seen == 0
    assert stages.row(2).tries == 4


def test_ids_go_with_their_connection() -> None:
    stages = Stages([*START, from_client(short_packet(), 30, port=60000)])
    stages.quic.release(np.array([stages.place(1)]))
    assert stages.quic.table[stages.place(1)].seen == 0
    assert stages.row(2).home_row == 0
    stages.quic.release(np.array([stages.place(2)]))
    assert not stages.quic.table["seen"].any()


def test_thousands_of_ids() -> None:
    """A client that says another id in each Initial."""
    frames = [from_client(initial(b"\x01", scid=b"id%06d" % k, pad=30), k) for k in range(1500)]
    stages = Stages(frames, id_rows=1)
    assert stages.row().packets[0, 0] == 1500
    assert find_id(np.frombuffer(b"id001499", np.uint8).copy(), 0, 8, stages.quic._ids, stages.quic._slots) >= 0
    assert stages.quic.errors["initials"] == 1500 - 64
    assert SERVER_ID
