"""Pairs of certificates made here: signed, not signed, forged; names; trust stores that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.errors import UsageError
from analyzer.messages.tls.certificates import read_certificate
from analyzer.messages.tls.chains import OTHER_ISSUER, SIGNED, UNKNOWN, WRONG_SIGNATURE, ChainChecks, is_certified, read_trust_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def certificate(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), 7, NOW, NOW + timedelta(90))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(f"{subject}.example.org")]), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "middle", "leaf")}
ROOT = certificate("root", "root", KEYS["root"], KEYS["root"])
MIDDLE = certificate("middle", "root", KEYS["middle"], KEYS["root"])
LEAF = certificate("leaf", "middle", KEYS["leaf"], KEYS["middle"])
FORGED = certificate("leaf", "middle", KEYS["leaf"], KEYS["leaf"])


def test_links() -> None:
    ders = [LEAF, MIDDLE, ROOT, FORGED, b"garbage", LEAF[:-40] + bytes(40)]
    checks = ChainChecks(ders.__getitem__)
    assert [checks.link(child, parent) for child, parent in ((0, 1), (1, 2), (2, 2))] == [SIGNED] * 3
    assert checks.link(0, 2) == OTHER_ISSUER
    assert checks.link(3, 1) == WRONG_SIGNATURE
    assert checks.link(4, 1) == checks.link(1, 4) == UNKNOWN
    assert checks.link(5, 1) in (WRONG_SIGNATURE, UNKNOWN)
    assert not checks.has_roots


def test_trust() -> None:
    checks = ChainChecks([LEAF, MIDDLE, ROOT].__getitem__, [ROOT])
    assert [checks.is_trusted(number) for number in range(3)] == [False, True, True]


def test_names_are_alternative_names_only() -> None:
    one = read_certificate(0, LEAF)
    assert is_certified("Leaf.example.org", one)
    assert not is_certified("leaf", one)
    assert not is_certified("other.example.org", one)


def test_trust_store(tmp_path: Path) -> None:
    path = tmp_path / "store.pem"
    path.write_bytes(b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in (ROOT, MIDDLE)))
    assert read_trust_store(path) == [ROOT, MIDDLE]
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="--trust-store"):
        read_trust_store(path)
    with pytest.raises(UsageError, match="--trust-store"):
        read_trust_store(tmp_path / "none")
