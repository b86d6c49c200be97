"""Certificates as PEM files that other programs read."""

import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.cli import run
from analyzer.cli.certificate_folder import write_certificates
from analyzer.errors import OutputError

CAPTURE = str(Path(__file__).parents[2] / "captures" / "https-tls12-rsa.pcapng")


def test_each_certificate_of_a_capture_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "certificates"
    assert run(["analyze", CAPTURE, "-o", str(tmp_path / "out"), "--quiet", "--certificates", str(folder)]) == 0
    files = sorted(folder.iterdir())
    assert files
    for path in files:
        der = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
        assert path.name == hashlib.sha256(der).hexdigest() + ".pem"
    table = (tmp_path / "out" / "certificates.csv").read_text()
    assert all(path.stem in table for path in files)


def test_what_is_written(tmp_path: Path) -> None:
    assert write_certificates(tmp_path, [("ab", b"\x30\x00")]) == 1
    assert (tmp_path / "ab.pem").read_text() == "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose another folder with --certificates"):
        write_certificates(tmp_path / "file", [])
