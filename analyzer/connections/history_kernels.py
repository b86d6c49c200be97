# mypy: allow-untyped-defs
"""The history string: one letter per event, upper case when the originator sent it, lower case when the responder did.

=====  ========================================  =======================================================
S H    SYN, SYN+ACK                              first, and again when the sequence number differs
F R    FIN, RST                                  first, and again when the sequence number differs
A D    pure ACK, payload                         once per role
I Q    FIN+RST, other mixtures of SYN FIN RST    once per role
C T W G  bad checksum, resent, zero window, gap  at the 1st, 10th, 100th, ... per end
^      the roles flipped                         each time
X      a stream is no longer followed            once
=====  ========================================  =======================================================
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.tables.connections import HISTORY_IS_FULL, HISTORY_SIZE
from analyzer.tables.packets import ACK, FIN, RST, SYN

# Constants that are passed to helpers are np.int64: for each plain int Numba would compile the helper once more.
# ENDPOINT.history_seen bits
SEEN_SYN, SEEN_FIN, SEEN_RST, SEEN_FIN_RST, SEEN_DATA, SEEN_ACK, SEEN_MIXED = (np.int64(1 << k) for k in range(7))

CARET = np.int64(ord("^"))
LETTER_X = np.int64(ord("X"))
LETTER_S, LETTER_H, LETTER_F, LETTER_R, LETTER_I, LETTER_Q = (np.int64(ord(letter)) for letter in "SHFRIQ")
LETTER_A, LETTER_D, LETTER_C, LETTER_T, LETTER_W, LETTER_G = (np.int64(ord(letter)) for letter in "ADCTWG")


@helper
def add_letter(c, letter):
    """Append one letter; a full history is marked, not overwritten."""
    k = np.int64(c.history_size)
    if k < HISTORY_SIZE:
        c.history[k] = letter
        c.history_size = k + 1
    else:
        c.marks = np.int64(c.marks) | HISTORY_IS_FULL


@helper
def cased(letter, is_originator):
    """The letter as the sender's role writes it."""
    return letter if is_originator else letter + 32


@helper
def note_once(c, e, bit, letter):
    """Append the letter unless this end had it before; whether it had."""
    seen = np.int64(e.history_seen)
    if seen & bit:
        return True
    e.history_seen = seen | bit
    add_letter(c, letter)
    return False


@helper
def note_scaled(c, count, letter):
    """Append the letter when ``count`` is 1, 10, 100, ..."""
    step = 1
    while step < count:
        step *= 10
    if step == count:
        add_letter(c, letter)


@helper
def note_flags(c, e, tcp_flags, seq, size, is_originator):
    """The letter of a packet's flags; ``seq`` is its relative sequence number, ``size`` its payload."""
    syn, fin, rst = tcp_flags & SYN, tcp_flags & FIN, tcp_flags & RST
    if not (syn | fin | rst):
        if size > 0:
            note_once(c, e, SEEN_DATA, cased(LETTER_D, is_originator))
        elif tcp_flags & ACK:
            note_once(c, e, SEEN_ACK, cased(LETTER_A, is_originator))
    elif fin and rst:
        note_once(c, e, SEEN_FIN_RST, cased(LETTER_I, is_originator))
    elif syn and (fin or rst):
        note_once(c, e, SEEN_MIXED, cased(LETTER_Q, is_originator))
    elif syn:
        letter = cased(LETTER_H if tcp_flags & ACK else LETTER_S, is_originator)
        if note_once(c, e, SEEN_SYN, letter) and seq != e.history_syn:
            add_letter(c, letter)
        e.history_syn = seq
    elif fin:
        letter = cased(LETTER_F, is_originator)
        if note_once(c, e, SEEN_FIN, letter) and seq + size != e.history_fin:
            add_letter(c, letter)
        e.history_fin = seq + size
    else:
        letter = cased(LETTER_R, is_originator)
        if note_once(c, e, SEEN_RST, letter) and seq != e.history_rst:
            add_letter(c, letter)
        e.history_rst = seq
