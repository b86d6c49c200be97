"""The TCP state machine of a connection's two ends, as a table.

Theory (RFC 9293 3.3.2 seen from a wire tap, in Zeek's terms). A tap does not know the state inside the hosts; it knows what each end
has *sent*. So each end has a state of its own, changed by its own packets, and a packet may also change the state of the peer:

==============  ==================================================================================================
INACTIVE        nothing sent yet
SYN_SENT        the originator sent a SYN
SYN_ACK_SENT    the originator began with SYN+ACK (a stealth scan, or its SYN was lost)
PARTIAL         sent something without a SYN before: the beginning is missing
ESTABLISHED     the responder sent its SYN+ACK, or the originator's SYN was answered
CLOSED          sent a FIN
RESET           sent a RST
==============  ==================================================================================================

One packet is one look-up. The index is made of what the transition depends on:

* the sender's state and whether it is the originator;
* the peer's state, RESET split in two: RESET after CLOSED is ``RESET_AFTER_CLOSED``, since FIN then RST from one end followed by the
  FIN of the other is a normal end;
* the flags SYN, FIN, RST, ACK; whether there is payload.

A plain SYN from the responder while the originator is in SYN_ACK_SENT means that the two were swapped on their way into the capture: the
roles flip (a SYN that the SYN+ACK had not acknowledged never gets here, it begins a connection of its own).

The entry is the sender's new state, the peer's new state, and three facts: the roles flip, the sender has closed, an attempt begins.
`next_states` is the theory in code, called once per entry when this module is imported; kernels only read `TRANSITIONS`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analyzer.tables.connections import CLOSED, ESTABLISHED, INACTIVE, PARTIAL, RESET, SYN_ACK_SENT, SYN_SENT
from analyzer.tables.packets import ACK, FIN, RST, SYN

RESET_AFTER_CLOSED = 7  # as a peer's state only

# entry: sender's new state | peer's new state << 3 | facts
PEER_SHIFT = 3
FLIPS = 64
CLOSES = 128
BEGINS_ATTEMPT = 256


class Situation(NamedTuple):
    """What a transition depends on."""

    sender: int
    is_originator: bool
    peer: int
    tcp_flags: int
    has_payload: bool


def next_states(now: Situation) -> tuple[int, int, int]:
    """(sender's new state, peer's new state, facts) after one packet."""
    if now.sender == INACTIVE:
        return _first_packet(now)
    peer = RESET if now.peer == RESET_AFTER_CLOSED else now.peer
    syn, fin, rst = (bool(now.tcp_flags & bit) for bit in (SYN, FIN, RST))
    sender, facts = now.sender, 0
    if now.sender in (SYN_SENT, SYN_ACK_SENT):
        if fin or rst:
            sender, facts = (RESET if rst else CLOSED), CLOSES
    elif now.sender in (ESTABLISHED, PARTIAL):
        if syn and now.sender == PARTIAL and peer == INACTIVE and not now.tcp_flags & ACK:
            sender = SYN_SENT
        if fin and not rst:
            sender, facts = CLOSED, CLOSES
            if now.peer == RESET_AFTER_CLOSED:
                peer = CLOSED
        if rst:
            sender, facts = RESET, CLOSES
    elif now.sender == CLOSED and rst and peer != CLOSED:
        sender, facts = RESET, CLOSES
    return sender, peer, facts


def _first_packet(now: Situation) -> tuple[int, int, int]:
    """The first valid packet of an end."""
    peer = RESET if now.peer == RESET_AFTER_CLOSED else now.peer
    syn, fin, rst, ack = (bool(now.tcp_flags & bit) for bit in (SYN, FIN, RST, ACK))
    sender, facts = INACTIVE, 0
    if syn and now.is_originator:
        sender, facts = (SYN_ACK_SENT if ack else SYN_SENT), BEGINS_ATTEMPT
    elif syn:
        if not ack and peer == SYN_ACK_SENT:
            peer, facts = ESTABLISHED, FLIPS
        if peer == SYN_SENT:
            peer = ESTABLISHED
        sender = ESTABLISHED
    if fin:
        sender, facts = CLOSED, facts | CLOSES
    if rst:
        sender, facts = RESET, facts | CLOSES
    if sender == INACTIVE:
        if not now.is_originator and not now.has_payload and peer == SYN_SENT:
            pass  # some stacks acknowledge a SYN before they answer it
        elif ack and peer == ESTABLISHED:
            sender = ESTABLISHED  # only its SYN was missed
        else:
            sender = PARTIAL
    return sender, peer, facts


def index_of(now: Situation) -> int:
    """Position of a situation in TRANSITIONS (`state_kernels.transition` computes the same)."""
    flags = now.tcp_flags & (FIN | SYN | RST) | (8 if now.tcp_flags & ACK else 0)
    bits = now.is_originator | now.has_payload << 1
    return now.sender << 9 | now.peer << 6 | flags << 2 | bits


def build_transitions() -> npt.NDArray[np.int64]:
    """The table of all situations, int64 (4096)."""
    table = np.zeros(8 << 9, np.int64)
    for sender in range(7):
        for peer in range(8):
            for flags in range(16):
                tcp_flags = flags & (FIN | SYN | RST) | (ACK if flags & 8 else 0)
                for bits in range(4):
                    now = Situation(sender, bool(bits & 1), peer, tcp_flags, bool(bits & 2))
                    after, peer_after, facts = next_states(now)
                    table[index_of(now)] = after | peer_after << PEER_SHIFT | facts
    return table


TRANSITIONS = build_transitions()
"""All transitions: int64 entries (sender's state | peer's state << 3 | facts), by `index_of`."""
