"""TLS numbers and their names: versions, records, handshake, alerts, extensions, groups, signature schemes, GREASE.

Source: IANA registries "TLS Parameters" and "TLS ExtensionType Values", state of 2026-11. Suffixes "_RESERVED" and
"(deprecated)" of the registries are dropped: old captures show these codes in use. Code points that browsers used before
or beside the registry are marked. Cipher suites have modules of their own.

Zeek's spellings (its script ssl/consts.zeek, 2026) are in the `zeek_*` functions, for Zeek output only.
"""

from __future__ import annotations

from typing import Final

from analyzer.registries.listing import numbered

SCSV: Final[dict[int, str]] = {0x00FF: "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", 0x5600: "TLS_FALLBACK_SCSV"}
"""Signalling values in the list of cipher suites (RFC 5746, 3.3; RFC 7507). They are not suites."""

GREASE: Final = frozenset(nibble << 12 | 0x0A00 | nibble << 4 | 0x0A for nibble in range(16))
"""The 16 reserved two-byte values 0x0A0A, 0x1A1A ... 0xFAFA (RFC 8701, 2)."""


def is_grease(value: int) -> bool:
    """True for a two-byte GREASE value (RFC 8701, 2): both bytes equal and their low nibble A."""
    return value in GREASE


# --- versions -----------------------------------------------------------------------------------------------------

VERSIONS: Final[dict[int, str]] = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
    0x0101: "TLCP 1.1",
    0x0100: "DTLS 1.0 (OpenSSL 0.9.8)",
    0xFEFF: "DTLS 1.0",
    0xFEFD: "DTLS 1.2",
    0xFEFC: "DTLS 1.3",
    0x7E01: "TLS 1.3 experiment 1",  # browser experiments against middleboxes, 2017
    0x7E02: "TLS 1.3 experiment 2",
    0x7E03: "TLS 1.3 experiment 3",
    0xFB17: "TLS 1.3 draft 23 (Facebook)",
    0xFB1A: "TLS 1.3 draft 26 (Facebook)",
}
"""Protocol version (two bytes of a record, hello or supported_versions) to name."""

_LAST_DRAFT: Final = 28  # draft-ietf-tls-tls13-28 became RFC 8446


def version_name(code: int) -> str:
    """Protocol version in words: `TLS 1.2`, `TLS 1.3 draft 23`, `DTLS 1.2`; else `0xNNNN`."""
    if code >> 8 == 0x7F and code & 0xFF <= _LAST_DRAFT:
        return f"TLS 1.3 draft {code & 0xFF}"
    return VERSIONS.get(code) or f"0x{code:04X}"


_ZEEK_VERSIONS: Final[dict[int, str]] = {
    0x0002: "SSLv2",
    0x0300: "SSLv3",
    0x0301: "TLSv10",
    0x0302: "TLSv11",
    0x0303: "TLSv12",
    0x0304: "TLSv13",
    0xFEFF: "DTLSv10",
    0xFEFD: "DTLSv12",
    0xFEFC: "DTLSv13",
}


def zeek_version_name(code: int) -> str:
    """Zeek's `version` in ssl.log: `TLSv12`, `TLSv13-draft28`, `unknown-64282`.

    Zeek tells drafts by division, so its range is 0x7E81 to 0x7F7F: right for every real draft (0x7F00 and up).
    """
    if 0x7E81 <= code <= 0x7F7F:
        return f"TLSv13-draft{code % 0x7F}"
    return _ZEEK_VERSIONS.get(code) or f"unknown-{code}"


# --- records, handshake, alerts -----------------------------------------------------------------------------------

CONTENT_TYPES: Final[dict[int, str]] = numbered(
    "change_cipher_spec alert handshake application_data heartbeat tls12_cid ack return_routability_check", first=20
)
"""Record type to name (RFC 8446, 5.1; RFC 6520; RFC 9146; RFC 9147)."""

HANDSHAKE_TYPES: Final[dict[int, str]] = {
    0: "hello_request",
    1: "client_hello",
    2: "server_hello",
    3: "hello_verify_request",
    4: "new_session_ticket",
    5: "end_of_early_data",
    6: "hello_retry_request",
    8: "encrypted_extensions",
    9: "request_connection_id",
    10: "new_connection_id",
    11: "certificate",
    12: "server_key_exchange",
    13: "certificate_request",
    14: "server_hello_done",
    15: "certificate_verify",
    16: "client_key_exchange",
    17: "client_certificate_request",
    20: "finished",
    21: "certificate_url",
    22: "certificate_status",
    23: "supplemental_data",
    24: "key_update",
    25: "compressed_certificate",
    26: "ekt_key",
    67: "next_protocol",  # draft-agl-tls-nextprotoneg, never registered
    254: "message_hash",
}
"""Handshake message type to name (RFC 8446, 4 and B.3)."""

ALERT_LEVELS: Final[dict[int, str]] = {1: "warning", 2: "fatal"}
"""Alert level to name (RFC 5246, 7.2)."""

