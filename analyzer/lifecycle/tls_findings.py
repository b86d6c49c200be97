"""Weak cryptography and certificates: rules over handshakes (RFC 9325) and over the distinct certificates they showed.

A rule about a suite or a version points at the ServerHello that chose it, one about a certificate at the frame that completed the
Certificate message. Certificates are judged once each, at the time of the capture, never now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Hits, Rule, distinct_rows
from analyzer.messages.tls.certificates import Certificate
from analyzer.messages.tls.chains import OTHER_ISSUER, WRONG_SIGNATURE, ChainChecks, is_certified
from analyzer.registries.cipher_split import split
from analyzer.registries.cipher_suites import REGISTERED
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.tls import MEASURED, STEP_CODES
from analyzer.thresholds import DEFAULTS, Thresholds

SSL_30, TLS_12, TLS_13 = 0x0300, 0x0303, 0x0304
BROKEN_SIGNATURES: Final = ("md2WithRSAEncryption", "md5WithRSAEncryption")
OLD_SIGNATURES: Final = ("sha1WithRSAEncryption", "sha1WithRSA", "ecdsa-with-SHA1", "dsaWithSHA1")

TLS_RULES: Final = (
    Rule("tls.broken_version", "error", "SSL 2.0 or 3.0, which is broken (POODLE, DROWN)", "Turn it off; use TLS 1.2 or 1.3.", "code"),
    Rule("tls.no_encryption", "error", "the cipher suite does not encrypt", "Turn off NULL cipher suites.", "code"),
    Rule("tls.no_authentication", "error", "the cipher suite proves nobody's identity", "Turn off anonymous cipher suites.", "code"),
    Rule("tls.export_cipher", "error", "an export cipher suite, weak on purpose", "Turn off export cipher suites.", "code"),
    Rule("tls.broken_cipher", "error", "a broken cipher (RC4, RC2, DES or IDEA)", "Use AES-GCM or ChaCha20-Poly1305.", "code"),
    Rule("tls.triple_des", "warning", "3DES: blocks of 64 bits (Sweet32)", "Use AES-GCM or ChaCha20-Poly1305.", "code"),
    Rule("tls.cbc_sha1", "note", "CBC with SHA-1 and without encrypt-then-mac (Lucky 13)", "Prefer AEAD cipher suites.", "code"),
    Rule("tls.no_forward_secrecy", "note", "RSA key exchange: whoever gets the key can read it all", "Prefer ECDHE suites.", "code"),
    Rule("tls.broken_dh_prime", "error", "a Diffie-Hellman prime below 1024 bits (Logjam)", "Use ECDHE, or 2048 bits.", "count"),
    Rule("tls.weak_dh_prime", "warning", "a Diffie-Hellman prime below 2048 bits", "Use ECDHE, or 2048 bits.", "count"),
    Rule("tls.compression", "error", "TLS compression (CRIME)", "Turn off TLS compression.", "code"),
    Rule("tls.no_secure_renegotiation", "warning", "the server does not know secure renegotiation (RFC 5746)", "Update the server."),
    Rule("tls.no_extended_master_secret", "note", "TLS 1.2 without extended master secret (RFC 7627)", "Update the older end."),
    Rule("tls.heartbeat", "note", "the server answers heartbeats", "Check that its library is newer than Heartbleed."),
    Rule("tls.slow", "warning", "the TLS handshake took long", "See which step of it waited in the milestones.", "ns"),
    Rule(
        "tls.weak_rsa_key", "error", "the certificate's RSA key is shorter than 2048 bits", "Get a certificate with a longer key.", "count"
    ),
    Rule("tls.weak_ec_key", "error", "the certificate's curve is smaller than 224 bits", "Get a certificate on P-256.", "count"),
    Rule("tls.broken_signature", "error", "a certificate signed with MD5 or MD2", "Replace the certificate: it can be forged."),
    Rule("tls.old_signature", "warning", "a certificate signed with SHA-1", "Replace the certificate: clients refuse it."),
    Rule("tls.no_alternative_names", "warning", "the certificate names its host only as common name", "Add subject alternative names."),
    Rule("tls.self_signed", "warning", "the server's certificate is signed by itself", "Use an authority that the clients trust."),
    Rule("tls.name_mismatch", "error", "the certificate is not for the name asked for", "Add the name to the certificate, or check DNS."),
    Rule("tls.certificate_expires_soon", "warning", "the certificate expires soon", "Renew it.", "ns"),
    Rule("tls.chain_order", "warning", "the chain is not in order: one is not issued by the next", "Send leaf first, then issuers."),
    Rule("tls.chain_signature", "error", "a signature in the chain is wrong", "Renew the chain: clients refuse it."),
    Rule(
        "tls.chain_incomplete",
        "warning",
        "the server sent its own certificate without the one that signed it",
        "Add the intermediate certificates, unless an authority that all clients trust signed it itself.",
    ),
    Rule("tls.untrusted", "error", "the chain does not end at one of the trusted authorities", "Check the issuer, or the trust store."),
)
_SUITE_RULES: Final = (
    "tls.no_encryption", "tls.no_authentication", "tls.export_cipher", "tls.broken_cipher", "tls.triple_des", "tls.no_forward_secrecy",
)  # fmt: skip


@cache
def _suite_table(rule: str) -> npt.NDArray[np.bool_]:
    """(65536,) the cipher suites that a rule about suites is about."""
    is_bad: Callable[[int], bool] = {
        "tls.no_encryption": lambda code: split(code).null_encryption,
        "tls.no_authentication": lambda code: split(code).anonymous,
        "tls.export_cipher": lambda code: split(code).export,
        "tls.broken_cipher": lambda code: split(code).encryption in ("RC4", "RC2", "DES", "IDEA"),
        "tls.triple_des": lambda code: split(code).encryption == "3DES",
        "tls.cbc_sha1": lambda code: split(code).mode == "CBC" and split(code).mac == "SHA-1",
        "tls.no_forward_secrecy": lambda code: split(code).key_exchange == "RSA",
    }[rule]
    table = np.zeros(1 << 16, np.bool_)
    table[[code for code in REGISTERED if code < len(table) and is_bad(code)]] = True
    return table


def _at_step(finished: Finished, rule: str, fired: npt.NDArray[np.bool_], amount: Ints) -> Hits:
    """Hits that point at the ServerHello."""
    order = np.flatnonzero(fired)
    h, code = finished.handshakes, STEP_CODES["server_hello"]
    number, ts = h["step_number"][order, code, 0], h["step_ts"][order, code, 0]
    return Hits(rule, order, number, ts, amount.astype(np.int64)[order])


def judge_handshakes(finished: Finished, limits: Thresholds = DEFAULTS) -> list[Hits]:
    """The rules about what was agreed on."""
    h = finished.handshakes
    version, suite, prime = h["version"], h["cipher_suite"], h["prime_bits"]
    answered = (h["step_basis"][:, STEP_CODES["server_hello"]] == MEASURED) & (version > 0)
    is_old = answered & (version <= TLS_12)
    hits = [_at_step(finished, "tls.broken_version", answered & (version <= SSL_30), version)]
    chosen = answered & (suite >= 0)
    code = np.where(chosen, suite, 0) & 0xFFFF
    hits += [_at_step(finished, rule, chosen & _suite_table(rule)[code], suite) for rule in _SUITE_RULES]
    lucky = chosen & _suite_table("tls.cbc_sha1")[code] & (version == TLS_12) & (h["encrypt_then_mac"] == 0)
    handshake = _handshake_time(finished)
    c = finished.connections
    round_trip = np.where((c["syn_ts"] != 0) & (c["ack_ts"] > c["last_syn_ts"]), c["ack_ts"] - np.maximum(c["syn_ts"], c["last_syn_ts"]), 0)
    slow = np.maximum(limits.ns("tls_slow_ms"), limits.tls_slow_round_trips * round_trip)
    weak_prime = (prime >= max(1, limits.tls_broken_prime_bits)) & (prime < limits.tls_weak_prime_bits)
    nothing = np.zeros(len(h), np.int64)
    return [
        *hits,
        _at_step(finished, "tls.cbc_sha1", lucky, suite),
        _at_step(finished, "tls.broken_dh_prime", (prime > 0) & (prime < limits.tls_broken_prime_bits), prime),
        _at_step(finished, "tls.weak_dh_prime", weak_prime, prime),
        _at_step(finished, "tls.compression", answered & (h["compression"] > 0), h["compression"]),
        _at_step(finished, "tls.no_secure_renegotiation", is_old & (version > SSL_30) & (h["secure_renegotiation"] == 0), nothing),
        _at_step(finished, "tls.no_extended_master_secret", answered & (version == TLS_12) & (h["extended_master_secret"] == 0), nothing),
        _at_step(finished, "tls.heartbeat", is_old & (h["heartbeat"] == 1), nothing),
        _at_step(finished, "tls.slow", handshake > slow, handshake),
    ]


def _handshake_time(finished: Finished) -> Ints:
    """(n,) ns from the ClientHello to the end of the handshake as the client sees it, 0 = not known."""
    h = finished.handshakes
    begin = h["step_ts"][:, STEP_CODES["client_hello"], 0]
    client, server = (h["step_ts"][:, STEP_CODES[name], 1] for name in ("client_finished", "server_finished"))
    end = np.where(h["version"] >= TLS_13, client, np.where((client > 0) & (server > 0), np.maximum(client, server), 0))
    return np.where((begin > 0) & (end > 0), end - begin, 0)


def _key_rule(one: Certificate, limits: Thresholds) -> str:
    if one.key_type == "rsa" and 0 < one.key_bits < limits.tls_weak_rsa_bits:
        return "tls.weak_rsa_key"
    return "tls.weak_ec_key" if one.key_type == "ecdsa" and 0 < one.key_bits < limits.tls_weak_ec_bits else ""


def _signature_rule(one: Certificate) -> str:
    if one.signature_algorithm in BROKEN_SIGNATURES:
        return "tls.broken_signature"
    return "tls.old_signature" if one.signature_algorithm in OLD_SIGNATURES else ""


def _flags(one: Certificate, limits: Thresholds) -> dict[str, int]:
    """Rule -> amount, of those that fire on a server's own certificate wherever it is shown."""
    rules = {_key_rule(one, limits): one.key_bits, _signature_rule(one): 0}
    if one.is_self_signed:
        rules["tls.self_signed"] = 0
    if not one.error and not one.dns_names and not one.ip_addresses and one.common_name:
        rules["tls.no_alternative_names"] = 0
    rules.pop("", None)
    return rules


