"""Sealed records in, messages and child runs out: versions, cuts, gaps, key updates, wrong keys; recordings with their key logs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import analyzer
from analyzer.messages.tls import describe_opening
from analyzer.tables import Rows
from analyzer.tables.streams import ENDED_BY_RESET, STREAM_ENDED
from tests.messages.tls import builders as b
from tests.messages.tls import protected as p

CAPTURES = Path(__file__).parents[3] / "captures"


class Opened(b.Capture):
    """A dissector with keys; ``content[sender]`` is what came out of each direction, '?' for each missing byte."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.content: list[bytes] = [b"", b""]
        self.runs: list[Any] = []

    def feed(self, sends: list[b.Send]) -> Opened:
        super().feed(sends)
        self._keep(self.tls.opener.runs())
        return self

    def _keep(self, runs: Rows) -> None:
        for r in runs:
            assert r.offset == len(self.content[r.sender]) + r.gap
            self.content[r.sender] += b"?" * int(r.gap) + self.memory.data[r.position : r.position + r.run_size].tobytes()
            self.runs.append((int(r.sender), int(r.run_size), int(r.number), int(r.marks)))

    @property
    def counts(self) -> dict[str, int]:
        return {name: count for name, count in self.tls.opener.counts.items() if count}


def opened(sends: list[b.Send], keys: bytes, batch: int = 1000, message_rows: int = 64) -> Opened:
    capture = Opened(message_rows=message_rows)
    capture.tls.keylog.add(keys)
    sends = b.numbered(sends)
    for at in range(0, len(sends), batch):
        capture.feed(sends[at : at + batch])
    return capture


def cut(sends: list[b.Send], size: int) -> list[b.Send]:
    """The same bytes in smaller runs."""
    return [
        dataclasses.replace(send, content=send.content[at : at + size], at=send.at + at / 1e6, number=0)
        for send in sends
        for at in range(0, len(send.content), size)
    ]


def exchange13() -> list[b.Send]:
    talk = p.Talk13()
    ticket = b.message(4, bytes(40))
    return [
        *talk.handshake(),
        b.Send(b.CLIENT, talk.client.seal(23, b"GET /", padding=9), 23),
        b.Send(b.SERVER, talk.server.seal(22, ticket) + talk.server.seal(23, b"200 "), 50),
        b.Send(b.SERVER, talk.server.seal(23, b"OK"), 60),
        b.Send(b.CLIENT, talk.client.seal(21, b"\1\0"), 70),
    ]


@pytest.mark.parametrize("batch", [1, 3, 1000])
@pytest.mark.parametrize("size", [7, 1000])
@pytest.mark.parametrize("message_rows", [3, 64])
def test_tls13(batch: int, size: int, message_rows: int) -> None:
    capture = opened(cut(exchange13(), size), p.keylog(**p.SECRETS13), batch, message_rows)
    row = capture.row()
    assert capture.content == [b"GET /", b"200 OK"]
    assert row["alpn"] == "http/1.1"
    assert row["signature_scheme"] == 0x0804
    assert [capture.tls.der(link[0]) for link in row["links"]] == [b"leaf", b"root"]
    for step in (
        "encrypted_extensions",
        "certificate",
        "server_certificate_verify",
        "server_finished",
        "client_finished",
        "session_ticket",
    ):
        assert row["steps"][step][0] == "measured", step
    assert row["steps"]["client_close_notify"][0] == "measured"
    assert capture.counts["decrypted_bytes"] == 11
    assert "not_decrypted_records" not in capture.counts


def test_history_shows_what_was_encrypted() -> None:
    assert opened(exchange13(), p.keylog(**p.SECRETS13)).row()["history"] == "CsioxyfIFtL"


def test_counts_of_records_are_those_without_keys() -> None:
    names = ("client_records", "server_records", "client_data_bytes", "server_data_bytes", "is_established", "ja3", "ja4", "version")
    sealed, clear = b.dissect(exchange13()), opened(exchange13(), p.keylog(**p.SECRETS13)).row()
    assert {name: sealed[name] for name in names} == {name: clear[name] for name in names}


@pytest.mark.parametrize("size", [1, 5, 100])
def test_messages_over_records(size: int) -> None:
    talk = p.Talk13()
    row = opened(talk.handshake(size), p.keylog(**p.SECRETS13)).row()
    assert row["alpn"] == "http/1.1"
    assert row["chain_certificates"] == 2


def test_record_in_two_frames_has_both_times() -> None:
    talk = p.Talk13()
    sealed = talk.client.seal(23, b"0123456789")
    sends = [*talk.handshake(), b.Send(b.CLIENT, sealed[:9], 30), b.Send(b.CLIENT, sealed[9:], 31)]
    capture = opened(sends, p.keylog(**p.SECRETS13))
    assert capture.runs == [(0, 4, 4, 0), (0, 6, 5, 0)]
    assert capture.content[0] == b"0123456789"


