"""ICMP errors find the connection that they quote."""

from __future__ import annotations

import ipaddress

import dpkt
import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.connections import Tracker
from analyzer.kernel import IS_COMPILED
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.packets import INTERFACE
from tests.connections.rows import CLIENT, HANDSHAKE, SERVER, START, client, packet, table

ROUTER = 0xC0000201
A6, B6 = ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("2001:db8:1::2")


def quote(protocol: int = 6, source: int = CLIENT, target: int = SERVER, body: bytes = b"\xc3\x50\x00\x50\x00\x00\x03\xe9") -> bytes:
    """An IPv4 packet as an error quotes it: header and eight bytes."""
    header = dpkt.ip.IP(src=source.to_bytes(4, "big"), dst=target.to_bytes(4, "big"), p=protocol, len=20 + len(body))
    return bytes(header)[:20] + body


def quote6(extensions: bytes = b"", first: int = 6) -> bytes:
    body = extensions + b"\xc3\x50\x00\x50\x00\x00\x03\xe9"
    return b"\x60\x00\x00\x00" + len(body).to_bytes(2, "big") + bytes((first, 64)) + A6.packed + B6.packed + body


def error(kind: int, code: int, quoted: bytes, version: int = 4, mtu: int = 0) -> tuple[dict[str, int], bytes]:
    """An ICMP error of a router and its bytes from the ICMP header on."""
    rest = b"\0\0" + mtu.to_bytes(2, "big") if version == 4 else mtu.to_bytes(4, "big")
    icmp = bytes((kind, code, 0, 0)) + rest + quoted
    fields = {"src_lo": ROUTER, "protocol": 1 if version == 4 else 58, "ip_version": version, "src_port": kind, "dst_port": code}
    return packet(**fields, payload=8, payload_size=len(quoted), payload_length=len(quoted)), icmp


def run(packets: list[dict[str, int]], *errors: tuple[dict[str, int], bytes]) -> Tracker:
    """A tracker that has seen packets and then errors."""
    memory = Memory(4096, 1, 64)
    rows, at = [*packets], 0
    for fields, content in errors:
        memory.data[at : at + len(content)] = np.frombuffer(content, np.uint8)
        rows.append(fields | {"offset": at, "ts": START + len(rows)})
        at += len(content)
    tracker = Tracker(Options(), rows=1)
    tracker.track(Batch(memory, table(rows), new_table(INTERFACE, 0), START, len(rows)))
    return tracker


def test_unreachable() -> None:
    tracker = run([client("S")], error(3, 3, quote()), error(3, 1, quote()))
    c = tracker.connections[0]
    assert (c.icmp_errors, c.icmp_error_type, c.icmp_error_code, c.icmp_error_number, c.icmp_error_mtu) == (2, 3, 3, 2, 0)
    assert tracker.connections["icmp_errors"][1:].sum() == 0


def test_fragmentation_needed_tells_the_mtu() -> None:
    tracker = run([*HANDSHAKE], error(3, 4, quote(), mtu=1400), error(3, 4, quote(), mtu=1280), error(3, 4, quote(), mtu=1500))
    assert tracker.connections["icmp_error_mtu"][0] == 1280


def test_the_answer_is_quoted() -> None:
    body = b"\x00\x50\xc3\x50\x00\x00\x03\xe9"
    assert run([*HANDSHAKE], error(11, 0, quote(source=SERVER, target=CLIENT, body=body))).connections["icmp_errors"][0] == 1


def test_ping_and_udp() -> None:
    ping = packet(protocol=1, src_port=8, dst_port=0)
    assert run([ping], error(11, 0, quote(1, body=b"\x08\x00\x00\x00\x00\x00\x00\x00"))).connections["icmp_errors"][0] == 1
    question = packet(protocol=17, dst_port=53)
    assert run([question], error(3, 3, quote(17, body=b"\xc3\x50\x00\x35\x00\x08\x00\x00"))).connections["icmp_errors"][0] == 1


@pytest.mark.parametrize(
    ("extensions", "first"), [(b"", 6), (b"\x06\x00" + bytes(6), 0), (b"\x2b\x00" + bytes(6) + b"\x06\x01" + bytes(14), 60)]
)
def test_ipv6(extensions: bytes, first: int) -> None:
    halves = {"src_hi": int(A6) >> 64, "src_lo": int(A6) & 2**64 - 1, "dst_hi": int(B6) >> 64, "dst_lo": int(B6) & 2**64 - 1}
    tracker = run([client("S", ip_version=6, **halves)], error(2, 0, quote6(extensions, first), 6, 1300))
    c = tracker.connections[0]
    assert (c.icmp_errors, c.icmp_error_type, c.icmp_error_mtu) == (1, 2, 1300)


@pytest.mark.parametrize(
    "what",
    [
        error(3, 3, quote(body=b"\xc3\x51\x00\x50")),  # another connection
        error(3, 3, quote()[:22]),  # no ports
        error(3, 3, quote()[:10]),
        error(3, 3, b""),
        error(3, 3, b"\x42" + quote()[1:]),  # header shorter than it can be
        error(3, 3, b"\x4f" + quote()[1:]),  # header longer than the quote
        error(3, 3, quote()[:6] + b"\x00\x10" + quote()[8:]),  # a later fragment has no ports
        error(5, 1, quote()),  # redirect is no error
        error(1, 0, quote6()[:30], 6),
        error(3, 3, b"\x90" + quote()[1:]),
    ],
)
def test_what_is_no_error_of_the_connection(what: tuple[dict[str, int], bytes]) -> None:
    assert run([client("S")], what).connections["icmp_errors"].sum() == 0


def test_any_quote() -> None:
    """Noise raises nothing."""
    random = np.random.default_rng(5)
    errors = []
    for _ in range(60 if IS_COMPILED else 20):
        content = bytearray(quote() if random.integers(2) else quote6(bytes(16), 0))
        for _ in range(random.integers(0, 4)):
            content[random.integers(len(content))] = random.integers(256)
        errors.append(
            error(int(random.integers(0, 13)), 4, bytes(content[: random.integers(len(content) + 1)]), int(random.choice((4, 6))))
        )
    run([client("S")], *errors)
