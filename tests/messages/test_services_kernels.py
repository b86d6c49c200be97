"""Late TLS, tunnels and datagrams, seen through Services."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.services import Services
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.http import HTTP_TUNNEL
from analyzer.tables.packets import INTERFACE, PACKET, TUNNEL_CODES
from analyzer.tables.services import (
    AYIYA,
    DNS,
    GENEVE,
    GTP,
    HTTP,
    IMAP,
    NTP,
    SMTP,
    SOCKS,
    SSH,
    TEREDO,
    TLS,
    UNDECIDED,
    UNKNOWN,
    VXLAN,
    VXLAN_GPE,
)
from analyzer.tables.streams import RUN, STREAM_ENDED

HELLO = bytes.fromhex("160301002f0100002b0303") + bytes(32) + bytes.fromhex("00000213010100")
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CONNECT = b"CONNECT a:443 HTTP/1.1\r\n\r\n"
Said = tuple[int, bytes]


class Talk:
    """One connection: what each end says, in batches."""

    def __init__(self, syn: int = 1) -> None:
        self.memory = Memory(1 << 16, 1, 1 << 16)
        self.services = Services(self.memory, (TLS, HTTP, DNS))
        self.connections = new_table(CONNECTION, 1)
        self.connections["syn_ts"] = syn
        self.offsets = [0, 0]

    def runs(self, said: list[Said]) -> Rows:
        runs = new_table(RUN, len(said))
        at = 0
        for run, (sender, content) in zip(runs, said, strict=True):
            self.memory.data[at : at + len(content)] = np.frombuffer(content, np.uint8)
            run.sender, run.position, run.run_size, run.offset = sender, at, len(content), self.offsets[sender]
            self.offsets[sender] += len(content)
            at += len(content)
        return runs

    def sort(self, *said: Said) -> dict[int, list[bytes]]:
        return self.contents(self.services.sort(self.runs(list(said)), self.connections))

    def contents(self, found: tuple[Rows, dict[int, np.ndarray]]) -> dict[int, list[bytes]]:  # type: ignore[type-arg]
        runs, wanted = found
        return {
            protocol: [self.memory.data[run.position : run.position + run.run_size].tobytes() for run in runs[rows]]
            for protocol, rows in wanted.items()
            if len(rows)
        }

    @property
    def state(self) -> tuple[int, int]:
        row = self.services.table[0]
        return int(row.protocol), int(row.outer)


@pytest.mark.parametrize(
    ("dialogue", "opener"),
    [
        ([(1, b"220 a ESMTP\r\n"), (0, b"EHLO b\r\n"), (1, b"250 STARTTLS\r\n"), (0, b"STARTTLS\r\n"), (1, b"220 go\r\n")], SMTP),
        ([(1, b"* OK\r\n"), (0, b"a STARTTLS\r\n"), (1, b"a OK\r\n")], IMAP),
        ([(0, b"\x05\x01\x00"), (1, b"\x05\x00"), (0, b"\x05\x01\x00\x01\x01\x02\x03\x04\x01\xbb"), (1, b"\x05" + bytes(9))], SOCKS),
    ],
)
def test_late_tls(dialogue: list[Said], opener: int) -> None:
    talk = Talk()
    assert talk.sort(*dialogue) == {}
    assert talk.state == (opener, 0)
    assert talk.sort((0, HELLO), (1, b"\x16\x03\x03 answer")) == {TLS: [HELLO, b"\x16\x03\x03 answer"]}
    assert talk.state == (TLS, opener)


@pytest.mark.parametrize("cut", [1, 2, 5, 9])
def test_late_tls_in_small_pieces(cut: int) -> None:
    """The first bytes of the ClientHello wait for the rest, whatever the other end says in between."""
    smtp = [(1, b"220 a ESMTP\r\n"), (0, b"EHLO b\r\n"), (0, b"STARTTLS\r\n")]
    talk = Talk()
    assert talk.sort(*smtp, (0, HELLO[:cut]), (1, b"220 go\r\n")) == {}
    assert talk.sort((0, HELLO[cut:])) == {TLS: [HELLO[:cut], HELLO[cut:]]}
    assert talk.state == (TLS, SMTP)
    talk = Talk()
    pieces = [(0, HELLO[k : k + 1]) for k in range(len(HELLO))]
    assert talk.sort(*smtp, *pieces) == {TLS: [content for _, content in pieces]}
    assert talk.state == (TLS, SMTP)


def test_what_only_begins_like_tls_is_let_go() -> None:
    talk = Talk()
    assert talk.sort((1, b"220 a ESMTP\r\n"), (0, b"EHLO b\r\n"), (0, b"\x16"), (0, b"\x04 and more than ten bytes")) == {}
    assert talk.state == (SMTP, 0)
    assert talk.services.table[0].first_held == 0
    assert talk.sort((0, HELLO)) == {TLS: [HELLO]}


def test_http_behind_socks_only_at_its_beginning() -> None:
    talk = Talk()
    talk.sort((0, b"\x05\x01\x00"), (1, b"\x05\x00"))
    assert talk.sort((0, GET)) == {HTTP: [GET]}
    talk = Talk()
    talk.sort((0, b"\x05\x01\x00"), (0, bytes(2000)))
    assert talk.sort((0, GET)) == {}


def test_a_hello_inside_a_named_protocol_is_not_looked_for() -> None:
    talk = Talk()
    talk.sort((1, b"SSH-2.0-a\r\n"))
    assert talk.sort((0, HELLO)) == {}
    assert talk.state == (SSH, 0)


def test_application_data_is_tls_where_the_connection_began_before_the_capture() -> None:
    record = b"\x17\x03\x03\x00\x20" + bytes(32)
    talk = Talk(syn=0)
    assert talk.sort((0, record)) == {TLS: [record]}
    talk = Talk()
    assert talk.sort((0, record)) == {}


def tunnels(client: int, server: int, is_connect: int = 1) -> Rows:
    rows = new_table(HTTP_TUNNEL, 2)
    rows["is_connect"], rows["sender"], rows["offset"] = is_connect, [1, 0], [server, client]
    return rows


def test_a_tunnel_is_asked_anew_and_still_counted() -> None:
    talk = Talk()
    ok = b"HTTP/1.1 200 OK\r\n\r\n"
    said: list[Said] = [(0, CONNECT), (1, ok), (0, HELLO[:3]), (0, HELLO[3:]), (1, b"answer")]
    found = talk.services.sort(talk.runs(said), talk.connections)
    inner = talk.services.enter(tunnels(len(CONNECT), len(ok)), found, TLS, talk.connections)
    assert talk.contents(inner) == {HTTP: [content for _, content in said], TLS: [HELLO[:3], HELLO[3:], b"answer"]}
    assert talk.state == (TLS, HTTP)
    assert talk.sort((0, b"more")) == {HTTP: [b"more"], TLS: [b"more"]}


def test_a_run_that_holds_the_end_of_the_head_is_cut() -> None:
    talk = Talk()
    found = talk.services.sort(talk.runs([(0, CONNECT + HELLO)]), talk.connections)
    inner = talk.services.enter(tunnels(len(CONNECT), 0), found, TLS, talk.connections)
    assert talk.contents(inner)[TLS] == [HELLO]
    assert int(inner.runs[inner.wanted[TLS][0]].offset) == len(CONNECT)


def test_a_hello_in_two_batches_inside_a_tunnel() -> None:
    talk = Talk()
    found = talk.services.sort(talk.runs([(0, CONNECT), (0, HELLO[:4])]), talk.connections)
    inner = talk.services.enter(tunnels(len(CONNECT), 0), found, TLS, talk.connections)
    assert TLS not in talk.contents(inner)
    assert talk.state == (UNDECIDED, HTTP)
    assert talk.sort((0, HELLO[4:]))[TLS] == [HELLO[:4], HELLO[4:]]


def test_an_upgrade_is_no_tunnel() -> None:
    talk = Talk()
    found = talk.services.sort(talk.runs([(0, GET), (0, HELLO)]), talk.connections)
    assert talk.services.enter(tunnels(len(GET), 0, 0), found, TLS, talk.connections) is found
    assert STREAM_ENDED


def test_datagrams() -> None:
    memory = Memory(1 << 16, 1, 1 << 16)
    services = Services(memory, (TLS, HTTP, DNS))
    packets = new_table(PACKET, 6)
    memory.data[:48] = np.frombuffer(b"\x23" + bytes(47), np.uint8)
    packets["protocol"], packets["dst_port"], packets["payload_size"] = 17, 123, 48
    packets["connection"] = [0, 1, 1, 1, 1, 2]
    packets["dst_port"][1:5] = 9
    packets["payload_size"][5] = 0
    services.name_datagrams(Batch(memory, packets, new_table(INTERFACE, 0), 0, 0), new_table(CONNECTION, 3))
    assert list(services.table["protocol"][:3]) == [NTP, UNKNOWN, UNDECIDED]


def test_datagrams_that_carry_packets_are_named_by_their_tunnel() -> None:
    tunnels = {"vxlan": VXLAN, "vxlan_gpe": VXLAN_GPE, "geneve": GENEVE, "gtp": GTP, "teredo": TEREDO, "ayiya": AYIYA}
    memory = Memory(1 << 16, 1, 1 << 16)
    services = Services(memory, (TLS, HTTP, DNS))
    packets = new_table(PACKET, len(tunnels))
    packets["protocol"], packets["payload_size"], packets["connection"] = 17, 8, np.arange(len(tunnels))
    packets["carries"] = [TUNNEL_CODES[name] for name in tunnels]
    services.name_datagrams(Batch(memory, packets, new_table(INTERFACE, 0), 0, 0), new_table(CONNECTION, len(tunnels)))
    assert services.table["protocol"][: len(tunnels)].tolist() == list(tunnels.values())
