"""Table ``tls``: one row per connection that speaks TLS; its columns also stand, as ``tls_*``, in ``connections``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.registries.cipher_split import NEGOTIATED, split
from analyzer.registries.tls import alert_level_name, alert_name, group_name, key_exchange_of_group, signature_scheme_name, version_name
from analyzer.report.built import Built, Mask, NumberColumn, is_there, values_of
from analyzer.report.certificates import Chains
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import (
    booleans,
    chosen,
    codes,
    counts,
    distinct,
    ints,
    milliseconds,
    named,
    padded,
    places,
    spans,
    times,
    truths_or_none,
    words,
)
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.lifecycle import PHASES
from analyzer.tables.tls import ABSENT, BASES, ERRORS, HANDSHAKE_TEXTS, STEP_CODES

ENCRYPTED_CERTIFICATE: Final = "certificate (encrypted)"

COLUMNS = (
    *IDENTITY,
    Column("first_time", "time", "first byte of the first message seen", "UTC"),
    Column("hello_time", "time", "first byte of the ClientHello", "UTC"),
    Column("handshake_ms", "milliseconds", "first byte of the ClientHello to the end of the handshake as the client sees it", "ms"),
    Column("handshake_basis", "text", "how that end is known: measured, inferred (from record sizes, TLS 1.3 without keys), bounded"),
    Column("version", "text", "negotiated version"),
    Column("offered_version", "text", "highest version offered by the client"),
    Column("cipher_suite", "text", "chosen cipher suite (IANA)"),
    Column("key_exchange", "text", "how both got a shared secret; in TLS 1.3 by the group"),
    Column("authentication", "text", "how the server proved who it is", caveat="TLS 1.3 encrypts the certificate: its key is not seen"),
    Column("encryption", "text", "symmetric cipher with key bits and mode"),
    Column("mac", "text", "integrity of the data; AEAD: part of the cipher"),
    Column("prf_hash", "text", "hash of the key derivation"),
    Column("forward_secrecy", "truth", "the key exchange is ephemeral"),
    Column("group", "text", "group of the key exchange, as used"),
    Column("sni", "text", "server name the client asked for", caveat="with is_ech the public name, not the inner one"),
    Column("alpn", "text", "application protocol the server chose", caveat="encrypted in TLS 1.3"),
    Column("alpn_offered", "text", "application protocols the client offered, joined by commas"),
    Column("resumed", "truth", "an earlier session was resumed"),
    Column("established", "truth", "both ends switched to encryption and encrypted data followed"),
    Column("ja3", "text", "JA3 of the ClientHello", caveat="no longer stable for browsers: prefer ja4"),
    Column("ja3s", "text", "JA3S of the ServerHello"),
    Column("ja4", "text", "JA4 of the ClientHello"),
    Column("alert", "text", "first fatal alert in clear, else the last alert in clear"),
    Column("alert_level", "text", "its level"),
    Column("alert_sender", "text", "who sent it: client or server"),
    Column("certificate_subject", "text", "subject of the server's certificate"),
    Column("certificate_issuer", "text", "its issuer"),
    Column("certificate_not_before", "time", "valid from", "UTC"),
    Column("certificate_not_after", "time", "valid until", "UTC"),
    Column("certificate_names", "texts", "DNS names it is for"),
    Column("certificate_sha256", "text", "its SHA-256"),
    Column(
        "certificate_fits_sni", "truth", "it is for the server name asked for", caveat="the common name counts where it has no DNS names"
    ),
    Column("server_chain", "texts", "SHA-256 of each certificate the server sent, leaf first"),
    Column("client_chain", "texts", "SHA-256 of each certificate the client sent, leaf first"),
    Column("history", "text", "letters of the messages seen, as Zeek's ssl_history (the client's in upper case)"),
    Column("last_alert", "text", "last alert in clear"),
    Column("is_retried", "truth", "HelloRetryRequest: one more round trip"),
    Column("retry_group", "text", "group that the HelloRetryRequest asked for"),
    Column("is_false_start", "truth", "the client sent data before the server's Finished (TLS 1.2)"),
    Column("is_ech", "truth", "encrypted ClientHello was offered"),
    Column("early_data_records", "number", "records of early data (0-RTT)"),
    Column("post_quantum_offered", "truth", "a hybrid post-quantum group was offered"),
    Column("ciphers_offered", "number", "cipher suites offered"),
    Column("dh_prime_bits", "number", "size of the Diffie-Hellman prime", "bits"),
    Column("signature_scheme", "text", "scheme that signed the key exchange (TLS 1.2)"),
    Column("compression", "number", "compression method chosen, 0 = none"),
    Column("extended_master_secret", "truth", "agreed (RFC 7627)"),
    Column("encrypt_then_mac", "truth", "agreed (RFC 7366)"),
    Column("secure_renegotiation", "truth", "the server answered renegotiation_info (RFC 5746)"),
    Column("client_records", "number", "encrypted records from the client"),
    Column("server_records", "number", "encrypted records from the server"),
    Column("client_data_bytes", "number", "bytes in them", "bytes"),
    Column("server_data_bytes", "number", "bytes in them", "bytes"),
    Column("version_code", "number", "number of the negotiated version on the wire"),
    Column("cipher_suite_code", "number", "number of the chosen cipher suite on the wire"),
    Column("group_code", "number", "number of the group on the wire"),
    Column("last_alert_code", "number", "number of the last alert in clear"),
    Column("is_partial", "truth", "the capture began in the middle of it"),
    Column("error", "text", "the first thing that was malformed"),
    Column("error_frame", "number", "frame of that"),
)
_ALWAYS_TOLD: Final = ("is_retried", "is_false_start", "is_ech", "post_quantum_offered", "is_partial")
_OF_SERVER_HELLO: Final = ("extended_master_secret", "encrypt_then_mac", "secure_renegotiation")


@dataclass(frozen=True)
class Suite:
    """What the columns say of one combination of suite, version, group and resumption."""

    cipher_suite: str
    key_exchange: str
    authentication: str
    encryption: str
    mac: str
    prf_hash: str
    forward_secrecy: bool | None


def describe_suite(suite: int, version: int, group: int, *, is_resumed: bool) -> Suite:
    """Take a suite apart as it was used on a connection (TLS 1.3 leaves key exchange and authentication to the group and certificate)."""
    parts = split(suite)
    key_exchange, authentication, secrecy = parts.key_exchange, parts.authentication, parts.forward_secrecy
    if key_exchange == NEGOTIATED:
        key_exchange = key_exchange_of_group(group) if group else "PSK" if is_resumed else "unknown"
        secrecy = True if group else None
    if authentication == NEGOTIATED:
        authentication = "PSK" if is_resumed else ENCRYPTED_CERTIFICATE
    return Suite(parts.name, key_exchange, authentication, parts.cipher, parts.mac, parts.prf_hash_in(version), secrecy)


def suite_columns(h: Rows) -> dict[str, Built]:
    """The columns about the cipher suite; one Python call per distinct combination."""
    chosen_one = (h["version"] > 0) & (h["cipher_suite"] >= 0)
    suite = np.where(chosen_one, h["cipher_suite"], 0).astype(np.int64) & 0xFFFFFF
    version, group = (h[name].astype(np.int64) & 0xFFFF for name in ("version", "group"))
    wide = suite << 33 | version << 17 | group << 1 | (h["is_resumed"] == 1)
    found, index = distinct(wide)
    told = [describe_suite(code >> 33, code >> 17 & 0xFFFF, code >> 1 & 0xFFFF, is_resumed=bool(code & 1)) for code in found]
    at = places(index, chosen_one)
    columns: dict[str, Built] = {
        name: words([getattr(one, name) for one in told]).take(at)
        for name in ("cipher_suite", "key_exchange", "authentication", "encryption", "mac", "prf_hash")
    }
    columns["forward_secrecy"] = truths_or_none([one.forward_secrecy for one in told]).take(at)
    return columns


def does_name_fit(name: str, pattern: str) -> bool:
    """Whether a host name is one a certificate is for: equal without case, or one label for a leading ``*`` (RFC 9525 6.3)."""
    name, pattern = name.lower().rstrip("."), pattern.lower().rstrip(".")
    if pattern.startswith("*."):
        return "." in pattern[2:] and "." in name and name.split(".", 1)[1] == pattern[2:]
    return name == pattern


def fits(names: Built, leaf: Ints, patterns: list[list[str]]) -> NumberColumn:
    """Whether each leaf (place, -1 = none) is for the name asked for; one comparison per distinct pair."""
    encoded = names.arrow().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    asked = np.where(is_there(encoded.indices), values_of(encoded.indices, np.int32), -1).astype(np.int64)
    both = (asked >= 0) & (leaf >= 0)
    pairs, index = distinct(np.where(both, asked << 32 | leaf, -1))
    verdicts = [pair >= 0 and any(does_name_fit(known[pair >> 32], one) for one in patterns[pair & 0xFFFFFFFF]) for pair in pairs]
    return booleans(np.array(verdicts, np.bool_)).take(places(index, both))


def certified_names(chains: Chains) -> list[list[str]]:
    """The names each certificate of the flush is for: its DNS names, else its common name."""
    common = chains.facts("common_name").arrow().to_pylist()
    return [names or ([name] if name else []) for names, name in zip(chains.facts("names").arrow().to_pylist(), common, strict=True)]


def certificate_columns(chains: Chains, at: Ints, names: Built) -> dict[str, Built]:
    """The columns about the server's certificate and both chains, for the connections at these output positions."""
    leaf = chains.leaf[at]
    facts = {name: chains.facts(name).take(leaf) for name in ("subject", "issuer", "not_before", "not_after", "names", "sha256")}
    columns = {f"certificate_{name}": array for name, array in facts.items()}
    columns["certificate_fits_sni"] = fits(names, leaf, certified_names(chains))
    columns["server_chain"] = chains.fingerprints(from_client=False).take(at)
    columns["client_chain"] = chains.fingerprints(from_client=True).take(at)
    return columns


