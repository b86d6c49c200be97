"""SHA-1, base64 and base62 against the standard library."""

from __future__ import annotations

import base64
import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connections.identity import community_ids, uids
from analyzer.connections.identity_kernels import BASE62, DIGEST_SIZE, MESSAGE_SIZE, sha1
from analyzer.kernel import IS_COMPILED
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION, IS_ONE_WAY

EXAMPLES = 60 if IS_COMPILED else 10


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=MESSAGE_SIZE - 9))
def test_sha1(content: bytes) -> None:
    message, digest, words = np.zeros(MESSAGE_SIZE, np.uint8), np.zeros(DIGEST_SIZE, np.uint8), np.zeros(85, np.int64)
    message[: len(content)] = np.frombuffer(content, np.uint8)
    sha1(message, len(content), words, digest)
    assert bytes(digest) == hashlib.sha1(content).digest()


@st.composite
def connections(draw: st.DrawFn) -> tuple[Rows, bytes, bytes]:
    """One connection row with its two addresses as bytes."""
    version = draw(st.sampled_from((4, 6)))
    size = 4 if version == 4 else 16
    a, b = (draw(st.binary(min_size=size, max_size=size)) for _ in range(2))
    table = new_table(CONNECTION, 1)
    c = table[0]
    for name, address in (("a", a), ("b", b)):
        number = int.from_bytes(address)
        c[f"{name}_hi"], c[f"{name}_lo"] = np.uint64(number >> 64), np.uint64(number & 2**64 - 1)
    c.a_port, c.b_port = draw(st.integers(0, 65535)), draw(st.integers(0, 65535))
    c.protocol, c.ip_version = draw(st.sampled_from((1, 6, 17, 47, 58, 132))), version
    c.marks = IS_ONE_WAY if draw(st.booleans()) and int(c.protocol) in (1, 58) else 0
    c.first_ts, c.number = draw(st.integers(0, 2**62)), draw(st.integers(1, 2**40))
    return table, a, b


@settings(max_examples=EXAMPLES, deadline=None)
@given(connections())
def test_community_id(drawn: tuple[Rows, bytes, bytes]) -> None:
    table, a, b = drawn
    c = table[0]
    ends = [(a, int(c.a_port)), (b, int(c.b_port))]
    if not int(c.marks):
        ends.sort()
    content = b"\0\0" + ends[0][0] + ends[1][0] + bytes((int(c.protocol), 0))
    if int(c.protocol) != 47:
        content += ends[0][1].to_bytes(2) + ends[1][1].to_bytes(2)
    expected = b"1:" + base64.b64encode(hashlib.sha1(content).digest())
    assert bytes(community_ids(table, np.zeros(1, np.int64))[0]) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(connections(), st.integers(-(2**63), 2**63 - 1))
def test_uid(drawn: tuple[Rows, bytes, bytes], seed: int) -> None:
    table, a, b = drawn
    c = table[0]
    content = (
        seed.to_bytes(8, signed=True) + int(c.first_ts).to_bytes(8) + int(c.number).to_bytes(8) + a.rjust(16, b"\0") + b.rjust(16, b"\0")
    )
    content += int(c.a_port).to_bytes(2) + int(c.b_port).to_bytes(2) + bytes((int(c.ip_version), int(c.protocol)))
    number = int.from_bytes(hashlib.sha1(content).digest()[:12])
    digits = bytearray()
    for _ in range(17):
        number, digit = divmod(number, 62)
        digits.append(int(BASE62[digit]))
    assert number == 0
    assert bytes(uids(table, np.zeros(1, np.int64), seed)[0]) == b"C" + bytes(reversed(digits))
