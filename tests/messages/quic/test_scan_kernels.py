"""What headers tell without keys: kinds, ids, places, spin bit; lengths that lie; rows do not depend on where batches end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tables.quic import HANDSHAKE, INITIAL, RETRY, SHORT
from analyzer.tables.tls import BASES
from tests.builders import Frame
from tests.messages.quic.builders import (
    CLIENT_ID,
    DCID,
    SERVER_ID,
    Stages,
    answer,
    crypto,
    from_client,
    from_server,
    handshake_packet,
    hello,
    initial,
    negotiation,
    retry,
    short_packet,
)

HELLO, ANSWER = initial(crypto(hello())), initial(crypto(answer()), sender="server")
OTHER_ID = b"server02"


def short_to_client(spin: int = 0) -> bytes:
    return short_packet(CLIENT_ID, 40, spin=spin)


LIFE = [
    from_client(HELLO, 0),
    from_server(ANSWER + handshake_packet(900, sender="server"), 20),
    from_server(handshake_packet(1100, sender="server"), 21),
    from_client(initial(b"\x02\0\0\0\0", dcid=SERVER_ID, number=1) + handshake_packet(30), 22),
    from_client(handshake_packet(80) + short_packet(spin=0), 23),
    from_server(short_to_client(), 24),
    from_server(short_to_client(), 45),
    from_client(short_packet(spin=1), 46),
    from_server(short_to_client(spin=1), 66),
    from_client(short_packet(OTHER_ID, spin=0), 67),
    from_server(short_to_client(spin=0), 87),
    from_client(short_packet(OTHER_ID, spin=1), 88),
    from_client(short_packet(OTHER_ID, spin=1), 588),
]


def test_the_life_of_a_connection() -> None:
    q = Stages(LIFE).row()
    assert (q.client, q.version, q.first_version) == (0, 1, 1)
    assert q.odcid[: q.odcid_size].tobytes() == DCID
    assert [q.scid[end, : q.scid_size[end]].tobytes() for end in (0, 1)] == [CLIENT_ID, SERVER_ID]
    assert q.packets[:, INITIAL].tolist() == [2, 1]
    assert q.packets[:, HANDSHAKE].tolist() == [2, 2]
    assert q.packets[:, SHORT].tolist() == [5, 4]
    assert (q.datagrams, q.coalesced) == (13, 3)
    assert q.dcid_changes.tolist() == [1, 0]
    assert (q.pause_ns, q.pause_number) == (500_000_000, 12)
    assert q.largest_client_initial == 1263
    assert (q.error, q.not_opened) == (0, 0)


def test_places() -> None:
    stages = Stages(LIFE)
    assert stages.places() == {
        "first_client_initial": 1, "first_server_initial": 2, "first_server_handshake": 2, "last_server_handshake": 3,
        "server_flight_end": 3, "first_client_handshake": 4, "client_finished": 5, "first_client_data": 5, "first_server_data": 6,
        "confirmed": 7, "request": 8, "request_end": 13,
    }  # fmt: skip
    assert {BASES[basis] for basis in stages.row().place_basis.tolist()} == {"absent", "measured", "inferred"}


def test_spin_bit() -> None:
    q = Stages(LIFE).row()
    assert q.spin_edges.tolist() == [3, 2]
    assert q.spin_least.tolist() == [21_000_000, 21_000_000]
    assert q.spin_sum.tolist() == [42_000_000, 21_000_000]


def test_history_has_zeeks_letters() -> None:
    assert Stages(LIFE).history() == "ISishhIHH"
    assert Stages([from_client(HELLO), from_server(retry(), 1), from_server(negotiation(), 2)]).history() == "ISrv"


def test_padding_after_packets_is_no_packet() -> None:
    q = Stages([from_client(HELLO + bytes(30))]).row()
    assert (q.coalesced, q.error) == (0, 0)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (HELLO[:5] + b"\x15" + HELLO[6:], 1),
        (HELLO[:5] + b"\xff", 1),
        (HELLO[:-100], 1),
        (HELLO[:23] + b"\x7f\xff" + HELLO[25:], 1),
        (handshake_packet() * 13, 6),
    ],
)
def test_lengths_that_lie(payload: bytes, error: int) -> None:
    q = Stages([from_client(HELLO), from_client(payload, 1)]).row()
    assert (q.error, q.error_number) == (error, 2)


def test_what_the_snapshot_length_cut_is_counted() -> None:
    frame = from_client(HELLO)
    cut = Frame(frame.content[:300], frame.ts, len(frame.content))
    stages = Stages([cut])
    assert stages.quic.errors["cut"] == 1
    assert stages.row().packets[0, INITIAL] == 1


def test_amplification_is_counted_until_the_client_is_known() -> None:
    q = Stages([from_client(HELLO), *(from_server(handshake_packet(1000, sender="server"), k) for k in range(1, 9))]).row()
    assert q.unvalidated_bytes.tolist() == [len(HELLO), 8 * len(handshake_packet(1000))]


@pytest.mark.parametrize("cuts", [(1,), (4, 5), tuple(range(1, 13))])
def test_batches_do_not_matter(cuts: tuple[int, ...]) -> None:
    assert Stages(LIFE, cuts).everything() == Stages(LIFE).everything()
    assert Stages(LIFE, cuts, found_rows=1, id_rows=1).everything() == Stages(LIFE).everything()


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=60), st.integers(0, 1300)), max_size=6))
@settings(max_examples=30)
def test_any_bytes(wrong: list[tuple[int, bytes, int]]) -> None:
    """A real start, then damaged packets."""
    starts = (HELLO, ANSWER, retry(), handshake_packet(500))
    frames = [from_client(HELLO)]
    for k, (which, patch, at) in enumerate(wrong):
        content = bytearray(starts[which])
        content[at : at + len(patch)] = patch
        frames.append((from_server if k & 1 else from_client)(bytes(content), 1 + k))
    whole, parts = Stages(frames), Stages(frames, range(1, len(frames)))
    assert whole.everything() == parts.everything()
    assert whole.row().packets[:, RETRY].sum() <= len(frames) * 12
