"""Certificates beside each other: is one signed by the next, is the order right, is a name among those it is for.

Every pair of distinct certificates, and every pair of name and certificate, is judged once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from analyzer.errors import UsageError
from analyzer.messages.tls.certificates import Certificate

VERDICTS: Final = ("signed", "other issuer", "wrong signature", "unknown")
SIGNED, OTHER_ISSUER, WRONG_SIGNATURE, UNKNOWN = VERDICTS


@lru_cache(1 << 15)  # the same hosts come in every flush
def does_name_fit(name: str, pattern: str) -> bool:
    """Whether a host name is one a certificate is for: equal without case, or one label for a leading ``*`` (RFC 9525 6.3)."""
    name, pattern = name.lower().rstrip("."), pattern.lower().rstrip(".")
    if pattern.startswith("*."):
        return "." in pattern[2:] and "." in name and name.split(".", 1)[1] == pattern[2:]
    return name == pattern


def is_certified(name: str, certificate: Certificate) -> bool:
    """Whether a certificate is for this host: by its subject alternative names only (RFC 9525 6.3)."""
    return any(does_name_fit(name, one) for one in certificate.dns_names) or name in certificate.ip_addresses


@lru_cache(1 << 12)
def _load(der: bytes) -> Any:
    from cryptography import x509  # noqa: PLC0415 - late: only where there are certificates

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return x509.load_der_x509_certificate(der)
        except ValueError:
            return None


def is_issued_by(child: bytes, parent: bytes) -> str:
    """One of VERDICTS for two certificates in DER."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    one, other = _load(child), _load(parent)
    if one is None or other is None:
        return UNKNOWN
    try:
        if one.issuer != other.subject:
            return OTHER_ISSUER
        one.verify_directly_issued_by(other)
    except InvalidSignature:
        return WRONG_SIGNATURE
    except Exception:  # noqa: BLE001 - the library leaks many kinds of exceptions from hostile bytes
        return UNKNOWN
    return SIGNED


class ChainChecks:
    """Chains of distinct certificates by number. ``der`` gives the bytes of one; ``roots``: DER of what the user trusts."""

    def __init__(self, der: Callable[[int], bytes], roots: Sequence[bytes] = ()) -> None:
        self._der = der
        self._roots = list(roots)
        self.link = cache(self._link)
        self.is_trusted = cache(self._is_trusted)

    @property
    def has_roots(self) -> bool:
        """Whether the user said whom to trust."""
        return bool(self._roots)

    def _link(self, child: int, parent: int) -> str:
        return is_issued_by(self._der(child), self._der(parent))

    def _is_trusted(self, last: int) -> bool:
        der = self._der(last)
        return der in self._roots or any(is_issued_by(der, root) == SIGNED for root in self._roots)


def read_trust_store(path: Path) -> list[bytes]:
    """DER of the certificates in a PEM file.

    Raises:
        UsageError: it cannot be read, or holds none.
    """
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"--trust-store: {path} holds no certificates in PEM form that can be read ({error}).") from error
    return [one.public_bytes(Encoding.DER) for one in found]
