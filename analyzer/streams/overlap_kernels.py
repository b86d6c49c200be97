# mypy: allow-untyped-defs
"""Bytes that come twice: who wins, and do the copies agree (RFC 9293 3.10.7.4; Ptacek and Newsham, 1998).

Only bytes that are still held above a hole can be compared or replaced: what was delivered is gone (its chunk may be overwritten).
An evader has to create the hole to make two copies compete at all, so this is also where the ambiguity lies.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper

# Options.overlap by position. A policy is one line in new_wins.
POLICIES = ("first", "last")
FIRST, LAST = 0, 1


@helper
def new_wins(policy, new_start, new_end, old_start, old_end):
    """Whether the new segment's bytes replace those of the old one where both overlap, by the stream offsets of both."""
    return policy == LAST and new_start < old_end and old_start < new_end


@helper
def compare(data, blocks, s, block, low, high, source, number):
    """Count the ranges between offsets ``low`` and ``high`` in which ``block`` of stream ``s`` differs from the bytes at ``source``."""
    b = blocks[block]
    if b.position < 0 or source < 0:
        return
    position = b.position + low - b.offset
    old, new = data[position : position + high - low], data[source : source + high - low]
    differed = False
    for i in range(high - low):
        differs = np.int64(old[i]) != np.int64(new[i])
        if differs:
            s.conflict_bytes += 1
            if not differed:
                s.conflicts += 1
                if s.conflicts == 1:
                    s.conflict_first_number, s.conflict_second_number = b.number, number
                if s.acked > low + i:
                    s.is_conflict_acked = 1
        differed = differs
