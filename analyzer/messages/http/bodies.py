"""Bodies that are wanted whole: who takes them, piece by piece, as they are read. Where they go is for the taker to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

NOT_KEPT = -1
"""What stands in EXCHANGE for a body that was not taken."""


@dataclass(frozen=True)
class Body:
    """A body that is over.

    Attributes:
        size: bytes that were kept, without the content coding.
        wire_bytes: bytes of it that were read, as they came.
        sha256: of the bytes that were kept, hexadecimal.
        cut: why there is not more of it, empty when there is.
    """

    size: int
    wire_bytes: int
    sha256: str
    cut: str


class Bodies(Protocol):
    """Takes bodies. They have numbers from 1 on; a body that is refused has NOT_KEPT."""

    def begin(self) -> int:
        """The number of a new body."""

    def add(self, number: int, content: bytes | memoryview) -> None:
        """More of a body."""

    def count(self, number: int, size: int) -> None:
        """So many bytes of it were read, as they came."""

    def cut(self, number: int, why: str) -> None:
        """Nothing more comes of a body, though it goes on."""

    def close(self, number: int, name: str) -> Body:
        """The body is over; what its file is to be called."""


def number_of(bodies: Bodies, row: np.void, side: str) -> int:
    """The number of one side's body of an EXCHANGE row; it begins where it has none."""
    if row[f"{side}_object"] == 0:
        row[f"{side}_object"] = bodies.begin()
    return int(row[f"{side}_object"])
