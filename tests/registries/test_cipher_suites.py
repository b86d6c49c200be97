"""The table of cipher suites, held against dpkt's."""

import dpkt.ssl_ciphersuites
import pytest

from analyzer.registries import cipher_suites as suites
from analyzer.registries import tls

# dpkt has the GCM twins of the same families at these two codes; RFC 6209 and the registry say CBC. It also turns
# PSK_DHE of RFC 6655 round.
DPKT_IS_WRONG = {0xC070, 0xC071, 0xC0AA, 0xC0AB}


def test_agrees_with_dpkt_where_both_have_it() -> None:
    compared = 0
    for theirs in dpkt.ssl_ciphersuites.CIPHERSUITES:
        if theirs.code in suites.REGISTERED and theirs.code not in DPKT_IS_WRONG:
            assert suites.REGISTERED[theirs.code] == theirs.name, hex(theirs.code)
            compared += 1
    assert compared >= 325


def test_has_every_suite_that_dpkt_has() -> None:
    not_suites = tls.GREASE | set(tls.SCSV) | {0xFFFF}
    theirs = {suite.code for suite in dpkt.ssl_ciphersuites.CIPHERSUITES} - not_suites
    assert theirs <= set(suites.REGISTERED) | set(suites.UNREGISTERED)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0000, "TLS_NULL_WITH_NULL_NULL"),
        (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (0x00C6, "TLS_SM4_GCM_SM3"),
        (0x1301, "TLS_AES_128_GCM_SHA256"),
        (0x1306, "TLS_AEGIS_256_SHA512"),
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0xC070, "TLS_ECDHE_PSK_WITH_ARIA_128_CBC_SHA256"),
        (0xC0AA, "TLS_PSK_DHE_WITH_AES_128_CCM_8"),
        (0xC0B0, "TLS_ECCPWD_WITH_AES_128_GCM_SHA256"),
        (0xC0B4, "TLS_SHA256_SHA256"),
        (0xC100, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC"),
        (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        (0xD005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256"),
        (0xCC13, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256_OLD"),
        (0x010080, "SSL_CK_RC4_128_WITH_MD5"),
        (0x00FF, "0x00FF"),
        (0x0A0A, "0x0A0A"),
        (0xABCD, "0xABCD"),
    ],
)
def test_names(code: int, name: str) -> None:
    assert suites.suite_name(code) == name


def test_size_and_shape_of_the_table() -> None:
    assert len(suites.REGISTERED) == 350
    assert list(suites.REGISTERED) == sorted(suites.REGISTERED)
    assert len(set(suites.REGISTERED.values())) == 350
    assert not set(suites.REGISTERED) & set(suites.UNREGISTERED)
    assert not (set(suites.REGISTERED) | set(suites.UNREGISTERED)) & (tls.GREASE | set(tls.SCSV))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0x0018, "TLS_DH_ANON_WITH_RC4_128_MD5"),
        (0xC018, "TLS_ECDH_ANON_WITH_AES_128_CBC_SHA"),
        (0xCC14, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256_OLD"),
        (0x1306, "TLS_AEGIS_256_SHA384"),
        (0xFEFF, "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA"),
        (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
        (0x010080, "SSLv20_CK_RC4_128_WITH_MD5"),
        (0x1A1A, "grease_0x1A1A"),
        (0x002C, "unknown-44"),
        (35938, "unknown-35938"),
        (51029, "unknown-51029"),
    ],
)
def test_zeek_names(code: int, name: str) -> None:
    assert suites.zeek_suite_name(code) == name


def test_zeek_grease_is_our_grease() -> None:
    assert {code for code in range(65536) if suites.zeek_suite_name(code).startswith("grease")} == tls.GREASE
