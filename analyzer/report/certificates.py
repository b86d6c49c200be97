"""Tables ``certificates`` (one row per distinct certificate) and ``connection_certificates`` (who sent which)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from analyzer.lifecycle.findings import Validity
from analyzer.lifecycle.finished import Finished
from analyzer.messages.tls import ChainChecks
from analyzer.messages.tls.certificates import Certificate
from analyzer.report.built import Built, ListColumn, NumberColumn
from analyzer.report.columns import KINDS, Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.text import booleans, counts, ints, lists, texts, times, truths_or_none
from analyzer.tables import Ints, Rows

COLUMNS = (
    Column("sha256", "text", "SHA-256 of the certificate, hexadecimal"),
    Column("sha1", "text", "SHA-1 of the certificate, hexadecimal"),
    Column("first_seen", "time", "when it was first sent in the capture", "UTC", "among the connections of the flush that reported it"),
    Column("first_frame", "number", "frame that completed that Certificate message"),
    Column("subject", "text", "subject (RFC 4514)"),
    Column("issuer", "text", "issuer (RFC 4514)"),
    Column("common_name", "text", "common name of the subject"),
    Column("names", "texts", "DNS names it is for (subject alternative names)"),
    Column("addresses", "texts", "IP addresses it is for"),
    Column("emails", "texts", "mail addresses it is for"),
    Column("uris", "texts", "URIs it is for"),
    Column("not_before", "time", "valid from", "UTC"),
    Column("not_after", "time", "valid until", "UTC", "2262-04-11 stands for any later time"),
    Column("version", "number", "X.509 version"),
    Column("serial", "text", "serial number, hexadecimal"),
    Column("key_algorithm", "text", "algorithm of the public key, by its object identifier"),
    Column("key_type", "text", "kind of the public key: rsa, dsa, ecdsa or unknown"),
    Column("key_bits", "number", "length of the public key", "bits"),
    Column("key_curve", "text", "curve of an elliptic-curve key"),
    Column("key_exponent", "text", "exponent of an RSA key"),
    Column("signature_algorithm", "text", "algorithm of the issuer's signature"),
    Column("is_ca", "truth", "may sign other certificates", caveat="empty: it does not say"),
    Column("path_length", "number", "how many authorities may follow below it"),
    Column("is_self_signed", "truth", "signed with its own key"),
    Column("key_usage", "texts", "what the key may be used for"),
    Column("extended_key_usage", "texts", "purposes, as object identifiers"),
    Column("subject_key_id", "text", "identifier of its key, hexadecimal"),
    Column("authority_key_id", "text", "identifier of the issuer's key, hexadecimal"),
    Column("ocsp_urls", "texts", "where its revocation can be asked for"),
    Column("issuer_urls", "texts", "where the issuer's certificate can be had"),
    Column("timestamps", "number", "signed certificate timestamps in it (Certificate Transparency)"),
    Column("must_staple", "truth", "servers must send its OCSP response along (RFC 7633)"),
    Column("der_bytes", "number", "its size", "bytes"),
    Column("is_leaf", "truth", "sent as the first of a chain"),
    Column("is_client", "truth", "sent by a client"),
    Column("error", "text", "why it could not be read"),
)
LINK_COLUMNS = (
    Column("connection", "number", "number of the connection"),
    Column("uid", "text", "its unique id"),
    Column("sha256", "text", "SHA-256 of the certificate"),
    Column("place", "number", "position in the chain as sent, 0 = leaf"),
    Column("from_client", "truth", "sent by the client"),
    Column("time", "time", "last byte of the Certificate message", "UTC"),
    Column("frame", "number", "its frame"),
)


# column -> how to read it from a certificate of messages/tls; all other columns are fields of the same name
_READERS: Final[dict[str, Callable[[Certificate], Any]]] = {
    "names": lambda c: c.dns_names,
    "addresses": lambda c: c.ip_addresses,
    "is_ca": lambda c: c.is_ca,
    "path_length": lambda c: c.path_length,
    "not_before": lambda c: None if c.not_before is None else clip_time(c.not_before),
    "not_after": lambda c: None if c.not_after is None else clip_time(c.not_after),
    "is_self_signed": lambda c: c.is_self_signed,
    "must_staple": lambda c: c.must_staple,
    "timestamps": lambda c: c.timestamps,
}
_OF_LINK: Final = ("first_seen", "first_frame", "is_leaf", "is_client")
_FACTS: Final = tuple(column.name for column in COLUMNS if column.name not in _OF_LINK)
_LIMITS: Final = np.iinfo(np.int64)


def clip_time(ns: int) -> int:
    """A time within 64 bits of ns: certificates without end say 9999-12-31 (RFC 5280 4.1.2.5), which is beyond."""
    return min(max(ns, int(_LIMITS.min) + 1), int(_LIMITS.max))


_KINDS: Final = {column.name: column.kind for column in COLUMNS}


@dataclass(frozen=True)
class Chains:
    """The certificates of one flush: which distinct ones, and who sent them.

    Attributes:
        finished: the flush.
        certificates: all distinct certificates of the capture so far; CHAIN_LINK.certificate is a place in it.
    """

    finished: Finished
    certificates: Sequence[Certificate]

    @cached_property
    def order(self) -> Ints:
        """(c,) output position of the connection of each link."""
        return self.finished.order_of(self.finished.chain_links["connection"].astype(np.int64))

    @cached_property
    def used(self) -> Ints:
        """(d,) numbers of the distinct certificates in this flush, ascending."""
        return np.unique(self.finished.chain_links["certificate"]).astype(np.int64)

    @cached_property
    def place_in_used(self) -> Ints:
        """(c,) place in ``used`` of each link's certificate."""
        return np.searchsorted(self.used, self.finished.chain_links["certificate"])

    @cached_property
    def leaf(self) -> Ints:
        """(n,) place in ``used`` of the leaf that each connection's server sent, -1 = none."""
        links = self.finished.chain_links
        leaves = np.full(len(self.finished.rows), -1, np.int64)
        at = np.flatnonzero((links["place"] == 0) & (links["from_client"] == 0))[::-1]  # the first one sent wins
        leaves[self.order[at]] = self.place_in_used[at]
        return leaves

    def facts(self, name: str) -> Built:
        """(d,) one column of the distinct certificates of this flush."""
        read = _READERS.get(name) or (lambda certificate: getattr(certificate, name) or None)
        values = [read(self.certificates[number]) for number in self.used.tolist()]
        kind = _KINDS[name]
        if kind == "text":
            return texts(values)
        if kind == "texts":
            return lists(np.array([len(one or ()) for one in values], np.int64), texts([text for one in values for text in one or ()]))
        if kind == "truth":
            return truths_or_none(values)
        return NumberColumn(
            KINDS[kind], np.array([one or 0 for one in values], np.int64), np.array([one is not None for one in values], np.bool_)
        )

    def fingerprints(self, *, from_client: bool) -> ListColumn:
        """(n,) SHA-256 of the chain that each connection's server (or client) sent, as lists."""
        links = self.finished.chain_links
        kept = np.flatnonzero(links["from_client"] == int(from_client))
        kept = kept[np.lexsort((links["place"][kept], links["ts"][kept], self.order[kept]))]
        lengths = np.bincount(self.order[kept], minlength=len(self.finished.rows))
        digests = texts([self.certificates[number].sha256 for number in self.used.tolist()])
        return lists(lengths, digests.take(self.place_in_used[kept]))


