"""Rows of one flush, aligned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.lifecycle.finished import Finished, Texts
from tests.lifecycle.builders import finished

TEXT = np.zeros(1, np.uint8)


def test_originator_is_the_end_that_began() -> None:
    flush = finished(
        [{}, {"flipped": 1}],
        endpoints_a=[{"packets": 1}, {"packets": 2}],
        endpoints_b=[{"packets": 10}, {"packets": 20}],
    )
    assert flush.originators["packets"].tolist() == [1, 20]
    assert flush.responders["packets"].tolist() == [10, 2]


@given(st.permutations(range(8)))
def test_order_of_is_the_place_in_the_flush(order: list[int]) -> None:
    flush = finished([{} for _ in order])
    shuffled = Finished(**{**{name: getattr(flush, name) for name in flush.__dataclass_fields__}, "rows": np.array(order)})
    assert shuffled.order_of(np.array(order)).tolist() == list(range(8))


def test_exchanges_are_counted_by_connection() -> None:
    flush = finished([{}, {}, {}], exchanges=[{"connection": 5}, {"connection": 5}, {"connection": 7}])
    assert flush.exchange_order.tolist() == [0, 0, 2]
    assert flush.exchange_counts.tolist() == [2, 0, 1]
    assert flush.first_exchange.tolist() == [0, -1, 2]


def test_nothing_finished_is_no_special_case() -> None:
    flush = finished([])
    assert len(flush.originators) == len(flush.exchange_counts) == len(flush.first_exchange) == 0


def test_rows_are_not_changed_by_accident() -> None:
    with pytest.raises(AttributeError):
        finished([{}]).texts = Texts(TEXT, TEXT, TEXT, TEXT, TEXT)  # type: ignore[misc]
