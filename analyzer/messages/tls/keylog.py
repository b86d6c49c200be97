"""Key logs in the NSS format: a table of secrets by client random.

A line is `<label> <client random in hex> <secret in hex>`; `#` begins a comment. Labels that open no records (exporter secrets) are
counted and left out. The table is sorted by client random, so that finding the secrets of a connection costs a binary search and a key
log of millions of lines costs its bytes, not a Python object for each.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from analyzer.kernel import GROW_ROWS
from analyzer.messages.tls.key_kernels import GARBAGE, LINES, OTHERS, read_lines
from analyzer.tables import Bytes, Ints, Rows, grow_table, new_table
from analyzer.tables.tls import KEY

LABELS: Final = (
    "CLIENT_RANDOM",  # master secret, up to TLS 1.2
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "QUIC_CLIENT_EARLY_TRAFFIC_SECRET",  # the labels of QUIC before it was standardised
    "QUIC_CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "QUIC_SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "QUIC_CLIENT_TRAFFIC_SECRET_0",
    "QUIC_SERVER_TRAFFIC_SECRET_0",
)
_PADDED: Bytes = np.array([list(label.encode().ljust(40, b"\0")) for label in LABELS], np.uint8)


class KeyLog:
    """Secrets by client random, from text that is added piece by piece."""

    def __init__(self) -> None:
        self._known: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._randoms = self._secrets = memoryview(b"")
        self._labels = self._sizes = b""
        self._keys: Rows = new_table(KEY, 0)
        self._used = 0
        self._counts: Ints = np.zeros(3, np.int64)

    @property
    def lines(self) -> int:
        """Lines that are neither empty nor comments."""
        return int(self._counts[LINES])

    @property
    def garbage(self) -> int:
        """Those of them that are no key log lines."""
        return int(self._counts[GARBAGE])

    @property
    def others(self) -> int:
        """Those of them whose label opens no records."""
        return int(self._counts[OTHERS])

    @property
    def secrets(self) -> int:
        """Secrets in the table."""
        return self._used

    def add(self, text: bytes) -> None:
        """Add the lines of ``text``; the last one needs no line end."""
        if not text:
            return
        content = np.frombuffer(text if text.endswith(b"\n") else text + b"\n", np.uint8).copy()
        at, status = 0, GROW_ROWS
        while status == GROW_ROWS:
            self._keys = grow_table(self._keys, max(self._used + 64, content.size // 160))
            status, at, self._used = read_lines(content, at, content.size, _PADDED, self._keys, self._used, self._counts)

    @property
    def known(self) -> npt.NDArray[np.uint64]:
        """What the framing kernel asks: the first 8 bytes of the client random of each secret, sorted."""
        if self._known.size != self._used:
            self._sort()
        return self._known

    def _sort(self) -> None:
        used = self._keys[: self._used].view(np.ndarray)
        prefixes = used["random"][:, :8].copy().view(">u8").ravel().astype(np.uint64)
        order = np.argsort(prefixes, kind="stable")
        self._keys[: self._used] = used[order]
        self._known = prefixes[order]
        self._randoms = memoryview(used["random"].tobytes())
        used = self._keys[: self._used].view(np.ndarray)
        self._labels, self._sizes = used["label"].tobytes(), used["secret_size"].tobytes()
        self._secrets = memoryview(used["secret"].tobytes())

    def find(self, random: bytes) -> dict[str, bytes]:
        """Label -> secret of one client random; of lines that say different things the last one counts."""
        return self.find_all(np.frombuffer(random, np.uint8).reshape(1, 32))[0]

    def find_all(self, randoms: Bytes) -> list[dict[str, bytes]]:
        """The same for each of (n, 32) client randoms."""
        known, wanted = self.known, randoms[:, :8].copy().view(">u8").ravel().astype(np.uint64)
        firsts, lasts = np.searchsorted(known, wanted, "left"), np.searchsorted(known, wanted, "right")
        content = randoms.tobytes()
        spans = zip(range(0, len(content), 32), firsts.tolist(), lasts.tolist(), strict=True)
        return [self._secrets_of(content[at : at + 32], first, last) if first < last else {} for at, first, last in spans]

    def _secrets_of(self, random: bytes, first: int, last: int) -> dict[str, bytes]:
        rows = (row for row in range(first, last) if self._randoms[32 * row : 32 * row + 32] == random)
        return {LABELS[self._labels[row]]: bytes(self._secrets[64 * row : 64 * row + self._sizes[row]]) for row in rows}
