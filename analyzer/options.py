"""What a user can ask for, and every limit with its reason. Frozen: passed in, never global."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from analyzer.thresholds import Thresholds

SECOND = 1_000_000_000

Checksums: TypeAlias = Literal["ignore", "verify"]
Overlap: TypeAlias = Literal["first", "last", "linux", "windows", "bsd", "solaris"]


RESERVED_BYTES = 256 << 20  # what the process takes without open connections: code, chunks, one flush
CONNECTION_BYTES = 4096  # an open connection: its rows in the tables of all stages, and what their doubling takes at its worst
LEAST_CONNECTIONS = 1 << 12


def quarter_of_memory() -> int:
    """A quarter of this machine's memory in bytes; 2 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    except (AttributeError, OSError, ValueError):
        return 2 << 30


@dataclass(frozen=True)
class Limits:
    """Limits on everything that grows. Reaching one is counted and shown."""

    chunk_bytes: int = 8 << 20  # bytes read at a time: large enough that a call costs nothing, small enough for the cache
    packets_per_batch: int = 1 << 14  # rows of one batch: 3 MB of PACKET rows; idle connections are parked between batches
    packet_bytes: int = 262_144  # largest packet kept whole (libpcap's own maximum); the rest of a larger one is skipped
    record_bytes: int = 64 << 20  # a record that claims more than this is garbage, not a packet
    inflate_ratio: int = 250  # a compressed capture that unpacks to more than this many times its size is a bomb ...
    inflate_free_bytes: int = 256 << 20  # ... but only beyond this many unpacked bytes: below it no harm can be done
    open_captures: int = 64  # captures that overlap in time and are merged: each gets its share of the chunk, 128 KiB at least
    memory_bytes: int = field(default_factory=quarter_of_memory)  # of the process: over it the oldest idle connections are ended
    hot_connections: int = 1 << 15  # when more are open, TCP connections that have been idle longest are parked (see parking)
    arena_bytes: int = 256 << 20  # out-of-order segments and partial messages, all streams together
    stream_bytes: int = 16 << 20  # bytes buffered above a hole, one stream
    gap_acked_bytes: int = 1 << 20  # a hole is given up when this much data beyond it has been acknowledged ...
    gap_wait_ns: int = SECOND  # ... or after max(4 round trips, this) of capture time with progress beyond it
    handshake_bytes: int = 128 << 10  # one TLS handshake message: the largest certificate chains seen in the field
    chain_certificates: int = 64
    head_bytes: int = 256 << 10  # one HTTP head
    head_fields: int = 2000
    decoded_ratio: int = 200  # a body that grows more than this when it is decoded, and beyond 256 KiB, is a bomb
    object_bytes: int = 256 << 20  # one body that is kept as a file; what is longer is cut
    objects_bytes: int = 4 << 30  # all of them together
    objects: int = 200_000  # so many files in one folder are still bearable
    decoders: int = 1024  # bodies being decoded at once: 40 kB each
    pending_requests: int = 100  # pipelined requests without an answer, one connection
    http2_streams: int = 10_000  # of one connection, open at once: a hundred times what servers allow
    dns_message_bytes: int = 65_535
    dns_jumps: int = 128  # compression pointers in one name
    ipv6_headers: int = 16
    tunnels: int = 8
    fragment_wait_ns: int = 60 * SECOND  # RFC 8200 4.5: an incomplete datagram is given up 60 seconds after its first fragment
    fragment_bytes: int = 16 << 20  # all incomplete datagrams together
    fragments: int = 64  # of one datagram: 64 KiB in the smallest packets that links must carry, and more
    datagrams: int = 4096  # incomplete ones at a time: what 16 MiB hold when each has a page
    udp_idle_ns: int = 60 * SECOND  # Zeek's udp_inactivity_timeout
    dns_idle_ns: int = 10 * SECOND  # Zeek's dns_session_timeout
    icmp_idle_ns: int = 60 * SECOND
    closed_linger_ns: int = 5 * SECOND  # a closed TCP connection stays this long so that late packets find it
    dns_retry_ns: int = 15 * SECOND  # the same question again within this is a retransmission

    @property
    def open_connections(self) -> int:
        """So many connections may be open at a time within ``memory_bytes``."""
        return max(LEAST_CONNECTIONS, (self.memory_bytes - RESERVED_BYTES) // CONNECTION_BYTES)


@dataclass(frozen=True)
class Options:
    """How to analyse."""

    checksums: Checksums = "ignore"
    zeek_timeouts: bool = False
    overlap: Overlap = "first"  # whose copy of a byte counts
    keylog: tuple[Path, ...] = ()  # files with TLS keys in NSS format
    trust_store: tuple[Path, ...] = ()  # files with the certificates of trusted authorities, PEM
    include_secrets: bool = False  # report credentials that were decrypted
    jobs: int = 1  # threads: one for packets and messages, one for the report, one for writing it; more help nothing
    decode_bodies: bool = False  # take gzip and deflate off HTTP bodies to know their length and what they are: takes time
    keep_heads: bool = False  # keep the heads of HTTP messages, field by field
    thresholds: Thresholds = field(default_factory=Thresholds)  # from which values on something is a finding
    limits: Limits = field(default_factory=Limits)
