"""An engine that plays a capture file."""

from __future__ import annotations

import time


class Scripted:
    """Hands out content in pieces; between two pieces nothing comes for a moment. Ends by itself unless ``is_endless``."""

    name = "script"
    lag_ns = -(20 * 365 * 86_400 * 1_000_000_000)  # its clock is far ahead of the packets
    dropped: int | None = 0

    def __init__(self, content: bytes, piece: int, *, is_endless: bool = False, trouble: str = "") -> None:
        self.content, self.piece, self.is_endless, self.trouble = content, piece, is_endless, ""
        self.end = trouble
        self.at = 0
        self.is_stopped = self.is_closed = False

    def begin(self) -> None:
        """Nothing to do."""

    def read(self, view: memoryview, seconds: float) -> int | None:
        size = min(self.piece, len(self.content) - self.at)
        if size == 0:
            if self.is_endless and not self.is_stopped:
                time.sleep(min(seconds, 0.01))
                return 0
            self.trouble = self.end
            return None
        view[:size] = self.content[self.at : self.at + size]
        self.at += size
        return size

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        self.is_closed = True
