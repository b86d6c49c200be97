"""Stream data in any order to pieces in order (RFC 9000 2.2); what is missing for good is a gap before the next piece."""

from __future__ import annotations

from dataclasses import dataclass, field

WAITING_BYTES = 4 << 20  # above a hole of one stream, before the hole is given up
WAITING_PIECES = 4096


@dataclass(slots=True)
class Stream:
    """One direction of a stream. ``next``: offset up to which bytes were handed on or given up."""

    next: int = 0
    final: int = -1
    is_over: bool = False
    waiting: dict[int, tuple[bytes, int, int]] = field(default_factory=dict)  # offset -> content, frame, time
    waiting_bytes: int = 0

    def hold(self, offset: int, content: bytes, number: int, ts: int) -> bool:
        """Keep bytes that lie above a hole; whether a hole must be given up for them."""
        known = self.waiting.get(offset)
        if known is None or len(known[0]) < len(content):
            self.waiting[offset] = (content, number, ts)
            self.waiting_bytes += len(content) - (len(known[0]) if known is not None else 0)
        return self.waiting_bytes > WAITING_BYTES or len(self.waiting) > WAITING_PIECES

    def ready(self) -> list[tuple[bytes, int, int]]:
        """What was held and follows now without a hole."""
        found = []
        while self.waiting:
            offset = min(self.waiting)
            if offset > self.next:
                break
            content, number, ts = self.waiting.pop(offset)
            self.waiting_bytes -= len(content)
            if offset + len(content) > self.next:
                found.append((content[self.next - offset :], number, ts))
                self.next = offset + len(content)
        return found

    def give_up(self) -> int:
        """Pass over the hole below what is held; its bytes."""
        first = min(self.waiting)
        gap = first - self.next
        self.next = first
        return gap
