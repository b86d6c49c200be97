"""What costs time or security in a handshake though nothing is wrong with it: rules of good practice (RFC 9325, CA/Browser Forum).

Each points at the ServerHello or, about certificates, at the frame that completed the Certificate message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Hits, Mask, Rule
from analyzer.messages.tls.certificates import Certificate
from analyzer.registries.cipher_split import split
from analyzer.tables import Ints
from analyzer.tables.tls import BY_EXTERNAL_PSK, MEASURED, STEP_CODES
from analyzer.thresholds import DEFAULTS, Thresholds

DAY_NS: Final = 86_400 * 10**9
USUAL_SEGMENT: Final = 1460
# longest lifetimes of public certificates (CA/Browser Forum, Baseline Requirements 6.3.2): begin of validity in days since 1970, days
LIFETIMES: Final = ((17_591, 825), (18_506, 398), (20_527, 200), (20_892, 100), (21_623, 47))

PRACTICE_RULES: Final = (
    Rule(
        "tls.no_resumption",
        "note",
        "a full handshake though the client offered to resume a session",
        "Let servers share their ticket keys.",
    ),
    Rule(
        "tls.better_suite_offered", "note", "a cipher suite without forward secrecy or AEAD though the client offered both", "Order suites."
    ),
    Rule("tls.certificate_flight", "note", "the certificates fill more than the first window: one more round trip", "Send less.", "bytes"),
    Rule("tls.long_lifetime", "note", "the certificate is valid for longer than public authorities may say", "Renew more often.", "ns"),
)


def _hits(finished: Finished, rule: str, fired: Mask, step: str, amount: Ints) -> Hits:
    order, code = np.flatnonzero(fired), STEP_CODES[step]
    h = finished.handshakes
    return Hits(rule, order, h["step_number"][order, code, 1], h["step_ts"][order, code, 1], amount[order])


def most_days(not_before: int) -> int:
    """The longest lifetime of a public certificate valid from this time (ns), in days; 0 = no limit yet."""
    return next((days for begin, days in reversed(LIFETIMES) if not_before >= begin * DAY_NS), 0)


def is_too_long(one: Certificate, allowed: float = 0) -> bool:
    """Whether a public certificate (one with timestamps of Certificate Transparency) is valid for longer than its authority may say.

    ``allowed``: days, 0 = what public authorities may say.
    """
    if not one.timestamps or one.not_before is None or one.not_after is None:
        return False
    days = allowed or most_days(one.not_before)
    return days > 0 and one.not_after - one.not_before > days * DAY_NS


def is_poor(code: int) -> bool:
    """Whether a cipher suite that was chosen has no forward secrecy, or no AEAD."""
    suite = split(code)
    return code > 0 and not (suite.aead and (suite.tls13 or suite.forward_secrecy is True))


def judge_practice(finished: Finished, certificates: Sequence[Certificate], limits: Thresholds = DEFAULTS) -> list[Hits]:
    """The rules about handshakes that were answered."""
    h = finished.handshakes
    answered = h["step_basis"][:, STEP_CODES["server_hello"]] == MEASURED
    nothing = np.zeros(len(h), np.int64)
    offered = (h["psk_offered"] == 1) | (h["ticket_offered"] == 1)
    refused = answered & offered & (h["is_resumed"] == 0) & (h["resumed_by"] != BY_EXTERNAL_PSK) & (h["is_retried"] == 0)
    codes, index = np.unique(h["cipher_suite"], return_inverse=True)
    poor = np.array([is_poor(code) for code in codes.tolist()], np.bool_)
    hits = [
        _hits(finished, "tls.no_resumption", refused, "server_hello", nothing),
        _hits(finished, "tls.better_suite_offered", answered & (h["offers_modern"] == 1) & poor[index], "server_hello", nothing),
    ]
    links = finished.chain_links[finished.chain_links["from_client"] == 0]
    if len(links) == 0 or not certificates:
        return hits
    order = finished.order_of(links["connection"].astype(np.int64))
    numbers, which = np.unique(links["certificate"], return_inverse=True)
    sizes = np.array([certificates[number].der_bytes for number in numbers.tolist()])
    flight = np.bincount(order, sizes[which], len(h)).astype(np.int64)
    mss = np.where(h["client"] == 0, finished.endpoints_a["mss"], finished.endpoints_b["mss"]).astype(np.int64)
    window = limits.tls_window_segments * np.where(mss > 0, mss, USUAL_SEGMENT)
    is_leaf = links["place"] == 0
    long = np.zeros(len(h), np.bool_)
    long[order[is_leaf & np.array([is_too_long(certificates[number], limits.tls_lifetime_days) for number in numbers.tolist()])[which]]] = (
        True
    )
    life = np.array([(certificates[n].not_after or 0) - (certificates[n].not_before or 0) for n in numbers.tolist()], np.int64)
    lives = nothing.copy()
    lives[order[is_leaf]] = life[which[is_leaf]]
    return [
        *hits,
        _hits(finished, "tls.certificate_flight", flight > window, "certificate", flight),
        _hits(finished, "tls.long_lifetime", long, "certificate", lives),
    ]
