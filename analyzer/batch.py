"""One batch: the packets of one piece of the capture, on their way through stages 2 to 5."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.memory import Memory
from analyzer.tables import Rows


@dataclass
class Batch:
    """What the stages hand on. ``packets`` is exactly as long as the batch; spans point into ``memory.data``.

    ``now_ns`` is the largest capture time seen so far, this batch included: timers run on it, never on a clock.
    """

    memory: Memory
    packets: Rows
    interfaces: Rows
    now_ns: int
    last_number: int
