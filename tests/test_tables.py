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
