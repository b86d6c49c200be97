"""Numbers and lines for people: short, aligned, fitted to the width of the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analyzer.story.words import clock, counted, endpoint, milliseconds, size, span

__all__ = ["clip", "clock", "counted", "endpoint", "flow", "milliseconds", "period", "printable", "size", "span"]

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # what would move the cursor or turn text round


def period(first_ns: int, last_ns: int) -> str:
    """From when to when, the day said once, and how long that is."""
    first, last = clock(first_ns), clock(last_ns)
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC ({span(last_ns - first_ns)})"


def printable(text: str) -> str:
    """Text that cannot harm a terminal: control and direction characters and bytes that are no text become escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", plain)


def clip(text: str, width: int) -> str:
    """Text cut to a width, the cut shown."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def flow(cells: Sequence[str], width: int, *, gap: str = "   ", indent: int = 2) -> list[str]:
    """Cells one after the other, as many on a line as fit; the lines after the first are indented."""
    lines: list[str] = []
    for cell in cells:
        if lines and len(lines[-1]) + len(gap) + len(cell) <= width:
            lines[-1] += gap + cell
        else:
            if lines and gap.strip():
                lines[-1] += gap.rstrip()
            lines.append(" " * indent + cell if lines else cell)
    return lines
