"""Sent again or overtaken: each rule of evidence, and what a retransmission costs."""

from __future__ import annotations

import pytest

from analyzer.memory import Memory
from analyzer.tables.connections import RULES
from analyzer.tables.packets import HAS_TIMESTAMPS
from tests.connections.rows import HANDSHAKE, START, Batch, client, new_table, server, table, timed
from tests.connections.rows import track as track_rows
from tests.connections.test_analysis_kernels import MS, Options, Tracker, flows, sack

RULE_NAMES = [name for name, _ in RULES]


def sent(seq: int, at: int, size: int = 100, **more: int) -> dict[str, int]:
    """Data of the client ``at`` ms after the handshake."""
    return client("A", size, seq=seq, ack=1, ts=START + at * MS, **more)


def said(ack: int, at: int, **more: int) -> dict[str, int]:
    return server("A", seq=1, ack=ack, ts=START + at * MS, **more)


def verdicts(*packets: dict[str, int], handshake: tuple[int, int, int] = (0, 10, 20)) -> dict[str, int]:
    """What is not zero of the client's verdicts and rules, after a handshake at these times in ms."""
    opening = [p | {"ts": START + at * MS} for p, at in zip(HANDSHAKE, handshake, strict=True)]
    tracker, _ = track_rows([*opening, *packets])
    flow, end = flows(tracker)[0], tracker.endpoints[0]
    facts = {"again": int(end.retransmissions), "overtaken": int(end.out_of_order), "doubled": int(flow.duplicated_packets)}
    facts |= {"fast": int(flow.fast_retransmissions), "spurious": int(flow.spurious_retransmissions)}
    facts |= {name: int(count) for name, count in zip(RULE_NAMES, flow.judged_by, strict=True)}
    return {name: count for name, count in facts.items() if count}


@pytest.mark.parametrize(
    ("tsval", "expected"),
    [(49, {"overtaken": 1, "timestamps": 1}), (51, {"again": 1, "timestamps": 1}), (50, {"overtaken": 1, "report": 1})],
)
def test_timestamps(tsval: int, expected: dict[str, int]) -> None:
    marks = {"marks": HAS_TIMESTAMPS}
    assert verdicts(sent(1, 30, tsval=48, **marks), sent(201, 31, tsval=50, **marks), sent(101, 32, tsval=tsval, **marks)) == expected


@pytest.mark.parametrize(
    ("ip_id", "expected"),
    [
        (12, {"overtaken": 1, "ip_id": 1}),
        (15, {"again": 1, "ip_id": 1}),
        (40_000, {"overtaken": 1, "report": 1}),  # it does not count any more
        (0, {"overtaken": 1, "report": 1}),
    ],
)
def test_ip_id(ip_id: int, expected: dict[str, int]) -> None:
    ids = [sent(1 + 10 * i, 30 + i, 10, ip_id=9 + i) for i in range(4)]
    assert verdicts(*ids, sent(51, 35, 10, ip_id=14), sent(41, 36, 10, ip_id=ip_id)) == expected


def test_ip_id_wraps() -> None:
    ids = [sent(1 + 10 * i, 30 + i, 10, ip_id=65533 + i) for i in range(3)]
    last = sent(41, 35, 10, ip_id=3)
    first = sent(1, 28, 10, ip_id=65530), sent(11, 28, 10, ip_id=65531), sent(21, 28, 10, ip_id=65532)
    moved = [p | {"seq": p["seq"] + 30} for p in (*ids, last)]
    assert verdicts(*first, *moved, sent(61, 36, 10, ip_id=1)) == {"overtaken": 1, "ip_id": 1}


def test_double_of_the_network() -> None:
    ids = [sent(1 + 10 * i, 30 + i, 10, ip_id=9 + i) for i in range(5)]
    assert verdicts(*ids, ids[4]) == {"doubled": 1, "ip_id": 1}
    assert verdicts(*ids, ids[2]) == {"doubled": 1, "ip_id": 1}


def test_bytes_that_were_acknowledged_are_spurious() -> None:
    assert verdicts(sent(1, 30), said(101, 40), sent(1, 300)) == {"again": 1, "spurious": 1, "acknowledged": 1}


def test_bytes_that_were_seen() -> None:
    assert verdicts(sent(1, 30), sent(1, 300)) == {"again": 1, "content": 1}


