"""Numbers and lists as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

NAMED = 12  # things that a sentence lists at the most
MOST_RANGES = 4  # ranges of frames

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # what would move the cursor or turn text round


def milliseconds(value: float | None) -> str:
    """A duration in milliseconds for a narrow column; '.' = absent."""
    if value is None or math.isnan(value):
        return "."
    return f"{value:.0f}" if abs(value) >= 999.95 else f"{value:.1f}"


def duration(ms: float | None) -> str:
    """A duration in milliseconds with its unit: as many digits as say something."""
    if ms is None:
        return "an unknown time"
    if abs(ms) >= 60_000:
        return ("-" if ms < 0 else "") + span(round(abs(ms) * 1e6))
    if abs(ms) >= 999.95:
        return f"{ms / 1000:.2f} s"
    if 0 < abs(ms) < 0.095:
        return f"{ms:.2f} ms" if abs(ms) >= 0.0095 else f"{ms:.4f} ms"
    return f"{milliseconds(ms)} ms"


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


def times(number: int) -> str:
    """How often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


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


def clock(ns: int) -> str:
    """A capture time as UTC to the millisecond."""
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}.{ns // 1_000_000 % 1000:03d}"


def endpoint(address: str, port: int | None) -> str:
    """Address and port in one word; an IPv6 address in brackets (RFC 3986 3.2.2)."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def joined(things: Sequence[str], last: str = "and") -> str:
    """A, B and C; a long list ends with how many more there are."""
    shown = list(things[:NAMED])
    if len(things) > NAMED:
        shown.append(f"{len(things) - NAMED:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}" if shown else ""


def frames(numbers: Iterable[int | None]) -> str:
    """Frames as a reader looks them up: ``frame 7``, ``frames 7, 9``, ``frames 7-12``; of many ranges the first and the last frame."""
    found = sorted({number for number in numbers if number})
    if not found:
        return ""
    ranges: list[list[int]] = []
    for number in found:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if len(ranges) > MOST_RANGES:
        return f"frames {found[0]} to {found[-1]}"
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    return f"frame{'' if len(found) == 1 else 's'} {', '.join(shown)}"


def sentence(text: str) -> str:
    """Text that begins with a capital letter and ends with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".") if text else ""


def printable(text: str) -> str:
    """Text that cannot harm a terminal: control and direction characters and bytes that are no text become escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", plain)


def clip(text: str, width: int) -> str:
    """Text cut to a width, the cut shown."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
