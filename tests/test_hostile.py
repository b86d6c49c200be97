"""Sequence numbers, options and overlaps chosen to deceive, through the whole pipeline: what is reported, and that it is bounded."""

from __future__ import annotations

import tempfile
from typing import Any, get_args

import pytest

from analyzer.options import Limits, Options, Overlap
from analyzer.pipeline import Pipeline
from tests.builders import SERVER, Conversation, Frame, Open, ethernet, ipv4, pcap, tcp_options

REQUEST = b"GET /index.html HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def report(frames: list[Frame], **options: Any) -> dict[str, list[dict[str, Any]]]:
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(pcap(frames))
        file.flush()
        flushes = list(Pipeline(Options(limits=Limits(arena_bytes=4 << 20), **options)).run([file.name]))
    return {
        name: [row for flush in flushes for row in flush[name].to_pylist()] for name in ("connections", "tcp", "http", "findings", "waits")
    }


def rules(told: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [row["rule"] for row in told["findings"]]


def whole(talk: Conversation) -> None:
    """The exchange is complete whatever else there was."""
    exchange = report(talk.frames)["http"][0]
    assert (exchange["method"], exchange["status"], exchange["response_body_bytes"]) == ("GET", 200, 5)


def test_a_window_scale_above_14_counts_as_14() -> None:
    talk = Conversation(options=tcp_options(mss=1460, window_scale=200), window=1).handshake().server()
    talk.client(b"x" * 1000).client(b"x" * 1000).client(b"x" * ((1 << 14) - 2000))
    end = report(talk.frames)["tcp"][0]
    assert (end["window_scale"], end["window_full"]) == (200, 1)


@pytest.mark.parametrize(
    "options", [b"\x02\x00", b"\x02\xff\x05\xb4", b"\x03\x01\x07", b"\x05\x02", b"\x08\x0a\x00", b"\x02\x03\x05", b"\x01" * 40]
)
def test_options_with_lying_lengths(options: bytes) -> None:
    talk = Conversation(options=options).handshake()
    talk.client(REQUEST, options=options).server().server(RESPONSE, options=options).client().close()
    whole(talk)


def test_a_syn_with_data() -> None:
    """TCP Fast Open (RFC 7413): the request stands in the SYN."""
    talk = Conversation()
    talk.client(REQUEST, flags="S").server(flags="SA").client().server(RESPONSE).client().close()
    whole(talk)
    (row,) = report(talk.frames)["connections"]
    assert (row["state"], row["originator_bytes"], row["responder_bytes"]) == ("SF", len(REQUEST), len(RESPONSE))


def test_data_after_a_reset() -> None:
    talk = Conversation().handshake().send(REQUEST).reply(RESPONSE)
    talk.server(flags="R").server(b"HTTP/1.1 500 Evil\r\n\r\n").client(b"GET /evil HTTP/1.1\r\n\r\n")
    told = report(talk.frames)
    assert [row["url"] for row in told["http"]] == ["http://www.example.org/index.html"]
    assert told["connections"][0]["state"] == "RSTR"


@pytest.mark.parametrize("distance", [1 << 20, (1 << 30) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 10_000])
def test_segments_beyond_the_window(distance: int) -> None:
    talk = Conversation().handshake().send(REQUEST)
    talk.server(b"HTTP/1.1 500 Evil\r\n\r\n", at=distance)
    talk.reply(RESPONSE).close()
    whole(talk)


@pytest.mark.parametrize("isn", [2**32 - 3, 2**32 - 20, 2**32 - 49])
def test_the_numbers_wrap_in_the_middle_of_a_hole(isn: int) -> None:
    talk = Conversation(isn=(isn, 9000)).handshake()
    for at in (30, 10, 40, 0, 20):
        talk.client(REQUEST[at : at + 10], at=at)
    talk.client(REQUEST[50:], at=50)
    talk.next[0] += len(REQUEST)
    talk.server().reply(RESPONSE).close()
    whole(talk)


@pytest.mark.parametrize("policy", get_args(Overlap))
@pytest.mark.parametrize("at", range(0, len(REQUEST) - 1, 6))
def test_overlaps_at_every_byte(at: int, policy: str) -> None:
    """Copies that agree never change the stream, whichever of them wins."""
    talk = Conversation().handshake()
    talk.client(REQUEST[at + 1 :], at=at + 1).client(REQUEST[at // 2 + 1 : at + 2], at=at // 2 + 1).client(REQUEST[: at + 2], at=0)
    talk.next[0] += len(REQUEST)
    talk.server().reply(RESPONSE).close()
    told = report(talk.frames, overlap=policy)
    assert told["http"][0]["url"] == "http://www.example.org/index.html"
    assert "tcp.overlap_conflict" not in rules(told)


@pytest.mark.parametrize(
    ("policy", "path"), [("first", "/good.html"), ("last", "/evil.html"), ("linux", "/good.html"), ("solaris", "/evil.html")]
)
def test_copies_that_differ_are_reported_with_both_frames(policy: str, path: str) -> None:
    request = REQUEST.replace(b"index", b"good_").replace(b"good_", b"good")
    talk = Conversation().handshake()
    talk.client(request[5:20], at=5).client(b"evil" + request[9:20], at=5).client(request[:5], at=0).client(request[20:], at=20)
    talk.next[0] += len(request)
    talk.server().reply(RESPONSE).close()
    told = report(talk.frames, overlap=policy)
    assert told["http"][0]["url"] == f"http://www.example.org{path}"
    (finding,) = [row for row in told["findings"] if row["rule"] == "tcp.overlap_conflict"]
    assert (finding["frame"], finding["amount"]) == (5, 4)
    end = told["tcp"][0]
    assert (end["conflict_first_frame"], end["conflict_second_frame"], end["conflict_bytes"]) == (4, 5, 4)


@pytest.mark.parametrize(("code", "rule", "mtu"), [(1, "tcp.unreachable", None), (4, "tcp.fragmentation_needed", 1280)])
def test_icmp_errors_find_their_connection(code: int, rule: str, mtu: int | None) -> None:
    talk = Conversation().handshake().client(b"x" * 1400)
    quoted = talk.frames[-1].content[14 : 14 + 28]
    error = bytes((3, code, 0, 0, 0, 0, *(mtu or 0).to_bytes(2, "big"))) + quoted
    talk.frames.append(Frame(ethernet(ipv4(Open(error), src="10.9.9.9", dst=talk.src, protocol=1)), talk.ts))
    told = report(talk.frames)
    row = next(row for row in told["connections"] if row["responder_ip"] == SERVER)
    assert (row["icmp_error_frame"], row["icmp_error_mtu"]) == (5, mtu)
    assert rule in rules(told)


def test_an_ack_for_bytes_that_never_come_is_no_gap_before_its_time() -> None:
    """The ACK comes first, the data after it: nothing is lost."""
    talk = Conversation().handshake()
    talk.client(REQUEST)
    talk.frames.append(talk.frames.pop())
    talk.server()
    talk.frames[-1], talk.frames[-2] = (
        Frame(talk.frames[-2].content, talk.frames[-1].ts),
        Frame(talk.frames[-1].content, talk.frames[-2].ts),
    )
    talk.reply(RESPONSE).close()
    whole(talk)


@pytest.mark.parametrize("isn", [9000, 2**32 - 10, 2**31 - 1])
def test_a_stream_of_many_gigabytes(isn: int) -> None:
    """6.4 GB in segments still to be cut up (total length 0), of which the capture holds the headers: the numbers wrap again and again."""
    size, count = (1 << 28) - 123, 24
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size * count)
    talk = Conversation(isn=(1000, isn)).handshake().send(REQUEST).reply(head)
    for _ in range(count):
        talk.server(ip={"total_length": 0})
        frame = talk.frames[-1]
        talk.frames[-1] = Frame(frame.content, frame.ts, len(frame.content) + size)
        talk.next[1] += size
        talk.client()
    told = report(talk.close().frames)
    (exchange,) = told["http"]
    assert (exchange["response_body_bytes"], exchange["response_complete"]) == (size * count, True)
    (row,) = told["connections"]
    assert (row["state"], row["responder_bytes"]) == ("SF", len(head) + size * count)
    end = told["tcp"][1]
    assert (end["stream_bytes"], end["cut_bytes"], end["given_up_bytes"]) == (len(head) + size * count, size * count, 0)