@dataclass(frozen=True)
class Shown:
    """Server certificates of one flush, (c,) each: CHAIN_LINK rows in order of (connection, time, place), and output positions."""

    links: Rows
    order: Ints

    def hits(self, rule: str, at: Ints, amount: Ints | int = 0) -> Hits:
        """Hits at these places."""
        amounts = np.full(len(at), amount) if isinstance(amount, int) else amount
        return Hits(rule, self.order[at], self.links["number"][at], self.links["ts"][at], amounts.astype(np.int64))

    @property
    def leaves(self) -> Ints:
        """Places of the servers' own certificates."""
        return np.flatnonzero(self.links["place"] == 0)

    @property
    def followed(self) -> Ints:
        """Places that have another certificate after them in their chain."""
        same = (self.order[1:] == self.order[:-1]) & (self.links["place"][1:] == self.links["place"][:-1] + 1)
        return np.flatnonzero(same)

    @property
    def last(self) -> Ints:
        """Places of the last certificate of each chain."""
        is_last = np.ones(len(self.order), np.bool_)
        is_last[self.followed] = False
        return np.flatnonzero(is_last)


def judge_certificates(
    finished: Finished, certificates: Sequence[Certificate], chains: ChainChecks | None, limits: Thresholds = DEFAULTS
) -> list[Hits]:
    """The rules about certificates of servers; one judgement per distinct certificate, and per pair of them, or of name and certificate."""
    links = finished.chain_links[finished.chain_links["from_client"] == 0]
    if len(links) == 0:
        return []
    order = finished.order_of(links["connection"].astype(np.int64))
    by_chain = np.lexsort((links["place"], links["ts"], order))
    shown = Shown(take_rows(links.view(np.recarray), by_chain), order[by_chain])
    hits = _judge_leaves(shown, certificates, limits) + _judge_signatures(shown, certificates)
    hits += _judge_names(finished, shown, certificates)
    return hits + (_judge_chains(shown, certificates, chains) if chains is not None else [])


