"""Stapled OCSP responses (RFC 6960, RFC 6066 8): what the server's authority said of its certificate, each distinct one read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from analyzer.messages.tls.certificates import nanoseconds

MALFORMED: Final = "malformed"


@dataclass(frozen=True)
class Staple:
    """One response. ``status``: good, revoked or unknown, else why there is none; times in ns since 1970, 0 = not given."""

    status: str
    this_update: int = 0
    next_update: int = 0
    revoked: int = 0
    serial: int = 0


@lru_cache(1 << 12)
def read_staple(der: bytes) -> Staple:
    """Read an OCSP response; of several certificates in it the first counts. Never raises: what cannot be read is ``malformed``."""
    from cryptography.x509 import ocsp  # noqa: PLC0415 - late: only where there are staples

    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Staple(response.response_status.name.lower().replace("_", " "))
        one = next(iter(response.responses))
        return Staple(
            one.certificate_status.name.lower(),
            nanoseconds(one.this_update_utc),
            nanoseconds(one.next_update_utc) if one.next_update_utc else 0,
            nanoseconds(one.revocation_time_utc) if one.revocation_time_utc else 0,
            one.serial_number,
        )
    except Exception:  # noqa: BLE001 - the library leaks many kinds of exceptions from hostile bytes
        return Staple(MALFORMED)