def build_certificates(chains: Chains, reported: set[int]) -> Sheet:
    """The distinct certificates of this flush that no flush before has reported; adds them to ``reported``."""
    links: Rows = chains.finished.chain_links
    if len(links) == 0:
        return empty_sheet(COLUMNS)
    fresh = np.array([number not in reported for number in chains.used.tolist()], np.bool_)
    reported.update(chains.used.tolist())
    by_time = np.lexsort((links["place"], links["number"], links["ts"], chains.place_in_used))
    first = by_time[np.searchsorted(chains.place_in_used[by_time], np.arange(len(chains.used)))]
    kept = np.flatnonzero(fresh)
    first = first[kept]
    return make_sheet(
        COLUMNS,
        {
            **{name: chains.facts(name).take(kept) for name in _FACTS},
            "first_seen": times(links["ts"][first]),
            "first_frame": counts(links["number"][first]),
            "is_leaf": booleans(links["place"][first] == 0),
            "is_client": booleans(links["from_client"][first]),
        },
    )


def build_connection_certificates(chains: Chains, identity: Identity) -> Sheet:
    """CHAIN_LINK rows as a report table, ordered by (output position of the connection, time, sender, place)."""
    links: Rows = chains.finished.chain_links
    if len(links) == 0:
        return empty_sheet(LINK_COLUMNS)
    at = np.lexsort((links["place"], links["from_client"], links["ts"], chains.order))
    order = chains.order[at]
    return make_sheet(
        LINK_COLUMNS,
        {
            "connection": ints(identity.numbers[order]),
            "uid": identity.arrays["uid"].take(order),
            "sha256": chains.facts("sha256").take(chains.place_in_used[at]),
            "place": ints(links["place"][at]),
            "from_client": booleans(links["from_client"][at]),
            "time": times(links["ts"][at]),
            "frame": counts(links["number"][at]),
        },
    )


def build_validity(certificates: Sequence[Certificate], chains: ChainChecks) -> Validity:
    """What the certificates so far say, as ``build_findings`` wants it."""
    return Validity(
        np.array([clip_time(certificate.not_before or 0) for certificate in certificates], np.int64),
        np.array([clip_time(certificate.not_after or 0) for certificate in certificates], np.int64),
        certificates,
        chains,
    )
