"""Exchanges of encrypted connections: by bursts, and beside what keys show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer.lifecycle.inferred import infer_exchanges
from analyzer.tables.services import HTTP, TLS
from analyzer.tables.tls import STEP_CODES, STEPS
from tests.lifecycle.builders import finished

CAPTURES = Path(__file__).parents[2] / "captures"
CLIENT, SERVER = 0, 1


def handshake(asked: int, answered: int) -> dict[str, object]:
    steps = np.zeros((len(STEPS), 2), np.int64)
    steps[STEP_CODES["first_client_data"], 0] = asked
    return {"seen": 1, "step_ts": steps, "step_number": steps, "first_response_ts": answered, "first_response_number": answered}


def burst(sender: int, first: int, last: int) -> dict[str, int]:
    return {
        "connection": 5,
        "sender": sender,
        "first_ts": first,
        "first_number": first,
        "last_ts": last,
        "last_number": last,
        "data_bytes": 100,
    }


def test_what_comes_before_the_first_exchange_is_left_out() -> None:
    bursts = [burst(SERVER, 10, 20), burst(CLIENT, 21, 30), burst(SERVER, 31, 32), burst(CLIENT, 33, 34), burst(SERVER, 35, 60),
              burst(CLIENT, 70, 71), burst(SERVER, 72, 80), burst(CLIENT, 90, 91)]  # fmt: skip
    more = {"handshakes": [handshake(25, 40)], "services": [{"protocol": TLS}], "bursts": bursts}
    x, order = infer_exchanges(finished([{"b_port": 443}], **more))
    assert order.tolist() == [0, 0, 0]
    assert x[["index", "request_first_ts", "request_last_ts", "response_first_ts", "response_last_ts"]].tolist() == [
        (1, 25, 34, 40, 60), (2, 70, 71, 72, 80), (3, 90, 91, 0, 0)]  # fmt: skip
    assert x["has_response"].tolist() == [1, 1, 0]
    assert x["tunnel_request_bytes"].tolist() == [200, 100, 100]
    for services, port in (({"protocol": TLS, "inner": HTTP}, 443), ({"protocol": TLS}, 993), ({"protocol": HTTP}, 443)):
        assert len(infer_exchanges(finished([{"b_port": port}], **{**more, "services": [services]}))[0]) == 0


@pytest.mark.parametrize("name", ["https-tls13", "https-tls12-ecdsa", "https-tls12-rsa", "https-tls13-hrr", "client-certificate", "ipv6"])
def test_exchanges_are_where_keys_show_them(name: str) -> None:
    capture, keys = CAPTURES / f"{name}.pcapng", CAPTURES / f"{name}.keylog.txt"
    inferred, read = analyzer.analyze(capture).http, analyzer.analyze(capture, keylog=keys).http
    inferred = inferred[inferred.basis == "inferred"]
    read = read[read.url.str.startswith("https") & (read.version == "1.1")]
    inferred = inferred[inferred.connection.isin(read.connection)]
    assert inferred[["connection", "index"]].to_numpy().tolist() == read[["connection", "index"]].to_numpy().tolist()
    for phase in ("request_send_ms", "server_wait_ms", "response_receive_ms"):
        assert inferred[phase].to_numpy() == pytest.approx(read[phase].to_numpy(), abs=1)
