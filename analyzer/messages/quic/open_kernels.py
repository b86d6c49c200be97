# mypy: allow-untyped-defs
"""Around the cipher: samples of many packets at once, header protection taken off, nonces (RFC 9001 5.3, 5.4).

The full packet number depends on the largest one before, so packets of one direction go through in order, as if all could be opened;
when one cannot, the caller goes on behind it with the true largest number.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel

HEAD = np.int64(32)  # bytes kept of each header: 1 + 20 + 4 at most
NUMBER, WIDTH, PHASE = 0, 1, 2  # columns of ``facts``


@kernel
def gather_samples(data, positions, pn_ats, samples):
    """The 16 bytes from four after the packet number's begin of each packet; the caller has checked that they are there."""
    for i in range(positions.size):
        at = positions[i] + pn_ats[i] + 4
        for k in range(16):
            samples[16 * i + k] = data[at + k]


@helper
def full_number(expected, short, bits):
    """The packet number that ends in ``short`` and lies nearest to ``expected`` (RFC 9000 A.3)."""
    window = np.int64(1) << bits
    number = (expected & ~(window - 1)) | short
    if number <= expected - window // 2 and number < (np.int64(1) << 62) - window:
        return number + window
    return number - window if number > expected + window // 2 and number >= window else number


@kernel
def unmask(data, positions, pn_ats, masks, iv, first, largest, facts, heads, nonces):
    """Headers without protection of packets[first:], their numbers, key phases and nonces.

    ``masks``: 16 bytes of each; ``iv``: 12 bytes; ``facts`` (n, 3) gets number, bytes of it, key phase bit.
    """
    for i in range(first, positions.size):
        at, pn_at = positions[i], pn_ats[i]
        lead = np.int64(data[at]) ^ (np.int64(masks[16 * i]) & 0x1F)
        wide = (lead & 3) + 1
        for k in range(1, pn_at):
            heads[HEAD * i + k] = data[at + k]
        heads[HEAD * i] = lead
        short = np.int64(0)
        for k in range(wide):
            byte = np.int64(data[at + pn_at + k]) ^ np.int64(masks[16 * i + 1 + k])
            heads[HEAD * i + pn_at + k] = byte
            short = short << 8 | byte
        number = full_number(largest + 1, short, 8 * wide)
        largest = max(largest, number)
        facts[i, NUMBER] = number
        facts[i, WIDTH] = wide
        facts[i, PHASE] = lead >> 2 & 1
        for k in range(12):
            byte = np.int64(iv[k])
            if k >= 4:
                byte ^= number >> (8 * (11 - k)) & 255
            nonces[12 * i + k] = byte
