"""The lenient reader against the strict one, and on bytes that only it can read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analyzer.messages.tls.certificates import name_text, read_certificate
from analyzer.messages.tls.der import Item, dotted, read_leniently, read_time

KEY = ec.generate_private_key(ec.SECP384R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"), x509.NameAttribute(NameOID.COMMON_NAME, "Grün")])
DER = (
    x509.CertificateBuilder(NAME, NAME, KEY.public_key(), 0x1234, datetime(2049, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("b@example.org")]), critical=False)
    .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    .sign(KEY, hashes.SHA256())
    .public_bytes(serialization.Encoding.DER)
)


def test_as_the_strict_reader() -> None:
    strict, found = read_certificate(0, DER), read_leniently(DER)
    assert strict.error == ""
    for part in ("version", "not_before", "not_after", "key_type", "key_bits", "key_curve", "dns_names", "emails", "is_ca", "path_length"):
        assert found[part] == getattr(strict, part), part
    assert (found["serial"], found["signature_oid"], name_text(found["subject"])) == (0x1234, "1.2.840.10045.4.3.2", strict.subject)


def test_a_country_with_a_zero_byte() -> None:
    c = read_certificate(0, DER.replace(b"NO", b"N\0"))
    assert c.error
    assert (c.subject, c.common_name, c.serial, c.key_type, c.key_bits) == ("CN=Grün,C=N\\00", "Grün", "1234", "ecdsa", 384)
    assert (c.dns_names, c.signature_algorithm, c.key_algorithm) == (("a.example",), "ecdsa-with-SHA256", "id-ecPublicKey")


@pytest.mark.parametrize(
    ("item", "year"), [(Item(23, b"500101000000Z"), 1950), (Item(23, b"491231235959Z"), 2049), (Item(24, b"20510101000000Z"), 2051)]
)
def test_years(item: Item, year: int) -> None:
    assert datetime.fromtimestamp(read_time(item) / 1e9, UTC).year == year


def test_object_identifiers() -> None:
    coded = ("2a864886f70d010101", "551d11", "883703", "")
    assert [dotted(bytes.fromhex(x)) for x in coded] == [
        "1.2.840.113549.1.1.1",
        "2.5.29.17",
        "2.999.3",
        "",
    ]


def test_any_cut_and_any_lie() -> None:
    for size in range(len(DER)):
        read_leniently(DER[:size])
    for place in range(len(DER)):
        for value in (0, 0x80, 0x84, 0xFF):
            read_leniently(DER[:place] + bytes([value]) + DER[place + 1 :])