def _judge_leaves(shown: Shown, certificates: Sequence[Certificate], limits: Thresholds) -> list[Hits]:
    leaves = shown.leaves
    numbers, index = np.unique(shown.links["certificate"][leaves], return_inverse=True)
    flags = [_flags(certificates[number], limits) for number in numbers.tolist()]
    hits = []
    for rule in sorted({rule for one in flags for rule in one}):
        fired = np.array([rule in one for one in flags])[index]
        hits.append(shown.hits(rule, leaves[fired], np.array([one.get(rule, 0) for one in flags])[index][fired]))
    ends = np.array([min(certificates[number].not_after or 0, 1 << 62) for number in numbers.tolist()], np.int64)[index]
    left = ends - shown.links["ts"][leaves]
    soon = (ends > 0) & (left >= 0) & (left < limits.ns("tls_expires_soon_days"))
    return [*hits, shown.hits("tls.certificate_expires_soon", leaves[soon], left[soon])]


def _judge_signatures(shown: Shown, certificates: Sequence[Certificate]) -> list[Hits]:
    """Old signatures of intermediates; those of roots do not count (nobody checks them)."""
    above = np.flatnonzero(shown.links["place"] > 0)
    numbers, index = np.unique(shown.links["certificate"][above], return_inverse=True)
    rules = ["" if certificates[number].is_self_signed else _signature_rule(certificates[number]) for number in numbers.tolist()]
    return [shown.hits(rule, above[np.array([one == rule for one in rules])[index]]) for rule in sorted(set(rules) - {""})]


