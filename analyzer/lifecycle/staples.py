"""OCSP responses that servers sent along, judged at the time of the capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Hits, Mask, Rule
from analyzer.messages.tls.certificates import Certificate
from analyzer.messages.tls.staples import Staple, read_staple
from analyzer.tables import Ints
from analyzer.tables.tls import STEP_CODES

STAPLE_RULES = (
    Rule("tls.certificate_revoked", "error", "the stapled OCSP response says that the certificate is revoked", "Replace the certificate."),
    Rule("tls.staple_outdated", "warning", "the stapled OCSP response was not valid at that time", "See why the server renews it late."),
    Rule(
        "tls.staple_unusable", "note", "the stapled OCSP response does not say whether the certificate is good", "Look at the server's log."
    ),
    Rule("tls.staple_missing", "error", "the certificate must come with an OCSP response, and has none", "Turn on OCSP stapling."),
)


@dataclass(frozen=True)
class Staples:
    """The distinct responses of a flush, and (n,) which of them each connection has, -1 = none."""

    distinct: Sequence[Staple]
    index: Ints

    def numbers(self, name: str) -> Ints:
        """(n,) a field of each connection's response, 0 = none."""
        values = np.array([0, *(getattr(one, name) for one in self.distinct)], np.int64)
        return values[self.index + 1]

    def having(self, *statuses: str) -> Mask:
        """(n,) connections whose response has one of these statuses."""
        return np.array([False, *(one.status in statuses for one in self.distinct)], np.bool_)[self.index + 1]


def find_staples(finished: Finished) -> Staples:
    """Read each distinct response of a flush once."""
    h, text = finished.handshakes, finished.texts.tls
    index = np.full(len(h), -1, np.int64)
    there = np.flatnonzero(h["staple_size"] > 0)
    _, first, which = np.unique(h["staple_key"][there], return_index=True, return_inverse=True)
    index[there] = which
    spans = zip(h["staple"][there[first]].tolist(), h["staple_size"][there[first]].tolist(), strict=True)
    return Staples([read_staple(text[at : at + size].tobytes()) for at, size in spans], index)


def judge_staples(finished: Finished, certificates: Sequence[Certificate]) -> list[Hits]:
    """The rules about stapled responses; they point at the message that held one, or at the Certificate message."""
    h, staples = finished.handshakes, find_staples(finished)
    of_status, of_chain = (STEP_CODES[name] for name in ("certificate_status", "certificate"))
    own = h["step_ts"][:, of_status, 1] != 0
    ts, number = (np.where(own, h[name][:, of_status, 1], h[name][:, of_chain, 1]) for name in ("step_ts", "step_number"))
    begin, end = staples.numbers("this_update"), staples.numbers("next_update")
    outdated = (staples.index >= 0) & (begin != 0) & ((ts < begin) | ((end != 0) & (ts > end)))
    links = finished.chain_links
    leaves = links[(links["place"] == 0) & (links["from_client"] == 0)]
    numbers, which = np.unique(leaves["certificate"], return_inverse=True)
    needs = np.zeros(len(h), np.bool_)
    demanding = np.array([certificates[one].must_staple for one in numbers.tolist()], np.bool_)
    needs[finished.order_of(leaves["connection"].astype(np.int64))[demanding[which]]] = True
    missing = needs & (h["staple_asked"] == 1) & (h["is_established"] == 1) & ~own & (staples.index < 0)
    found = (
        ("tls.certificate_revoked", staples.having("revoked")),
        ("tls.staple_outdated", outdated),
        ("tls.staple_unusable", (staples.index >= 0) & ~staples.having("good", "revoked")),
        ("tls.staple_missing", missing),
    )
    nothing = np.zeros(len(h), np.int64)
    return [Hits(rule, np.flatnonzero(fired), number[fired], ts[fired], nothing[fired]) for rule, fired in found]
