"""X.509 certificates (RFC 5280), read once for each distinct one.

`cryptography` is imported when the first certificate is met. It parses lazily and raises from nearly every attribute, and not only
ValueError: each part is therefore read on its own. What it cannot read is named in `error`, and read by `der` where that can.

Names of keys, signatures and attributes are those of OpenSSL, as Zeek prints them.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from analyzer.messages.tls.der import read_leniently

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

ATTRIBUTE_NAMES: Final = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street",
    "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description", "2.5.4.15": "businessCategory",
    "2.5.4.16": "postalAddress", "2.5.4.17": "postalCode", "2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier", "2.5.4.45": "x500UniqueIdentifier", "2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier", "1.2.840.113549.1.9.1": "emailAddress", "1.2.840.113549.1.9.2": "unstructuredName",
    "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}  # fmt: skip

SIGNATURE_NAMES: Final = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption", "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption", "1.3.14.3.2.29": "sha1WithRSA", "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption", "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption", "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1", "1.2.840.10045.4.3.1": "ecdsa-with-SHA224", "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384", "1.2.840.10045.4.3.4": "ecdsa-with-SHA512", "1.2.840.10040.4.3": "dsaWithSHA1",
    "2.16.840.1.101.3.4.3.1": "dsa_with_SHA224", "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
    "1.3.101.112": "ED25519", "1.3.101.113": "ED448",
}  # fmt: skip

KEY_NAMES: Final = {
    "1.2.840.113549.1.1.1": "rsaEncryption", "1.2.840.113549.1.1.10": "rsassaPss", "1.2.840.10045.2.1": "id-ecPublicKey",
    "1.2.840.10040.4.1": "dsaEncryption", "1.3.101.110": "X25519", "1.3.101.112": "ED25519", "1.3.101.113": "ED448",
}  # fmt: skip

CURVE_NAMES: Final = {"secp256r1": "prime256v1", "secp192r1": "prime192v1"}

KEY_USAGES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
)  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """One distinct certificate. Empty or zero = not there or not readable; times in ns since 1970 (negative before)."""

    number: int
    sha256: str
    sha1: str
    der_bytes: int
    version: int = 0
    serial: str = ""
    subject: str = ""
    issuer: str = ""
    common_name: str = ""
    not_before: int | None = None
    not_after: int | None = None
    key_algorithm: str = ""
    key_type: str = ""
    key_bits: int = 0
    key_curve: str = ""
    key_exponent: str = ""
    signature_algorithm: str = ""
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    is_ca: bool | None = None
    path_length: int | None = None
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    issuer_urls: tuple[str, ...] = ()
    subject_key_id: str = ""
    authority_key_id: str = ""
    timestamps: int = 0
    must_staple: bool = False
    is_self_signed: bool = False
    error: str = ""


def _escape(value: str) -> str:
    """An attribute value in RFC 4514 (2.4); control characters as backslash and two hex digits."""
    text = "".join("\\" + c if c in ',+"\\<>;' else f"\\{ord(c):02X}" if ord(c) < 32 or ord(c) == 127 else c for c in value)
    if text[:1] in ("#", " "):
        text = "\\" + text
    if len(value) > 1 and value.endswith(" "):
        text = text[:-1] + "\\ "
    return text


def name_text(name: Iterable[Iterable[tuple[str, str]]]) -> str:
    """A name of (attribute identifier, value) pairs in RFC 4514 form, most specific part first, with OpenSSL's attribute names."""
    parts = ["+".join(f"{ATTRIBUTE_NAMES.get(oid, oid)}={_escape(value)}" for oid, value in rdn) for rdn in name]
    return ",".join(reversed(parts))


def _pairs(name: Any) -> list[list[tuple[str, str]]]:
    """The pairs of an x509.Name; a value that is no text as '#' and hex digits."""
    return [[(a.oid.dotted_string, a.value if isinstance(a.value, str) else "#" + a.value.hex()) for a in rdn] for rdn in name.rdns]


def nanoseconds(moment: datetime) -> int:
    """A time in ns since 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def _serial(number: int) -> str:
    """Upper-case hex with an even number of digits, as OpenSSL's BN_bn2hex."""
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + "0" * (len(digits) % 2) + digits


