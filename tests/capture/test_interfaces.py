"""Interfaces of several files in one table."""

import numpy as np

from analyzer.capture.cursor import Cursor, whole_window
from analyzer.capture.interfaces import InterfaceTable
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import new_table
from analyzer.tables.packets import PACKET


def test_rows_of_files_that_describe_interfaces_in_turn():
    memory, limits = Memory(1024, 2, 0), Limits()
    cursors = [Cursor(memory, limits, whole_window(memory), new_table(PACKET, 1)) for _ in range(2)]
    faces = [np.zeros(0, np.int64) for _ in cursors]
    table = InterfaceTable()
    for linktype, file in ((1, 0), (101, 1), (113, 0), (276, 0), (228, 1)):
        cursors[file].add_interface(linktype, 0, 0)
        faces[file] = table.publish(cursors[file], faces[file], file)
    assert [list(rows) for rows in faces] == [[0, 2, 3], [1, 4]]
    assert list(table.rows.linktype) == [1, 101, 113, 276, 228]
    assert list(table.rows.file) == [0, 1, 0, 0, 1]
    cursors[1].interfaces[1].packets = 7
    table.publish(cursors[1], faces[1], 1)
    assert list(table.rows.packets) == [0, 0, 0, 0, 7]
