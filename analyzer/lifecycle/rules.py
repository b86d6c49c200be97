"""What a rule is that looks for something that stands out, and what it says when it has found it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from analyzer.tables import Bytes, Ints

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
    begin_number: Ints | int = 0


class Hits(NamedTuple):
    """Where a rule fired: output positions of the connections, the frames and times that show it, and amounts."""

    rule: str
    order: Ints
    number: Ints
    ts: Ints
    amount: Ints


def distinct_rows(rows: Bytes) -> tuple[Ints, Ints]:
    """(d,) places of rows of bytes that differ, and (n,) which of them each row is; by a hash where it tells them apart, as it does."""
    hashed = rows.astype(np.uint64) @ np.random.default_rng(6).integers(1, 1 << 63, rows.shape[1], np.uint64)
    _, first, index = np.unique(hashed, return_index=True, return_inverse=True)
    if not (rows == rows[first[index]]).all():
        whole = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
        _, first, index = np.unique(whole, return_index=True, return_inverse=True)
    return first, index
