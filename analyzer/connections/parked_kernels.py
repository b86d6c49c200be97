# mypy: allow-untyped-defs
"""The hash table of parked connections: the same slots as in key_kernels, with an id in place of a row.

An entry is only the hash of a key. That another key has the same hash is rare, and brings a connection back that could have stayed.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.icmp_kernels import is_error, read_quoted
from analyzer.connections.key_kernels import ICMP, ICMP6, ROW_MASK, TCP, drop_slot, key_hash, ports_of
from analyzer.kernel import helper, kernel
from analyzer.tables.packets import ANALYSED


@helper
def take_out(slots, p, found, count):
    """Move the ids whose hash is that of the packet's key from the slots to ``found``; how many are there now."""
    ports = ports_of(p)
    key = key_hash(p, ports[0], ports[1], ports[2])
    mask = slots.size - 1
    slot = key & mask
    while slots[slot] != 0:
        if slots[slot] >> 32 == key:
            found[count] = (slots[slot] & ROW_MASK) - 1
            drop_slot(slots, key, found[count])
            count += 1
        else:
            slot = (slot + 1) & mask
    return count


@kernel
def find_parked(data, packets, slots, quoted, found):
    """Take the ids out of the slots that packets, or what ICMP errors quote, may belong to; their number."""
    count = np.int64(0)
    for i in range(packets.size):
        p = packets[i]
        if np.int64(p.outcome) != ANALYSED:
            continue
        protocol = np.int64(p.protocol)
        if protocol == TCP:
            count = take_out(slots, p, found, count)
        elif protocol in (ICMP, ICMP6) and is_error(p) and read_quoted(data, p, quoted[0]) and np.int64(quoted[0].protocol) == TCP:
            count = take_out(slots, quoted[0], found, count)
    return count


@kernel
def drop_parked(slots, keys, ids):
    """Take ids out of the slots."""
    for i in range(ids.size):
        drop_slot(slots, np.int64(keys[i]), ids[i])
