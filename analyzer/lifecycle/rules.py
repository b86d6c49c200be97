"""What a rule of findings is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from analyzer.tables import Ints


@dataclass(frozen=True)
class Rule:
    """One rule: its name, how bad it is, what it says and what to do. ``unit``: of the amount, '' = the amount says nothing."""

    name: str
    severity: Literal["note", "warning", "error"]
    meaning: str
    advice: str
    unit: Literal["", "ns", "bytes", "code", "count"] = ""


class Hits(NamedTuple):
    """Where a rule fired: output positions of the connections, the frames and times that show it, and amounts."""

    rule: str
    order: Ints
    number: Ints
    ts: Ints
    amount: Ints
