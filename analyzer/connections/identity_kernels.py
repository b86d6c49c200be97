# mypy: allow-untyped-defs
"""SHA-1, base64 and base62 over rows of connections.

SHA-1 (RFC 3174) only names things here, as the Community ID specification asks; nothing rests on its strength.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.key_kernels import ICMP, ICMP6, TCP, UDP
from analyzer.kernel import helper, kernel
from analyzer.tables.connections import IS_ONE_WAY

WORD = 0xFFFFFFFF
SCTP = 132
MESSAGE_SIZE = 128  # room for the longest message with its padding
SHA1_WORDS = 85  # 80 of the schedule, then the five of the state
DIGEST_SIZE = 20
UID_SIZE = 18
COMMUNITY_ID_SIZE = 30

BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
BASE62 = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)


@helper
def rotate(x, bits):
    """Rotate a 32-bit word held in an int64."""
    return (x << bits | x >> (32 - bits)) & WORD


@helper
def round_value(t, b, c, d):
    """f(t; B, C, D) + K(t) of RFC 3174 5."""
    if t < 20:
        return (b & c | ~b & WORD & d) + 0x5A827999
    if t < 40:
        return (b ^ c ^ d) + 0x6ED9EBA1
    if t < 60:
        return (b & c | b & d | c & d) + 0x8F1BBCDC
    return (b ^ c ^ d) + 0xCA62C1D6


@helper
def pad(message, size):
    """Pad a message in place (RFC 3174 4); its new size."""
    padded = (size + 9 + 63) // 64 * 64
    for i in range(size, padded):
        message[i] = 0
    message[size] = 0x80
    for i in range(8):
        message[padded - 1 - i] = size * 8 >> 8 * i & 255
    return padded


@helper
def sha1(message, size, words, digest):
    """SHA-1 of ``message[:size]`` into ``digest``; ``words`` is room for 85 words: the schedule and the state."""
    padded = pad(message, size)
    words[80], words[81], words[82] = 0x67452301, 0xEFCDAB89, 0x98BADCFE
    words[83], words[84] = 0x10325476, 0xC3D2E1F0
    for block in range(0, padded, 64):
        for t in range(16):
            at = block + 4 * t
            upper = np.int64(message[at]) << 24 | np.int64(message[at + 1]) << 16
            words[t] = upper | np.int64(message[at + 2]) << 8 | np.int64(message[at + 3])
        for t in range(16, 80):
            words[t] = rotate(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1)
        a, b, c, d, e = words[80], words[81], words[82], words[83], words[84]
        for t in range(80):
            f = (rotate(a, 5) + round_value(t, b, c, d) + e + words[t]) & WORD
            e = d
            d = c
            c = rotate(b, 30)
            b = a
            a = f
        words[80] = (words[80] + a) & WORD
        words[81] = (words[81] + b) & WORD
        words[82] = (words[82] + c) & WORD
        words[83] = (words[83] + d) & WORD
        words[84] = (words[84] + e) & WORD
    for i in range(DIGEST_SIZE):
        digest[i] = words[80 + i // 4] >> (24 - 8 * (i % 4)) & 255


@helper
def put(message, at, value, size):
    """Append ``size`` bytes of an int64, most significant first; the new end."""
    for i in range(size):
        message[at + i] = value >> 8 * (size - 1 - i) & 255
    return at + size


@helper
def put_address(message, at, hi, lo, ip_version):
    """Append an address of 4 or 16 bytes; the new end."""
    half = np.uint64(0xFFFFFFFF)
    if ip_version != 4:
        at = put(message, at, np.int64(hi >> np.uint64(32)), 4)
        at = put(message, at, np.int64(hi & half), 4)
        at = put(message, at, np.int64(lo >> np.uint64(32)), 4)
    return put(message, at, np.int64(lo & half), 4)


@helper
def is_in_order(c):
    """Whether (a, a_port) comes before (b, b_port): addresses as bytes, ports decide ties."""
    if c.a_hi != c.b_hi:
        return c.a_hi < c.b_hi
    if c.a_lo != c.b_lo:
        return c.a_lo < c.b_lo
    return c.a_port <= c.b_port


@kernel
def write_community_ids(connections, rows, base64, message, digest, words, texts):
    """The Community ID of each row, seed 0, into ``texts`` (n, COMMUNITY_ID_SIZE)."""
    for i in range(rows.size):
        c = connections[rows[i]]
        protocol, version = np.int64(c.protocol), np.int64(c.ip_version)
        at = put(message, 0, np.int64(0), 2)
        is_forward = np.int64(c.marks) & IS_ONE_WAY != 0 or is_in_order(c)
        if is_forward:
            at = put_address(message, at, c.a_hi, c.a_lo, version)
            at = put_address(message, at, c.b_hi, c.b_lo, version)
        else:
            at = put_address(message, at, c.b_hi, c.b_lo, version)
            at = put_address(message, at, c.a_hi, c.a_lo, version)
        at = put(message, at, protocol << 8, 2)
        if protocol in (ICMP, TCP, UDP, ICMP6, SCTP):
            ports = np.int64(c.a_port) << 16 | np.int64(c.b_port)
            if not is_forward:
                ports = np.int64(c.b_port) << 16 | np.int64(c.a_port)
            at = put(message, at, ports, 4)
        sha1(message, at, words, digest)
        texts[i, 0] = 49  # "1:"
        texts[i, 1] = 58
        for k in range(0, 21, 3):  # the digest is 20 bytes, a zero follows: the last character is the padding "="
            three = np.int64(digest[k]) << 16 | np.int64(digest[k + 1]) << 8 | np.int64(digest[k + 2])
            for j in range(4):
                texts[i, 2 + k // 3 * 4 + j] = base64[three >> (18 - 6 * j) & 63]
        texts[i, 29] = 61


@kernel
def write_uids(connections, rows, seed, base62, message, digest, words, limbs, texts):
    """The uid of each row into ``texts`` (n, UID_SIZE)."""
    for i in range(rows.size):
        c = connections[rows[i]]
        at = put(message, 0, np.int64(seed), 8)
        at = put(message, at, np.int64(c.first_ts), 8)
        at = put(message, at, np.int64(c.number), 8)
        at = put_address(message, at, c.a_hi, c.a_lo, np.int64(6))
        at = put_address(message, at, c.b_hi, c.b_lo, np.int64(6))
        at = put(message, at, np.int64(c.a_port), 2)
        at = put(message, at, np.int64(c.b_port), 2)
        at = put(message, at, np.int64(c.ip_version) << 8 | np.int64(c.protocol), 2)
        sha1(message, at, words, digest)
        for k in range(3):
            upper = np.int64(digest[4 * k]) << 24 | np.int64(digest[4 * k + 1]) << 16
            limbs[k] = upper | np.int64(digest[4 * k + 2]) << 8 | np.int64(digest[4 * k + 3])
        texts[i, 0] = 67  # "C"
        for k in range(UID_SIZE - 1):  # 62 ** 17 > 2 ** 96
            rest = np.int64(0)
            for j in range(3):
                rest = rest << 32 | limbs[j]
                limbs[j] = rest // 62
                rest %= 62
            texts[i, UID_SIZE - 1 - k] = base62[rest]
