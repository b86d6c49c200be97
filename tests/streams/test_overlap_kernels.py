"""Who wins where two segments overlap."""

from __future__ import annotations

import pytest

from analyzer.options import Options
from analyzer.streams.overlap_kernels import FIRST, LAST, POLICIES, new_wins

OLD = (10, 20)
PLACES = [(5, 15), (5, 20), (5, 25), (10, 15), (10, 20), (10, 25), (12, 18), (15, 20), (15, 25)]


@pytest.mark.parametrize("new", PLACES)
def test_first_and_last(new):
    assert not new_wins(FIRST, *new, *OLD)
    assert new_wins(LAST, *new, *OLD)


def test_policies_are_those_of_the_options():
    assert POLICIES[FIRST] == Options().overlap == "first"
    assert POLICIES[LAST] == "last"
