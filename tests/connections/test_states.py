"""The table against the reference's own rows, written as data."""

from __future__ import annotations

import pytest

from analyzer.connections.states import (
    BEGINS_ATTEMPT,
    CLOSES,
    FLIPS,
    PEER_SHIFT,
    RESET_AFTER_CLOSED,
    TRANSITIONS,
    Situation,
    index_of,
)
from analyzer.tables.connections import CLOSED, ESTABLISHED, INACTIVE, PARTIAL, RESET, SYN_ACK_SENT, SYN_SENT
from analyzer.tables.packets import ACK, FIN, PSH, RST, SYN

# (sender, is originator, peer, flags, payload) -> (sender, peer, facts)
EXAMPLES = {
    (INACTIVE, 1, INACTIVE, SYN, 0): (SYN_SENT, INACTIVE, BEGINS_ATTEMPT),
    (INACTIVE, 1, INACTIVE, SYN | ACK, 0): (SYN_ACK_SENT, INACTIVE, BEGINS_ATTEMPT),
    (INACTIVE, 0, SYN_SENT, SYN | ACK, 0): (ESTABLISHED, ESTABLISHED, 0),
    (INACTIVE, 0, SYN_SENT, SYN, 0): (ESTABLISHED, ESTABLISHED, 0),
    (INACTIVE, 0, INACTIVE, SYN | ACK, 0): (ESTABLISHED, INACTIVE, 0),
    (INACTIVE, 0, PARTIAL, SYN | ACK, 0): (ESTABLISHED, PARTIAL, 0),
    (INACTIVE, 0, SYN_ACK_SENT, SYN, 0): (ESTABLISHED, ESTABLISHED, FLIPS),
    (INACTIVE, 1, INACTIVE, FIN | ACK, 0): (CLOSED, INACTIVE, CLOSES),
    (INACTIVE, 0, SYN_SENT, RST | ACK, 0): (RESET, SYN_SENT, CLOSES),
    (INACTIVE, 0, SYN_SENT, ACK, 0): (INACTIVE, SYN_SENT, 0),
    (INACTIVE, 0, SYN_SENT, ACK, 1): (PARTIAL, SYN_SENT, 0),
    (INACTIVE, 1, ESTABLISHED, ACK, 0): (ESTABLISHED, ESTABLISHED, 0),
    (INACTIVE, 1, INACTIVE, ACK, 1): (PARTIAL, INACTIVE, 0),
    (INACTIVE, 1, INACTIVE, 0, 0): (PARTIAL, INACTIVE, 0),
    (SYN_SENT, 1, INACTIVE, SYN, 0): (SYN_SENT, INACTIVE, 0),
    (SYN_SENT, 1, INACTIVE, FIN | ACK, 0): (CLOSED, INACTIVE, CLOSES),
    (SYN_ACK_SENT, 1, INACTIVE, RST, 0): (RESET, INACTIVE, CLOSES),
    (ESTABLISHED, 0, ESTABLISHED, FIN | ACK, 1): (CLOSED, ESTABLISHED, CLOSES),
    (ESTABLISHED, 0, RESET_AFTER_CLOSED, FIN | ACK, 0): (CLOSED, CLOSED, CLOSES),
    (ESTABLISHED, 0, RESET, FIN | ACK, 0): (CLOSED, RESET, CLOSES),
    (PARTIAL, 1, ESTABLISHED, RST, 0): (RESET, ESTABLISHED, CLOSES),
    (PARTIAL, 1, INACTIVE, SYN, 0): (SYN_SENT, INACTIVE, 0),
    (PARTIAL, 1, INACTIVE, SYN | ACK, 0): (PARTIAL, INACTIVE, 0),
    (CLOSED, 1, ESTABLISHED, RST, 0): (RESET, ESTABLISHED, CLOSES),
    (CLOSED, 1, CLOSED, RST, 0): (CLOSED, CLOSED, 0),
    (RESET, 1, ESTABLISHED, SYN, 0): (RESET, ESTABLISHED, 0),
    (RESET, 1, RESET_AFTER_CLOSED, FIN, 0): (RESET, RESET, 0),
}


def look_up(sender: int, is_originator: int, peer: int, flags: int, payload: int) -> tuple[int, int, int]:
    entry = int(TRANSITIONS[index_of(Situation(sender, bool(is_originator), peer, flags, bool(payload)))])
    return entry & 7, entry >> PEER_SHIFT & 7, entry & ~63


@pytest.mark.parametrize("situation", EXAMPLES)
def test_example(situation: tuple[int, int, int, int, int]) -> None:
    assert look_up(*situation) == EXAMPLES[situation]


def test_other_flags_do_not_matter() -> None:
    assert index_of(Situation(ESTABLISHED, True, CLOSED, FIN | PSH | 0xE0, False)) == index_of(
        Situation(ESTABLISHED, True, CLOSED, FIN, False)
    )


def test_every_entry_is_a_state() -> None:
    assert TRANSITIONS.shape == (4096,)
    for sender in range(7):
        for peer in range(8):
            for rest in range(64):
                entry = int(TRANSITIONS[sender << 9 | peer << 6 | rest])
                assert entry & 7 < 7
                assert entry >> PEER_SHIFT & 7 < 7


def test_reset_is_final() -> None:
    for rest in range(64):
        assert int(TRANSITIONS[RESET << 9 | ESTABLISHED << 6 | rest]) & 7 == RESET
