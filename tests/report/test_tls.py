"""Words about a handshake."""

import pytest

from analyzer.report.build import Context, build_tables
from analyzer.report.tls import ENCRYPTED_CERTIFICATE, describe_suite, does_name_fit
from tests.report.rows import CERTIFICATES, make_inputs


def test_tls_12_says_it_all_in_the_suite() -> None:
    suite = describe_suite(0xC02F, 0x0303, 23, is_resumed=False)
    assert (suite.key_exchange, suite.authentication, suite.encryption, suite.mac) == ("ECDHE", "RSA", "AES-128-GCM", "AEAD")
    assert (suite.prf_hash, suite.forward_secrecy) == ("SHA256", True)
    assert describe_suite(0x002F, 0x0301, 0, is_resumed=False).prf_hash == "MD5+SHA-1"


def test_tls_13_leaves_it_to_group_and_certificate() -> None:
    suite = describe_suite(0x1301, 0x0304, 4588, is_resumed=False)
    assert (suite.key_exchange, suite.authentication, suite.forward_secrecy) == ("hybrid X25519MLKEM768", ENCRYPTED_CERTIFICATE, True)
    resumed = describe_suite(0x1301, 0x0304, 29, is_resumed=True)
    assert (resumed.key_exchange, resumed.authentication) == ("ECDHE x25519", "PSK")
    alone = describe_suite(0x1301, 0x0304, 0, is_resumed=True)
    assert (alone.key_exchange, alone.forward_secrecy) == ("PSK", None)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("www.example.org", "WWW.example.org", True),
        ("www.example.org", "*.example.org", True),
        ("example.org", "*.example.org", False),
        ("a.b.example.org", "*.example.org", False),
        ("example.org", "*.org", False),
        ("org", "*.org", False),
    ],
)
def test_names_of_certificates(name: str, pattern: str, *, fits: bool) -> None:
    assert does_name_fit(name, pattern) is fits


def test_a_hello_without_answer_has_no_suite() -> None:
    inputs = make_inputs(["tls"])
    inputs[0].handshakes["version"] = 0
    (row,) = build_tables(*inputs, Context(7, CERTIFICATES))["tls"].to_pylist()
    assert (row["version"], row["cipher_suite"], row["forward_secrecy"], row["resumed"]) == (None, None, None, None)
    assert row["offered_version"] == "TLS 1.3"
    inputs[0].handshakes["alert_code"], inputs[0].handshakes["alert_level"] = 40, 2
    inputs[0].handshakes["alert_sender"] = 1
    (row,) = build_tables(*inputs, Context(7, CERTIFICATES))["tls"].to_pylist()
    assert (row["alert"], row["alert_level"], row["alert_sender"]) == ("handshake_failure", "fatal", "server")
