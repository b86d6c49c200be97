"""One word for how far the numbers of a capture can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POOR, FAIR = 0.1, 0.01  # shares of packets that were not analysed, cut or dropped
DOUBTFUL: Final = 0.05  # share of connections seen in part, or of packets seen twice
CLOCK_STEPS: Final = 0.001  # share of packets older than the one before


@dataclass(frozen=True)
class Trust:
    """What tells how far to trust the numbers.

    Packets in all, and how many of them were not analysed though they are IP, cut, dropped before, doubled, or older than the one before;
    TCP connections in all, and how many were seen from one end only or from their middle on.
    """

    packets: int
    unread: int = 0
    cut: int = 0
    dropped: int = 0
    duplicates: int = 0
    steps_back: int = 0
    tcp: int = 0
    one_sided: int = 0
    midstream: int = 0

    @property
    def verdict(self) -> str:
        """good, fair, poor or empty."""
        if self.packets == 0:
            return "empty"
        share = max(self.unread / self.packets, self.cut / self.packets, self.dropped / (self.packets + self.dropped))
        if share > POOR:
            return "poor"
        doubtful = max(self.one_sided, self.midstream) > DOUBTFUL * self.tcp or self.duplicates > DOUBTFUL * self.packets
        return "fair" if share > FAIR or doubtful or self.steps_back > CLOCK_STEPS * self.packets else "good"
