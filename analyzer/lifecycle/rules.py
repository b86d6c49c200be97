"""What a rule is that looks for something that stands out, and what it says when it has found it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from analyzer.tables import Ints

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """One rule: its name, how bad it is, what it says and what to do. ``unit``: of the amount, '' = the amount says nothing."""

    name: str
    severity: Literal["note", "warning", "error"]
    meaning: str
    advice: str
    unit: Literal["", "ns", "bytes", "code", "count"] = ""


class Marks(NamedTuple):
    """Whether a rule fires: (n,) one row per connection of the flush, or per row of another table."""

    name: str
    there: Mask
    number: Ints
    ts: Ints
    amount: Ints | int = 0


class Hits(NamedTuple):
    """Where a rule fired: output positions of the connections, the frames and times that show it, and amounts."""

    rule: str
    order: Ints
    number: Ints
    ts: Ints
    amount: Ints
