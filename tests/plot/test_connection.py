"""The packets of one connection for its diagram."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.options import Options
from analyzer.plot.connection import end_name, gather_series
from analyzer.tables import new_table
from analyzer.tables.packets import PACKET

LOSSY = str(Path(__file__).parents[2] / "captures" / "lossy-path.pcap")


def test_all_packets_of_a_connection() -> None:
    series, names = gather_series([LOSSY], 2, Options())
    assert series.packets == 260
    assert names == ("192.0.2.10:58476", "198.51.100.10:80")


@pytest.mark.parametrize(("number", "sentence"), [(1, "is not TCP"), (99, "has no connection 99")])
def test_refusals(number: int, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        gather_series([LOSSY], number, Options())


def test_names_of_ends() -> None:
    packet = new_table(PACKET, 1)
    packet["ip_version"], packet["src_hi"], packet["src_lo"], packet["src_port"] = 6, np.uint64(0x20010DB8 << 32), np.uint64(1), 443
    assert end_name(packet[0], "src") == "[2001:db8::1]:443"
