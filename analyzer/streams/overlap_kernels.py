# mypy: allow-untyped-defs
"""Bytes that come twice: who wins, and do the copies agree (RFC 9293 3.10.7.4; Ptacek and Newsham, 1998).

Only bytes that are still held above a hole can be compared or replaced: what was delivered is gone (its chunk may be overwritten).
An evader has to create the hole to make two copies compete at all, so this is also where the ambiguity lies.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper

# Options.overlap by position. A policy is what a system does when it puts segments together; where both copies agree none matters.
POLICIES = ("first", "last", "linux", "windows", "bsd", "solaris")
FIRST, LAST, LINUX, WINDOWS, BSD, SOLARIS = range(len(POLICIES))


@helper
def new_wins(policy, new_start, new_end, old_start, old_end):
    """Whether the new segment's bytes replace those of the old one where both overlap, by the stream offsets of both (as they were sent).

    =====================  ==============================================================
    the new one begins     and wins by the policy
    =====================  ==============================================================
    before the old one     linux, windows, bsd; solaris if it reaches the old one's end
    where the old one does linux if it ends later; solaris if it ends there or later
    after it               solaris if it ends later
    any of these           last; never first
    =====================  ==============================================================
    """
    if new_start >= old_end or old_start >= new_end or policy == FIRST:
        return False
    if policy == LAST:
        return True
    if policy == SOLARIS:
        return new_end > old_end if new_start > old_start else new_end >= old_end
    if new_start < old_start:
        return True
    return policy == LINUX and new_start == old_start and new_end > old_end


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
