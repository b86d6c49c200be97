"""Table ``tls``: one row per connection that speaks TLS; its columns also stand, as ``tls_*``, in ``connections``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.staples import find_staples
from analyzer.messages.tls.chains import does_name_fit
from analyzer.registries.cipher_split import NEGOTIATED, split
from analyzer.registries.tls import (
    alert_level_name,
    alert_name,
    certificate_compression_name,
    extension_name,
    group_name,
    key_exchange_of_group,
    psk_mode_name,
    signature_scheme_name,
    version_name,
)
from analyzer.report.built import Built, Mask, NumberColumn, is_there, values_of
from analyzer.report.certificates import Chains
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
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
    texts,
    times,
    truths_or_none,
    words,
)
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.lifecycle import PHASES
from analyzer.tables.tls import ABSENT, BASES, CODE_LISTS, ERRORS, HANDSHAKE_TEXTS, RESUMPTIONS, STEP_CODES

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
    Column("staple_asked", "truth", "the client asked for an OCSP response along with the certificate"),
    Column("staple_status", "text", "what it says: good, revoked or unknown, else why it says nothing", caveat="TLS 1.3: with keys only"),
    Column("staple_this_update", "time", "since when that is known", "UTC"),
    Column("staple_next_update", "time", "when newer information is promised", "UTC"),
    Column("staple_revoked", "time", "when the certificate was revoked", "UTC"),
    Column("server_chain", "texts", "SHA-256 of each certificate the server sent, leaf first"),
    Column("client_chain", "texts", "SHA-256 of each certificate the client sent, leaf first"),
    Column("history", "text", "letters of the messages seen, as Zeek's ssl_history (the client's in upper case)"),
    Column("last_alert", "text", "last alert in clear"),
    Column(
        "resumed_by",
        "text",
        "how: " + ", ".join(RESUMPTIONS[1:]),
        caveat="TLS 1.3: psk is a ticket; external psk has no age, so it was shared otherwise",
    ),
    Column("extensions_offered", "text", "extensions of the ClientHello in their order, by IANA name, joined by commas, GREASE left out"),
    Column("extensions_answered", "text", "extensions of the ServerHello, likewise"),
    Column("encrypted_extensions", "text", "extensions of EncryptedExtensions, likewise", caveat="TLS 1.3 with keys only"),
    Column("groups_offered", "text", "groups the client offered, likewise"),
    Column("shares_offered", "text", "groups the client sent key shares of, likewise"),
    Column("psk_modes", "text", "PSK key exchange modes offered, likewise"),
    Column("psk_identities", "number", "pre-shared keys the client offered (RFC 8446 4.2.11)"),
    Column("psk_identity", "text", "first 32 bytes of the identity of the first of them, hexadecimal"),
    Column("certificate_compressions", "text", "codings of certificates the client takes (RFC 8879), likewise"),
    Column("client_record_limit", "number", "largest record the client takes (RFC 8449)", "bytes"),
    Column("early_data_offered", "truth", "the client asked to send early data (0-RTT)"),
    Column("early_data_accepted", "truth", "the server took it", caveat="with keys only"),
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
    Column("renegotiations", "number", "handshakes after the first (up to TLS 1.2)"),
    Column("key_updates", "number", "KeyUpdate messages", caveat="TLS 1.3 with keys only"),
    Column("is_partial", "truth", "the capture began in the middle of it"),
    Column("error", "text", "the first thing that was malformed"),
    Column("error_frame", "number", "frame of that"),
)
_ALWAYS_TOLD: Final = ("is_retried", "is_false_start", "is_ech", "post_quantum_offered", "is_partial", "staple_asked")
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


def describe_suite(suite: int, version: int, group: int, scheme: int = 0, *, is_resumed: bool) -> Suite:
    """Take a suite apart as it was used on a connection (TLS 1.3 leaves key exchange and authentication to the group and certificate)."""
    parts = split(suite)
    key_exchange, authentication, secrecy = parts.key_exchange, parts.authentication, parts.forward_secrecy
    if key_exchange == NEGOTIATED:
        key_exchange = key_exchange_of_group(group) if group else "PSK" if is_resumed else "unknown"
        secrecy = True if group else None
    if authentication == NEGOTIATED:
        authentication = "PSK" if is_resumed else authentication_of_scheme(scheme) or ENCRYPTED_CERTIFICATE
    return Suite(parts.name, key_exchange, authentication, parts.cipher, parts.mac, parts.prf_hash_in(version), secrecy)


def authentication_of_scheme(scheme: int) -> str:
    """How a server proved who it is, by the scheme of its CertificateVerify; "" = not known."""
    name = signature_scheme_name(scheme) if scheme else ""
    return next((kind.upper() for kind in ("rsa", "ecdsa", "ed25519", "ed448", "mldsa", "dsa") if name.startswith(kind)), "")


def suite_columns(h: Rows) -> dict[str, Built]:
    """The columns about the cipher suite; one Python call per distinct combination."""
    chosen_one = (h["version"] > 0) & (h["cipher_suite"] >= 0)
    suite = np.where(chosen_one, h["cipher_suite"], 0).astype(np.int64) & 0xFFFF
    version, group = (h[name].astype(np.int64) & 0xFFFF for name in ("version", "group"))
    scheme = np.where(h["version"] >= 0x0304, h["signature_scheme"], 0).astype(np.int64) & 0x7FFF
    wide = suite << 48 | version << 32 | group << 16 | scheme << 1 | (h["is_resumed"] == 1)
    found, index = distinct(wide)
    told = [
        describe_suite(code >> 48 & 0xFFFF, code >> 32 & 0xFFFF, code >> 16 & 0xFFFF, code >> 1 & 0x7FFF, is_resumed=bool(code & 1))
        for code in found
    ]
    at = places(index, chosen_one)
    columns: dict[str, Built] = {
        name: words([getattr(one, name) for one in told]).take(at)
        for name in ("cipher_suite", "key_exchange", "authentication", "encryption", "mac", "prf_hash")
    }
    columns["forward_secrecy"] = truths_or_none([one.forward_secrecy for one in told]).take(at)
    return columns


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


def staple_columns(finished: Finished, at: Ints) -> dict[str, Built]:
    """The columns about the OCSP response that the server sent along."""
    staples = find_staples(finished)
    told = {f"staple_{name}": times(staples.numbers(name)[at]) for name in ("this_update", "next_update", "revoked")}
    return {"staple_status": texts([one.status for one in staples.distinct]).take(staples.index[at]), **told}


def code_lists(finished: Finished, h: Rows) -> dict[str, Built]:
    """The columns that are lists of code points; one Python call per distinct list."""
    columns: dict[str, Built] = {}
    for name in CODE_LISTS:
        namer = group_name if name in ("groups_offered", "shares_offered") else extension_name
        encoded = spans(finished.texts.tls, h[name], h[f"{name}_size"]).arrow().dictionary_encode()
        told = [[namer(int(code)) for code in one.split("-")] for one in encoded.dictionary.to_pylist()]
        columns[name] = words([",".join(one) for one in told]).take(places(values_of(encoded.indices, np.int32), h[f"{name}_size"] > 0))
    return columns


def bit_names(bits: Ints, namer: Callable[[int], str]) -> Built:
    """Names of the bits that are set, joined by commas, null where none is."""
    return named(bits, lambda code: ",".join(namer(bit) for bit in range(8) if code >> bit & 1), bits > 0)


def _earliest(ts: Ints) -> Ints:
    """Smallest known time of each row, 0 = none."""
    largest = np.iinfo(np.int64).max
    first = np.where(ts == 0, largest, ts).min(axis=1)
    return np.where(first == largest, 0, first)


def build_tls(finished: Finished, phases: Rows, identity: Identity, chains: Chains) -> Sheet:
    """HANDSHAKE rows of the connections that speak TLS, in output order."""
    at = np.flatnonzero(finished.handshakes["seen"] == 1)
    if len(at) == 0:
        return empty_sheet(COLUMNS)
    h = take_rows(finished.handshakes, at)
    text = {name: spans(finished.texts.tls, h[name], h[f"{name}_size"]) for name in HANDSHAKE_TEXTS if name not in (*CODE_LISTS, "staple")}
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
            **code_lists(finished, h),
            "resumed_by": chosen(RESUMPTIONS, h["resumed_by"], h["resumed_by"] > 0),
            "psk_modes": bit_names(h["psk_modes"], psk_mode_name),
            "certificate_compressions": bit_names(h["certificate_codings"], certificate_compression_name),
            **staple_columns(finished, at),
            "psk_identities": counts(h["psk_identities"]),
            "renegotiations": counts(h["renegotiations"]),
            "key_updates": counts(h["key_updates"]),
            "client_record_limit": counts(h["client_record_limit"]),
            "early_data_offered": booleans(h["early_offered"]),
            "early_data_accepted": booleans(h["early_accepted"], h["encrypted_extensions_size"] > 0),
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
