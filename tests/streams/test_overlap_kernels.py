"""Who wins where two segments overlap."""

from __future__ import annotations

import pytest

from analyzer.options import Options
from analyzer.streams.overlap_kernels import BSD, FIRST, LAST, LINUX, POLICIES, SOLARIS, WINDOWS, new_wins
from tests.streams.wire import Segment, Wire, joined, syn

OLD = (10, 20)
PLACES = [(5, 15), (5, 20), (5, 25), (10, 15), (10, 20), (10, 25), (12, 18), (15, 20), (15, 25)]


@pytest.mark.parametrize("new", PLACES)
def test_first_and_last(new):
    assert not new_wins(FIRST, *new, *OLD)
    assert new_wins(LAST, *new, *OLD)


def test_policies_are_those_of_the_options():
    assert POLICIES[FIRST] == Options().overlap == "first"
    assert [POLICIES[k] for k in (LAST, LINUX, WINDOWS, BSD, SOLARIS)] == ["last", "linux", "windows", "bsd", "solaris"]


# the new segment's place beside OLD -> the policies by which it wins; every other cell is the old one's
TABLE = {
    (5, 15): {"linux", "windows", "bsd", "last"},  # begins before, ends inside
    (5, 20): {"linux", "windows", "bsd", "solaris", "last"},  # begins before, ends there
    (5, 25): {"linux", "windows", "bsd", "solaris", "last"},  # begins before, ends after
    (10, 15): {"last"},  # same start, ends inside
    (10, 20): {"solaris", "last"},  # the same place
    (10, 25): {"linux", "solaris", "last"},  # same start, ends after
    (12, 18): {"last"},  # inside
    (15, 20): {"last"},  # begins inside, same end
    (15, 25): {"solaris", "last"},  # begins inside, ends after
}


@pytest.mark.parametrize("new", PLACES)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_cell(new, policy):
    assert new_wins(POLICIES.index(policy), *new, *OLD) == (policy in TABLE[new])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("new", [(0, 10), (20, 30)])
def test_segments_that_touch_do_not_overlap(new, policy):
    assert not new_wins(POLICIES.index(policy), *new, *OLD)


@pytest.mark.parametrize("new", PLACES)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_cell_in_a_stream(new, policy):
    """The bytes that come out, with a hole below both copies."""
    wire = Wire(overlap=policy)
    wire.push(syn(), Segment(0, 1000 + OLD[0], b"o" * (OLD[1] - OLD[0])), Segment(0, 1000 + new[0], b"n" * (new[1] - new[0])))
    got = joined(wire.push(Segment(0, 1000, b"." * 5)) + wire.finish())
    low, high = max(new[0], OLD[0]), min(new[1], OLD[1])
    expected = [b"?"] * max(new[1], OLD[1])
    for at in range(len(expected)):
        in_new, in_old = new[0] <= at < new[1], OLD[0] <= at < OLD[1]
        wins = policy in TABLE[new] if low <= at < high else in_new
        expected[at] = b"." if at < 5 else b"n" if in_new and wins else b"o" if in_old else b"?"
    assert got == b"".join(expected)


def test_the_whole_segment_counts_not_the_piece_that_is_held():
    """Three copies: the second was held only from where the first ends, but begins before the third all the same."""
    wire = Wire(overlap="windows")
    wire.push(syn(), Segment(0, 1002, b"aaaa"), Segment(0, 1004, b"bbbbbb"), Segment(0, 1005, b"ccc"))
    assert joined(wire.push(Segment(0, 1000, b"..")) + wire.finish()) == b"..aaaabbbb"
