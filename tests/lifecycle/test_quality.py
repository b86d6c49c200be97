"""Every packet counted once, and the signs that make numbers unreliable."""

from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.batch import Batch
from analyzer.capture import open_captures
from analyzer.lifecycle.quality import EVERYTHING, MISSING_FROM, Quality
from analyzer.memory import Memory
from analyzer.options import Limits, Options
from analyzer.packets import Decoder
from analyzer.tables import new_table
from analyzer.tables.packets import (
    ANALYSED,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    CUT_BY_SNAPLEN,
    INTERFACE,
    LENGTH_FROM_CAPTURE,
    NOT_IP,
    OUTCOME_CODES,
    OUTCOMES,
    PACKET,
)
from tests.lifecycle.builders import finished

SECOND = 1_000_000_000
CAPTURES = sorted(path for path in (Path(__file__).parents[2] / "captures").glob("*.pcap*") if path.suffix in (".pcap", ".pcapng"))


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


def test_unknown_link_types_are_counted_by_interface() -> None:
    quality, unknown = Quality(), OUTCOME_CODES["unknown_link_type"]
    for faces in ([0, 2, 2, 1], [1], [2]):
        read = batch([SECOND] * len(faces), interface=faces, outcome=[unknown if face else ANALYSED for face in faces])
        read.interfaces = new_table(INTERFACE, 3)
        read.interfaces["linktype"] = [1, 147, 9999]
        quality.observe(read)
    assert quality.unknown_links == {1: (147, 2), 2: (9999, 3)}
    counted = [(fact.name, fact.count, fact.meaning) for fact in quality.facts() if fact.group == "unknown_link_type"]
    assert counted[0] == ("interface_1", 2, "packets of interface 1, whose LINKTYPE 147 is not known")
    assert sum(count for _, count, _ in counted) == facts_of(quality)["outcome", "unknown_link_type"]


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


def test_times_of_all_batches() -> None:
    quality = Quality()
    quality.observe(batch([2 * SECOND, 0, SECOND]))
    quality.observe(batch([0, 3 * SECOND]))
    assert (quality.first_ts, quality.last_ts) == (SECOND, 3 * SECOND)


def test_steps_back_are_those_that_capture_counted() -> None:
    quality = Quality()
    read = batch([SECOND])
    read.interfaces["steps_back"], read.interfaces["largest_step_back_ns"] = 3, 7
    quality.observe(read)
    assert (quality.steps_back, quality.largest_step_back_ns) == (3, 7)


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


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_numbers_add_up_on_our_recordings(path: Path) -> None:
    quality, decoder = Quality(), Decoder(Options())
    with open_captures([str(path)], Memory(1 << 20, 2, 64), Limits(packets_per_batch=1 << 12)) as source:
        for read in source.batches():
            decoder.decode(read)
            quality.observe(read)
    (file,) = source.facts
    facts = facts_of(quality)
    outcomes = {name: count for (group, name), count in facts.items() if group == "outcome"}
    assert sum(outcomes.values()) == facts["packets", "read"] == file.packets
    assert outcomes["analysed"] == int(quality.protocols.sum())
    assert facts["bytes", "captured"] == file.bytes_captured
    assert facts["quality", "clock_steps_back"] == file.steps_back
    assert (quality.first_ts, quality.last_ts) == (file.first_ts, file.last_ts)


def test_two_interfaces_have_two_clocks() -> None:
    """Packets of two interfaces do not come in order of time: each has a clock of its own."""
    path = next(path for path in CAPTURES if path.name == "two-interfaces.pcapng")
    quality = Quality()
    with open_captures([str(path)], Memory(1 << 20, 2, 64), Limits(packets_per_batch=1 << 12)) as source:
        for read in source.batches():
            assert (read.packets.ts[1:] < read.packets.ts[:-1]).any()
            quality.observe(read)
    assert quality.steps_back == 0


def test_what_is_absent_makes_nothing_unreliable() -> None:
    assert not any(fact.affects for fact in Quality().facts())
    quality = Quality()
    quality.outcomes[OUTCOME_CODES["unknown_link_type"]] = 1
    quality.duplicates = 3
    affects = {fact.name: fact.affects for fact in quality.facts() if fact.affects}
    assert affects["unknown_link_type"] == EVERYTHING
    assert "*_retransmissions" in affects["duplicates"]
    assert len(affects) == 2
    assert set(MISSING_FROM) <= set(OUTCOME_CODES)


def test_affected_columns_exist() -> None:
    from analyzer.report.build import dictionary

    quality = Quality()
    quality.outcomes[:] = 1
    for name in [name for name, value in vars(quality).items() if isinstance(value, int)]:
        setattr(quality, name, 1)
    columns = [column.name for column in dictionary()["connections"]]
    for fact in quality.facts():
        for pattern in filter(None, fact.affects.split(", ")):
            assert any(fnmatch(column, pattern) for column in columns), pattern
