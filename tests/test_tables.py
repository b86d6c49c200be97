"""Tables keep their rows when they grow, and every field says what it means."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer import tables
from analyzer.tables import connections, dns, http, lifecycle, packets, services, streams, tls

MODULES = (connections, dns, http, lifecycle, packets, services, streams, tls)
SIZES_OF_NO_SPAN = {
    "run_size",
    "payload_size",
    "block_size",
    "tcp_options_size",
    "query_udp_size",
    "response_udp_size",
    "udp_size",
    "message_size",
    "header_size",
}
ROW_TYPES = {name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, np.dtype)}


def test_growing_keeps_rows_and_zeroes_the_rest():
    table = tables.new_table(streams.RUN, 2)
    table[1].number = 7
    bigger = tables.grow_table(table, 3)
    assert len(bigger) == 4
    assert bigger[1].number == 7
    assert not bigger[2:]["number"].any()
    assert tables.grow_table(bigger, 4) is bigger


@pytest.mark.parametrize("name", sorted(ROW_TYPES))
def test_fields_are_described_and_do_not_hide_array_attributes(name):
    row = ROW_TYPES[name]
    assert tables.MEANINGS[name].keys() == set(row.names)
    assert all(tables.MEANINGS[name].values())
    assert row.isalignedstruct
    assert not [field for field in row.names if hasattr(np.recarray, field)]


@pytest.mark.parametrize("name", sorted(ROW_TYPES))
def test_every_span_has_its_length(name):
    fields = ROW_TYPES[name].names
    sizes = {field for field in fields if field.endswith("_size")} - SIZES_OF_NO_SPAN
    assert {field for field in sizes if field.removesuffix("_size") not in fields} == set()


def numbered(rows: int) -> tables.Rows:
    table = tables.new_table(lifecycle.MILESTONE, rows)
    table.first_number = np.arange(1, rows + 1)
    table.basis = 1
    return table


def test_rows_are_taken_and_cleared_whole():
    table = numbered(5)
    rows = np.array([4, 0, 4, 9])
    taken = tables.take_rows(table, rows)
    assert taken.first_number.tolist() == [5, 1, 5, 0]  # a row beyond the end is zero
    assert taken.dtype == table.dtype
    assert tables.take_rows(table, rows[:3]).tolist() == table[rows[:3]].tolist()
    tables.clear_rows(table, rows)
    assert table.first_number.tolist() == [0, 2, 3, 4, 0]
    assert table.basis.tolist() == [0, 1, 1, 1, 0]
    assert len(tables.take_rows(table, rows[:0])) == 0


def test_tables_are_joined():
    joined = tables.join_tables([numbered(2), numbered(0), numbered(1)])
    assert joined.first_number.tolist() == [1, 2, 1]
    assert isinstance(joined, np.recarray)


@pytest.mark.parametrize("written", [[], [0], [9_999], [123, 5_000]])
def test_growing_looks_at_every_piece(written):
    table = tables.new_table(lifecycle.MILESTONE, 10_000)
    table.first_number[written] = 7
    grown = tables.grow_table(table, 10_001)
    assert np.flatnonzero(grown.first_number).tolist() == written


def test_plain_rows_are_the_same_rows() -> None:
    table = tables.new_table(np.dtype([("a", "i4"), ("b", "i8", (2,))], align=True), 3)
    row = tables.plain_rows(table)[1]
    row["a"], row["b"][1] = 5, 7
    assert table["a"].tolist() == [0, 5, 0]
    assert table[1].b.tolist() == [0, 7]
