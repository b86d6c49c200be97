"""What QUIC carries, once it is opened: HTTP/3 where the handshake agreed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.memory import Memory
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.joined import Part, join_exchanges
from analyzer.options import Options
from analyzer.tables import Bytes, Ints, Rows, take_rows

if TYPE_CHECKING:
    from analyzer.messages.http.http3 import Http3

PREFIX = b"h3"


class OverQuic:
    """Streams of QUIC connections."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False, bodies: Bodies | None = None) -> None:
        self._memory = memory
        self._options = options
        self._decode = decode
        self._bodies = bodies if options.include_secrets else None
        self._http3: Http3 | None = None

    def process_pieces(self, pieces: Rows, handshakes: Rows, text: Bytes) -> None:
        """Read QUIC_PIECE rows; ``handshakes`` (by connection row, spans in ``text``) says who speaks what."""
        if len(pieces) == 0:
            return
        speaks = np.zeros(int(pieces["connection"].max()) + 1, np.bool_)
        for row in np.unique(pieces["connection"]).tolist():
            speaks[row] = row < len(handshakes) and _speaks_http3(handshakes[row], text)
        wanted = np.flatnonzero(speaks[pieces["connection"]])
        if len(wanted) == 0:
            return
        if self._http3 is None:
            from analyzer.messages.http.http3 import Http3  # noqa: PLC0415

            self._http3 = Http3(self._memory, self._options, decode=self._decode, bodies=self._bodies)
        self._http3.process_pieces(take_rows(pieces, wanted))

    @property
    def anomalies(self) -> dict[str, int]:
        """What could not be read, as Http.anomalies."""
        return self._http3.anomalies if self._http3 is not None else {}

    def add_to(self, rows: Ints, part: Part) -> Part:
        """The exchanges of connections ``rows`` with those of HTTP/3 behind them."""
        if self._http3 is None:
            return part
        exchanges = self._http3.take(rows)
        if not self._options.include_secrets:
            exchanges["username_size"] = 0
        return join_exchanges(rows, [part, (exchanges, self._http3.text.data[: self._http3.text.top])])

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        if self._http3 is not None:
            self._http3.release(rows)


def _speaks_http3(handshake: np.record, text: Bytes) -> bool:
    """By the protocol that the server chose; before it has (0-RTT) by the first that the client offered."""
    name = "alpn" if handshake.alpn_size else "alpn_offered"
    at = int(handshake[name])
    return text[at : at + len(PREFIX)].tobytes() == PREFIX and handshake[f"{name}_size"] >= len(PREFIX)
