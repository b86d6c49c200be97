"""One batch: the packets of one piece of the capture, on their way through stages 2 to 5."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.memory import Memory
from analyzer.tables import Rows


@dataclass
class Batch:
    """What the stages hand on. ``packets`` is exactly as long as the batch; spans point into ``memory.data``.

    ``now_ns`` is the largest capture time seen so far, this batch included: timers run on it, never on a clock of ours. A live interface
    on which nothing comes sends batches without packets, whose ``now_ns`` is the time before which nothing will come any more.
    ``is_dissected``: False when a live capture brings more than can be analysed: the packets are counted for their connections only.
    """

    memory: Memory
    packets: Rows
    interfaces: Rows
    now_ns: int
    last_number: int
    is_dissected: bool = True
