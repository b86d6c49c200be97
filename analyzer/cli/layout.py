"""Numbers and lines for people: short, aligned, fitted to the width of the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # what would move the cursor or turn text round


def milliseconds(value: float | None) -> str:
    """A duration in milliseconds for a narrow column; '.' = absent."""
    if value is None or math.isnan(value):
        return "."
    return f"{value:.0f}" if abs(value) >= 999.95 else f"{value:.1f}"


def size(count: int) -> str:
    """Bytes for people."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with thousands separated and the thing, in the plural where it needs one."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def clock(ns: int) -> str:
    """A capture time as UTC to the millisecond."""
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}.{ns // 1_000_000 % 1000:03d}"


def period(first_ns: int, last_ns: int) -> str:
    """From when to when, the day said once, and how long that is."""
    first, last = clock(first_ns), clock(last_ns)
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC ({span(last_ns - first_ns)})"


def span(ns: int) -> str:
    """A length of time for people."""
    seconds = ns / 1e9
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    tenths = ns // 100_000_000
    if seconds < 3600:
        return f"{tenths // 600} min {tenths % 600 / 10:.1f} s"
    if seconds < 2 * 86400:
        return f"{tenths // 36_000} h {tenths // 600 % 60} min"
    return f"{seconds / 86400:.0f} days"


def endpoint(address: str, port: int | None) -> str:
    """Address and port in one word; an IPv6 address in brackets (RFC 3986 3.2.2)."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


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
