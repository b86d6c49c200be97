"""Which connection is meant, and its packets out of a second pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.selection import find_connection, find_owners, select_packets

CAPTURES = Path(__file__).parents[1] / "captures"
SMALL = {"arena_bytes": 1 << 20}


def rows_of(name: str) -> list[dict[str, object]]:
    options = Options(limits=Limits(**SMALL))
    return [row for tables in Pipeline(options).run([str(CAPTURES / name)]) for row in tables["connections"].to_pylist()]


@pytest.mark.parametrize("limits", [SMALL, {**SMALL, "packets_per_batch": 1}, {**SMALL, "packets_per_batch": 7}])
@pytest.mark.parametrize("name", ["failures.pcapng", "port-reuse.pcap", "page-load.pcapng"])
def test_each_connection_has_its_packets(name: str, limits: dict[str, int]) -> None:
    rows = {int(str(row["connection"])): row for row in rows_of(name)}
    found: dict[int, list[int]] = {number: [] for number in rows}
    senders = {number: [0, 0] for number in rows}
    for selected in select_packets([str(CAPTURES / name)], rows, Options(limits=Limits(**limits))):
        told = (
            selected.numbers.tolist(),
            selected.packets["number"].tolist(),
            selected.packets["sender"].tolist(),
            selected.originators.tolist(),
        )
        for number, frame, sender, originator in zip(*told, strict=True):
            found[number].append(frame)
            senders[number][int(sender != originator)] += 1
    for number, row in rows.items():
        assert (found[number][0], found[number][-1]) == (row["first_frame"], row["last_frame"])
        assert senders[number] == [row["originator_packets"], row["responder_packets"]]


def test_packets_point_into_their_batch() -> None:
    (selected,) = select_packets([str(CAPTURES / "half-close.pcap")], [1], Options(limits=Limits(**SMALL)))
    packet = selected.packets[0]
    assert selected.batch.memory.data[int(packet.offset) + int(packet.network)] >> 4 == 4


def test_numbers_uids_and_hosts() -> None:
    capture, options = [str(CAPTURES / "failures.pcapng")], Options(limits=Limits(**SMALL))
    assert find_connection(capture, "17", options) == 17
    row = rows_of("failures.pcapng")[3]
    assert find_connection(capture, str(row["uid"]), options) == row["connection"]
    assert find_connection(capture, "refused.example.org", options) == 9
    with pytest.raises(UsageError, match=r"no connection has the uid or the host nobody\.example\."):
        find_connection(capture, "nobody.example", options)
    with pytest.raises(UsageError, match=r"TCP connections have the host www\.example\.org: \d+, "):
        find_connection([str(CAPTURES / "page-load.pcapng")], "www.example.org", options)


@pytest.mark.parametrize("limits", [SMALL, {**SMALL, "packets_per_batch": 3}])
def test_owners_of_frames(limits: dict[str, int]) -> None:
    names = ["page-load.pcapng", "half-close.pcap"]
    rows = [rows_of(name) for name in names]
    frames = {name: np.array([table[0]["first_frame"]]) for name, table in zip(names, rows, strict=True)}
    paths = [str(CAPTURES / name) for name in names]
    owners = find_owners(paths, lambda path: frames[Path(path).name], Options(limits=Limits(**limits)))
    assert len(owners) == 2
    one = find_owners(paths[:1], lambda _: frames[names[0]], Options(limits=Limits(**limits)))
    assert one.tolist() == [rows[0][0]["connection"]]
