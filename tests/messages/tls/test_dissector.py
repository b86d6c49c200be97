"""Rows taken and let go: chains, text, reuse, many connections in any order of batches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.messages.tls import builders as b


def on(connection: int, sends: list[b.Send]) -> list[b.Send]:
    return [dataclasses.replace(send, connection=connection) for send in b.numbered(sends)]


def interleaved(count: int) -> list[b.Send]:
    sessions = [on(n, b.full_tls12(b"leaf%d" % n, b"root") if n % 2 else b.full_tls13()) for n in range(count)]
    return [send for step in zip(*(s[:8] for s in sessions), strict=True) for send in step]


@pytest.mark.parametrize("batch", [1, 5, 1000])
@pytest.mark.parametrize("message_rows", [1, 7, 500])
def test_connections_do_not_mix(batch: int, message_rows: int) -> None:
    sends, capture = interleaved(6), b.Capture(connections=6, message_rows=message_rows)
    for i in range(0, len(sends), batch):
        capture.feed(sends[i : i + batch])
    for n in range(6):
        alone = b.Capture(connections=6).feed([send for send in sends if send.connection == n]).row(n)
        row = capture.row(n)
        certificates = [capture.tls.der(link[0]) for link in row.pop("links")]  # type: ignore[index]
        assert certificates == ([b"leaf%d" % n, b"root"] if n % 2 else [])
        for name in ("chain", "client_chain", "links"):
            alone.pop(name, None)
            row.pop(name, None)
        assert row == alone


def test_take_and_release() -> None:
    capture = b.Capture(connections=6).feed(interleaved(6))
    before = [capture.row(n) for n in range(6)]
    taken = capture.tls.take(np.array([5, 0, 3]))
    assert taken.handshakes.chain.tolist() == [0, -1, 2]
    assert taken.links.connection.tolist() == [5, 5, 3, 3]
    capture.tls.release(np.array([0, 1, 2, 4]))
    assert [capture.row(n)["seen"] for n in range(6)] == [0, 0, 0, 1, 0, 1]
    capture.tls._compact_text()
    capture.tls._compact_chains()
    assert capture.tls._links_used == 4
    for n in (3, 5):
        assert {k: v for k, v in capture.row(n).items() if k != "ja3"} == {k: v for k, v in before[n].items() if k != "ja3"}
        assert capture.row(n)["ja3"] == before[n]["ja3"]


def test_rows_are_reused_without_a_trace() -> None:
    capture = b.Capture()
    capture.feed(b.numbered(b.full_tls12(b"der")))
    capture.tls.release(np.array([0]))
    capture.feed(b.numbered(b.full_tls13()))
    assert capture.row() == b.dissect(b.full_tls13())


def test_memory_stays_flat() -> None:
    capture, tops = b.Capture(), []
    for _ in range(400):
        capture.feed(b.numbered(b.full_tls12(b"der", b"root")))
        capture.tls.release(np.array([0]))
        tops.append((capture.tls.text.top, capture.tls._links_used))
    assert max(text for text, _ in tops) < 1 << 17
    assert max(links for _, links in tops) < 1 << 12
    assert len(capture.tls.certificates) == 2
