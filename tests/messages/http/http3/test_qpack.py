"""Field sections: static and dynamic, waiting for entries, broken, and bombs."""

from __future__ import annotations

import pylsqpack
import pytest

from analyzer.messages.http.http3.qpack import SectionError, Sections

FIELDS = [(b":method", b"GET"), (b":path", b"/"), (b"x-long", b"v" * 100)]


def encoded(rounds: int = 3) -> tuple[list[bytes], list[bytes]]:
    """Sections of the same fields again and again, with the instructions before each."""
    encoder = pylsqpack.Encoder()
    first = encoder.apply_settings(4096, 100)
    instructions, sections = [], []
    for k in range(rounds):
        told, section = encoder.encode(4 * k, FIELDS)
        instructions.append((first if k == 0 else b"") + told)
        sections.append(section)
    return instructions, sections


def test_in_order() -> None:
    one = Sections(1 << 16)
    one.set_capacity(4096)
    for k, (instructions, section) in enumerate(zip(*encoded(), strict=True)):
        assert one.add_instructions(instructions) == []
        assert one.read(4 * k, section) == FIELDS


def test_a_section_waits() -> None:
    instructions, sections = encoded()
    one = Sections(1 << 16)
    one.set_capacity(4096)
    waiting = [k for k, section in enumerate(sections) if one.read(4 * k, section) is None]
    assert waiting
    ready = one.add_instructions(b"".join(instructions))
    assert sorted(ready) == [4 * k for k in waiting]
    assert all(one.resume(stream) == FIELDS for stream in ready)


def test_what_cannot_be_read() -> None:
    instructions, sections = encoded()
    one = Sections(1 << 16)
    one.set_capacity(4096)
    one.forget()
    assert one.add_instructions(instructions[0]) == []
    with pytest.raises(SectionError):
        one.read(0, sections[-1])
    with pytest.raises(SectionError):
        one.read(4, b"\xff" * 40)
    with pytest.raises(SectionError):
        one.resume(8)
    other = Sections(1 << 16)
    other.add_instructions(b"\xff" * 40)
    assert other.is_broken


def test_bombs() -> None:
    """Four kilobytes in the table, and a section that names them over and over."""
    encoder = pylsqpack.Encoder()
    start = encoder.apply_settings(1 << 16, 100)
    fields = [(b"x", b"v" * 30_000)]
    one = Sections(1 << 18)
    one.set_capacity(1 << 16)
    told, _ = encoder.encode(0, fields)
    more, section = encoder.encode(4, fields)
    one.add_instructions(start + told + more)
    with pytest.raises(SectionError) as error:
        one.read(8, section[:2] + b"\x80" * 60_000)
    assert error.value.is_too_large
    with pytest.raises(SectionError):
        Sections(64).read(0, bytes(65))
