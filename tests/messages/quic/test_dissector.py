"""From datagrams to hellos: in pieces, out of order, over several packets; Retry, version negotiation, CONNECTION_CLOSE, wrong tags."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.tables.quic import BY_TRANSPORT, CLOSE_KINDS
from tests.builders import Frame
from tests.messages.quic.builders import (
    START,
    V2,
    Stages,
    crypto,
    from_client,
    from_server,
    handshake,
    initial,
    negotiation,
    retry,
    varint,
)
from tests.messages.tls.builders import ANSWER13, alpn, client_hello, extension, groups, key_shares, server_name, versions

PARAMETERS = extension(57, varint(1) + varint(4) + varint(30000, 4) + varint(4) + varint(1) + varint(9))
BODY = client_hello(
    (0x1301, 0x1302, 0x1303),
    server_name(b"quic.example.org")
    + groups(29)
    + versions(0x0304)
    + key_shares(29)
    + alpn(b"h3")
    + PARAMETERS
    + extension(21, bytes(1500)),
)
HELLO, ANSWER = handshake(1, BODY), handshake(2, ANSWER13)


def pieces(order: tuple[int, ...], **more: object) -> list[Frame]:
    """The ClientHello in Initials of 300 bytes each, in some order."""
    parts = [(at, HELLO[at : at + 300]) for at in range(0, len(HELLO), 300)]
    return [
        from_client(initial(crypto(parts[k][1], parts[k][0]), number=n, **more), n)  # type: ignore[arg-type]
        for n, k in enumerate(order)
    ]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 3, 1, 0, 2, 4), (0, 0, 1, 1, 2, 4, 3, 5)])
def test_hello_in_pieces(order: tuple[int, ...]) -> None:
    frames = [*pieces(order), from_server(initial(crypto(ANSWER), sender="server"), 20)]
    stages = Stages(frames)
    h = stages.tls.handshakes[stages.place()]
    assert stages.tls_text("server_name") == "quic.example.org"
    assert stages.tls_text("alpn_offered") == "h3"
    assert stages.tls_text("ja4").startswith("q13d0307h3_")
    assert (h.version, h.cipher_suite, h.group) == (0x0304, 0x1301, 29)
    assert h.step_number[0].tolist() == [1, len(order)]
    assert stages.text("client_parameters") == "max_idle_timeout=30000,initial_max_data=9"
    assert stages.row().idle_timeout_ms.tolist() == [30000, 0]
    assert Stages(frames, range(1, len(frames))).everything() == stages.everything()


def test_version_2() -> None:
    stages = Stages([from_client(initial(crypto(HELLO), version=V2))])
    assert stages.tls_text("ja4").startswith("q13d")
    assert stages.row().version == V2


def test_retry() -> None:
    again = {"dcid": b"retryid1", "keyed_by": b"retryid1", "token": b"token"}
    frames = [from_client(initial(crypto(HELLO))), from_server(retry(), 10), from_client(initial(crypto(HELLO), **again), 11)]
    frames.append(from_server(initial(crypto(ANSWER), sender="server", keyed_by=b"retryid1"), 21))
    stages = Stages(frames)
    assert stages.row().not_opened == 0
    assert stages.row().token_bytes == 5
    assert stages.tls.handshakes[stages.place()].version == 0x0304
    assert stages.places() == {"first_client_initial": 1, "retry": 2, "second_initial": 3, "first_server_initial": 4}


def test_version_negotiation() -> None:
    unknown = b"\xc0\x1a\x2a\x3a\x4a\x08" + b"otherids" + b"\x08client00" + bytes(1200)
    stages = Stages([from_client(unknown), from_server(negotiation(), 10), from_client(initial(crypto(HELLO)), 11)])
    assert stages.text("offered_versions") == "1,reserved 0x1a2a3a4a"
    assert (stages.row().first_version, stages.row().version) == (0x1A2A3A4A, 1)
    assert stages.places() == {"first_client_initial": 1, "version_negotiation": 2, "second_initial": 3}
    assert stages.tls_text("server_name") == "quic.example.org"


def test_close_in_an_initial_is_an_alert_of_tls() -> None:
    close = b"\x1c" + varint(0x128) + varint(6) + varint(7) + b"refused"
    frames = [from_client(initial(crypto(HELLO))), from_server(initial(close, sender="server"), 5)]
    frames.append(from_client(initial(b"\x1c\0\0\0", number=1), 6))
    stages = Stages(frames)
    q, h = stages.row(), stages.tls.handshakes[stages.place()]
    assert (CLOSE_KINDS[q.close_kind], q.close_sender, q.close_code, q.close_frame_type) == ("transport", 1, 0x128, 6)
    assert q.close_kind == BY_TRANSPORT
    assert stages.text("reason") == "refused"
    assert stages.places()["second_close"] == 3
    assert (h.alert_level, h.alert_code, h.alert_sender) == (2, 40, 1)
    assert stages.history() == "ISicIC"


def test_what_is_wrong_is_counted() -> None:
    frames = [
        from_client(initial(crypto(HELLO))),
        from_client(initial(crypto(b"x", 1 << 61), number=1), 1),
        from_client(initial(crypto(b"\xff" * 9), number=2), 2),
        from_client(initial(b"\x08\0", number=3), 3),
        from_client(initial(b"\x01", number=4, keyed_by=b"nobody"), 4),
    ]
    stages = Stages(frames)
    wrong = {name: count for name, count in stages.quic.errors.items() if count}
    assert wrong == {"not_opened": 1, "frame": 1, "crypto_offset": 1, "crypto_conflict": 1}
    assert stages.row().error_number == 2
    assert stages.row().not_opened == 1


def test_captures_without_quic_cost_nothing() -> None:
    stages = Stages([Frame(from_client(b"\0" * 50).content, START)])
    assert len(stages.quic.table) == 1
    assert len(stages.quic.messages()) == 0


def test_text_is_compacted() -> None:
    frames = [f for k in range(40) for f in (from_client(initial(crypto(HELLO)), k, port=50000 + k),)]
    stages = Stages(frames)
    stages.quic._text_dead = 1 << 20
    stages.quic.release(np.arange(39))
    assert stages.text("client_parameters", 40) == "max_idle_timeout=30000,initial_max_data=9"
    assert stages.quic.text.top < 100