@pytest.mark.parametrize("suite", list(p.SUITES12))
@pytest.mark.parametrize("size", [11, 1000])
def test_tls12(suite: int, size: int) -> None:
    sends, client, server = p.talk12(suite)
    sends += [b.Send(b.CLIENT, client.seal(23, b"ask" * 50), 50), b.Send(b.SERVER, server.seal(23, b"answer"), 70)]
    capture = opened(cut(sends, size), p.keylog(CLIENT_RANDOM=p.MASTER))
    assert capture.content == [b"ask" * 50, b"answer"]
    assert capture.row()["steps"]["client_finished"][0] == "measured"
    assert capture.counts["decrypted_records"] == 4


@pytest.mark.parametrize("version", [0x0301, 0x0302, 0x0303])
@pytest.mark.parametrize("mac_last", [False, True])
def test_cbc_in_every_version(version: int, *, mac_last: bool) -> None:
    sends, client, _ = p.talk12(0xC013, version, mac_last=mac_last)
    sends += [b.Send(b.CLIENT, client.seal(23, word), 50) for word in (b"one ", b"", b"two " * 9)]
    assert opened(sends, p.keylog(CLIENT_RANDOM=p.MASTER)).content[0] == b"one " + b"two " * 9


@pytest.mark.parametrize("lost", [1, 3, 60])
@pytest.mark.parametrize("suite", [0x1301, 0xC02F, 0xC013])
def test_resynchronises_after_a_gap(lost: int, suite: int) -> None:
    if suite == 0x1301:
        talk = p.Talk13()
        sends, seal, keys = talk.handshake(), talk.client.seal, p.keylog(**p.SECRETS13)
    else:
        sends, client, _ = p.talk12(suite)
        seal, keys = client.seal, p.keylog(CLIENT_RANDOM=p.MASTER)
    missing = b"".join(seal(23, b"lost") for _ in range(lost))
    sends += [b.Send(b.CLIENT, seal(23, b"found"), 90, gap=len(missing)), b.Send(b.CLIENT, seal(23, b" again"), 91)]
    capture = opened(sends, keys)
    assert capture.content[0].endswith(b"?found again")
    assert capture.counts["resynchronised_records"] == 1


def test_part_of_a_record_is_missing() -> None:
    talk = p.Talk13()
    sealed = talk.client.seal(23, b"x" * 100)
    sends = [
        *talk.handshake(),
        b.Send(b.CLIENT, sealed[:50], 30),
        b.Send(b.CLIENT, sealed[60:] + talk.client.seal(23, b"next"), 31, gap=10),
    ]
    capture = opened(sends, p.keylog(**p.SECRETS13))
    assert capture.content[0] == b"?" * 100 + b"next"


def test_key_update() -> None:
    talk = p.Talk13()
    update = talk.server.seal(22, b.message(24, b"\0"))
    talk.server.update()
    sends = [*talk.handshake(), b.Send(b.SERVER, update + talk.server.seal(23, b"new keys"), 30)]
    read = opened(sends, p.keylog(**p.SECRETS13))
    assert read.content[1] == b"new keys"
    assert read.row()["key_updates"] == 1
    sends[-1] = b.Send(b.SERVER, sends[-1].content[len(update) :], 30, gap=len(update))
    assert opened(sends, p.keylog(**p.SECRETS13)).content[1].endswith(b"?new keys")


def test_early_data() -> None:
    early, late = p.Sealer13(b"e" * 32), p.Sealer13(b"a" * 32)
    talk = p.Talk13(p.EE + p.FINISHED)
    first, second, _ = talk.handshake()
    sends = [
        dataclasses.replace(first, content=first.content + b.CCS + early.seal(23, b"early ")),
        second,
        b.Send(b.CLIENT, early.seal(22, b.message(5)) + late.seal(22, p.FINISHED) + talk.client.seal(23, b"late"), 30),
    ]
    capture = opened(sends, p.keylog(CLIENT_EARLY_TRAFFIC_SECRET=b"e" * 32, **p.SECRETS13))
    assert capture.content[0] == b"early late"
    assert capture.row()["early_records"] == 1


def test_only_application_secrets() -> None:
    keys = {label: secret for label, secret in p.SECRETS13.items() if label.endswith("_0")}
    assert opened(exchange13(), p.keylog(**keys)).content == [b"GET /", b"200 OK"]


def test_end_of_the_stream_is_handed_on() -> None:
    sends = [*exchange13(), b.Send(b.SERVER, b"", 99, marks=STREAM_ENDED | ENDED_BY_RESET)]
    assert opened(sends, p.keylog(**p.SECRETS13)).runs[-1] == (1, 0, 8, STREAM_ENDED | ENDED_BY_RESET)


