"""Limits that are worked out."""

from analyzer.options import CONNECTION_BYTES, LEAST_CONNECTIONS, RESERVED_BYTES, Limits, quarter_of_memory


def test_connections_fit_in_what_is_left_of_the_memory() -> None:
    assert Limits(memory_bytes=RESERVED_BYTES + 10_000 * CONNECTION_BYTES).open_connections == 10_000
    assert Limits(memory_bytes=0).open_connections == LEAST_CONNECTIONS


def test_without_a_limit_it_is_a_quarter_of_the_machine() -> None:
    assert Limits().memory_bytes == quarter_of_memory() > 0
