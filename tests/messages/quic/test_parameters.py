"""Transport parameters: names, numbers, GREASE, and lengths that lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.messages.quic.parameters import describe_parameters, find_extension, idle_timeout, parse_parameters, read_varint
from tests.messages.quic.builders import varint
from tests.messages.tls.builders import client_hello, extension, server_name, vector


def parameter(code: int, value: bytes) -> bytes:
    return varint(code) + varint(len(value)) + value


CONTENT = (
    parameter(1, varint(30000)) + parameter(0x0F, b"\x01\x02") + parameter(27 + 31, b"grease") + parameter(0x0C, b"")
    + parameter(0x11, bytes.fromhex("00000001 6b3343cf")) + parameter(0x3129, b"a,b")
)  # fmt: skip


def test_description() -> None:
    parameters = parse_parameters(CONTENT)
    assert describe_parameters(parameters) == (
        "max_idle_timeout=30000,initial_source_connection_id=0102,disable_active_migration,version_information=1+2,user_agent=a;b"
    )
    assert idle_timeout(parameters) == 30000
    assert idle_timeout([]) == 0
    assert parse_parameters(CONTENT[:3]) == []


def test_extension_of_hellos() -> None:
    assert find_extension(1, client_hello(extensions=server_name(b"a.b") + extension(57, CONTENT), session=b"s" * 9)) == CONTENT
    assert find_extension(8, vector(2, extension(16, b"x") + extension(0xFFA5, CONTENT))) == CONTENT
    assert find_extension(8, b"") == b""


@given(st.binary(max_size=80))
def test_any_bytes(content: bytes) -> None:
    assert isinstance(describe_parameters(parse_parameters(content)), str)
    find_extension(1, content)
    find_extension(8, content)


@given(st.integers(0, (1 << 62) - 1))
def test_varint(value: int) -> None:
    content = varint(value)
    assert read_varint(content, 0) == (value, len(content))
    assert read_varint(content[:-1], 0)[0] == -1