def test_more_than_before_is_sent_again() -> None:
    assert verdicts(sent(1, 30), sent(201, 31), sent(101, 32, 300)) == {"again": 1, "content": 1}


@pytest.mark.parametrize(("at", "expected"), [(60, {"overtaken": 1, "report": 1}), (240, {"again": 1, "report": 1})])
def test_hole_that_nobody_reported(at: int, expected: dict[str, int]) -> None:
    """A sender that is not told waits for its timer."""
    assert verdicts(sent(1, 30), sent(201, 31), sent(101, at)) == expected


@pytest.mark.parametrize(("at", "expected"), [(36, {"overtaken": 1, "report": 1}), (42, {"again": 1, "fast": 1, "report": 1})])
def test_hole_that_was_reported(at: int, expected: dict[str, int]) -> None:
    """From here to the sender and back it takes 10 ms: it cannot have reacted before."""
    reports = [said(101, 31), said(101, 32), said(101, 32), said(101, 33)]
    assert verdicts(sent(1, 30), reports[0], sent(201, 31), sent(301, 31), *reports[1:], sent(101, at)) == expected


def test_responder_takes_the_other_half_of_the_handshake() -> None:
    data = [server("A", 100, seq=seq, ack=1, ts=START + at * MS) for seq, at in ((1, 30), (201, 31), (101, 38))]
    tracker, _ = track_rows(
        [*[p | {"ts": START + at * MS} for p, at in zip(HANDSHAKE, (0, 2, 20), strict=True)], *data[:2]]
        + [client("A", seq=1, ack=101, ts=START + at * MS) for at in (31, 32, 33)]
        + [data[2]]
    )
    assert tracker.endpoints["retransmissions"][1] == 1  # 6 ms after the report, and it is 2 ms away


@pytest.mark.parametrize(("at", "expected"), [(32, {"overtaken": 1, "time": 1}), (40, {"again": 1, "time": 1})])
def test_one_sided_capture_guesses_by_time(at: int, expected: dict[str, int]) -> None:
    tracker, _ = track_rows([sent(1, 30), sent(201, 31), sent(101, at)])
    flow, end = flows(tracker)[0], tracker.endpoints[0]
    assert expected == {
        name: count
        for name, count in {
            "again": int(end.retransmissions),
            "overtaken": int(end.out_of_order),
            "time": int(flow.judged_by[RULE_NAMES.index("time")]),
        }.items()
        if count
    }


def test_cut_packets_are_judged_without_their_content() -> None:
    cut = {"payload_size": 10}
    assert verdicts(sent(1, 30, **cut), sent(201, 31, **cut), sent(101, 32, **cut)) == {"overtaken": 1, "report": 1}


def test_bytes_that_were_sacked_are_spurious() -> None:
    option = sack((1201, 1301))
    memory = Memory(4096, 1, 64)
    memory.data[: len(option)] = bytearray(option)
    report = said(101, 32, tcp_options_size=len(option))
    packets = [*HANDSHAKE, sent(1, 30), sent(201, 31), report, sent(201, 60)]
    tracker = Tracker(Options(), rows=4)
    tracker.track(Batch(memory, table(packets), new_table(table(packets).dtype, 0), START, len(packets)))
    assert flows(tracker)[0].spurious_retransmissions == 1
    assert flows(tracker)[1].sacks == 1


def test_what_waiting_costs() -> None:
    """Two segments lost at once wait at the same time: that counts once."""
    tracker, _ = track_rows([*timed(HANDSHAKE), sent(1, 30), sent(101, 31), sent(1, 330), sent(101, 340), said(201, 350)])
    flow = flows(tracker)[0]
    assert (flow.retransmission_wait_ns, flow.longest_wait_ns, flow.longest_wait_number) == (310 * MS, 300 * MS, 6)
    assert (flow.first_loss_number, flow.first_retransmission_number) == (4, 6)


def test_a_hole_waits_since_it_is_visible() -> None:
    tracker, _ = track_rows([*timed(HANDSHAKE), sent(1, 30), sent(201, 40), sent(301, 41), sent(101, 290)])
    flow = flows(tracker)[0]
    assert (flow.retransmission_wait_ns, flow.first_loss_number, flow.first_retransmission_number) == (250 * MS, 5, 7)
    assert flow.hole_ts == 0
