"""Certificate messages to distinct certificates."""

from __future__ import annotations

import pytest

from analyzer.options import Limits
from tests.messages.tls import builders as b


def chain_row(body: bytes, **options: object) -> tuple[dict[str, object], b.Capture]:
    capture = b.Capture(**options).feed(b.numbered([b.Send(b.SERVER, b.record(22, b.message(2, b.ANSWER12) + b.message(11, body)))]))  # type: ignore[arg-type]
    return capture.row(), capture


def test_equal_certificates_have_one_number() -> None:
    ders = [b"a" * 700, b"b" * 700, b"a" * 699 + b"!", b"a" * 700]
    row, capture = chain_row(b.certificate_list(*ders))
    assert [link[0] for link in row["links"]] == [0, 1, 2, 0]  # type: ignore[attr-defined]
    assert [capture.tls.der(n) for n in range(3)] == ders[:3]
    assert len(capture.tls.certificates) == 3


@pytest.mark.parametrize(
    ("body", "links"),
    [
        (b"", 0),
        (b"\0\0", 0),
        (b"\0\0\x09\0\0\1a", 0),  # the list is longer than the message
        (b.certificate_list(b"a", b"b") + b"tail", 2),
        (b.vector(3, b.vector(3, b"good") + b"\0\0\x09bad"), 1),
        (b.vector(3, b.vector(3, b"good") + b"\0\0\0"), 1),
    ],
)
def test_lying_lengths(body: bytes, links: int) -> None:
    row, capture = chain_row(body)
    assert row["chain_certificates"] == links
    assert capture.tls.errors["certificate_list"] == 1


def test_long_chain_is_cut() -> None:
    limits = Limits(chunk_bytes=1 << 20, arena_bytes=1 << 20, chain_certificates=3)
    row, capture = chain_row(b.certificate_list(*(bytes([n]) for n in range(10))), limits=limits)
    assert (row["chain_certificates"], capture.tls.errors["chain_too_long"]) == (3, 1)


def test_many_certificates_with_small_tables() -> None:
    ders = [n.to_bytes(2, "big") * 40 for n in range(60)]
    row, capture = chain_row(b.certificate_list(*ders), message_rows=1)
    assert [link[0] for link in row["links"]] == list(range(60))  # type: ignore[attr-defined]
    assert [capture.tls.der(n) for n in range(60)] == ders
