"""The line gives what a loop gives, in the same order, whoever is fast; troubles come when it is their turn."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import CaptureError
from analyzer.threads import AHEAD, assembly_line


@settings(max_examples=30, deadline=None)
@given(items=st.lists(st.integers(0, 3), max_size=12), threads=st.integers(0, 4))
def test_any_number_of_threads_gives_what_a_loop_gives(items, threads):
    def slow(item):
        time.sleep(item / 2000)
        return item + 1

    assert list(assembly_line(iter(items), (slow, lambda item: -item), threads)) == [-(item + 1) for item in items]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_station_has_one_item_at_a_time_and_few_wait(threads):
    under_way, most, made, taken = 0, 0, 0, 0

    def station(item):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.001)
        under_way -= 1
        return item

    def items():
        nonlocal made
        for item in range(20):
            made += 1
            assert made - taken <= threads * (1 + AHEAD) + 2
            yield item

    for _ in assembly_line(items(), (station, lambda item: item), threads):
        taken += 1
    assert most == 1
    assert taken == 20


def test_stations_work_beside_the_caller():
    here = threading.get_ident()
    assert here not in assembly_line(range(3), (lambda _: threading.get_ident(),), 1)
    assert list(assembly_line(range(3), (lambda _: threading.get_ident(),), 0)) == [here] * 3


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_trouble_of_a_station_comes_in_its_turn(threads):
    def station(item):
        if item == 2:
            raise ValueError(item)
        return item

    line = assembly_line(range(9), (station, lambda item: item), threads)
    assert [next(line), next(line)] == [0, 1]
    with pytest.raises(ValueError, match="2"):
        next(line)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_what_was_made_before_the_items_failed_is_not_lost(threads):
    def items():
        yield from range(5)
        raise CaptureError("It ends here.")

    got = []
    line = assembly_line(items(), (got.append,), threads)
    assert [next(line) for _ in range(5)] == [None] * 5
    with pytest.raises(CaptureError):
        next(line)
    assert got == [0, 1, 2, 3, 4]


def test_a_line_that_is_left_ends_its_threads():
    before = (threading.active_count(), sys.getswitchinterval())
    line = assembly_line(range(100), (lambda item: item, lambda item: item), 2)
    next(line)
    line.close()
    assert (threading.active_count(), sys.getswitchinterval()) == before