ALERTS: Final[dict[int, str]] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    52: "too_many_cids_requested",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    117: "general_error",
    120: "no_application_protocol",
    121: "ech_required",
}
"""Alert description to name (RFC 8446, 6 and B.2)."""


def content_type_name(code: int) -> str:
    """Name of a record type; `content-99` when unassigned."""
    return CONTENT_TYPES.get(code) or f"content-{code}"


def handshake_type_name(code: int) -> str:
    """Name of a handshake message type; `handshake-99` when unassigned."""
    return HANDSHAKE_TYPES.get(code) or f"handshake-{code}"


def alert_level_name(code: int) -> str:
    """Name of an alert level; `level-3` when unassigned."""
    return ALERT_LEVELS.get(code) or f"level-{code}"


def alert_name(code: int) -> str:
    """Name of an alert description; `alert-99` when unassigned."""
    return ALERTS.get(code) or f"alert-{code}"


_NO_ZEEK_ALERTS: Final = frozenset({52, 109})


def zeek_alert_name(code: int) -> str:
    """Zeek's `last_alert`: as IANA, `unknown-99` for what Zeek does not know."""
    name = None if code in _NO_ZEEK_ALERTS else ALERTS.get(code)
    return name or f"unknown-{code}"


# --- extensions ---------------------------------------------------------------------------------------------------

EXTENSIONS: Final[dict[int, str]] = {
    **numbered(
        """
server_name max_fragment_length client_certificate_url trusted_ca_keys truncated_hmac status_request user_mapping
client_authz server_authz cert_type supported_groups ec_point_formats srp signature_algorithms use_srtp heartbeat
application_layer_protocol_negotiation status_request_v2 signed_certificate_timestamp client_certificate_type
server_certificate_type padding encrypt_then_mac extended_master_secret token_binding cached_info tls_lts
compress_certificate record_size_limit pwd_protect pwd_clear password_salt ticket_pinning tls_cert_with_extern_psk
delegated_credential session_ticket TLMSP TLMSP_proxying TLMSP_delegate supported_ekt_ciphers
"""
    ),
    40: "key_share_draft",  # key_share of TLS 1.3 drafts up to 22
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    46: "ticket_early_data_info_draft",  # TLS 1.3 drafts only
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    52: "transparency_info",
    53: "connection_id_deprecated",
    54: "connection_id",
    55: "external_id_hash",
    56: "external_session_id",
    57: "quic_transport_parameters",
    58: "ticket_request",
    59: "dnssec_chain",
    60: "sequence_number_encryption_algorithms",
    61: "rrc",
    62: "tls_flags",
    64768: "ech_outer_extensions",
    65037: "encrypted_client_hello",
    65281: "renegotiation_info",
    # never registered, seen in captures
    13172: "next_protocol_negotiation",
    13175: "origin_bound_certificates",
    13180: "encrypted_client_certificates",
    17513: "application_settings_old",
    17613: "application_settings",
    30031: "channel_id_old",
    30032: "channel_id",
    35655: "padding_draft",
    51764: "trust_anchors",
    65445: "quic_transport_parameters_draft",
    65486: "encrypted_server_name",
}
"""Extension type to name (RFC 8446, 4.2; RFC 8447)."""


def extension_name(code: int) -> str:
    """Name of an extension; `GREASE` (RFC 8701), or `extension-4660` when unassigned."""
    return EXTENSIONS.get(code) or ("GREASE" if is_grease(code) else f"extension-{code}")


CERTIFICATE_COMPRESSION: Final[dict[int, str]] = {1: "zlib", 2: "brotli", 3: "zstd"}
"""Certificate compression algorithm to name (RFC 8879, 7.3)."""

EC_POINT_FORMATS: Final[dict[int, str]] = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}
"""EC point format to name (RFC 8422, 5.1.2)."""

PSK_MODES: Final[dict[int, str]] = {0: "psk_ke", 1: "psk_dhe_ke"}
"""PSK key exchange mode to name (RFC 8446, 4.2.9)."""


def psk_mode_name(code: int) -> str:
    """Name of a PSK key exchange mode."""
    return PSK_MODES.get(code) or f"psk-mode-{code}"


def certificate_compression_name(code: int) -> str:
    """Name of a certificate compression algorithm; `compression-9` when unassigned."""
    return CERTIFICATE_COMPRESSION.get(code) or f"compression-{code}"


def ec_point_format_name(code: int) -> str:
    """Name of an EC point format; `format-9` when unassigned."""
    return EC_POINT_FORMATS.get(code) or f"format-{code}"


# --- groups -------------------------------------------------------------------------------------------------------

