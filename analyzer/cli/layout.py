"""Numbers and lines for people: short, aligned, fitted to the width of the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.story.words import clip, clock, counted, endpoint, milliseconds, printable, size, span

__all__ = ["clip", "clock", "counted", "endpoint", "flow", "milliseconds", "period", "printable", "size", "span"]


def period(first_ns: int, last_ns: int) -> str:
    """From when to when, the day said once, and how long that is."""
    first, last = clock(first_ns), clock(last_ns)
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC ({span(last_ns - first_ns)})"


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
