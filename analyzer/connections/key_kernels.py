# mypy: allow-untyped-defs
"""What makes two packets belong together, and the hash table that finds it.

The key is both (address, port) ends in either order, the protocol and the IP version; VLAN ids are not in it (as in Zeek), since
the two directions of a connection often carry different ones. ICMP has no ports: the type stands for the sender's, and the type of
the answer (8 -> 0) for the receiver's, so that request and reply are one connection; a type without counterpart is one-way and its
code stands for the receiver's port. Other protocols have ports 0.

The table is open addressing with linear probing over int64 slots: 0 = empty, else hash (31 bits) << 32 | row + 1. It has at least twice
as many slots as there are rows, so it is never more than half full and every probe ends. Deletion shifts entries back, so there
are no tombstones and a probe may stop at the first empty slot.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, mix64
from analyzer.tables.connections import IS_ONE_WAY

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
ROW_MASK = 0xFFFFFFFF
HASH_MASK = 0x7FFFFFFF


@helper
def icmp_counterpart(icmp_type):
    """The ICMP type that answers this one (RFC 792, 950, 1256); -1 = none."""
    if icmp_type == 0 or icmp_type == 8:
        return 8 - icmp_type
    if 13 <= icmp_type <= 18:
        return icmp_type + 1 if icmp_type & 1 else icmp_type - 1
    if icmp_type == 9 or icmp_type == 10:
        return 19 - icmp_type
    return -1


@helper
def icmp6_counterpart(icmp_type):
    """The ICMPv6 type that answers this one (RFC 4443, 4861, 2710, 4620, 6275); -1 = none."""
    if icmp_type == 128 or icmp_type == 129:
        return 257 - icmp_type
    if 133 <= icmp_type <= 136:
        return icmp_type + 1 if icmp_type & 1 else icmp_type - 1
    if icmp_type == 130 or icmp_type == 131:
        return 261 - icmp_type
    if icmp_type == 139 or icmp_type == 140:
        return 279 - icmp_type
    if icmp_type == 144 or icmp_type == 145:
        return 289 - icmp_type
    return -1


@helper
def ports_of(p):
    """(sender's port, receiver's port, one-way) as the key sees them."""
    protocol = np.int64(p.protocol)
    source, target = np.int64(p.src_port), np.int64(p.dst_port)
    if protocol in (TCP, UDP):
        return source, target, False
    if protocol != ICMP and protocol != ICMP6:
        return np.int64(0), np.int64(0), False
    answer = np.int64(icmp_counterpart(source) if protocol == ICMP else icmp6_counterpart(source))
    if answer < 0:
        return source, target, True
    return source, answer, False


@helper
def key_hash(p, source, target, is_one_way):
    """Hash of the key, 31 bits, the same for both directions unless one-way."""
    is_forward = p.src_hi < p.dst_hi or (p.src_hi == p.dst_hi and (p.src_lo < p.dst_lo or (p.src_lo == p.dst_lo and source <= target)))
    protocol = np.int64(p.protocol) << 8 | np.int64(p.ip_version)
    if is_forward or is_one_way:
        addresses = mix64(p.src_lo, p.dst_lo)
        ports = source << 16 | target
        upper = mix64(p.src_hi, p.dst_hi)
    else:
        addresses = mix64(p.dst_lo, p.src_lo)
        ports = target << 16 | source
        upper = mix64(p.dst_hi, p.src_hi)
    rest = mix64(np.uint64(upper), np.uint64(ports << 16 | protocol))
    return mix64(np.uint64(addresses), np.uint64(rest)) & HASH_MASK


@helper
def sender_in(c, p, source, target, is_one_way):
    """Which end of the connection sent this packet: 0 or 1; -1 = it belongs to another connection."""
    if c.protocol != p.protocol or c.ip_version != p.ip_version or (np.int64(c.marks) & IS_ONE_WAY != 0) != is_one_way:
        return -1
    if c.a_lo == p.src_lo and c.b_lo == p.dst_lo and c.a_port == source and c.b_port == target:
        if c.a_hi == p.src_hi and c.b_hi == p.dst_hi:
            return 0
    if not is_one_way and c.a_lo == p.dst_lo and c.b_lo == p.src_lo and c.a_port == target and c.b_port == source:
        if c.a_hi == p.dst_hi and c.b_hi == p.src_hi:
            return 1
    return -1


@helper
def find_slot(slots, connections, p, ports, key):
    """(slot, sender): the slot of the packet's connection, or of the empty place for it with sender -1. ``ports`` as `ports_of`."""
    source, target, is_one_way = ports
    mask = slots.size - 1
    slot = key & mask
    while True:
        entry = slots[slot]
        if entry == 0:
            return slot, -1
        if entry >> 32 == key:
            sender = sender_in(connections[(entry & ROW_MASK) - 1], p, source, target, is_one_way)
            if sender >= 0:
                return slot, sender
        slot = (slot + 1) & mask


@helper
def put_slot(slots, key, row):
    """Enter a row that is not in the table."""
    mask = slots.size - 1
    slot = key & mask
    while slots[slot] != 0:
        slot = (slot + 1) & mask
    slots[slot] = key << 32 | (row + 1)


@helper
def drop_slot(slots, key, row):
    """Remove a row if it is (still) in the table, and shift back what had been pushed past its slot."""
    mask = slots.size - 1
    slot = key & mask
    wanted = key << 32 | (row + 1)
    while slots[slot] != wanted:
        if slots[slot] == 0:
            return
        slot = (slot + 1) & mask
    hole = slot
    while True:
        slot = (slot + 1) & mask
        entry = slots[slot]
        if entry == 0:
            break
        home = (entry >> 32) & mask
        if (slot - home) & mask >= (slot - hole) & mask:  # its probe passed the hole
            slots[hole] = entry
            hole = slot
    slots[hole] = 0
