"""The chapters about QUIC, with and without keys."""

from __future__ import annotations

import pytest

from analyzer.story.case import Case
from analyzer.story.quic import least_round_trip, parameter_words, tell_course, tell_quic, tell_quic_ending
from tests.story.stories import cases, chapter, story, text

NAMES = ("quic", "quic-0rtt", "quic-lossy", "quic-migration", "quic-retry", "quic-v2")


def hosts(name: str, *, with_keys: bool = False) -> list[Case]:
    """The connections of a capture that are QUIC and not the path of another."""
    found = cases(name, with_keys=with_keys).values()
    return [one for one in found if one.one("quic") and one.one("quic")["quic_connection"] == one.get("connection")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("quic", "For the client it was over after 1 round trip"),
        ("quic-retry", "For the client it was over after 2 round trips"),
        ("quic-retry", "The server answered with a Retry: it wanted proof (a token of 61 bytes)"),
        ("quic-v2", "The server did not know version reserved 0x1a2a3a4a: beginning again with version 1"),
        ("quic-v2", "Version Negotiation the server does not speak that version, it knows 1 and 2"),
    ],
)
def test_handshakes(name: str, words: str) -> None:
    one = tell_quic(hosts(name)[0])
    assert one.title == "QUIC handshake"
    assert words in text(one)
    assert one.frames
    basis = {step.name: step.basis for step in one.steps}
    assert basis["Finished (client)"] == basis["confirmed"] == "inferred"
    opened = tell_quic(hosts(name, with_keys=True)[0])
    assert {step.basis for step in opened.steps} == {"measured"}


def test_early_data() -> None:
    assert "Whether the server took them only the keys can tell" in text(tell_quic(hosts("quic-0rtt")[1]))
    assert "The server took them." in text(tell_quic(hosts("quic-0rtt", with_keys=True)[1]))
    assert "0-RTT" not in text(tell_quic(hosts("quic-0rtt")[0]))


def test_a_path_points_to_its_connection() -> None:
    paths = [one for one in cases("quic-migration", with_keys=True).values() if one.one("quic") and one not in hosts("quic-migration")]
    told = tell_quic(next(one for one in paths if one.get("connection") == 3))
    assert "belong to connection 2" in text(told)
    home = tell_course(hosts("quic-migration", with_keys=True)[0])
    assert home is not None
    assert "2 other addresses or ports as connection 3 and 4" in text(home)


def test_on_the_way() -> None:
    closed, opened = (tell_course(hosts("quic-lossy", with_keys=keys)[0]) for keys in (False, True))
    assert closed is not None
    assert opened is not None
    assert "cannot be seen" in text(closed)
    assert "lost" in text(opened)
    assert "came again" in text(opened)
    update = tell_course(hosts("quic", with_keys=True)[0])
    assert update is not None
    assert "The keys were renewed once." in text(update)


@pytest.mark.parametrize("name", NAMES)
def test_endings(name: str) -> None:
    for one in hosts(name):
        told = tell_quic_ending(one)
        assert told is not None
        assert "without the keys" in text(told)
        assert "answered" in story(name, number=one.get("connection")).outcome
    for one in hosts(name, with_keys=True):
        told = tell_quic_ending(one)
        assert told is not None
        assert "The client closed the connection (CONNECTION_CLOSE of the program above it) without an error." in text(told)
        assert "closed by the client" in story(name, number=one.get("connection"), with_keys=True).outcome


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("with_keys", [False, True])
def test_the_order_of_chapters(name: str, *, with_keys: bool) -> None:
    told = story(name, number=hosts(name)[0].get("connection"), with_keys=with_keys)
    topics = [one.topic for one in told.chapters]
    assert topics[0] == "lookup"
    assert topics[1:3] == ["quic", "security"]
    assert topics[-2:] == ["quic_course", "quic_ending"]
    assert ("response" in topics) == with_keys
    assert ("hidden" in topics) != with_keys
    assert "inside QUIC" in chapter(told, "security").layer
    assert any(bar.label == "QUIC handshake" for bar in told.bars)


def test_nobody_answers() -> None:
    one = hosts("quic")[0]
    row = one.one("quic") | {f"server_{kind}_packets": 0 for kind in ("initial", "handshake", "retry", "version_negotiation", "one_rtt")}
    row |= {"finished_frame": None, "race_connection": 9, "race_winner": "tcp", "race_lead_ms": None, "race_loser_bytes": 2500}
    silent = Case({**one.connection, "responder_packets": 0}, {"quic": [row], "milestones": one.rows("milestones")[:5]})
    told = tell_quic(silent)
    assert told.title == "QUIC handshake: no answer"
    assert "lets no UDP through" in text(told)
    assert "connection 9" in text(told)
    assert tell_course(silent) is None
    assert tell_quic_ending(silent) is None


def test_an_error_is_said() -> None:
    one = hosts("quic", with_keys=True)[0]
    row = one.one("quic") | {"close_kind": "transport", "close_error": "PROTOCOL_VIOLATION", "close_reason": "no", "close_sender": "server"}
    told = tell_quic_ending(Case(one.connection, {"quic": [row]}))
    assert told is not None
    assert "The server closed the connection (CONNECTION_CLOSE of QUIC itself) with the error PROTOCOL_VIOLATION, reason: no." in text(told)


def test_parameters_in_words() -> None:
    assert parameter_words("initial_max_data=1048576,max_idle_timeout=30000,disable_active_migration") == (
        "1.0 MB of data under way, silence up to 30.00 s, no moving to other addresses"
    )
    assert parameter_words("") == parameter_words("qh5xa2kq4w") == parameter_words("max_idle_timeout=0") == ""


def test_the_least_round_trip() -> None:
    assert least_round_trip({"answer_ms": 40.0, "client_ack_ms": 20.0, "server_ack_ms": 1.0}) == 21.0
    assert least_round_trip({"answer_ms": 40.0, "client_ack_ms": None, "server_ack_ms": 1.0}) == 40.0
    assert least_round_trip({}) is None
