"""The probe: what is HTTP by its first bytes, in either direction, at every length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.kernel import IS_COMPILED
from analyzer.messages.http import probe_kernels

HTTP = [
    b"GET / HTTP/1.1\r\n",
    b"\r\nPOST /a b c HTTP/1.0\n",
    b"GET /old\r\n",
    b"M-SEARCH * HTTP/1.1\r\n",
    b"VERSION-CONTROL /x HTTP/1.1\r\n",
    b"CONNECT example.org:443 HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"BREW http://pot/ HTTP/1.1\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 404\r\n",
    b"ICY 200 OK\r\n",
]
OTHER = [
    b"EHLO mail.example.org\r\n",
    b"MAIL FROM:<a@b>\r\n",
    b"USER anonymous\r\n",
    b"GET file\r\n",
    b"220 ready\r\n",
    b"SSH-2.0-OpenSSH_9\r\n",
    b"OPTIONS rtsp://a/ RTSP/1.0\r\n",
    b"RTSP/1.0 200 OK\r\n",
    b"INVITE sip:a@b SIP/2.0\r\n",
    b"SIP/2.0 200 OK\r\n",
    b"NICK a\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET \x00/ HTTP/1.1\r\n",
    b" HTTP/1.1\r\n",
    b"HTTP/2 200\r\n",
    b"PRIVMSG x :GET / HTTP/x\r\n",
    b"GET / HTTP/3.0\r\n",
    b"*2\r\n$3\r\nGET\r\n",
]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def look(content: bytes) -> int:
    """The answer for these first bytes; what stands behind them must not matter."""
    data = np.frombuffer(content + b"/ HTTP/1.1\r\n\r\n", np.uint8)
    return int(probe_kernels.looks_like_http(data, 0, len(content)))


@pytest.mark.parametrize("content", HTTP)
def test_is_http(content: bytes) -> None:
    assert look(content) == 1
    answers = [look(content[:n]) for n in range(len(content))]
    assert set(answers) <= {-1, 1}
    assert answers == sorted(answers)


@pytest.mark.parametrize("content", OTHER)
def test_is_not_http(content: bytes) -> None:
    assert look(content) == 0
    assert {look(content[:n]) for n in range(len(content))} <= {-1, 0}


def test_http2_preface() -> None:
    assert look(PREFACE) == 2
    assert {look(PREFACE[:n]) for n in range(16)} == {-1}


def test_long_lines_are_decided() -> None:
    assert look(b"GET /" + b"a" * 9000) == 1
    assert look(b"PUT /" + b"a" * 9000) == 0
    assert look(b"A" * 30) == 0


@given(st.binary(max_size=60))
def test_any_bytes(content: bytes) -> None:
    assert look(content) in (-1, 0, 1, 2)


def test_modes() -> None:
    assert hasattr(probe_kernels.looks_like_http, "py_func") == IS_COMPILED
