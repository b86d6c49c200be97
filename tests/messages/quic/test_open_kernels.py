"""Header protection of many packets at once beside the same done one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.quic import protection
from analyzer.messages.quic.open_kernels import HEAD, full_number, gather_samples, unmask
from tests.messages.quic.builders import DCID, expand, initial_secret, seal

SECRET = initial_secret(DCID, 1, "client")


@given(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 32) - 1), st.sampled_from([8, 16, 24, 32]))
@settings(max_examples=100)
def test_packet_numbers_beside_their_twin(expected: int, short: int, bits: int) -> None:
    short &= (1 << bits) - 1
    assert full_number(expected, short, bits) == protection.full_number(expected, short, bits)


@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 20), st.booleans()), min_size=1, max_size=5))
@settings(max_examples=20)
def test_headers_beside_one_by_one(told: list[tuple[int, int, bool]]) -> None:
    packets = [seal(bytes([0x40 | phase << 2]) + bytes(range(wide)), number, bytes(40), SECRET) for number, wide, phase in told]
    data = np.frombuffer(b"".join(packets), np.uint8).copy()
    positions = np.cumsum([0, *map(len, packets)])[:-1].astype(np.int64)
    pn_ats = np.array([1 + wide for _, wide, _ in told], np.int64)
    samples = np.zeros(16 * len(packets), np.uint8)
    gather_samples(data, positions, pn_ats, samples)
    header = protection.HeaderProtection(protection.AES_128, expand(SECRET, "quic hp", 16))
    masks = np.frombuffer(header.masks(samples.tobytes()), np.uint8)
    iv = np.frombuffer(expand(SECRET, "quic iv", 12), np.uint8).copy()
    n = len(packets)
    facts, heads, nonces = np.zeros((n, 3), np.int64), np.zeros(HEAD * n, np.uint8), np.zeros(12 * n, np.uint8)
    unmask(data, positions, pn_ats, masks, iv, 0, told[0][0] - 1, facts, heads, nonces)
    for k, (number, wide, phase) in enumerate(told):
        assert facts[k].tolist() == [number, 4, int(phase)]
        head = heads[int(HEAD) * k : int(HEAD) * k + 5 + wide].tobytes()
        assert head == bytes([0x43 | phase << 2]) + bytes(range(wide)) + number.to_bytes(4, "big")
        assert nonces[12 * k : 12 * k + 12].tobytes() == (int.from_bytes(iv.tobytes(), "big") ^ number).to_bytes(12, "big")
