"""TLS names: chosen codes, GREASE over all values, unknown numbers, Zeek's spellings."""

import pytest

from analyzer.registries import tls


def slow_is_grease(value: int) -> bool:
    """RFC 8701, 2, read aloud: two equal bytes, each with low nibble A."""
    digits = f"{value:04x}"
    return digits[:2] == digits[2:] and digits[1] == "a"


def test_grease_is_exact_over_all_values() -> None:
    assert [value for value in range(65536) if tls.is_grease(value)] == [value for value in range(65536) if slow_is_grease(value)]
    assert len(tls.GREASE) == 16


def test_grease_needs_equal_bytes() -> None:
    assert tls.is_grease(0xFAFA)
    assert not tls.is_grease(0x0A1A)  # passes the mask 0x0F0F == 0x0A0A, which is not enough
    assert not tls.is_grease(0x0A0A0A)
    assert not tls.is_grease(-1)


@pytest.mark.parametrize(
    ("code", "name", "zeek"),
    [
        (0x0303, "TLS 1.2", "TLSv12"),
        (0x0304, "TLS 1.3", "TLSv13"),
        (0x0300, "SSL 3.0", "SSLv3"),
        (0x0002, "SSL 2.0", "SSLv2"),
        (0xFEFD, "DTLS 1.2", "DTLSv12"),
        (0x7F1C, "TLS 1.3 draft 28", "TLSv13-draft28"),
        (0x7F0E, "TLS 1.3 draft 14", "TLSv13-draft14"),
        (0x7E02, "TLS 1.3 experiment 2", "unknown-32258"),
        (0xFB1A, "TLS 1.3 draft 26 (Facebook)", "unknown-64282"),
        (0x1234, "0x1234", "unknown-4660"),
    ],
)
def test_versions(code: int, name: str, zeek: str) -> None:
    assert tls.version_name(code) == name
    assert tls.zeek_version_name(code) == zeek


def test_zeek_draft_range_is_the_division_it_does() -> None:
    for code in range(65536):
        name = tls.zeek_version_name(code)
        assert name.startswith("TLSv13-draft") == (code // 0xFF == 0x7F), hex(code)


def test_records_and_handshake() -> None:
    assert [tls.content_type_name(code) for code in (20, 23, 26, 19)] == ["change_cipher_spec", "application_data", "ack", "content-19"]
    assert tls.CONTENT_TYPES[27] == "return_routability_check"
    assert [tls.handshake_type_name(code) for code in (1, 11, 25, 254, 7)] == (
        ["client_hello", "certificate", "compressed_certificate", "message_hash", "handshake-7"]
    )


def test_alerts() -> None:
    assert [tls.alert_name(code) for code in (0, 40, 48, 109, 121, 7)] == (
        ["close_notify", "handshake_failure", "unknown_ca", "missing_extension", "ech_required", "alert-7"]
    )
    assert [tls.zeek_alert_name(code) for code in (46, 109, 7)] == ["certificate_unknown", "unknown-109", "unknown-7"]
    assert [tls.alert_level_name(code) for code in (1, 2, 0)] == ["warning", "fatal", "level-0"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "server_name"),
        (10, "supported_groups"),
        (13, "signature_algorithms"),
        (16, "application_layer_protocol_negotiation"),
        (22, "encrypt_then_mac"),
        (23, "extended_master_secret"),
        (27, "compress_certificate"),
        (34, "delegated_credential"),
        (35, "session_ticket"),
        (39, "supported_ekt_ciphers"),
        (41, "pre_shared_key"),
        (43, "supported_versions"),
        (51, "key_share"),
        (57, "quic_transport_parameters"),
        (65037, "encrypted_client_hello"),
        (65281, "renegotiation_info"),
        (2570, "GREASE"),
        (4660, "extension-4660"),
    ],
)
def test_extensions(code: int, name: str) -> None:
    assert tls.extension_name(code) == name


@pytest.mark.parametrize(
    ("code", "name", "exchange"),
    [
        (23, "secp256r1", "ECDHE secp256r1"),
        (29, "x25519", "ECDHE x25519"),
        (30, "x448", "ECDHE x448"),
        (41, "curveSM2", "ECDHE curveSM2"),
        (256, "ffdhe2048", "DHE ffdhe2048"),
        (260, "ffdhe8192", "DHE ffdhe8192"),
        (513, "MLKEM768", "KEM MLKEM768"),
        (4587, "SecP256r1MLKEM768", "hybrid SecP256r1MLKEM768"),
        (4588, "X25519MLKEM768", "hybrid X25519MLKEM768"),
        (4589, "SecP384r1MLKEM1024", "hybrid SecP384r1MLKEM1024"),
        (0x6399, "X25519Kyber768Draft00", "hybrid X25519Kyber768Draft00"),
        (0x2A2A, "GREASE", "unknown GREASE"),
        (0x1234, "0x1234", "unknown 0x1234"),
    ],
)
def test_groups(code: int, name: str, exchange: str) -> None:
    assert tls.group_name(code) == name
    assert tls.key_exchange_of_group(code) == exchange
    assert tls.is_post_quantum_group(code) == exchange.startswith(("hybrid", "KEM"))


def test_zeek_curves() -> None:
    assert [tls.zeek_curve_name(code) for code in (23, 29, 0x6399, 0x0A0A, 4660)] == (
        ["secp256r1", "x25519", "X25519Kyber768Draft00", "grease_0x0A0A", "unknown-4660"]
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1027, "ecdsa_secp256r1_sha256"),
        (2052, "rsa_pss_rsae_sha256"),
        (2055, "ed25519"),
        (513, "rsa_pkcs1_sha1"),
        (515, "ecdsa_sha1"),
        (514, "dsa_sha1"),
        (257, "rsa_pkcs1_md5"),
        (771, "ecdsa_sha224"),
        (1538, "dsa_sha512"),
        (2309, "mldsa65"),
        (2112, "gostr34102012_256"),
        (14906, "GREASE"),
        (4660, "0x1234"),
    ],
)
def test_signature_schemes(code: int, name: str) -> None:
    assert tls.signature_scheme_name(code) == name


def test_small_registries() -> None:
    assert [tls.certificate_compression_name(code) for code in (1, 2, 3, 9)] == ["zlib", "brotli", "zstd", "compression-9"]
    assert [tls.ec_point_format_name(code) for code in (0, 2, 9)] == ["uncompressed", "ansiX962_compressed_char2", "format-9"]
    assert tls.PSK_MODES == {0: "psk_ke", 1: "psk_dhe_ke"}
    assert not set(tls.SCSV) & tls.GREASE


def test_no_name_is_empty_or_given_twice() -> None:
    for table in (tls.EXTENSIONS, tls.GROUPS, tls.SIGNATURE_SCHEMES, tls.ALERTS, tls.HANDSHAKE_TYPES, tls.VERSIONS):
        assert all(table.values())
        assert len(set(table.values())) == len(table)
        assert not tls.GREASE & set(table)
