"""The INTERFACE rows of all files in one table, while each file counts its own from 0."""

from __future__ import annotations

import numpy as np

from analyzer.capture.cursor import Cursor
from analyzer.tables import Ints, Rows, grow_table, new_table
from analyzer.tables.packets import INTERFACE


class InterfaceTable:
    """Rows are added as files describe interfaces, and brought up to date before each batch."""

    def __init__(self) -> None:
        self.table = new_table(INTERFACE, 4)
        self.count = 0

    @property
    def rows(self) -> Rows:
        """All rows so far."""
        return self.table[: self.count].view(np.recarray)

    def publish(self, cursor: Cursor, faces: Ints, file: int) -> Ints:
        """Copy the interfaces of one file to their rows here; ``faces`` names those of them that it has already. The rows of all."""
        known, described = len(faces), cursor.interface_rows
        if described > known:
            more = described - known
            self.table = grow_table(self.table, self.count + more)
            faces = np.concatenate([faces, np.arange(self.count, self.count + more)])
            self.count += more
        self.table[faces] = cursor.interfaces[:described]
        self.table["file"][faces] = file
        return faces
