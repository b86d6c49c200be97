"""Addresses as Zeek sees them."""

import pyarrow as pa
import pytest

from analyzer.export.zeek_addresses import in_ipv4, is_local


def batch(*addresses: str | None) -> pa.RecordBatch:
    return pa.record_batch({"address": pa.array(addresses, pa.large_string())})


def test_ipv4_mapped_addresses_are_those_of_ipv4() -> None:
    mapped = batch("::ffff:1.2.3.4", "10.0.0.1", None, "::ffff:0:1", "64:ff9b::1", "::ffff:255.255.255.255")
    assert in_ipv4("address")(mapped).to_pylist() == ["1.2.3.4", "10.0.0.1", None, "::ffff:0:1", "64:ff9b::1", "255.255.255.255"]
    plain = batch("::1", None)
    assert in_ipv4("address")(plain).to_pylist() == ["::1", None]


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("::ffff:8.8.8.8", False), ("172.32.0.1", False), ("fe80::1", True), (None, None)],
)
def test_local_networks(address: str | None, expected: bool | None) -> None:  # noqa: FBT001
    assert is_local("address")(batch(address)).to_pylist() == [expected]
