"""The capturing thread: everything arrives, ends are told."""

from __future__ import annotations

from pathlib import Path

from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.feed import Feed
from analyzer.capture.live.recorder import Recorder
from tests.capture.live.scripted import Scripted

CONTENT = bytes(range(256)) * 3000


def drain(feed: Feed) -> bytes:
    got, piece = bytearray(), bytearray(1 << 16)
    feed.start()
    while not feed.fifo.is_closed or feed.fifo.held:
        feed.fifo.wait(1, 1.0)
        got += piece[: feed.fifo.readinto(memoryview(piece))]
    return bytes(got)


def test_everything_is_kept_and_handed_on(tmp_path: Path) -> None:
    options = LiveOptions(("lo",), write=tmp_path / "w")
    engine = Scripted(CONTENT, 70_000, trouble="the end of the world.")
    feed = Feed(engine, options, Recorder(options))
    assert drain(feed) == CONTENT == (tmp_path / "w").read_bytes()
    assert feed.trouble == "the end of the world."
    feed.close()
    assert engine.is_closed


def test_a_duration_stops_the_engine() -> None:
    engine = Scripted(CONTENT, 70_000, is_endless=True)
    feed = Feed(engine, LiveOptions(("lo",), duration_s=0.05))
    assert drain(feed) == CONTENT
    assert engine.is_stopped
    assert feed.trouble == ""
    assert feed.caught_up_ns > 0


def test_a_full_disk_ends_the_capture() -> None:
    options = LiveOptions(("lo",), write=Path("/dev/full"))
    feed = Feed(Scripted(CONTENT, 70_000, is_endless=True), options, Recorder(options))
    assert drain(feed) == CONTENT[:70_000]  # what cannot be kept is still analysed
    assert "No space left" in feed.trouble


def test_an_interface_that_is_gone_ends_the_capture() -> None:
    feed = Feed(Scripted(b"", 1, is_endless=True), LiveOptions(("no-such-interface",)))
    drain(feed)
    assert feed.trouble == "no-such-interface is down, or gone."


def test_closing_ends_a_thread_that_waits_for_room() -> None:
    feed = Feed(Scripted(bytes(20 << 20), 250_000), LiveOptions(("lo",), queue_bytes=1))
    feed.start()
    feed.fifo.wait(1 << 20, 5.0)
    feed.close()
    assert feed.fifo.is_closed
