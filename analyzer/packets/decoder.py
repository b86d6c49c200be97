"""What stage 2 does with a batch: decode headers, verify checksums where asked for, count what became of the packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.batch import Batch
from analyzer.options import Limits, Options
from analyzer.packets.decode_kernels import decode_packets
from analyzer.tables import Ints, Rows
from analyzer.tables.packets import INNER, OUTCOMES

if TYPE_CHECKING:
    from analyzer.packets.unwrapper import Unwrapper


def decode(batch: Batch, limits: Limits | None = None) -> None:
    """Fill the header fields, ``outcome`` and the marks of packets/ on all rows of one batch alone.

    Every row gets exactly one outcome. A packet without a time that could be decoded in full is NO_TIME_PACKET, its fields are filled like
    those of an analysed one. Of a FRAGMENT all IP fields are filled and the payload is that of the IP packet. After a malformed header
    the fields of the layers before it stand, the rest is absent. For several batches of one capture use a `Decoder`.
    """
    Decoder(Options(limits=limits or Limits())).decode(batch)


def verify_checksums(batch: Batch) -> None:
    """Verify the checksums of a decoded batch; called only when the user asked for it.

    As Zeek does it: a packet whose IPv4 header checksum is wrong is left out (outcome BAD_CHECKSUM); one whose TCP, UDP or ICMP checksum is
    wrong stays ANALYSED with BAD_TRANSPORT_CHECKSUM, and connections/ notes it and looks no further. What was cut, has no checksum
    (UDP 0) or none yet (LENGTH_FROM_CAPTURE) is taken as right.
    """
    # The module is compiled only for those who ask.
    from analyzer.packets.checksum_kernels import verify_packets  # noqa: PLC0415

    verify_packets(batch.memory.data, batch.packets)


def count_outcomes(packets: Rows, interfaces: int) -> Ints:
    """Number of frames by interface and outcome (rows without INNER): int64 of shape (interfaces, len(OUTCOMES))."""
    kinds = len(OUTCOMES)
    packets = packets[packets["marks"] & INNER == 0]
    cells = packets["interface"].astype(np.int64) * kinds + packets["outcome"]
    return np.bincount(cells, minlength=interfaces * kinds).astype(np.int64).reshape(interfaces, kinds)


class Decoder:
    """Stage 2 with the options of one analysis; keeps the fragments of datagrams that are not whole yet."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._verifies = options.checksums == "verify"
        self._todo: Ints = np.zeros(0, np.int64)
        self._unwrapper: Unwrapper | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of fragmented datagrams, see Unwrapper.counts; empty when there were none."""
        return self._unwrapper.counts if self._unwrapper is not None else {}

    def decode(self, batch: Batch) -> None:
        """Decode all rows, and verify their checksums when that was asked for.

        Every frame gets exactly one outcome. Rows with the mark INNER stand behind that of the UDP datagram that carried them: where there
        are some, ``batch.packets`` is another, longer table afterwards. The row of a fragment that completes a datagram is that of the
        whole datagram (FROM_FRAGMENTS), whose bytes live as long as the batch.
        """
        if self._unwrapper is not None:
            self._unwrapper.release(batch)
        if len(batch.packets) > len(self._todo):
            self._todo = np.zeros(len(batch.packets), np.int64)
        count = int(decode_packets(batch.memory.data, batch.packets, self.options.limits.ipv6_headers, self._todo))
        if count:
            self._unwrap(batch, self._todo[:count])
        if self._verifies:
            verify_checksums(batch)

    def _unwrap(self, batch: Batch, todo: Ints) -> None:
        if self._unwrapper is None:
            # The module is compiled only for captures that need it.
            from analyzer.packets.unwrapper import Unwrapper  # noqa: PLC0415

            self._unwrapper = Unwrapper(self.options.limits, verifies=self._verifies)
        self._unwrapper.unwrap(batch, todo)
