"""The probe: hellos of both ends, alerts, SSLv2, the middle of a connection, and other protocols."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.tls.probe_kernels import MIDSTREAM, NEED_MORE, NO, YES, looks_like_tls
from tests.messages.tls import builders as b


def probe(content: bytes) -> int:
    return int(looks_like_tls(np.frombuffer(content, np.uint8), 0, len(content)))


SSL2_HELLO = bytes.fromhex("802e01030100150000001000002f0000350000ff0000040000050000090000") + bytes(17)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b.record(22, b.message(1, b.HELLO13), 0x0301), YES),
        (b.record(22, b.message(2, b.ANSWER12)), YES),
        (b.record(22, b.message(1, b.HELLO12)[:3]), YES),  # a record of three bytes: split by somebody hostile
        (b.record(21, b"\x02\x28"), YES),
        (SSL2_HELLO, YES),
        (b.data(100), MIDSTREAM),
        (b.CCS, MIDSTREAM),
        (b.CCS + b.data(60), YES),  # the hellos are not in the capture
        (b.CCS + b"\x17\x02\x00\x00\x10", MIDSTREAM),
        (b"\x14\x03\x03\x00\x01\x02", NO),
        (b"GET / HTTP/1.1\r\n", NO),
        (b"SSH-2.0-OpenSSH\r\n", NO),
        (b.record(22, b.message(11, b"\0\0\0")), NO),
        (b.record(22, b.message(1, b"short")), NO),
        (b"\x16\x03\x01\xff\xff\x01", NO),
        (b"\x16\x02\x00\x00\x10\x01", NO),
        (b"\x17\x03\x00\x01\x00", NO),
        (b"\x15\x03\x01\x00\x20\x01", NO),
        (b"\x80\x2e\x02\x03\x01", NO),
        (b"", NEED_MORE),
    ],
)
def test_first_bytes(content: bytes, answer: int) -> None:
    assert probe(content) == answer


@pytest.mark.parametrize("content", [b.record(22, b.message(1, b.HELLO13), 0x0301), SSL2_HELLO, b.record(21, b"\x02\x28")])
def test_more_bytes_never_change_the_answer(content: bytes) -> None:
    answers = [probe(content[:n]) for n in range(len(content))]
    first_sure = next(i for i, answer in enumerate(answers) if answer != NEED_MORE)
    assert set(answers[first_sure:]) == {YES}


@settings(max_examples=200)
@given(st.binary(max_size=40))
def test_any_bytes(content: bytes) -> None:
    assert probe(content) in {YES, NO, NEED_MORE, MIDSTREAM}
