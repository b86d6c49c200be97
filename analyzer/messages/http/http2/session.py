"""What must be known of one HTTP/2 connection to read the next header block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from analyzer.messages.http.http2.field_blocks import FieldBlocks

FIRST_WINDOW: Final = 65_535  # of streams and of connections (RFC 9113 6.9.2)
UNKNOWN_WINDOW: Final = 1 << 40  # of a connection whose beginning is not in the capture: nothing can be said of stalls


@dataclass(slots=True)
class Block:
    """A header block whose end has not come: of a HEADERS or PUSH_PROMISE frame (``promised``: its stream, else 0)."""

    stream: int
    promised: int
    ends_stream: bool
    first_ts: int
    first_number: int
    content: bytearray
    is_lost: bool = False


@dataclass(slots=True)
class Session:
    """One connection. ``client`` is the sender that asks; ``streams`` has the EXCHANGE row of each open stream, oldest first."""

    connection: int
    client: int
    readers: tuple[FieldBlocks, FieldBlocks]
    is_partial: bool = True
    blocks: list[Block | None] = field(default_factory=lambda: [None, None])
    first_windows: list[int] = field(default_factory=lambda: [FIRST_WINDOW, FIRST_WINDOW])  # of each end's streams
    streams: dict[int, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    alternatives: dict[bytes, tuple[bytes, int, int]] = field(default_factory=dict)  # host -> Alt-Svc, time and frame of its ALTSVC frame
    alternative_frames: int = 0
    upgraded_stream: int = 0  # the stream that answers the request of HTTP/1 which asked for HTTP/2 (RFC 7540 3.2)
