"""The queue loses nothing, keeps the order, and stays within its bound."""

from __future__ import annotations

import random
import threading

from analyzer.capture.live.fifo import BLOCK_BYTES, Fifo


def read(fifo: Fifo, size: int) -> bytes:
    piece = bytearray(size)
    return bytes(piece[: fifo.readinto(memoryview(piece))])


def put(fifo: Fifo, content: bytes) -> None:
    fifo.room(len(content))[: len(content)] = content
    fifo.commit(len(content))


def test_bytes_come_out_as_they_went_in() -> None:
    fifo = Fifo(1)
    assert read(fifo, 10) == b""
    put(fifo, b"abc")
    put(fifo, b"defg")
    assert fifo.held == 7
    assert read(fifo, 4) == b"abcd"
    assert read(fifo, 10) == b"efg"
    assert fifo.held == 0


def test_two_threads_and_a_small_queue() -> None:
    """The writer waits for the reader; every byte arrives, in order."""
    chance = random.Random(1)
    content = chance.randbytes(9 * BLOCK_BYTES)
    fifo = Fifo(2 * BLOCK_BYTES)
    most = 0

    def write() -> None:
        at = 0
        while at < len(content):
            room = fifo.room(300_000)
            size = min(len(room), len(content) - at, chance.randint(1, 700_000))
            room[:size] = content[at : at + size]
            fifo.commit(size)
            at += size
        fifo.close()

    writer = threading.Thread(target=write)
    writer.start()
    got = bytearray()
    while not fifo.is_closed or fifo.held:
        fifo.wait(1, 1.0)
        most = max(most, fifo.held)
        got += read(fifo, 200_000)
    writer.join()
    assert bytes(got) == content
    assert most <= 2 * BLOCK_BYTES


def test_nothing_fits_after_the_end() -> None:
    fifo = Fifo(1)
    fifo.close()
    assert len(fifo.room(10)) == 0
    fifo.wait(10, 100.0)  # returns at once