GROUPS: Final[dict[int, str]] = {
    **numbered(
        """
sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1 sect283k1 sect283r1 sect409k1 sect409r1
sect571k1 sect571r1 secp160k1 secp160r1 secp160r2 secp192k1 secp192r1 secp224k1 secp224r1 secp256k1 secp256r1 secp384r1
secp521r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 x25519 x448 brainpoolP256r1tls13 brainpoolP384r1tls13
brainpoolP512r1tls13 GC256A GC256B GC256C GC256D GC512A GC512B GC512C curveSM2
""",
        first=1,
    ),
    **numbered("ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192", first=256),
    **numbered("MLKEM512 MLKEM768 MLKEM1024", first=512),
    **numbered("SecP256r1MLKEM768 X25519MLKEM768 SecP384r1MLKEM1024 curveSM2MLKEM768", first=4587),
    0x4138: "CECPQ2",  # browser experiment, never registered
    0x6399: "X25519Kyber768Draft00",
    0x639A: "SecP256r1Kyber768Draft00",
    0xFF01: "arbitrary_explicit_prime_curves",
    0xFF02: "arbitrary_explicit_char2_curves",
}
"""Supported group (formerly elliptic curve) to name (RFC 8422, RFC 7919, RFC 8446, ML-KEM documents)."""

HYBRID_GROUPS: Final = frozenset({4587, 4588, 4589, 4590, 0x4138, 0x6399, 0x639A})
"""Groups that join a classical and a post-quantum exchange."""

PURE_KEM_GROUPS: Final = frozenset({512, 513, 514})
"""Groups that are a post-quantum key encapsulation alone."""


def group_name(code: int) -> str:
    """Name of a supported group; `GREASE` (RFC 8701), or `0xNNNN` when unassigned."""
    return GROUPS.get(code) or ("GREASE" if is_grease(code) else f"0x{code:04X}")


def is_post_quantum_group(code: int) -> bool:
    """True if the group resists a quantum computer: a hybrid or an ML-KEM group."""
    return code in HYBRID_GROUPS or code in PURE_KEM_GROUPS


def key_exchange_of_group(code: int) -> str:
    """Key exchange of TLS 1.3 in words: `ECDHE x25519`, `DHE ffdhe2048`, `hybrid X25519MLKEM768`, `KEM MLKEM768`.

    The group is that of the server's key_share (RFC 8446, 4.2.8); `unknown 0xNNNN` when it has no name.
    """
    name = group_name(code)
    if code not in GROUPS:
        return f"unknown {name}"
    if code in HYBRID_GROUPS:
        return f"hybrid {name}"
    if code in PURE_KEM_GROUPS:
        return f"KEM {name}"
    return f"DHE {name}" if 256 <= code <= 260 else f"ECDHE {name}"


def zeek_curve_name(code: int) -> str:
    """Zeek's `curve` in ssl.log: as IANA, `grease_0x0A0A`, `unknown-12345`."""
    return GROUPS.get(code) or (f"grease_0x{code:04X}" if is_grease(code) else f"unknown-{code}")


# --- signature schemes --------------------------------------------------------------------------------------------

SIGNATURE_SCHEMES: Final[dict[int, str]] = {
    0x0201: "rsa_pkcs1_sha1",
    0x0203: "ecdsa_sha1",
    0x0401: "rsa_pkcs1_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0420: "rsa_pkcs1_sha256_legacy",
    0x0501: "rsa_pkcs1_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0520: "rsa_pkcs1_sha384_legacy",
    0x0601: "rsa_pkcs1_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0620: "rsa_pkcs1_sha512_legacy",
    0x0704: "eccsi_sha256",
    0x0705: "iso_ibs1",
    0x0706: "iso_ibs2",
    0x0707: "iso_chinese_ibs",
    0x0708: "sm2sig_sm3",
    0x0709: "gostr34102012_256a",
    0x070A: "gostr34102012_256b",
    0x070B: "gostr34102012_256c",
    0x070C: "gostr34102012_256d",
    0x070D: "gostr34102012_512a",
    0x070E: "gostr34102012_512b",
    0x070F: "gostr34102012_512c",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}
"""Signature scheme to name (RFC 8446, 4.2.3; RFC 8734, 8998, 9367, ML-DSA for TLS)."""

# Before TLS 1.3 the two bytes were a hash and a signature algorithm (RFC 5246, 7.4.1.4.1; RFC 8422; RFC 9189).
_HASHES: Final[dict[int, str]] = {0: "none", 1: "md5", 2: "sha1", 3: "sha224", 4: "sha256", 5: "sha384", 6: "sha512"}
_SIGNATURES: Final[dict[int, str]] = {0: "anonymous", 1: "rsa_pkcs1", 2: "dsa", 3: "ecdsa"}
_LEGACY: Final[dict[int, str]] = {
    0x0840: "gostr34102012_256",  # hash byte 8 is "intrinsic"
    0x0841: "gostr34102012_512",
    **{hashed << 8 | signed: f"{s}_{h}" for hashed, h in _HASHES.items() for signed, s in _SIGNATURES.items()},
}


def signature_scheme_name(code: int) -> str:
    """Name of a signature scheme: `ecdsa_secp256r1_sha256`; the pair of TLS 1.2 for codes without one: `dsa_sha1`.

    `GREASE` (RFC 8701), or `0xNNNN` when unassigned.
    """
    known = SIGNATURE_SCHEMES.get(code) or _LEGACY.get(code)
    return known or ("GREASE" if is_grease(code) else f"0x{code:04X}")
