"""OCSP responses made by the `cryptography` package, signed by a key made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

NOON = datetime(2023, 11, 14, 12, tzinfo=UTC)


@cache
def authority() -> tuple[Any, x509.Certificate]:
    """A key and a certificate by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(77)
    return key, built.not_valid_before(NOON).not_valid_after(NOON + timedelta(days=9)).sign(key, SHA256())


def response(status: str = "GOOD", *, days: int | None = 7) -> bytes:
    """A response as DER, known since NOON, valid for so many days."""
    key, certificate = authority()
    revoked = status == "REVOKED"
    one = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=certificate,
        algorithm=SHA256(),
        cert_status=ocsp.OCSPCertStatus[status],
        this_update=NOON,
        next_update=None if days is None else NOON + timedelta(days=days),
        revocation_time=NOON - timedelta(days=1) if revoked else None,
        revocation_reason=None,
    )
    return one.responder_id(ocsp.OCSPResponderEncoding.NAME, certificate).sign(key, SHA256()).public_bytes(Encoding.DER)


def refusal() -> bytes:
    """A response without an answer."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