def _judge_names(finished: Finished, shown: Shown, certificates: Sequence[Certificate]) -> list[Hits]:
    """Is the server's certificate for the name that the client asked for?"""
    h, leaves = finished.handshakes, shown.leaves
    sizes = h["server_name_size"][shown.order[leaves]].astype(np.int64)
    leaves, sizes = leaves[sizes > 0], sizes[sizes > 0]
    if len(leaves) == 0:
        return []
    width = np.arange(int(sizes.max()))
    places = h["server_name"][shown.order[leaves]][:, None] + np.where(width < sizes[:, None], width, 0)
    rows = np.zeros((len(leaves), len(width) + 4), np.uint8)
    rows[:, 4:] = np.where(width < sizes[:, None], finished.texts.tls[places], 0)
    rows[:, :4] = shown.links["certificate"][leaves].astype("<i4").view(np.uint8).reshape(-1, 4)
    first, index = distinct_rows(rows)
    wrong = []
    for pair in (rows[place].tobytes() for place in first.tolist()):
        one = certificates[int.from_bytes(pair[:4], "little")]
        name = pair[4:].rstrip(b"\0").decode("latin-1")
        wrong.append(not one.error and not is_certified(name, one))
    return [shown.hits("tls.name_mismatch", leaves[np.array(wrong)[index]])]


def _judge_chains(shown: Shown, certificates: Sequence[Certificate], chains: ChainChecks) -> list[Hits]:
    numbers, followed = shown.links["certificate"].astype(np.int64), shown.followed
    pairs, index = np.unique(numbers[followed] << 32 | numbers[followed + 1], return_inverse=True)
    verdicts = [chains.link(pair >> 32, pair & 0xFFFFFFFF) for pair in pairs.tolist()]
    hits = []
    for rule, verdict in (("tls.chain_order", OTHER_ISSUER), ("tls.chain_signature", WRONG_SIGNATURE)):
        wrong = np.array([one == verdict for one in verdicts], np.bool_)[index]
        hits.append(shown.hits(rule, followed[wrong]))
    last = shown.last
    ends, index = np.unique(numbers[last], return_inverse=True)
    trusted = np.array([chains.has_roots and chains.is_trusted(number) for number in ends.tolist()])[index]
    lone = np.array([not certificates[number].is_self_signed and not certificates[number].error for number in ends.tolist()])[index]
    hits.append(shown.hits("tls.chain_incomplete", last[(shown.links["place"][last] == 0) & lone & ~trusted]))
    return [*hits, shown.hits("tls.untrusted", last[~trusted] if chains.has_roots else last[:0])]
