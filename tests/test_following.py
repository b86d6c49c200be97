"""The bytes of a connection, beside tshark's."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.following import Piece, as_hex, as_text, follow_opened, follow_plain
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from tests.builders import pcap, udp_packet

CAPTURES = Path(__file__).parents[1] / "captures"
SMALL = {"arena_bytes": 8 << 20}
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def options_of(name: str, **limits: int) -> Options:
    return Options(limits=Limits(**{**SMALL, **limits}), keylog=tuple(CAPTURES.glob(f"{Path(name).stem}.keylog.txt")))


def ends(pieces: list[Piece]) -> list[bytes]:
    return [b"".join(piece.content for piece in pieces if piece.is_reply == side) for side in (False, True)]


def plain(path: Path, number: int, **limits: int) -> list[Piece]:
    pieces: list[Piece] = []
    assert follow_plain([str(path)], number, options_of(path.name, **limits), pieces.append)
    return pieces


def by_tshark(path: Path, what: str, stream: int, keylog: Path | None = None) -> list[bytes]:
    keys = ["-o", f"tls.keylog_file:{keylog}"] if keylog else []
    command = ["tshark", "-n", "-q", *keys, "-o", "tcp.reassemble_out_of_order:TRUE", "-r", str(path), "-z", f"follow,{what},raw,{stream}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [b"", b""]
    for line in told.splitlines():
        if re.fullmatch(r"\t?([0-9a-f]{2})+", line):
            found[line.startswith("\t")] += bytes.fromhex(line.strip())
    return found


@needs_tshark
@pytest.mark.parametrize(
    "name",
    ["http-plain.pcapng", "lossy-path.pcap", "keep-alive.pcap", "half-close.pcap", "port-reuse.pcap", "zero-window.pcapng", "ipv6.pcapng"],
)
def test_streams_are_those_of_tshark(name: str) -> None:
    path = CAPTURES / name
    tables = [tables["connections"].to_pylist() for tables in Pipeline(options_of(name)).run([str(path)])]
    connections = sorted((row for table in tables for row in table if row["transport"] == "tcp"), key=lambda row: row["connection"])
    for stream, row in enumerate(connections[:6]):
        assert ends(plain(path, row["connection"])) == by_tshark(path, "tcp", stream)


@needs_tshark
@pytest.mark.parametrize("name", ["https-tls13.pcapng", "https-tls12-rsa.pcapng"])
def test_what_is_inside_tls_is_that_of_tshark(name: str) -> None:
    path, pieces = CAPTURES / name, []
    options = options_of(name)
    assert follow_opened([str(path)], 2, options, pieces.append) == len(pieces) > 0
    assert sorted(ends(pieces)) == sorted(by_tshark(path, "tls", 0, options.keylog[0]))  # tshark may take the server for the first end
    assert ends(pieces)[0].startswith(b"GET /")
    assert ends(pieces)[1].startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("size", [1, 3, 1 << 16])
def test_batches_make_no_difference(size: int) -> None:
    path = CAPTURES / "lossy-path.pcap"
    assert plain(path, 2, packets_per_batch=size) == plain(path, 2)


def test_datagrams_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "udp.pcap"
    path.write_bytes(pcap([udp_packet(b"ask"), udp_packet(b"tell", src="192.0.2.80", dst="10.0.0.1", src_port=53, dst_port=50000)]))
    assert [(piece.is_reply, piece.content, piece.frame) for piece in plain(path, 1)] == [(False, b"ask", 1), (True, b"tell", 2)]


def test_what_was_cut_off_is_told() -> None:
    pieces = plain(CAPTURES / "snaplen-64.pcap", 2)
    assert sum(piece.missing for piece in pieces) > 100


def test_there_is_none() -> None:
    assert not follow_plain([str(CAPTURES / "half-close.pcap")], 99, options_of("half-close.pcap"), lambda _: None)


def test_forms() -> None:
    assert list(as_hex(b"GET / HTTP/1.1\r\n\0x", 16, " ")) == [
        " 00000010  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..",
        " 00000020  00 78                                             .x",
    ]
    assert list(as_hex(b"", 0, "")) == []
    assert as_text(b"bl\xc3\xa5b\xe6r\r\n\x1b[31m\tx\x00") == "blåb.r\n.[31m\tx."