class _Reader:
    """Collects the parts of one certificate; a part that raises is left out and remembered."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.errors: list[str] = []

    def take(self, part: str, read: Callable[[], Any]) -> Any:
        """The value of ``read()``, kept under ``part`` where Certificate has such a field; None when it cannot be read."""
        try:
            value = read()
        except Exception as error:  # noqa: BLE001 - the library leaks many kinds of exceptions from hostile bytes
            self.errors.append(f"{part}: {type(error).__name__}: {error}"[:200])
            return None
        if part in _FIELDS and value is not None:
            self.found[part] = value
        return value


_FIELDS: Final = frozenset(field.name for field in fields(Certificate))


def _read_key(reader: _Reader, certificate: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa  # noqa: PLC0415 - late, see the module's text

    def algorithm() -> str:
        oid = certificate.public_key_algorithm_oid.dotted_string
        return KEY_NAMES.get(oid, str(oid))

    reader.take("key_algorithm", algorithm)
    key = reader.take("key", certificate.public_key)
    if key is None:
        return
    if isinstance(key, rsa.RSAPublicKey):
        reader.found["key_type"] = "rsa"
        reader.take("key_exponent", lambda: str(key.public_numbers().e))
    elif isinstance(key, ec.EllipticCurvePublicKey):
        reader.found["key_type"] = "ecdsa"
        reader.take("key_curve", lambda: CURVE_NAMES.get(key.curve.name, key.curve.name))
    else:
        reader.found["key_type"] = "dsa" if isinstance(key, dsa.DSAPublicKey) else "unknown"
    reader.take("key_bits", lambda: getattr(key, "key_size", 0))


def _names_of(value: Any, kind: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in value.get_values_for_type(kind))


def _urls_of(value: Any, oid: str) -> tuple[str, ...]:
    return tuple(str(x.access_location.value) for x in value if x.access_method.dotted_string == oid)


def _read_names(reader: _Reader, value: Any) -> None:
    from cryptography import x509  # noqa: PLC0415

    for part, kind in (
        ("dns_names", x509.DNSName),
        ("ip_addresses", x509.IPAddress),
        ("uris", x509.UniformResourceIdentifier),
        ("emails", x509.RFC822Name),
    ):
        reader.take(part, partial(_names_of, value, kind))


def _read_extension(reader: _Reader, extension: Any) -> None:
    from cryptography import x509  # noqa: PLC0415

    value = extension.value
    if isinstance(value, x509.SubjectAlternativeName):
        _read_names(reader, value)
    elif isinstance(value, x509.BasicConstraints):
        reader.take("is_ca", lambda: value.ca)
        reader.take("path_length", lambda: value.path_length)
    elif isinstance(value, x509.KeyUsage):
        reader.take("key_usage", lambda: tuple(usage for usage in KEY_USAGES if getattr(value, usage)))
    elif isinstance(value, x509.ExtendedKeyUsage):
        reader.take("extended_key_usage", lambda: tuple(oid.dotted_string for oid in value))
    elif isinstance(value, x509.AuthorityInformationAccess):
        for part, oid in (("ocsp_urls", "1.3.6.1.5.5.7.48.1"), ("issuer_urls", "1.3.6.1.5.5.7.48.2")):
            reader.take(part, partial(_urls_of, value, oid))
    elif isinstance(value, x509.SubjectKeyIdentifier):
        reader.take("subject_key_id", value.digest.hex)
    elif isinstance(value, x509.AuthorityKeyIdentifier):
        reader.take("authority_key_id", (value.key_identifier or b"").hex)
    elif isinstance(value, x509.PrecertificateSignedCertificateTimestamps):
        reader.take("timestamps", lambda: len(list(value)))
    elif isinstance(value, x509.TLSFeature):
        reader.take("must_staple", lambda: x509.TLSFeatureType.status_request in list(value))


def _is_self_signed(certificate: Any) -> bool:
    """Issuer and subject are the same and, where the library knows the algorithm, the key fits the signature."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415

    if certificate.issuer != certificate.subject:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError, ValueError):
        return True
    return True


def _fill_gaps(reader: _Reader, der: bytes) -> None:
    """Add what only the lenient reader can read."""
    found = read_leniently(der)
    if "serial" in found:
        found["serial"] = _serial(found["serial"])
    for part in ("issuer", "subject"):
        if part in found:
            name = found[part]
            found[part] = name_text(name)
            if part == "subject":
                found["common_name"] = next((value for rdn in name for oid, value in rdn if oid == "2.5.4.3"), "")
    if "key_oid" in found:
        found["key_algorithm"] = KEY_NAMES.get(found["key_oid"], found["key_oid"])
    if "signature_oid" in found:
        found["signature_algorithm"] = SIGNATURE_NAMES.get(found["signature_oid"], found["signature_oid"])
    reader.found = {part: value for part, value in found.items() if part in _FIELDS} | reader.found


def read_certificate(number: int, der: bytes) -> Certificate:
    """Everything the report says of one certificate. Never raises: what cannot be read is named in ``error``."""
    from cryptography import x509  # noqa: PLC0415

    reader = _Reader()
    identity = (number, hashlib.sha256(der).hexdigest(), hashlib.sha1(der, usedforsecurity=False).hexdigest(), len(der))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of old or odd encodings; they are data here
        certificate: Any = reader.take("certificate", lambda: x509.load_der_x509_certificate(der))
        if certificate is None:
            _fill_gaps(reader, der)
            return Certificate(*identity, **reader.found, error="; ".join(reader.errors)[:500])
        reader.take("version", lambda: certificate.version.value + 1)
        reader.take("serial", lambda: _serial(certificate.serial_number))
        reader.take("subject", lambda: name_text(_pairs(certificate.subject)))
        reader.take("issuer", lambda: name_text(_pairs(certificate.issuer)))
        common = x509.NameOID.COMMON_NAME
        reader.take("common_name", lambda: next((str(a.value) for a in certificate.subject.get_attributes_for_oid(common)), None))
        reader.take("not_before", lambda: nanoseconds(certificate.not_valid_before_utc))
        reader.take("not_after", lambda: nanoseconds(certificate.not_valid_after_utc))
        oid = reader.take("signature", lambda: certificate.signature_algorithm_oid.dotted_string)
        if oid is not None:
            reader.found["signature_algorithm"] = SIGNATURE_NAMES.get(oid, oid)
        _read_key(reader, certificate)
        extensions = reader.take("extensions", lambda: list(certificate.extensions))
        for extension in extensions or ():
            reader.take("extension", partial(_read_extension, reader, extension))
        reader.take("is_self_signed", lambda: _is_self_signed(certificate))
    if reader.errors:
        _fill_gaps(reader, der)
    return Certificate(*identity, **reader.found, error="; ".join(reader.errors)[:500])
