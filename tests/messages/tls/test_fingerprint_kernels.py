"""JA3, JA3S and JA4: published vectors, an obvious twin, and the special cases of each."""

from __future__ import annotations

import hashlib

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.tls import builders as b

GREASE = {(n << 12) | 0x0A00 | (n << 4) | 0x0A for n in range(16)}


def hello_row(body: bytes) -> dict[str, object]:
    return b.dissect([b.Send(b.CLIENT, b.record(22, b.message(1, body), 0x0301))])


def ext(code: int) -> bytes:
    """Any extension that nobody reads."""
    return b.extension(code)


def slow_ja3(version: int, suites: list[int], extensions: list[int], groups: list[int], formats: list[int]) -> str:
    parts = [suites, extensions, groups, formats]
    return f"{version}," + ",".join("-".join(str(v) for v in part if v not in GREASE) for part in parts)


@pytest.mark.parametrize(
    ("body", "ja3"),
    [
        (
            b.client_hello(
                (47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4),
                b.server_name(b"x") + b.groups(23, 24, 25) + b.point_formats(0),
                version=0x0301,
            ),
            "ada70206e40642a3e4461f35503241d5",
        ),
        (b.client_hello((4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99), None, version=0x0301), "de350869b8c85de67a350c8d186f11e6"),
    ],
)
def test_published_ja3(body: bytes, ja3: str) -> None:
    assert hello_row(body)["ja3"] == ja3


def test_published_ja4() -> None:
    suites = [0x2F, 0x35, 0x9C, 0x9D, 0x1301, 0x1302, 0x1303, 0xC013, 0xC014, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9]
    codes = [0x1B, 0x00, 0x33, 0x10, 0x4469, 0x17, 0x2D, 0x0D, 0x05, 0x23, 0x12, 0x2B, 0xFF01, 0x0B, 0x0A, 0x15]
    known = {
        0x00: b.server_name(b"www.example.org"),
        0x10: b.alpn(b"h2", b"http/1.1"),
        0x2B: b.versions(0x0A0A, 0x0304, 0x0303),
        0x0D: b.schemes(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
    }
    extensions = ext(0x1A1A) + b"".join(known.get(code, ext(code)) for code in codes) + ext(0xFAFA)
    row = hello_row(b.client_hello([0x8A8A, *suites], extensions))
    assert row["ja4"] == "t13d1516h2_8daaf6152771_e5627efa2ab1"


@pytest.mark.parametrize(
    ("extensions", "version", "head"),
    [
        (None, 0x0303, "t12i030000"),
        (b"", 0x0302, "t11i030000"),
        (b.alpn(b"http/1.1"), 0x0301, "t10i0301h1"),
        (b.alpn(b"x"), 0x0300, "ts3i0301xx"),
        (b.alpn(b"\xabc"), 0x0303, "t12i0301a3"),
        (b.alpn(b"h\x1f"), 0x0303, "t12i03016f"),
        (b.alpn(), 0x0303, "t12i030100"),
        (b.extension(0), 0x0303, "t12d030100"),
        (b.versions(0x7F1C, 0x0303), 0x0303, "t00i030100"),
        (b.versions(0x0303, 0x0304), 0x0303, "t13i030100"),
        (b"".join(ext(1000 + i) for i in range(120)), 0x0303, "t12i039900"),
    ],
)
def test_ja4_head(extensions: bytes | None, version: int, head: str) -> None:
    row = hello_row(b.client_hello(extensions=extensions, version=version))
    assert str(row["ja4"]).split("_")[0] == head


def test_ja4_of_nothing() -> None:
    assert hello_row(b.client_hello((), None))["ja4"] == "t12i000000_000000000000_000000000000"


def test_ja4_ignores_grease_in_signature_algorithms() -> None:
    plain, greased = b.schemes(0x0403, 0x0804), b.schemes(0x2A2A, 0x0403, 0x0804)
    assert hello_row(b.client_hello(extensions=plain))["ja4"] == hello_row(b.client_hello(extensions=greased))["ja4"]


codes = st.lists(st.one_of(st.integers(0, 0xFFFF), st.sampled_from(sorted(GREASE))), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(codes, codes, st.lists(st.integers(0, 255), min_size=1, max_size=5), codes, st.lists(st.integers(300, 0xFEFF), max_size=10))
def test_twins(suites: list[int], groups: list[int], formats: list[int], schemes: list[int], others: list[int]) -> None:
    extensions = b.server_name(b"a.example") + b.groups(*groups) + b.schemes(*schemes) + b.point_formats(*formats)
    extensions += b"".join(ext(code) for code in others)
    body = b.client_hello(suites, extensions)
    row = hello_row(body)
    oracle = dpkt.ssl.TLSClientHello(body)
    types = [code for code, _ in oracle.extensions]
    raw = slow_ja3(0x0303, [c.code for c in oracle.ciphersuites], types, groups, formats)
    assert row["ja3"] == hashlib.md5(raw.encode()).hexdigest()
    kept = sorted(f"{c:04x}" for c in suites if c not in GREASE)
    named = sorted(f"{c:04x}" for c in types if c not in GREASE and c not in (0, 16))
    signed = [f"{c:04x}" for c in schemes if c not in GREASE]
    second = hashlib.sha256(",".join(kept).encode()).hexdigest()[:12] if kept else "0" * 12
    tail = ",".join(named) + ("_" + ",".join(signed) if signed else "")
    assert str(row["ja4"]).split("_")[1:] == [second, hashlib.sha256(tail.encode()).hexdigest()[:12]]


def test_ja3s() -> None:
    row = b.dissect(b.full_tls12())
    assert row["ja3s"] == hashlib.md5(b"771,49199,65281-23-16").hexdigest()


def test_raw_forms_are_kept() -> None:
    capture = b.Capture().feed(b.numbered(b.full_tls12()))
    row, raw = capture.row(), capture.tls.raw_fingerprints()
    assert raw[row["ja3"]].startswith("771,49199-49171-47,0-10-16,29-23,")
    assert raw[row["ja4"].split("_")[1]] == "002f,c013,c02f"
    assert raw[row["ja3s"]] == "771,49199,65281-23-16"
