"""X.509 as the report shows it, from certificates made here; and bytes that are no certificate."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from analyzer.messages.tls.certificates import read_certificate

BEFORE, AFTER = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)


def name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def make(key: object, *extensions: x509.ExtensionType, subject: x509.Name | None = None, issuer: x509.Name | None = None) -> bytes:
    subject = subject or name((NameOID.COUNTRY_NAME, "NO"), (NameOID.COMMON_NAME, "test"))
    builder = x509.CertificateBuilder(issuer or subject, subject, key.public_key(), 0x0ABC, BEFORE, AFTER)  # type: ignore[attr-defined]
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


EC_KEY = ec.generate_private_key(ec.SECP256R1())


def test_everything() -> None:
    der = make(
        EC_KEY,
        x509.SubjectAlternativeName(
            [
                x509.DNSName("www.example.org"),
                x509.DNSName("example.org"),
                x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
                x509.RFC822Name("a@example.org"),
                x509.UniformResourceIdentifier("https://example.org/"),
            ]
        ),
        x509.BasicConstraints(ca=True, path_length=2),
        x509.KeyUsage(True, False, False, False, False, True, False, False, False),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.TLSFeature([x509.TLSFeatureType.status_request]),
    )
    c = read_certificate(7, der)
    assert (c.number, c.sha256, c.sha1) == (7, hashlib.sha256(der).hexdigest(), hashlib.sha1(der).hexdigest())
    assert (c.version, c.serial, c.subject, c.issuer, c.common_name) == (3, "0ABC", "CN=test,C=NO", "CN=test,C=NO", "test")
    assert (c.not_before, c.not_after) == (int(BEFORE.timestamp()) * 10**9, int(AFTER.timestamp()) * 10**9)
    assert (c.key_algorithm, c.key_type, c.key_bits, c.key_curve, c.key_exponent) == ("id-ecPublicKey", "ecdsa", 256, "prime256v1", "")
    assert c.signature_algorithm == "ecdsa-with-SHA256"
    assert (c.dns_names, c.ip_addresses) == (("www.example.org", "example.org"), ("192.0.2.1",))
    assert (c.emails, c.uris) == (("a@example.org",), ("https://example.org/",))
    assert (c.is_ca, c.path_length, c.key_usage) == (True, 2, ("digital_signature", "key_cert_sign"))
    assert (c.extended_key_usage, c.must_staple, c.is_self_signed, c.error) == (("1.3.6.1.5.5.7.3.1",), True, True, "")


def test_rsa_and_ed25519() -> None:
    c = read_certificate(0, make(rsa.generate_private_key(65537, 2048)))
    assert (c.key_type, c.key_bits, c.key_exponent, c.signature_algorithm) == ("rsa", 2048, "65537", "sha256WithRSAEncryption")
    c = read_certificate(0, make(ed25519.Ed25519PrivateKey.generate()))
    assert (c.key_type, c.key_algorithm, c.signature_algorithm, c.is_self_signed) == ("unknown", "ED25519", "ED25519", True)


def test_names() -> None:
    subject = name(
        (NameOID.COUNTRY_NAME, "US"),
        (NameOID.ORGANIZATION_NAME, 'A, "B" + C\\D'),
        (NameOID.EMAIL_ADDRESS, "a@b.c"),
        (NameOID.TITLE, "#1 "),
        (x509.ObjectIdentifier("1.2.3.4"), "x\x00y"),
    )
    c = read_certificate(0, make(EC_KEY, subject=subject, issuer=name((NameOID.COMMON_NAME, "Grün"))))
    assert c.subject == '1.2.3.4=x\\00y,title=\\#1\\ ,emailAddress=a@b.c,O=A\\, \\"B\\" \\+ C\\\\D,C=US'
    assert (c.issuer, c.is_self_signed, c.is_ca) == ("CN=Grün", False, None)


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff", b"not a certificate", bytes(100)])
def test_no_certificate(der: bytes) -> None:
    c = read_certificate(1, der)
    assert c.error
    assert c.sha256 == hashlib.sha256(der).hexdigest()


def test_every_byte_may_lie() -> None:
    der = make(EC_KEY, x509.SubjectAlternativeName([x509.DNSName("www.example.org")]))
    for place in range(0, len(der), 3):
        read_certificate(0, der[:place] + bytes([der[place] ^ 0x55]) + der[place + 1 :])
    for size in range(0, len(der), 11):
        assert read_certificate(0, der[:size]).error
