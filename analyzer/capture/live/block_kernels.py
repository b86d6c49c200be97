# mypy: allow-untyped-defs
"""Where blocks of a pcapng stream end, so that a file can end there."""

from __future__ import annotations

from analyzer.kernel import kernel, le32

PACKET_BLOCK = 6


@kernel
def find_end(data, at, end, only_head):
    """End of the last whole block between ``at`` and ``end`` (little-endian); with ``only_head`` before the first packet.

    Returns (position, bytes still missing of the block that begins there; 0 when not even its length is known).
    """
    while at + 12 <= end:
        size = le32(data, at + 4, end)
        if only_head != 0 and le32(data, at, end) >= PACKET_BLOCK - 1 and le32(data, at, end) <= PACKET_BLOCK:
            return at, 0
        if size < 12:
            return at, -1
        if at + size > end:
            return at, at + size - end
        at += size
    return at, 0
