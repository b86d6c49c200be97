# mypy: allow-untyped-defs
"""MD5 and SHA-256 over spans of a byte array (fingerprints need them for every hello), and the table of distinct bytes met before.

All words are int64 values in 0 .. 2**32 - 1.
"""

from __future__ import annotations

import math

import numpy as np

from analyzer.kernel import helper

WORD = 0xFFFFFFFF
LITTLE, BIG = np.int64(0), np.int64(1)  # constants of type int64: a literal argument would compile a helper once more

MD5_SINES = np.array([int(abs(math.sin(i + 1)) * (1 << 32)) for i in range(64)], np.int64)  # RFC 1321 3.4
MD5_SHIFTS = np.array([7, 12, 17, 22] * 4 + [5, 9, 14, 20] * 4 + [4, 11, 16, 23] * 4 + [6, 10, 15, 21] * 4, np.int64)


def _root_fractions(count: int, power: int) -> list[int]:
    """First 32 bits of the fractions of the square (2) or cube (3) roots of the first primes (FIPS 180-4 4.2.2, 5.3.3)."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))][:count]
    fractions = []
    for prime in primes:
        scaled, root = prime << (32 * power), 1 << 40  # Newton's method in whole numbers, from above
        while root**power > scaled:
            root = ((power - 1) * root + scaled // root ** (power - 1)) // power
        fractions.append(root & WORD)
    return fractions


SHA256_ROUNDS = np.array(_root_fractions(64, 3), np.int64)
SHA256_START = np.array(_root_fractions(8, 2), np.int64)


@helper
def load_block(text, at, size, block, total, order, work):
    """The 16 words from byte ``block`` of the padded message: its bytes, 0x80, zeros, its length in bits; ``order`` 1 = big-endian."""
    for j in range(16):
        word = np.int64(0)
        for i in range(4):
            k = block + 4 * j + i
            place = total - 1 - k if order == 1 else k - (total - 8)
            if k < size:
                byte = np.int64(text[at + k])
            elif k == size:
                byte = np.int64(0x80)
            else:
                byte = ((size << 3) >> (8 * place)) & 255 if k >= total - 8 else np.int64(0)
            word = word << 8 | byte if order == 1 else word | byte << (8 * i)
        work[j] = word


@helper
def md5(text, at, size, target, to, work):
    """MD5 (RFC 1321) of text[at : at + size] as 32 hex digits at target[to]; ``work`` is int64[16] or more."""
    total = ((size + 8) // 64 + 1) * 64
    a0, b0, c0, d0 = np.int64(0x67452301), np.int64(0xEFCDAB89), np.int64(0x98BADCFE), np.int64(0x10325476)
    for block in range(0, total, 64):
        load_block(text, at, size, block, total, LITTLE, work)
        a, b, c, d = a0, b0, c0, d0
        for i in range(64):
            if i < 16:
                f, g = (b & c) | (~b & d), i
            elif i < 32:
                f, g = (d & b) | (~d & c), (5 * i + 1) & 15
            elif i < 48:
                f, g = b ^ c ^ d, (3 * i + 5) & 15
            else:
                f, g = c ^ (b | (~d & WORD)), (7 * i) & 15
            t = (a + f + MD5_SINES[i] + work[g]) & WORD
            t = ((t << 32 | t) >> (32 - MD5_SHIFTS[i])) & WORD
            a, d, c, b = d, c, b, (b + t) & WORD
        a0, b0, c0, d0 = (a0 + a) & WORD, (b0 + b) & WORD, (c0 + c) & WORD, (d0 + d) & WORD
    for i in range(4):
        word = a0 if i == 0 else b0 if i == 1 else c0 if i == 2 else d0
        for k in range(8):
            digit = (word >> (4 * (k ^ 1))) & 15  # bytes from the lowest, each with its high digit first
            target[to + 8 * i + k] = digit + 48 if digit < 10 else digit + 87


@helper
def sha256_12(text, at, size, target, to, work):
    """First 12 hex digits of SHA-256 (FIPS 180-4) of text[at : at + size] at target[to]; ``work`` is int64[72] or more."""
    total = ((size + 8) // 64 + 1) * 64
    for i in range(8):
        work[64 + i] = SHA256_START[i]
    for block in range(0, total, 64):
        load_block(text, at, size, block, total, BIG, work)
        for j in range(16, 64):
            x, y = work[j - 15], work[j - 2]
            xx, yy = x << 32 | x, y << 32 | y  # a word beside itself: a shift is a rotation
            x = ((xx >> 7) ^ (xx >> 18) ^ (x >> 3)) & WORD
            y = ((yy >> 17) ^ (yy >> 19) ^ (y >> 10)) & WORD
            work[j] = (work[j - 16] + x + work[j - 7] + y) & WORD
        a, b, c, d, e, f, g, h = work[64], work[65], work[66], work[67], work[68], work[69], work[70], work[71]
        for j in range(64):
            aa, ee = a << 32 | a, e << 32 | e
            t = h + (((ee >> 6) ^ (ee >> 11) ^ (ee >> 25)) & WORD) + ((e & f) ^ (~e & g)) + SHA256_ROUNDS[j] + work[j]
            u = (((aa >> 2) ^ (aa >> 13) ^ (aa >> 22)) & WORD) + ((a & b) ^ (a & c) ^ (b & c))
            h, g, f, e, d, c, b, a = g, f, e, (d + t) & WORD, c, b, a, (t + u) & WORD
        work[64], work[65], work[66], work[67] = work[64] + a, work[65] + b, work[66] + c, work[67] + d
        work[68], work[69], work[70], work[71] = work[68] + e, work[69] + f, work[70] + g, work[71] + h
        for i in range(64, 72):
            work[i] &= WORD
    for k in range(12):
        digit = (work[64 + (k >> 3)] >> (28 - 4 * (k & 7))) & 15
        target[to + k] = digit + 48 if digit < 10 else digit + 87


@helper
def hash_bytes(text, at, size, seed):
    """Hash of text[at : at + size] as a non-negative int64 of 62 bits: two lanes of 31 bits, so that no product overflows."""
    x, y = (seed * 0x9E3779B1 + size) & 0x7FFFFFFF, np.int64(0x2545F491)
    stop = at + (size & ~3)
    for i in range(at, stop, 4):
        word = np.int64(text[i]) | np.int64(text[i + 1]) << 8 | np.int64(text[i + 2]) << 16 | np.int64(text[i + 3]) << 24
        x = ((x ^ word) * 0x01000193 ^ (x >> 13)) & 0x7FFFFFFF
        y = ((y + word) * 0x0C1B3C6D ^ (y >> 15) ^ (word >> 16)) & 0x7FFFFFFF
    for i in range(stop, at + size):
        word = np.int64(text[i])
        x = ((x ^ word) * 0x01000193) & 0x7FFFFFFF
        y = ((y + word) * 0x0C1B3C6D ^ (y >> 15)) & 0x7FFFFFFF
    return x << 31 | y


@helper
def find_distinct(table, slots, store, text, at, size, kind, key):
    """Row of ``table`` that has exactly these bytes (stored in ``store``), else -1 minus the free slot where it belongs."""
    mask = slots.size - 1
    slot = key & mask
    while slots[slot] >= 0:
        row = np.int64(slots[slot])
        known = table[row]
        if known.hash == key and np.int64(known.kind) == kind and np.int64(known.length) == size:
            start, i = np.int64(known.position), np.int64(0)
            while i < size and store[start + i] == text[at + i]:
                i += 1
            if i == size:
                return row
        slot = (slot + 1) & mask
    return -1 - slot


@helper
def add_distinct(table, slots, store, state, text, at, size, kind, key, slot):
    """A new row with a copy of the bytes; the caller has checked the room. ``state`` is int64: [rows, top of store]."""
    row, top = state[0], state[1]
    new = table[row]
    new.hash = key
    new.kind = kind
    new.position = top
    new.length = size
    new.digest_size = 0
    for i in range(size):
        store[top + i] = text[at + i]
    slots[slot] = row
    state[0] = row + 1
    state[1] = top + size
    return row
