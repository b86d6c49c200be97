# mypy: allow-untyped-defs
"""Connection ids by hash, to know a connection again under another address (RFC 9000 9).

An open hash table: ``slots`` (int64, a power of two, at least twice as many as ids) holds places in ``ids`` plus one, 0 = free.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.tables.quic import CID_MAX, PLACE_CODES
from analyzer.tables.tls import MEASURED

IDS, LENGTHS = 1, 2  # places in ``state``: ids in use, a bit for each length in use
ID_LEAST = 4  # shorter ids would be met by chance
MIGRATION = PLACE_CODES["migration"]


@helper
def hash_id(data, at, size):
    """Hash of an id as a non-negative int64."""
    x = np.int64(size) + 0x2545F491
    for k in range(size):
        x = ((x ^ np.int64(data[at + k])) * 0x01000193 ^ (x >> 15)) & 0x7FFFFFFF
    return x


@helper
def find_id(data, at, size, ids, slots):
    """Row of ``ids`` with these bytes, else -1 minus the free slot where it belongs."""
    key = hash_id(data, at, size)
    mask = np.int64(slots.size) - 1
    slot = key & mask
    while slots[slot] > 0:
        row = np.int64(slots[slot]) - 1
        known = ids[row]
        if known.hash == key and np.int64(known.id_size) == size:
            k = np.int64(0)
            while k < size and known.octets[k] == data[at + k]:
                k += 1
            if k == size:
                return row
        slot = (slot + 1) & mask
    return -1 - slot


@helper
def add_id(data, at, size, connection, owner, number, ids, slots, state):
    """Remember an id; the newest connection that has it counts. The caller has made sure of the room."""
    if size < ID_LEAST or size > CID_MAX:
        return
    row = find_id(data, at, size, ids, slots)
    if row < 0:
        slot = -1 - row
        row = np.int64(state[IDS])
        state[IDS] = row + 1
        slots[slot] = row + 1
        new = ids[row]
        new.hash = hash_id(data, at, size)
        new.id_size = size
        for k in range(size):
            new.octets[k] = data[at + k]
    known = ids[row]
    known.connection = connection
    known.owner = owner
    known.number = number
    state[LENGTHS] |= np.int64(1) << size


@helper
def find_home(data, p, connections, rows, ids, slots, state):
    """Whether the short header of an unknown datagram leads to a known connection: then it is a path of that."""
    at = np.int64(p.offset) + np.int64(p.payload)
    end = at + np.int64(p.payload_size)
    if state[IDS] == 0 or np.int64(data[at]) & 0xC0 != 0x40 or end - at < 21:
        return
    for size in range(ID_LEAST, CID_MAX + 1):
        if state[LENGTHS] >> size & 1 and at + 1 + size <= end:
            row = find_id(data, at + 1, np.int64(size), ids, slots)
            if row >= 0 and ids[row].connection >= 0 and ids[row].number < p.number:
                join_home(
                    connections,
                    rows,
                    np.int64(p.connection),
                    np.int64(p.sender),
                    np.int64(ids[row].connection),
                    np.int64(ids[row].owner),
                    p,
                )
                return


@helper
def join_home(connections, rows, path, sender, home, owner, p):
    """Make the row of a new path from that of its connection: who is who, and how long ids are."""
    if rows[home].is_path:
        home = np.int64(rows[home].home_row) - 1
    if home < 0 or home == path:
        return
    q, h = rows[path], rows[home]
    q.seen = 1
    q.is_path = 1
    q.home_row = home + 1
    q.home = connections[home].number
    q.is_keyed = h.is_keyed
    q.version = h.version
    q.first_version = h.first_version
    # ``owner`` is an end of the home: the one that ``sender`` speaks to
    q.client = sender if owner != np.int64(h.client) else 1 - sender
    for end in range(2):
        mine = end if sender != owner else 1 - end
        q.has_scid[end] = h.has_scid[mine]
        q.scid_size[end] = h.scid_size[mine]
    h.paths += 1
    if h.place_ts[MIGRATION] == 0:
        h.place_ts[MIGRATION] = p.ts
        h.place_number[MIGRATION] = p.number
        h.place_basis[MIGRATION] = MEASURED


@kernel
def add_ids(octets, sizes, connections, owners, numbers, ids, slots, state):
    """Remember ids: ``octets`` holds 20 bytes of each, one after the other; there must be room."""
    for i in range(sizes.size):
        add_id(octets, i * CID_MAX, sizes[i], connections[i], owners[i], numbers[i], ids, slots, state)
