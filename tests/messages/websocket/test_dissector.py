"""WebSockets: counts in any cut, close codes, and what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.websocket import WebSockets
from analyzer.tables import new_table
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import RUN
from analyzer.tables.websocket import ERRORS, WEBSOCKET_END

CLIENT, SERVER = 0, 1
MASK = b"\x11\x22\x33\x44"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = False, rsv1: bool = False) -> bytes:
    """One frame (RFC 6455 5.2)."""
    length = len(payload)
    size = (
        bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big") if length < 65536 else b"\x7f" + length.to_bytes(8, "big")
    )
    first = bytes([fin << 7 | rsv1 << 6 | opcode])
    if not masked:
        return first + size + payload
    return first + bytes([size[0] | 128]) + size[1:] + MASK + bytes(byte ^ MASK[k % 4] for k, byte in enumerate(payload))


def read(content: bytes, sender: int, cut: int = 1 << 20, gap: tuple[int, int] | None = None) -> dict[str, Any]:
    """What one end carried; ``gap``: after so many bytes so many are missing."""
    memory, sockets = Memory(1 << 18, 1, 1 << 10), WebSockets()
    sockets.begin(3, CLIENT, 7)
    bundle = Batch(memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    parts = [content[: gap[0]], content[gap[0] + gap[1] :]] if gap else [content[at : at + cut] for at in range(0, len(content), cut)]
    for number, part in enumerate(parts, 1):
        memory.data[: len(part)] = np.frombuffer(part, np.uint8)
        runs = new_table(RUN, 1)
        runs.connection, runs.sender, runs.run_size, runs.number, runs.ts = 3, sender, len(part), number, number
        runs.gap = gap[1] if gap and number == 2 else 0
        sockets.process_runs(bundle, runs, np.arange(1))
    socket, ends = sockets.take(np.array([3, 99]))
    assert socket[["connection", "client", "exchange_index"]].tolist() == [(3, CLIENT, 7)]
    e = ends[sender]
    told = {name: int(e[name]) for name in WEBSOCKET_END.names or () if e[name].ndim == 0 and e[name]}
    told["reason"] = bytes(e.reason[: e.reason_length])
    told["error"] = ERRORS[e.error]
    sockets.release(np.array([3]))
    assert len(sockets.take(np.array([3]))[0]) == 0
    assert not sockets._ends.view(np.uint8).any()
    return told


def talk(*, masked: bool) -> bytes:
    parts = [(1, b"hello", True), (2, b"x" * 200, False), (9, b"p", True), (0, b"y" * 70000, True), (10, b"", True), (1, b"", True)]
    sent = b"".join(frame(opcode, payload, fin=fin, masked=masked) for opcode, payload, fin in parts)
    return sent + frame(1, b"z", masked=masked, rsv1=True) + frame(8, b"\x03\xe9bye \xc3\xa4", masked=masked)


@settings(max_examples=8)
@given(st.sampled_from([CLIENT, SERVER]), st.integers(1, 5000))
def test_a_conversation_in_any_cut(sender: int, cut: int) -> None:
    found = read(talk(masked=sender == CLIENT), sender, max(cut, 300))
    for name in (
        "have",
        "remaining",
        "payload",
        "opcode",
        "is_final",
        "is_masked",
        "head",
        "close_number",
        "close_ts",
        "last_ts",
        "first_ts",
    ):
        found.pop(name, None)
    assert found == {
        "is_lost": 1, "frames": 8, "messages": 4, "text_messages": 3, "binary_messages": 1, "fragments": 1, "pings": 1, "pongs": 1,
        "compressed": 1, "payload_bytes": 70206, "close_code": 1002, "reason": b"bye \xc3\xa4", "reason_length": 6, "error": "none",
    }  # fmt: skip


def test_bytes_one_by_one() -> None:
    content = frame(1, b"hello", masked=True) + frame(8, b"\x03\xe8", masked=True)
    found = read(content, CLIENT, 1)
    assert (found["messages"], found["close_code"], found["close_number"], found["error"]) == (1, 1001, 17, "none")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (frame(3, b"x"), "reserved opcode"),
        (frame(9, bytes(126)), "control frame too long or in fragments"),
        (frame(9, fin=False), "control frame too long or in fragments"),
        (frame(0, b"x"), "continuation without a message"),
        (frame(1, b"x", fin=False) + frame(1, b"y"), "message within a message"),
        (frame(1, b"x", masked=True), "not masked as its end must"),
        (frame(8, b"x"), "close frame too short"),
        (b"\x81\x7f" + b"\xff" * 8, "control frame too long or in fragments"),
    ],
)
def test_what_is_wrong(content: bytes, error: str) -> None:
    assert read(content, SERVER)["error"] == error


def test_missing_bytes() -> None:
    content = frame(2, bytes(100)) + frame(1, b"after")
    inside = read(content, SERVER, gap=(10, 50))
    assert (inside["messages"], inside["error"], inside.get("is_lost", 0)) == (2, "bytes are missing", 0)
    assert read(content, SERVER, gap=(10, 95))["is_lost"] == 1


@settings(max_examples=60)
@given(st.binary(max_size=80), st.integers(1, 9))
def test_any_bytes_end(content: bytes, cut: int) -> None:
    if content:
        assert read(content, CLIENT, cut) == {**read(content, CLIENT, cut)}
