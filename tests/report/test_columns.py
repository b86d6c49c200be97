"""The data dictionary and the check that built is what was declared."""

import numpy as np
import pytest

from analyzer.report.build import TABLES, dictionary
from analyzer.report.columns import KINDS, Column, make_sheet
from analyzer.report.text import chosen, ints

PAIR = (Column("a", "number", "first"), Column("b", "text", "second"))


def test_columns_are_in_the_declared_order() -> None:
    batch = make_sheet(PAIR, {"b": chosen(("x",), np.array([0])), "a": ints(np.array([1]))})
    assert batch.to_pylist() == [{"a": 1, "b": "x"}]


def test_a_missing_or_surplus_column_is_refused() -> None:
    with pytest.raises(ValueError, match="differ: b, c"):
        make_sheet(PAIR, {"a": ints(np.array([1])), "c": ints(np.array([1]))})


def test_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="column b is declared"):
        make_sheet(PAIR, {"a": ints(np.array([1])), "b": ints(np.array([1]))})


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_explained(table: str) -> None:
    columns = dictionary()[table]
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    for column in columns:
        assert column.meaning
        assert not column.meaning.endswith(".")
        assert column.kind in KINDS
        assert column.name.endswith("_ms") == (column.kind == "milliseconds")
        if column.kind == "milliseconds":
            assert column.unit == "ms"
        if column.name.endswith("_bytes"):
            assert column.unit == "bytes"


def test_connections_begin_as_promised() -> None:
    names = [column.name for column in TABLES["connections"]]
    promised = [
        "connection",
        "uid",
        "community_id",
        "start_time",
        "duration_ms",
        "transport",
        "originator_ip",
        "originator_port",
        "responder_ip",
        "responder_port",
        "service",
        "host",
        "host_source",
        "state",
        "history",
        "dns_ms",
        "dns_to_connect_ms",
        "tcp_connect_ms",
        "tcp_to_tls_ms",
        "tls_handshake_ms",
        "request_wait_ms",
        "request_send_ms",
        "server_wait_ms",
        "response_receive_ms",
        "keepalive_idle_ms",
        "teardown_ms",
    ]
    assert names[: len(promised)] == promised
    assert names[-1] == "findings"
