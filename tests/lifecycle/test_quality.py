"""Every packet counted once, and the signs that make numbers unreliable."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.batch import Batch
from analyzer.lifecycle.quality import Quality
from analyzer.memory import Memory
from analyzer.tables import new_table
from analyzer.tables.packets import (
    ANALYSED,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    CUT_BY_SNAPLEN,
    INTERFACE,
    LENGTH_FROM_CAPTURE,
    NOT_IP,
    OUTCOMES,
    PACKET,
)
from tests.lifecycle.builders import finished

SECOND = 1_000_000_000


def batch(times: list[int], **columns: list[int]) -> Batch:
    packets = new_table(PACKET, len(times))
    packets["ts"] = times
    for name, values in columns.items():
        packets[name] = values
    return Batch(Memory(64, 1, 64), packets, new_table(INTERFACE, 1), max(times, default=0), len(times))


def facts_of(quality: Quality) -> dict[tuple[str, str], int]:
    return {(fact.group, fact.name): fact.count for fact in quality.facts()}


@given(st.lists(st.integers(0, len(OUTCOMES) - 1), max_size=50))
def test_outcomes_add_up_to_what_was_read(outcomes: list[int]) -> None:
    quality = Quality()
    for cut in (outcomes[:10], outcomes[10:]):
        quality.observe(batch([SECOND] * len(cut), outcome=cut))
    facts = facts_of(quality)
    assert quality.packets == facts["packets", "read"] == len(outcomes)
    assert sum(count for (group, _), count in facts.items() if group == "outcome") == len(outcomes)
    for code, (name, _) in enumerate(OUTCOMES):
        assert facts["outcome", name] == outcomes.count(code)


def test_bytes_marks_and_protocols() -> None:
    quality = Quality()
    quality.observe(
        batch(
            [SECOND] * 3,
            caplen=[60, 64, 64],
            length=[60, 1500, 64],
            protocol=[6, 17, 6],
            outcome=[ANALYSED, ANALYSED, NOT_IP],
            marks=[LENGTH_FROM_CAPTURE, CUT_BY_SNAPLEN | BAD_IP_CHECKSUM, BAD_TRANSPORT_CHECKSUM | BAD_IP_CHECKSUM],
        )
    )
    assert (quality.bytes_captured, quality.bytes_on_wire) == (188, 1624)
    assert (quality.cut, quality.offloaded, quality.bad_checksums) == (1, 1, 2)
    assert (quality.protocols[6], quality.protocols[17]) == (1, 1)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(0, 30))
def test_steps_back_do_not_depend_on_batches(times: list[int], cut: int) -> None:
    quality = Quality()
    quality.observe(batch(times[:cut]))
    quality.observe(batch(times[cut:]))
    steps = [before - after for before, after in itertools.pairwise(times) if after < before]
    assert quality.steps_back == len(steps)
    assert quality.largest_step_back_ns == max(steps, default=0)
    assert (quality.first_ts, quality.last_ts) == (min(times), max(times))


def test_packets_without_a_time_are_no_step_back() -> None:
    quality = Quality()
    quality.observe(batch([SECOND, 0, 2 * SECOND, 0]))
    assert quality.steps_back == 0
    assert (quality.first_ts, quality.last_ts) == (SECOND, 2 * SECOND)


@pytest.mark.parametrize(
    ("connection", "packets", "midstream", "one_sided"),
    [
        ({"syn_ts": 1, "synack_ts": 2}, (5, 5), 0, 0),
        ({}, (5, 5), 1, 0),
        ({"synack_ts": 2}, (5, 5), 0, 0),
        ({"syn_ts": 1}, (5, 0), 0, 1),
        ({"synack_ts": 1}, (0, 5), 0, 1),
        ({"syn_ts": 1, "syn_retries": 6}, (7, 0), 0, 0),  # a silent host: nothing is missing in the capture
        ({"protocol": 17}, (5, 0), 0, 0),
    ],
)
def test_signs_in_connections(connection: dict[str, int], packets: tuple[int, int], midstream: int, one_sided: int) -> None:
    quality = Quality()
    quality.observe_finished(finished([connection], endpoints_a=[{"packets": packets[0]}], endpoints_b=[{"packets": packets[1]}]))
    assert (quality.midstream, quality.one_sided) == (midstream, one_sided)


def test_facts_are_explained() -> None:
    for fact in Quality().facts():
        assert fact.meaning
        assert not fact.meaning.endswith(".")


def test_an_empty_batch_changes_nothing() -> None:
    quality = Quality()
    quality.observe(batch([]))
    assert quality.packets == 0
    assert np.count_nonzero(quality.outcomes) == 0
