"""Which client randoms are known: a binary search beside a set."""

from __future__ import annotations

import numpy as np

from analyzer.messages.tls.row_kernels import is_known


def test_is_known_as_in_a_set() -> None:
    r = np.random.default_rng(5)
    randoms = r.integers(0, 256, (40, 32), np.uint8)
    randoms[5, :8] = 255
    randoms[6, :8] = 0
    prefixes = randoms[:, :8].copy().view(">u8").ravel().astype(np.uint64)
    known = np.sort(prefixes[::2])
    found = [bool(is_known(known, randoms[i], 0, 32)) for i in range(40)]
    assert found == [bool(prefix in set(known.tolist())) for prefix in prefixes.tolist()]
    assert not is_known(known, randoms[0], 0, 31)
    assert not is_known(known[:0], randoms[0], 0, 32)
