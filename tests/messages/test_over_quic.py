"""Recordings of QUIC opened with their keys: the requests read are those that the server logged; whatever the batches are."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline

CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = sorted(path.stem for path in CAPTURES.glob("quic*.pcapng"))


def analyse(name: str, *, keys: bool = True, **limits: int) -> dict[str, list[dict[str, Any]]]:
    keylog = (CAPTURES / f"{name}.keylog.txt",) if keys else ()
    rows: dict[str, list[dict[str, Any]]] = {}
    for tables in Pipeline(Options(keylog=keylog, limits=Limits(**limits))).run([str(CAPTURES / f"{name}.pcapng")]):
        for table, sheet in tables.items():
            rows.setdefault(table, []).extend(sheet.to_pylist())
    return rows


def test_there_are_recordings() -> None:
    assert len(NAMES) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_requests_are_those_of_the_server(name: str) -> None:
    rows = analyse(name)
    read = [f"{x['stream']} {x['method']} {x['target']} {x['status']} {x['response_body_bytes']}" for x in rows["http"]]
    assert sorted(read) == sorted((CAPTURES / f"{name}.requests.txt").read_text().splitlines())
    assert all(x["request_complete"] and x["response_complete"] and x["error"] is None for x in rows["http"])
    assert all(x["version"] in ("3.0", "3") for x in rows["http"])
    assert {x["url"].split("/")[2] for x in rows["http"]} == {"www.example.org"}
    assert all(q["error"] is None and q["client_failed_packets"] == q["server_failed_packets"] == 0 for q in rows["quic"])


@pytest.mark.parametrize("name", ["quic-migration", "quic-0rtt", "quic-retry"])
def test_batches_do_not_matter(name: str) -> None:
    whole, parts = analyse(name), analyse(name, packets_per_batch=1)
    for table in ("quic", "http", "tls", "milestones", "connections"):
        assert whole[table] == parts[table], table


@pytest.mark.parametrize("name", NAMES)
def test_what_is_inferred_without_keys_is_what_keys_show(name: str) -> None:
    with_keys, without = analyse(name)["quic"], analyse(name, keys=False)["quic"]
    for told in (q for q in with_keys if q["handshake_basis"] == "measured"):
        other = next(q for q in without if q["connection"] == told["connection"])
        assert (other["finished_basis"], other["handshake_basis"]) == ("inferred", "inferred")
        assert other["finished_ms"] == told["finished_ms"]
        assert other["handshake_ms"] >= told["handshake_ms"]


def test_each_recording_shows_what_it_is_for() -> None:
    (one,) = analyse("quic")["quic"]
    assert (one["client_key_updates"], one["server_key_updates"], one["spin_bit"]) == (1, 1, "spinning")
    assert analyse("quic-retry")["quic"][0]["retry_ms"] > 30
    assert analyse("quic-0rtt")["quic"][1]["early_packets"] > 0
    home, *paths = analyse("quic-migration")["quic"]
    assert home["paths"] == len(paths) == 2
    assert {path["quic_connection"] for path in paths} == {home["connection"]}
    negotiated, second = analyse("quic-v2")["quic"]
    assert (negotiated["first_version"], negotiated["version"], second["version"]) == ("reserved 0x1a2a3a4a", "1", "2")
    assert analyse("quic-lossy")["quic"][0]["client_lost_packets"] > 0


def test_the_tls_rows_say_what_keys_open() -> None:
    (tls,) = analyse("quic")["tls"]
    assert (tls["alpn"], tls["sni"], tls["ja4"][:4]) == ("h3", "www.example.org", "q13d")
    assert tls["handshake_basis"] == "measured"
    assert analyse("quic")["certificates"][0]["names"][0] == "www.example.org"
    (plain,) = analyse("quic", keys=False)["tls"]
    assert (plain["alpn"], plain["alpn_offered"], plain["handshake_basis"]) == (None, "h3", "inferred")


def damaged(content: bytes, seed: int) -> bytes:
    """A pcapng file with some bytes of some UDP payloads changed, some packets cut, left out or sent twice."""
    random, out, at = Random(seed), bytearray(), 0
    while at < len(content):
        kind, size = struct.unpack("<II", content[at : at + 8])
        block = bytearray(content[at : at + size])
        times = 1
        if kind == 6:  # an enhanced packet block: 28 bytes, then the frame
            captured = struct.unpack("<I", block[20:24])[0]
            chance = random.random()
            if chance < 0.3:
                for _ in range(random.choice((1, 1, 3, 30))):
                    place = 28 + random.randrange(42, max(captured, 43))
                    block[min(place, 27 + captured)] = random.randrange(256)
            elif chance < 0.4:
                times = random.choice((0, 2, 3))
            elif chance < 0.45:
                block[20:24] = struct.pack("<I", random.randrange(42, max(captured, 43)))
        out += block * times
        at += size
    return bytes(out)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_damaged_recordings(name: str, seed: int, tmp_path: Path) -> None:
    """Whatever the bytes are: a report, the same for any batches, and what could not be read is counted."""
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(damaged((CAPTURES / f"{name}.pcapng").read_bytes(), seed))
    told = []
    for packets in (1 << 16, 7):
        options = Options(keylog=(CAPTURES / f"{name}.keylog.txt",), limits=Limits(packets_per_batch=packets))
        sheets = list(Pipeline(options).run([str(path)]))
        told.append([sheet[table].to_pylist() for sheet in sheets for table in ("quic", "http", "tls", "findings") if table in sheet])
    assert told[0] == told[1]


def test_a_browser_that_learned_of_quic() -> None:
    rows = analyse("browser-quic")
    read = [
        f"{x['stream']} {x['method']} {x['target']} {x['status']} {x['response_body_bytes']}" for x in rows["http"] if x["version"] != "2.0"
    ]
    assert sorted(read) == sorted((CAPTURES / "browser-quic.requests.txt").read_text().splitlines())
    told = next(x for x in rows["http"] if x["alt_svc"])
    for q in rows["quic"]:
        assert (q["learned_from"], q["learned_connection"], q["race_connection"]) == ("alt-svc", told["connection"], None)
        assert q["learned_frame"] == told["response_first_frame"]
    assert analyse("browser-quic", packets_per_batch=1)["quic"] == rows["quic"]
    assert {q["learned_from"] for q in analyse("browser-quic", keys=False)["quic"]} == {None}


def test_flushes_do_not_matter() -> None:
    options = Options(keylog=(CAPTURES / "browser-quic.keylog.txt",))
    pipeline = Pipeline(options, flush_rows=1)
    found = [row for tables in pipeline.run([str(CAPTURES / "browser-quic.pcapng")]) for row in tables["quic"].to_pylist()]
    assert found == analyse("browser-quic")["quic"]


def test_the_first_exchange_without_keys() -> None:
    """What is inferred from sizes and directions is what keys show, but for a lossy path with several requests side by side."""
    apart = []
    for name in [*NAMES, "browser-quic"]:
        with_keys, without = (
            {row["connection"]: row for row in analyse(name, keys=keys)["connections"] if row["service"] == "quic"}
            for keys in (True, False)
        )
        for number, told in without.items():
            true = with_keys.get(number, {})
            assert (told["server_wait_ms"] is None) == (true.get("server_wait_ms") is None), (name, number)
            if told["server_wait_ms"] is None:
                continue
            assert {told[f"{phase}_basis"] for phase in ("request_send", "server_wait", "response_receive")} == {"inferred"}
            assert abs(told["request_wait_ms"] - true["request_wait_ms"]) < 0.5
            if abs(told["server_wait_ms"] - true["server_wait_ms"]) > 1:
                apart.append(name)
    assert apart == ["quic-lossy"]
