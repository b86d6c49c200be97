# mypy: allow-untyped-defs
"""Packets of an AF_PACKET ring to blocks of pcapng (Linux include/uapi/linux/if_packet.h, TPACKET_V3; draft-ietf-opsawg-pcapng 4.3)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, helper, kernel, le16, le32

# places in ``state`` (int64)
BLOCK, NEXT, LEFT, TOP, PACKETS, MOST, ECHOES, STATE_SIZE = 0, 1, 2, 3, 4, 5, 6, 7
# places in ``face`` (int64): number of the interface, whether frames come without link layer, number of the loopback interface
INTERFACE, IS_COOKED, LOOPBACK, FACE_SIZE = 0, 1, 2, 3

NUM_PACKETS, FIRST_PACKET = 12, 16  # in the header of a block
SECONDS, NANOSECONDS, CAPLEN, LENGTH, STATUS, MAC, NET, VLAN, VLAN_TPID = 4, 8, 12, 16, 20, 24, 26, 32, 36  # in that of a packet
LINK = 48  # of its sockaddr_ll: family 2, protocol 2, interface 4, hardware type 2, kind 1, address size 1, address 8
VLAN_VALID, TPID_VALID = 16, 64
OUTGOING = 4
VLAN_8021Q = 0x8100
COOKED_BYTES = 20
BLOCK_BYTES = 32  # of a packet block beside its packet
TAG_AFTER = 12  # a VLAN tag stands behind the two addresses


@helper
def put32(out, at, value):
    """Four bytes, least significant first."""
    for i in range(4):
        out[at + i] = (value >> (8 * i)) & 255


@helper
def put16be(out, at, value):
    """Two bytes, most significant first."""
    out[at], out[at + 1] = (value >> 8) & 255, value & 255


@helper
def put_bytes(out, at, ring, source, size):
    """Copy bytes of the ring."""
    new, old = out[at : at + size], ring[source : source + size]
    for i in range(size):
        new[i] = old[i]


@helper
def put_cooked(out, at, ring, p, end, tpid):
    """The cooked header of a packet without link layer (LINKTYPE_LINUX_SLL2)."""
    link = p + LINK
    put16be(out, at, tpid if tpid != 0 else be16(ring, link + 2, end))
    put16be(out, at + 2, np.int64(0))
    number = le32(ring, link + 4, end)
    put16be(out, at + 4, number >> 16)
    put16be(out, at + 6, number)
    put16be(out, at + 8, le16(ring, link + 8, end))
    out[at + 10], out[at + 11] = ring[link + 10], ring[link + 11]
    put_bytes(out, at + 12, ring, link + 12, np.int64(8))


@helper
def put_packet(out, at, ring, p, end, face):
    """The block of one packet; where the next begins. A VLAN tag that the kernel took off stands where it was."""
    status = le32(ring, p + STATUS, end)
    tpid = np.int64(0)
    if status & VLAN_VALID:
        tpid = le16(ring, p + VLAN_TPID, end) if status & TPID_VALID else np.int64(VLAN_8021Q)
    kept, length = le32(ring, p + CAPLEN, end), le32(ring, p + LENGTH, end)
    ticks = le32(ring, p + SECONDS, end) * 1_000_000_000 + le32(ring, p + NANOSECONDS, end)
    head, first = at + 28, np.int64(0)
    if face[IS_COOKED] != 0:
        source = p + le16(ring, p + NET, end)
        put_cooked(out, head, ring, p, end, tpid)
        first = np.int64(COOKED_BYTES)
        if tpid != 0:
            put16be(out, head + first, le16(ring, p + VLAN, end))
            put16be(out, head + first + 2, be16(ring, p + LINK + 2, end))
            first += 4
    else:
        source = p + le16(ring, p + MAC, end)
        if tpid != 0 and kept >= TAG_AFTER:
            put_bytes(out, head, ring, source, np.int64(TAG_AFTER))
            put16be(out, head + TAG_AFTER, tpid)
            put16be(out, head + TAG_AFTER + 2, le16(ring, p + VLAN, end))
            first = np.int64(TAG_AFTER + 4)
            source += TAG_AFTER
            kept -= TAG_AFTER
            length -= TAG_AFTER
    put_bytes(out, head + first, ring, source, kept)
    kept, length = kept + first, length + first
    padded = (kept + 3) & ~3
    for i in range(kept, padded):
        out[head + i] = 0
    size = BLOCK_BYTES + padded
    put32(out, at, 6)
    put32(out, at + 4, size)
    put32(out, at + 8, face[INTERFACE])
    put32(out, at + 12, ticks >> 32)
    put32(out, at + 16, ticks)
    put32(out, at + 20, kept)
    put32(out, at + 24, length)
    put32(out, at + size - 4, size)
    return at + size


@kernel
def take_block(ring, out, state, face):
    """Write the packets of the block at ``state[BLOCK]`` from ``state[NEXT]`` on (0 = from its first) to ``out`` from ``state[TOP]`` on.

    DONE: the block is read, it may be given back. GROW_ROWS: no room for the next packet. On the loopback interface each packet is seen
    twice, going out and coming in: the first is left out, as libpcap does. Beyond ``state[MOST]`` packets the rest is left out.
    """
    block = state[BLOCK]
    end = np.int64(ring.size)
    if state[NEXT] == 0:
        state[LEFT] = le32(ring, block + NUM_PACKETS, end)
        state[NEXT] = block + le32(ring, block + FIRST_PACKET, end)
    while state[LEFT] > 0:
        p = state[NEXT]
        kind = np.int64(ring[p + LINK + 10])
        is_echo = kind == OUTGOING and le32(ring, p + LINK + 4, end) == face[LOOPBACK]
        if not is_echo and state[PACKETS] < state[MOST]:
            if state[TOP] + BLOCK_BYTES + COOKED_BYTES + 8 + le32(ring, p + CAPLEN, end) > out.size:
                return GROW_ROWS
            state[TOP] = put_packet(out, state[TOP], ring, p, end, face)
            state[PACKETS] += 1
        state[ECHOES] += is_echo
        state[LEFT] -= 1
        state[NEXT] = p + le32(ring, p, end)
    state[NEXT] = 0
    return DONE
