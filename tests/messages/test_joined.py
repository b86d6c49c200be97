"""Exchanges of several dissectors: numbered through, each with its text."""

from __future__ import annotations

import numpy as np

from analyzer.messages.joined import Part, fold_upgrades, join_exchanges
from analyzer.tables import new_table
from analyzer.tables.http import EXCHANGE


def part(text: bytes, *connections: int) -> Part:
    rows = new_table(EXCHANGE, len(connections))
    rows.connection = connections
    for connection in set(connections):
        here = np.flatnonzero(rows.connection == connection)
        rows.index[here] = np.arange(len(here)) + 1
    rows.method, rows.method_size = 1, 2
    return rows, np.frombuffer(text, np.uint8)


def test_parts_follow_each_other_on_their_connection() -> None:
    rows = np.array([9, 4, 6])
    x, text = join_exchanges(
        rows,
        [
            part(
                b"",
            ),
            part(b"_aa", 9, 4),
            part(b"_bb_", 9, 9, 6),
            part(b"_cc", 9),
        ],
    )
    assert x["connection"].tolist() == [9, 9, 9, 9, 4, 6]
    assert x["index"].tolist() == [1, 2, 3, 4, 1, 1]
    words = [text[at : at + size].tobytes() for at, size in zip(x["method"], x["method_size"], strict=True)]
    assert words == [b"aa", b"bb", b"bb", b"cc", b"aa", b"bb"]


def test_one_part_is_as_it_was() -> None:
    only, nothing = part(b"_aa", 3), part(b"")
    assert join_exchanges(np.array([3]), [nothing, only])[0] is only[0]
    assert len(join_exchanges(np.array([3]), [nothing, nothing])[0]) == 0


def test_a_stream_that_answers_another_request_is_not_folded() -> None:
    x, _ = part(b"", 1, 1)
    x.stream = [0, 2]
    assert fold_upgrades(x) is x
    x.status = [101, 200]
    assert len(fold_upgrades(x)) == 1
