"""Names of versions, errors and parameters."""

from __future__ import annotations

import pytest

from analyzer.registries.quic import (
    application_error_name,
    is_reserved_parameter,
    transport_error_name,
    transport_parameter_name,
    version_name,
    zeek_version_name,
)


@pytest.mark.parametrize(
    ("code", "name", "zeek"),
    [
        (1, "1", "1"),
        (0x6B3343CF, "2", "quicv2"),
        (0xFF00001D, "draft 29", "draft-29"),
        (0x51303436, "Q046", "unknown-51303436"),
        (0xFACEB002, "mvfst 2", "unknown-faceb002"),
        (0x1A2A3A4A, "reserved 0x1a2a3a4a", "unknown-1a2a3a4a"),
        (0xDEADBEEF, "0xdeadbeef", "unknown-deadbeef"),
    ],
)
def test_versions(code: int, name: str, zeek: str) -> None:
    assert (version_name(code), zeek_version_name(code)) == (name, zeek)


def test_errors_and_parameters() -> None:
    assert transport_error_name(0) == "NO_ERROR"
    assert transport_error_name(0x128) == "CRYPTO_ERROR 40"
    assert transport_error_name(0x99) == "0x99"
    assert application_error_name(0x100) == "H3_NO_ERROR"
    assert application_error_name(7) == "0x7"
    assert transport_parameter_name(1) == "max_idle_timeout"
    assert transport_parameter_name(0x7777) == "0x7777"
    assert is_reserved_parameter(27 + 31 * 5)
    assert not is_reserved_parameter(1)
