"""What stage 2 does with a batch: decode headers, verify checksums where asked for, count what became of the packets."""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.options import Limits, Options
from analyzer.packets.decode_kernels import decode_packets
from analyzer.tables import Ints, Rows
from analyzer.tables.packets import OUTCOMES


def decode(batch: Batch, limits: Limits | None = None) -> None:
    """Fill the header fields, ``outcome`` and the marks of packets/ on all rows of the batch.

    Every row gets exactly one outcome. A packet without a time that could be decoded in full is NO_TIME_PACKET, its fields are filled like
    those of an analysed one. Of a FRAGMENT all IP fields are filled and the payload is that of the IP packet. After a malformed header
    the fields of the layers before it stand, the rest is absent.
    """
    decode_packets(batch.memory.data, batch.packets, (limits or Limits()).ipv6_headers)


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
    """Number of packets by interface and outcome: int64 of shape (interfaces, len(OUTCOMES))."""
    kinds = len(OUTCOMES)
    cells = packets["interface"].astype(np.int64) * kinds + packets["outcome"]
    return np.bincount(cells, minlength=interfaces * kinds).astype(np.int64).reshape(interfaces, kinds)


class Decoder:
    """Stage 2 with the options of one analysis."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def decode(self, batch: Batch) -> None:
        """Decode all rows, and verify their checksums when that was asked for."""
        decode(batch, self.options.limits)
        if self.options.checksums == "verify":
            verify_checksums(batch)
