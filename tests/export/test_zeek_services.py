"""Zeek's names of services."""

from __future__ import annotations

import pyarrow as pa
import pytest

from analyzer.export.zeek_services import SERVICES, WEBSOCKET, zeek_service
from analyzer.report.connections import SERVICES as OURS


@pytest.mark.parametrize(
    ("service", "outer", "transport", "expected"),
    [
        ("https", None, "tcp", "ssl"),
        ("tls", "smtp", "tcp", "smtp,ssl"),
        ("https", "http", "tcp", "http,ssl"),
        ("http2", None, "tcp", None),
        ("quic", None, "udp", None),
        ("quic", None, "udp", "quic,ssl"),
        (None, None, "tcp", None),
        ("kerberos", None, "udp", "krb"),
        ("kerberos", None, "tcp", "krb_tcp"),
        ("gtp", None, "udp", "gtpv1"),
    ],
)
def test_names(service: str | None, outer: str | None, transport: str, expected: str | None) -> None:
    ja4 = "q13d" if expected == "quic,ssl" else None
    text = pa.large_string()
    batch = pa.RecordBatch.from_arrays(
        [pa.array([one], text) for one in (service, outer, transport, ja4)], ["service", "outer_service", "transport", "tls_ja4"]
    )
    assert zeek_service(batch.append_column(WEBSOCKET, pa.array([False]))).to_pylist() == [expected]
    assert zeek_service(batch.append_column(WEBSOCKET, pa.array([True]))).to_pylist() == [expected and f"{expected},websocket"]


def test_every_name_is_one_of_ours() -> None:
    assert set(SERVICES) <= set(OURS)
