"""The Initials of one connection: keys after Retry, version negotiation, another version, another connection."""

from __future__ import annotations

from analyzer.messages.quic.conversation import Conversation
from analyzer.messages.quic.frames import Frames
from tests.messages.quic.builders import DCID, SERVER_ID, V1, V2, answer, crypto, hello, initial

PAD = 1162


def opened(one: Conversation, packet: bytes, sender: int = 0, version: int = V1) -> Frames | None:
    return one.open(memoryview(packet), len(packet) - PAD - 20, version, sender)


def test_both_ends() -> None:
    one = Conversation(0, 1 << 16)
    assert opened(one, initial(crypto(answer()), sender="server"), 1) is None  # no keys yet
    first = opened(one, initial(crypto(hello())))
    assert first is not None
    assert first.crypto == [(0, hello())]
    assert opened(one, initial(crypto(answer()), sender="server"), 1) is not None
    assert opened(one, initial(b"\x01", dcid=SERVER_ID, number=1)) is not None
    assert opened(one, initial(b"\x01", dcid=SERVER_ID, keyed_by=b"wrong")) is None
    assert one.opened == [2, 1]


def test_after_a_retry_the_id_of_the_retry_counts() -> None:
    one = Conversation(0, 1 << 16)
    assert opened(one, initial(crypto(hello()))) is not None
    one.begin_again()
    assert opened(one, initial(crypto(hello()), dcid=b"retryid1", keyed_by=b"retryid1", token=b"t")) is not None
    assert opened(one, initial(crypto(answer()), sender="server", keyed_by=b"retryid1"), 1) is not None


def test_the_server_may_choose_version_2() -> None:
    """RFC 9368: the keys of version 2 come from the same connection id."""
    one = Conversation(0, 1 << 16)
    assert opened(one, initial(crypto(hello()))) is not None
    assert opened(one, initial(crypto(answer()), sender="server", version=V2), 1, V2) is not None


def test_another_connection_between_the_same_ports() -> None:
    one = Conversation(0, 1 << 16)
    assert opened(one, initial(crypto(hello()))) is not None
    assert opened(one, initial(crypto(hello()), dcid=b"another1", keyed_by=b"another1")) is not None
    assert opened(one, initial(crypto(hello()), dcid=b"another2", keyed_by=b"wrong")) is None
    assert one.dcid == b"another1"


def test_a_first_initial_that_cannot_be_opened_gives_no_keys() -> None:
    one = Conversation(0, 1 << 16)
    assert opened(one, initial(crypto(hello()), keyed_by=b"wrong")) is None
    assert one.dcid is None
    assert opened(one, initial(crypto(hello()))) is not None
    assert one.dcid == DCID
