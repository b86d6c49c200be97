"""Secrets blocks found before the packets are read: anywhere in the file, in any byte order, up to the first damage."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from analyzer.capture import KeyTexts
from analyzer.capture import secrets as module
from analyzer.capture.files import look_at
from analyzer.capture.secrets import look_ahead, read_secrets
from analyzer.options import Limits
from tests import builders
from tests.builders import ByteOrder, Frame, block, enhanced_packet, interface_description, section_header


def secrets_block(text: bytes, byteorder: ByteOrder = "<", kind: int = 0x544C534B) -> bytes:
    padded = text + bytes(-len(text) % 4)
    return block(10, struct.pack(byteorder + "II", kind, len(text)) + padded, byteorder)


def head(byteorder: ByteOrder = "<") -> bytes:
    return section_header(byteorder) + interface_description(byteorder)


def packets(count: int, size: int = 60, byteorder: ByteOrder = "<") -> bytes:
    return b"".join(enhanced_packet(Frame(bytes([k % 251]) * size), byteorder) for k in range(count))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("piece", [64, 1000, 1 << 20])
def test_blocks_anywhere_in_the_file(tmp_path: Path, byteorder: ByteOrder, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", piece)
    content = secrets_block(b"a" * 100, byteorder) + packets(9, 700, byteorder) + secrets_block(b"bb", byteorder) + packets(3, 5, byteorder)
    other: ByteOrder = "<" if byteorder == ">" else ">"
    content = head(byteorder) + content + secrets_block(b"opaque", byteorder, kind=1) + head(other) + secrets_block(b"ccc", other)
    path = tmp_path / "x.pcapng"
    path.write_bytes(content)
    assert list(read_secrets(str(path))) == [b"a" * 100, b"bb", b"ccc"]


def test_damage_ends_the_search(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(head() + secrets_block(b"before") + struct.pack("<II", 6, 7) + bytes(20) + secrets_block(b"after"))
    assert list(read_secrets(str(path))) == [b"before"]
    assert list(read_secrets(str(tmp_path / "none"))) == []


@pytest.mark.parametrize("size", range(0, 200, 7))
def test_a_file_cut_anywhere(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes((head() + packets(1) + secrets_block(b"text"))[:size])
    assert list(read_secrets(str(path))) == ([b"text"] if size >= len(head() + packets(1)) + 20 else [])


def test_only_so_much_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECRETS_BYTES", 150)
    path = tmp_path / "x.pcapng"
    path.write_bytes(head() + secrets_block(b"a" * 60) + secrets_block(b"b" * 60) + secrets_block(b"c"))
    assert [len(text) for text in read_secrets(str(path))] == [60]


def test_which_files_are_looked_through(tmp_path: Path) -> None:
    path, other = tmp_path / "x.pcapng", tmp_path / "y.pcap"
    path.write_bytes(head() + packets(1) + secrets_block(b"text"))
    other.write_bytes(builders.pcap([b"x" * 60]))
    files = [look_at(str(path), Limits()), look_at(str(other), Limits())]
    assert list(look_ahead(files, 1 << 20)) == [b"text"]
    assert list(look_ahead(files, 100)) == []


def test_what_was_found_ahead_is_not_given_again() -> None:
    texts = KeyTexts([])
    assert list(texts.once([b"one", b"two", b"one"])) == [b"one", b"two"]
    assert list(texts.once([b"two", b"three"])) == [b"three"]
