"""Percent-decoding against a regular expression."""

import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.export.percent_kernels import decode_percent


def decoded(text: bytes) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from([b"%", b"4", b"1", b"f", b"G", b"%41", b"/", b"\xff"]), max_size=8).map(b"".join), max_size=4))
@example([b"%", b"1", b"%4", b"1%%41%"])
def test_each_text_is_decoded_within_itself(texts: list[bytes]) -> None:
    content = np.frombuffer(b"".join(texts) + b"41", np.uint8)
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    positions, sizes = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int64)
    out = np.zeros(int(ends[-1]), np.uint8)
    top = decode_percent(content, ends, positions, sizes, out)
    assert [out[p : p + s].tobytes() for p, s in zip(positions, sizes, strict=True)] == [decoded(text) for text in texts]
    assert top == sizes.sum()
