"""The escaping and the addresses against slow twins."""

import ipaddress

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.report.text import addresses, spans

STEERING = {*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF}


def shown(content: bytes) -> str:
    """The obvious twin: one character at a time, by Python's own decoder."""
    out = []
    at = 0
    while at < len(content):
        for width in range(1, 5):
            try:
                character = content[at : at + width].decode()
            except UnicodeDecodeError:
                continue
            if len(character) == 1 and ord(character) not in STEERING:
                out.append(character)
                at += width
                break
        else:
            out.append(f"\\x{content[at]:02x}")
            at += 1
    return "".join(out)


def render(contents: list[bytes]) -> list[str | None]:
    sizes = np.array([len(c) for c in contents], np.int32)
    positions = np.cumsum(sizes, dtype=np.int64) - sizes
    return spans(np.frombuffer(b"".join(contents) + b"\xe2", np.uint8), positions, sizes).to_pylist()


PIECES = "61 00 7f c280 c2a0 e280ae e280a7 e281a6 d89c efbbbf eda080 f4908080 f09f9880 e282 c3a9 ff 5c 22 e08080 c0af f0808080 e2"
awkward = st.lists(st.sampled_from([bytes.fromhex(piece) for piece in PIECES.split()]), max_size=8).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=12), awkward, st.text(max_size=6).map(str.encode)), max_size=5))
@example([b"caf\xc3\xa9", b"", b"\xe2\x80", b"\r\nSet-Cookie"])
def test_spans_are_escaped_as_the_twin_does(contents: list[bytes]) -> None:
    assert render(contents) == [shown(c) if c else None for c in contents]


def test_a_character_is_not_completed_by_the_bytes_after_its_span() -> None:
    data = np.frombuffer(b"\xc3\xa9", np.uint8)
    assert spans(data, np.array([0]), np.array([1])).to_pylist() == ["\\xc3"]


def test_plain_text_is_as_sent() -> None:
    assert render([b'a\\b "c" caf\xc3\xa9', b"\x1b[31m"]) == ['a\\b "c" café', "\\x1b[31m"]


groups = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0x20, 0xABC]), min_size=8, max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.one_of(groups.map(lambda g: sum(x << (112 - 16 * k) for k, x in enumerate(g))), st.integers(0, 2**128 - 1)))
@example(0)
@example(1)
@example(0xFFFF_0102_0304)
@example(0x20010DB8 << 96)
def test_ipv6_addresses_are_those_of_ipaddress(value: int) -> None:
    hi, lo = np.array([value >> 64], np.uint64), np.array([value & (2**64 - 1)], np.uint64)
    (text,) = addresses(hi, lo, np.array([6])).to_pylist()
    expected = ipaddress.IPv6Address(value)
    assert ipaddress.ip_address(text) == expected
    assert text == (f"::ffff:{expected.ipv4_mapped}" if expected.ipv4_mapped else str(expected))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), max_size=4))
def test_ipv4_addresses_are_those_of_ipaddress(values: list[int]) -> None:
    lo = np.array(values, np.uint64)
    versions = np.full(len(values), 4)
    assert addresses(lo * np.uint64(0), lo, versions).to_pylist() == [str(ipaddress.IPv4Address(v)) for v in values]


def test_no_version_is_no_address() -> None:
    two = np.array([1, 2], np.uint64)
    assert addresses(two, two, np.array([0, 4])).to_pylist() == [None, "0.0.0.2"]
