# mypy: allow-untyped-defs
"""IP fragments (RFC 791 3.2, RFC 8200 4.5) to whole datagrams, in bounded memory.

A datagram is collected in one block of the arena: HEADER_ROOM bytes, then the payload; a map says which 8 bytes of it were seen. It is
whole when all of it up to the end of its last fragment was seen. Then its IP header is written so that it ends where the payload
begins: that of the first fragment (IPv6: of 40 bytes, the headers before the fragment header left out, the addresses those that
packets/ found), with the length of the whole.

Rows are named by row + 1, so that 0 is none. What is done depends on the fragments and their times alone, not on batches: the row of a
whole datagram is free at once, its block waits in a list of its own until the batch has been dissected.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, kernel, mix64
from analyzer.memory import arena_give, arena_take, block_class, copy_bytes
from analyzer.tables.packets import COLLECTING, FROM_FRAGMENTS, GIVEN_UP, UNITS

HEADER_ROOM = 80  # 60 bytes of IPv4 header at its end; before it a delivered block names the next one and its own size
LARGEST_DATAGRAM = 65_535


@helper
def bucket_of(buckets, p, ident):
    """Where the chain of the datagrams with this key begins."""
    addresses = p.src_hi ^ p.dst_hi ^ np.uint64(ident)
    return mix64(addresses, (p.src_lo << np.uint64(1)) ^ p.dst_lo) & (buckets.shape[0] - 1)


@helper
def key_protocol(p):
    """The protocol in the key: the fragments of one IPv6 datagram may differ in it (RFC 8200 4.5)."""
    return np.int64(p.protocol) if p.ip_version == 4 else np.int64(-1)


@helper
def key_vlan(p):
    """The VLAN in the key."""
    return np.int64(p.vlan) if p.ip_version == 4 else np.int64(-2)


@helper
def find_datagram(datagrams, buckets, p, ident):
    """Name of the datagram that this fragment belongs to; 0 when it is new."""
    name = np.int64(buckets[bucket_of(buckets, p, ident)])
    while name > 0:
        d = datagrams[name - 1]
        is_same = d.ident == ident and d.protocol == key_protocol(p) and d.vlan == key_vlan(p) and d.tunnel == p.tunnel
        if is_same and d.src_hi == p.src_hi and d.src_lo == p.src_lo and d.dst_hi == p.dst_hi and d.dst_lo == p.dst_lo:
            return name
        name = np.int64(d.following)
    return np.int64(0)


@helper
def give_block(data, arena, d, f):
    """Give the block of a datagram back."""
    if d.block_size > 0:
        arena_give(data, arena, d.position, d.block_size)
        f.held_bytes -= 64 << block_class(d.block_size)
    d.block_size = 0


@helper
def unlink(datagrams, buckets, f, p_bucket, name):
    """Take a datagram out of the chain of its key and out of the list by age."""
    d = datagrams[name - 1]
    at = np.int64(buckets[p_bucket])
    if at == name:
        buckets[p_bucket] = d.following
    else:
        while np.int64(datagrams[at - 1].following) != name:
            at = np.int64(datagrams[at - 1].following)
        datagrams[at - 1].following = d.following
    if d.older > 0:
        datagrams[np.int64(d.older) - 1].newer = d.newer
    else:
        f.oldest = d.newer
    if d.newer > 0:
        datagrams[np.int64(d.newer) - 1].older = d.older
    else:
        f.newest = d.older


@helper
def free_datagram(data, arena, datagrams, f, name):
    """Give back the block and the row of a datagram that is in no list any more."""
    d = datagrams[name - 1]
    give_block(data, arena, d, f)
    d.state = 0
    d.following = f.free
    f.free = name


@helper
def drop_oldest(data, arena, datagrams, buckets, f):
    """Forget the datagram begun first; True when it was still being collected."""
    name = np.int64(f.oldest)
    d = datagrams[name - 1]
    was_collecting = d.state == COLLECTING
    unlink(datagrams, buckets, f, bucket_of(buckets, d, d.ident), name)
    free_datagram(data, arena, datagrams, f, name)
    return was_collecting


@helper
def drop_late(data, arena, datagrams, buckets, f, now):
    """Forget the datagrams that waited for their fragments too long."""
    while f.oldest > 0 and datagrams[np.int64(f.oldest) - 1].first_ts + f.wait_ns <= now:
        if drop_oldest(data, arena, datagrams, buckets, f):
            f.timed_out += 1


@helper
def begin_datagram(data, arena, datagrams, buckets, f, p, ident):
    """A row for a new datagram; its name. When all rows are taken, the oldest goes."""
    if f.free == 0 and f.used == datagrams.shape[0] and drop_oldest(data, arena, datagrams, buckets, f):
        f.shed += 1
    name = np.int64(f.free)
    if name > 0:
        f.free = datagrams[name - 1].following
    else:
        f.used += 1
        name = np.int64(f.used)
    d = datagrams[name - 1]
    bucket = bucket_of(buckets, p, ident)
    d.state = COLLECTING
    d.src_hi, d.src_lo, d.dst_hi, d.dst_lo = p.src_hi, p.src_lo, p.dst_hi, p.dst_lo
    d.ident, d.protocol, d.vlan, d.tunnel = ident, key_protocol(p), key_vlan(p), p.tunnel
    d.first_ts, d.block_size, d.header_size = p.ts, 0, 0
    d.total, d.highest, d.covered, d.fragments = -1, 0, 0, 0
    d.cut_at = LARGEST_DATAGRAM
    for i in range(UNITS):
        d.units[i] = 0
    d.following, d.older, d.newer = buckets[bucket], f.newest, 0
    buckets[bucket] = name
    if f.newest > 0:
        datagrams[np.int64(f.newest) - 1].newer = name
    else:
        f.oldest = name
    f.newest = name
    return name


@helper
def give_up(data, arena, d, f):
    """Keep nothing of a datagram but its key, so that later fragments of it are left out too."""
    give_block(data, arena, d, f)
    d.state = GIVEN_UP


@helper
def hold(data, arena, datagrams, buckets, f, name, size):
    """Make the block of a datagram hold ``size`` payload bytes. Others go for it, oldest first; False when there is no memory at all."""
    d = datagrams[name - 1]
    need = HEADER_ROOM + size
    if d.block_size > 0 and block_class(d.block_size) >= block_class(need):
        d.block_size = max(d.block_size, need)
        return True
    room = np.int64(64 << block_class(need))
    while f.held_bytes + room > f.max_bytes and f.oldest > 0 and f.oldest != name:
        if drop_oldest(data, arena, datagrams, buckets, f):
            f.shed += 1
    if f.held_bytes + room > f.max_bytes:
        return False
    position = arena_take(data, arena, need)
    if position < 0:
        return False
    if d.block_size > 0:
        copy_bytes(data, d.position, position, min(d.block_size, HEADER_ROOM + d.highest))
    give_block(data, arena, d, f)
    d.position, d.block_size = position, need
    f.held_bytes += room
    return True


@helper
def is_seen(d, unit):
    """Whether these 8 bytes were seen."""
    return (np.int64(d.units[unit >> 3]) >> (unit & 7)) & 1 != 0


@helper
def compare(data, d, at, captured, first, stop):
    """(units of [first, stop) that were seen before, whether bytes of them differ from those at ``at``)."""
    seen, differ = 0, False
    place = d.position + HEADER_ROOM
    for unit in range(first >> 3, (stop + 7) >> 3):
        if not is_seen(d, unit):
            continue
        seen += 1
        low = unit * 8
        for i in range(low, min(low + 8, stop, first + captured, d.cut_at)):
            differ = differ or data[place + i] != data[at + i - first]
    return seen, differ


@helper
def fill(data, d, at, captured, first, stop):
    """Take the bytes of [first, stop) that were not seen before from ``at``."""
    place = d.position + HEADER_ROOM
    for unit in range(first >> 3, (stop + 7) >> 3):
        if is_seen(d, unit):
            continue
        low = unit * 8
        d.units[unit >> 3] = np.int64(d.units[unit >> 3]) | 1 << (unit & 7)
        d.covered += min(low + 8, stop) - low
        for i in range(low, min(low + 8, stop, first + captured)):
            data[place + i] = data[at + i - first]


@helper
def keep_header(data, d, p):
    """Write the IP header of the first fragment before the payload."""
    at = np.int64(p.offset) + np.int64(p.network)
    d.next_header = p.protocol
    size = np.int64(40)
    if p.ip_version == 4:
        size = (np.int64(data[at]) & 15) * 4
    d.header_size = size
    target = d.position + HEADER_ROOM - size
    copy_bytes(data, at, target, size)
    if p.ip_version == 4:
        return
    data[target + 6] = np.int64(p.protocol)
    for i in range(8):  # the addresses behind routing headers and home address options
        shift = np.uint64(56 - 8 * i)
        byte = np.uint64(255)
        data[target + 8 + i] = (p.src_hi >> shift) & byte
        data[target + 16 + i] = (p.src_lo >> shift) & byte
        data[target + 24 + i] = (p.dst_hi >> shift) & byte
        data[target + 32 + i] = (p.dst_lo >> shift) & byte


@helper
def store16(data, at, value):
    """Two bytes, most significant first."""
    data[at] = value >> 8 & 255
    data[at + 1] = value & 255


@helper
def store64(data, at, value):
    """Eight bytes of a number that is not negative, least significant first."""
    for i in range(8):
        data[at + i] = value >> (8 * i) & 255


@helper
def load64(data, at):
    """What store64 stored."""
    value = np.int64(0)
    for i in range(8):
        value |= np.int64(data[at + i]) << (8 * i)
    return value


@helper
def deliver(data, datagrams, buckets, f, name):
    """A whole datagram: complete its header, free its row, note its block; position of the header."""
    d = datagrams[name - 1]
    unlink(datagrams, buckets, f, bucket_of(buckets, d, d.ident), name)
    store64(data, d.position, f.delivered)
    store64(data, d.position + 8, d.block_size)
    f.delivered = d.position
    f.held_bytes -= 64 << block_class(d.block_size)
    f.completed += 1
    d.state, d.block_size, d.following, f.free = 0, 0, f.free, name
    header = np.int64(d.header_size)
    at = d.position + HEADER_ROOM - header
    if d.protocol < 0:
        store16(data, at + 4, np.int64(d.total))
        return at
    store16(data, at + 2, header + np.int64(d.total))
    store16(data, at + 6, np.int64(0))
    before, total = be16(data, at + 10, at + header), np.int64(0)
    store16(data, at + 10, np.int64(0))
    if before >= 0:
        for i in range(at, at + header, 2):
            total += be16(data, i, at + header)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    store16(data, at + 10, ~total & 0xFFFF)
    return at


@helper
def take_fragment(data, arena, datagrams, buckets, f, p, at):
    """The fragment of row ``p`` whose payload begins at ``at``: name of the datagram it completes, 0 when it completes none."""
    head = np.int64(p.offset) + np.int64(p.network)
    size, captured = np.int64(p.payload_length), np.int64(p.payload_size)
    if p.ip_version == 4:
        word, ident = be16(data, head + 6, at), np.int64(p.ip_id)
        first, has_more = (word & 0x1FFF) * 8, word & 0x2000 != 0
    else:
        word, ident = be16(data, at - 6, at), be32(data, at - 4, at)
        first, has_more = word & 0xFFF8, word & 1 != 0
    drop_late(data, arena, datagrams, buckets, f, p.ts)
    if has_more and (size == 0 or size & 7 != 0):
        f.inconsistent += 1
        return np.int64(0)
    name = find_datagram(datagrams, buckets, p, ident)
    if name == 0:
        name = begin_datagram(data, arena, datagrams, buckets, f, p, ident)
    d = datagrams[name - 1]
    if d.state == GIVEN_UP:
        return np.int64(0)
    stop = first + size
    if stop + (20 if p.ip_version == 4 else 0) > LARGEST_DATAGRAM:
        f.too_large += 1
        give_up(data, arena, d, f)
        return np.int64(0)
    is_beyond = d.total >= 0 and (stop > d.total or (not has_more and stop != d.total))
    if is_beyond or (not has_more and stop < d.highest):
        f.inconsistent += 1
        return np.int64(0)
    if not hold(data, arena, datagrams, buckets, f, name, max(stop, d.highest)):
        f.shed += 1
        give_up(data, arena, d, f)
        return np.int64(0)
    return add_fragment(data, arena, datagrams, f, p, name, at, captured, first, stop, has_more)


@helper
def add_fragment(data, arena, datagrams, f, p, name, at, captured, first, stop, has_more):
    """Put a fragment that fits to those seen before; name of the datagram when it is whole now, else 0."""
    d = datagrams[name - 1]
    seen, differ = compare(data, d, at, captured, first, stop)
    if seen > 0 and seen == (stop - first + 7) >> 3 and not differ:
        f.repeated += 1
    elif seen > 0:
        if p.ip_version == 6:
            f.dropped_overlap += 1
            give_up(data, arena, d, f)
            return np.int64(0)
        f.overlapping += 1
    d.fragments = np.int64(d.fragments) + 1
    if d.fragments > f.max_fragments:
        f.too_many += 1
        give_up(data, arena, d, f)
        return np.int64(0)
    if captured < stop - first:
        d.cut_at = min(d.cut_at, first + captured)
    fill(data, d, at, captured, first, stop)
    d.highest = max(d.highest, stop)
    if first == 0 and d.header_size == 0:
        keep_header(data, d, p)
    if not has_more:
        d.total = stop
    if d.header_size == 0 or d.total < 0 or d.covered < d.total:
        return np.int64(0)
    if p.ip_version == 4 and d.header_size + d.total > LARGEST_DATAGRAM:
        f.too_large += 1
        give_up(data, arena, d, f)
        return np.int64(0)
    return name


@helper
def complete(data, arena, datagrams, buckets, f, p, at):
    """Take the fragment of row ``p``. When it completes its datagram the row becomes that of the whole one.

    Returns (whether it did, position of the IP header, end of the bytes there, end on the wire).
    """
    name = take_fragment(data, arena, datagrams, buckets, f, p, at)
    if name == 0:
        return False, at, at, at
    at = deliver(data, datagrams, buckets, f, name)
    d = datagrams[name - 1]
    wire_end = at + d.header_size + d.total
    p.offset = at
    p.marks = np.int64(p.marks) | FROM_FRAGMENTS
    return True, at, min(wire_end, at + d.header_size + d.cut_at), wire_end


@kernel
def free_delivered(data, arena, defragmenter):
    """Give back the blocks of what was delivered to the batch before."""
    f = defragmenter[0]
    while f.delivered > 0:
        position = np.int64(f.delivered)
        f.delivered = load64(data, position)
        arena_give(data, arena, position, load64(data, position + 8))
