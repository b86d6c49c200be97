"""Certificates as files: each distinct one of a capture in PEM form (RFC 7468), named by its SHA-256 as in the table ``certificates``."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from analyzer.errors import OutputError


def write_certificates(folder: Path, certificates: Iterable[tuple[str, bytes]]) -> int:
    """Write (SHA-256, DER) pairs to FOLDER/<SHA-256>.pem; how many.

    Raises:
        OutputError: the folder cannot be written.
    """
    written = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sha256, der in certificates:
            (folder / f"{sha256}.pem").write_text(ssl.DER_cert_to_PEM_cert(der), encoding="ascii")
            written += 1
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}). Choose another folder with --certificates.") from error
    return written
