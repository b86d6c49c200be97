"""Each writer against Python's own."""

import base64
import ipaddress
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns import text_kernels as kernels
from analyzer.registries.dns import RR_TYPES, rr_type_name

TEXT = np.zeros(1024, np.uint8)


def written(put, *arguments):
    """What a helper writes, as text."""
    top = put(TEXT, np.int64(3), *(np.int64(x) if isinstance(x, int) else x for x in arguments))
    return bytes(TEXT[3:top]).decode("latin-1")


def array(content):
    return np.frombuffer(bytearray(content), np.uint8)


@given(st.integers(0, 2**63 - 1))
@settings(max_examples=30)
def test_decimal(value):
    assert written(kernels.put_decimal, value % 10**17) == str(value % 10**17)


@given(st.binary(max_size=40))
@settings(max_examples=30)
def test_hex_and_base64(content):
    assert written(kernels.put_hex, array(content), 0, len(content)) == content.hex()
    assert written(kernels.put_base64, array(content), 0, len(content)) == base64.b64encode(content).decode()


@given(st.one_of(st.ip_addresses(v=6), st.lists(st.sampled_from([0, 1, 0xFFFF]), min_size=8, max_size=8)))
@settings(max_examples=60)
def test_ipv6(address):
    if isinstance(address, list):
        address = ipaddress.IPv6Address(b"".join(group.to_bytes(2, "big") for group in address))
    expected = str(address) if address.ipv4_mapped is None else f"::ffff:{address.ipv4_mapped}"
    assert written(kernels.put_ipv6, array(address.packed), 0) == expected


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_time(seconds):
    expected = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S")
    assert written(kernels.put_time, seconds) == expected


@pytest.mark.parametrize("seconds", [0, 951782400, 951868800, 4107542400, 2**32 - 1])
def test_time_around_leap_days(seconds):
    test_time.hypothesis.inner_test(seconds)


def test_type_names():
    for code in [*RR_TYPES, 0, 54, 511, 512, 65535]:
        assert written(kernels.put_type, code) == (rr_type_name(code) if code < 512 else f"TYPE{code}")


def test_quotes_and_unknown():
    assert written(kernels.put_quoted, array(b'a"b\\\x07\xe9 '), 0, 7) == '"a\\"b\\\\\\007\\233 "'
    assert written(kernels.put_unknown, array(b"\x01\xab"), 0, 2) == "\\# 2 01ab"
    assert written(kernels.put_unknown, array(b""), 0, 0) == "\\# 0"
