"""Fields of heads: order, case, folds, pseudo-fields, and what is masked."""

from __future__ import annotations

from analyzer.report.heads import MASK, read_fields


def test_http1() -> None:
    head = b"GET /a:b HTTP/1.1\r\nHost: h\r\nX-Fold: a\r\n  b\r\nhOST:second\r\nno colon\r\nX: \xff\r\n\r\n"
    assert read_fields(head, masks=True) == [["Host", "h"], ["X-Fold", "a b"], ["hOST", "second"], ["X", "\xff"]]


def test_http2() -> None:
    assert read_fields(b":method: GET\r\n:path: /a: b\r\nx: y\r\n", masks=True) == [[":method", "GET"], [":path", "/a: b"], ["x", "y"]]


def test_secrets() -> None:
    head = b"S\r\nCookie: a=1; b=2\r\nSet-Cookie: c=3; Path=/; Secure\r\nAuthorization: Bearer abc\r\nX-API-Key: k\r\nAccept: x\r\n"
    assert read_fields(head, masks=True) == [
        ["Cookie", f"a={MASK}; b={MASK}"],
        ["Set-Cookie", f"c={MASK}; Path=/; Secure"],
        ["Authorization", f"Bearer {MASK}"],
        ["X-API-Key", MASK],
        ["Accept", "x"],
    ]
    assert read_fields(head, masks=False)[2] == ["Authorization", "Bearer abc"]