def test_wrong_keys_are_counted_and_said() -> None:
    keys = p.keylog(**dict.fromkeys(p.SECRETS13, b"w" * 32))
    capture = opened(exchange13(), keys + b"garbage\n")
    sealed = b.dissect(exchange13())
    row = capture.row()
    assert capture.content == [b"", b""]
    assert capture.counts == {"connections_with_keys": 1, "not_decrypted_records": 7}
    assert {name: row[name] for name in row if name != "steps"} == {name: sealed[name] for name in sealed if name != "steps"}
    assert row["steps"] == sealed["steps"]
    assert describe_opening(capture.tls.opener.counts, capture.tls.keylog) == [
        "TLS keys: 1 of 5 lines are no key log lines: left out.",
        "TLS keys: 7 of 7 records could not be decrypted (wrong keys, or bytes are missing).",
    ]


def test_suites_that_are_not_opened_are_said() -> None:
    hello = b.server_hello(0xC0AF + 0x100, random=p.SERVER_RANDOM)
    sends = [
        b.Send(b.CLIENT, b.record(22, b.message(1, b.HELLO12)), 0),
        b.Send(b.SERVER, b.record(22, b.message(2, hello)) + b.CCS + b.data(40), 1),
    ]
    capture = opened(sends, p.keylog(CLIENT_RANDOM=p.MASTER))
    assert capture.counts["not_decryptable_connections"] == 1


def test_without_a_random_in_the_key_log_nothing_is_kept() -> None:
    capture = opened(exchange13(), p.keylog(**p.SECRETS13).replace(p.RANDOM.hex().encode(), b"ff" * 32))
    assert capture.counts == {}
    assert capture.row() == b.dissect(exchange13())
    assert describe_opening(capture.tls.opener.counts, capture.tls.keylog) == [
        "TLS keys: no connection in the capture is one of those that the keys are for."
    ]


def test_all_memory_is_given_back() -> None:
    capture = opened(cut(exchange13(), 30), p.keylog(**p.SECRETS13))
    capture.tls.release(np.array([0]))
    assert capture.tls.opener.sessions == 0
    capture.tls.opener.begin()
    assert capture.memory.arenas[0][2] == 0


OVER_TCP = sorted(path.name.removesuffix(".keylog.txt") for path in CAPTURES.glob("*.keylog.txt") if not path.name.startswith("quic"))


@pytest.mark.parametrize("name", OVER_TCP)
def test_recordings_open(name: str) -> None:
    (path,) = [path for path in (CAPTURES / f"{name}.pcapng", CAPTURES / f"{name}.pcap") if path.exists()]
    report = analyzer.analyze(path, keylog=CAPTURES / f"{name}.keylog.txt")
    facts = report.capture.set_index("name")["value"]
    if name == "one-sided":
        return
    assert int(facts["decrypted_records"]) > 0
    assert "not_decrypted_records" not in facts
    if name.startswith("https-"):
        urls = report.http.query("status == 200")["url"]
        assert len(urls) == len(report.tls)
        assert urls.str.startswith("https://").all()


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".keylog.txt") for path in CAPTURES.glob("http*.keylog.txt")))
def test_what_was_inferred_is_what_the_keys_show(name: str) -> None:
    path = CAPTURES / f"{name}.pcapng"
    sealed, clear = (analyzer.analyze(path, keylog=keys).tls for keys in ((), CAPTURES / f"{name}.keylog.txt"))
    assert clear["handshake_basis"].tolist() == ["measured"] * len(clear)
    assert sealed["handshake_ms"].tolist() == clear["handshake_ms"].tolist()


def test_keys_inside_the_capture() -> None:
    (request,) = analyzer.analyze(CAPTURES / "secrets-inside.pcapng").http.itertuples()
    assert request.url == "https://www.example.org/small.html"


def test_keys_behind_the_packets_that_they_open(tmp_path: Path) -> None:
    """The same capture with its secrets block as its last: reading meets it when the connection is over."""
    content = (CAPTURES / "secrets-inside.pcapng").read_bytes()
    blocks, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        blocks.append(content[at : at + size])
        at += size
    blocks.sort(key=lambda block: block[:4] == b"\x0a\0\0\0")
    assert blocks[-1][:4] == b"\x0a\0\0\0"
    path = tmp_path / "late.pcapng"
    path.write_bytes(b"".join(blocks))
    (request,) = analyzer.analyze(path).http.itertuples()
    assert request.url == "https://www.example.org/small.html"


def test_inside_a_proxy_tunnel_the_exchanges_follow() -> None:
    http = analyzer.analyze(CAPTURES / "proxy-connect.pcapng", keylog=CAPTURES / "proxy-connect.keylog.txt").http
    assert http[["index", "method"]].values.tolist()[:2] == [[1, "CONNECT"], [2, "GET"]]