def _earliest(ts: Ints) -> Ints:
    """Smallest known time of each row, 0 = none."""
    largest = np.iinfo(np.int64).max
    first = np.where(ts == 0, largest, ts).min(axis=1)
    return np.where(first == largest, 0, first)


def build_tls(finished: Finished, phases: Rows, identity: Identity, chains: Chains) -> Sheet:
    """HANDSHAKE rows of the connections that speak TLS, in output order."""
    at = np.flatnonzero(finished.handshakes["seen"] == 1)
    h = take_rows(finished.handshakes, at)
    text = {name: spans(finished.texts.tls, h[name], h[f"{name}_size"]) for name in HANDSHAKE_TEXTS if not name.endswith("s_offered")}
    names = text.pop("server_name")
    phase = phases[at, PHASES.index("tls_handshake")]
    answered: Mask = h["version"] > 0
    alerted: Mask = (h["alert_level"] > 0) & (h["alert_code"] >= 0)
    letters = np.where(np.arange(h["history"].shape[1]) < h["history_size"][:, None], h["history"], 0)
    return make_sheet(
        COLUMNS,
        {
            **identity.at(at),
            "first_time": times(_earliest(h["step_ts"][:, :, 0])),
            "hello_time": times(h["step_ts"][:, STEP_CODES["client_hello"], 0]),
            "handshake_ms": milliseconds(phase["duration"], phase["basis"] != ABSENT),
            "handshake_basis": chosen(BASES, phase["basis"]),
            "version": named(h["version"], version_name, answered),
            "offered_version": named(h["offered_version"], version_name, h["offered_version"] > 0),
            **suite_columns(h),
            "group": named(h["group"], group_name, h["group"] > 0),
            "sni": names,
            **text,
            "resumed": booleans(h["is_resumed"], answered),
            "established": booleans(h["is_established"]),
            "alert": named(h["alert_code"], alert_name, alerted),
            "alert_level": named(h["alert_level"], alert_level_name, alerted),
            "alert_sender": chosen(("client", "server"), h["alert_sender"] != h["client"], alerted),
            **certificate_columns(chains, at, names),
            "history": padded(letters),
            "last_alert": named(h["last_alert_code"], alert_name, h["last_alert_code"] >= 0),
            "retry_group": named(h["retry_group"], group_name, h["retry_group"] > 0),
            "early_data_records": counts(h["early_records"]),
            "ciphers_offered": counts(h["ciphers_offered"]),
            "dh_prime_bits": counts(h["prime_bits"]),
            "signature_scheme": named(h["signature_scheme"], signature_scheme_name, h["signature_scheme"] > 0),
            "compression": ints(h["compression"], answered & (h["compression"] >= 0)),
            "version_code": counts(h["version"]),
            "cipher_suite_code": ints(h["cipher_suite"], answered & (h["cipher_suite"] >= 0)),
            "group_code": counts(h["group"]),
            "last_alert_code": codes(h["last_alert_code"]),
            **{name: booleans(h[name]) for name in _ALWAYS_TOLD},
            **{name: booleans(h[name], answered) for name in _OF_SERVER_HELLO},
            **{name: ints(h[name]) for name in ("client_records", "server_records", "client_data_bytes", "server_data_bytes")},
            "error": chosen(ERRORS, np.minimum(h["error"], len(ERRORS) - 1), h["error"] > 0),
            "error_frame": counts(h["error_number"]),
        },
    )
