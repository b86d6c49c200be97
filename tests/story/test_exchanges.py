"""The chapters about what a connection was for."""

from __future__ import annotations

from analyzer.story.exchanges import tell_data, tell_further, tell_request, tell_response
from tests.story.stories import case, text


def test_plain_http() -> None:
    one = case("http-plain")
    request, response, all_of_them = tell_request(one), tell_response(one), tell_further(one)
    assert request is not None
    assert response is not None
    assert all_of_them is not None
    assert "Nothing is encrypted" in text(request)
    assert "so the server itself was quick" in text(response)
    assert "only the first had to wait for the handshakes" in text(all_of_them)
    assert len(all_of_them.steps) == len(one.rows("http"))


def test_hidden_and_opened() -> None:
    hidden = tell_request(case("https-tls13"))
    assert hidden is not None
    assert "the rest (81.4 ms) the server's own time" in text(hidden)
    assert tell_response(case("https-tls13")) is None
    opened = tell_request(case("https-tls13", with_keys=True))
    assert opened is not None
    assert text(opened).startswith("HTTP request\nGET https://www.example.org/report (HTTP/1.1)")
    assert "Nothing is encrypted" not in text(opened)


def test_what_goes_wrong() -> None:
    broken, silent = tell_response(case("failures", number=27)), tell_response(case("failures", number=29))
    assert broken is not None
    assert "It is not complete" in text(broken)
    assert silent is not None
    assert silent.title == "HTTP response: none"


def test_other_data() -> None:
    one = tell_data(case("half-close"))
    assert one is not None
    assert "The client spoke first" in text(one)
    assert tell_data(case("failures", number=9)) is None
    assert tell_data(case("http-plain")) is None
    upgraded = tell_response(case("websocket"))
    assert upgraded is not None
    assert "another protocol (websocket)" in text(upgraded)
