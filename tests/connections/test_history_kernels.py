"""The history string, letter by letter."""

from __future__ import annotations

import pytest

from analyzer.tables.connections import HISTORY_IS_FULL, HISTORY_SIZE
from tests.connections.rows import HANDSHAKE, client, history, run, server, timed, track

BAD = 16  # BAD_TRANSPORT_CHECKSUM


def letters(*packets: dict[str, int]) -> object:
    (facts,) = run(timed(packets))
    return facts["history"]


def test_normal_connection() -> None:
    data = (client("PA", 10, seq=1, ack=1), server("A", seq=1, ack=11), server("PA", 20, seq=1, ack=11), client("A", seq=11, ack=21))
    end = (client("FA", seq=11, ack=21), server("FA", seq=21, ack=12), client("A", seq=12, ack=22))
    assert letters(*HANDSHAKE, *data, *end) == "ShADadFf"


def test_repeated_syn_and_fin() -> None:
    """The same SYN again is not new, a FIN at another place is; payload on a FIN gives no D."""
    assert letters(client("S"), client("S"), client("FA", 5, seq=1), client("FA", 5, seq=1), client("FA", 9, seq=1)) == "SFTF"


def test_flag_mixtures() -> None:
    mixed = (server("SFA", seq=1, ack=1), server("SFRA", seq=1, ack=1), client("FR", seq=1), client("FR", seq=1))
    assert letters(*HANDSHAKE, *mixed) == "ShAqiI"


@pytest.mark.parametrize(("count", "expected"), [(1, "T"), (9, "T"), (10, "TT"), (99, "TT"), (100, "TTT")])
def test_logarithmic_letters(count: int, expected: str) -> None:
    data = client("PA", 10, seq=1, ack=1)
    assert letters(*HANDSHAKE, data, *[data] * count) == "ShAD" + expected


def test_zero_window_is_dull_after_the_peer_has_closed() -> None:
    assert letters(*HANDSHAKE, server("A", seq=1, ack=1, window=0)) == "ShAaw"
    assert letters(*HANDSHAKE, client("FA", seq=1, ack=1), server("A", seq=1, ack=2, window=0)) == "ShAFa"
    assert letters(*HANDSHAKE, server("R", seq=1, window=0)) == "ShAr"


def test_bad_checksum_is_not_looked_at_further() -> None:
    (facts,) = run(timed([*HANDSHAKE, client("FA", 10, seq=1, ack=1, marks=BAD)]))
    assert facts["history"] == "ShAC"
    assert (facts["packets_0"], facts["payload_bytes_0"], facts["conn_state"]) == (2, 0, "S1")


def test_gap() -> None:
    assert letters(*HANDSHAKE, server("A", seq=1, ack=101)) == "ShAaG"


def test_late_flip() -> None:
    """SYN+ACK first is taken for a stealth scan until something answers it."""
    first = server("SA", ack=1, src_port=9999)
    assert letters(first) == "H"
    assert letters(first, client("A", seq=1, ack=1, dst_port=9999)) == "^hA"
    assert letters(first, client("R", seq=1, dst_port=9999)) == "Hr"


def test_swapped_syn() -> None:
    """SYN+ACK and its SYN swapped on their way into the capture: no simultaneous open, no other connection."""
    (facts,) = run(timed([server("SA", ack=1, src_port=9999), client("S", dst_port=9999), client("A", seq=1, ack=1, dst_port=9999)]))
    assert facts["flipped"] == 1
    assert facts["conn_state"] == "S1"
    assert facts["history"] == "Hs^A"


def test_full_history_is_marked() -> None:
    resets = [client("R", seq=i) for i in range(HISTORY_SIZE + 5)]
    tracker, _ = track(timed([client("S"), *resets]))
    assert history(tracker, 0) == "S" + "R" * (HISTORY_SIZE - 1)
    assert int(tracker.connections["marks"][0]) & HISTORY_IS_FULL
