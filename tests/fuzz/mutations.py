"""Damage done to recorded captures, and what must hold whatever the bytes are."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from analyzer.errors import AnalyzerError
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.summary import Summary

CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = sorted(path.name for path in CAPTURES.iterdir() if path.suffix in (".pcap", ".pcapng") and path.stat().st_size < 60_000)
LIMITS = Limits(chunk_bytes=1 << 20, arena_bytes=8 << 20)

Mutation = Callable[[bytearray, random.Random], None]


def flip_bits(data: bytearray, chance: random.Random) -> None:
    """A few single bits."""
    for _ in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def set_bytes(data: bytearray, chance: random.Random) -> None:
    """Bytes that are often special: 0, 1, 127, 128, 255, 192 (a DNS pointer)."""
    for _ in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0xC0, 0x16, 0x0A))


def set_lengths(data: bytearray, chance: random.Random) -> None:
    """Two or four bytes in a row, as a length that lies."""
    for _ in range(chance.randint(1, 6)):
        size = chance.choice((2, 4))
        value = chance.choice((0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, chance.getrandbits(32))) & (1 << 8 * size) - 1
        at = chance.randrange(max(1, len(data) - size))
        data[at : at + size] = value.to_bytes(size, chance.choice(("little", "big")))


def truncate(data: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del data[chance.randrange(len(data)) :]


def swap_blocks(data: bytearray, chance: random.Random) -> None:
    """Two stretches change places."""
    size = chance.randint(1, max(1, len(data) // 8))
    a, b = (chance.randrange(max(1, len(data) - size)) for _ in range(2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


def repeat_block(data: bytearray, chance: random.Random) -> None:
    """A stretch comes twice."""
    size = chance.randint(1, max(1, len(data) // 4))
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + size]


def cut_out(data: bytearray, chance: random.Random) -> None:
    """A stretch is missing."""
    at = chance.randrange(len(data))
    del data[at : at + chance.randint(1, 200)]


def insert_garbage(data: bytearray, chance: random.Random) -> None:
    """Bytes from nowhere."""
    at = chance.randrange(len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 300))


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip_bits,
    set_bytes,
    set_lengths,
    truncate,
    swap_blocks,
    repeat_block,
    cut_out,
    insert_garbage,
)


def damage(seed: int) -> tuple[str, bytes]:
    """A capture's name, and its bytes after one to four mutations; in half of all cases the file header stays whole."""
    chance = random.Random(seed)
    name = chance.choice(NAMES)
    return name, mutate((CAPTURES / name).read_bytes(), chance, 24 if name.endswith(".pcap") else 28)


def mutate(content: bytes, chance: random.Random, head_bytes: int) -> bytes:
    """A capture after one to four mutations; in most cases the file header stays whole."""
    data = bytearray(content)
    head = content[:head_bytes] if chance.random() < 0.8 else b""
    for _ in range(chance.randint(1, 4)):
        if len(data) > len(head) + 8:
            chance.choice(MUTATIONS)(data, chance)
    data[: len(head)] = head
    return bytes(data)


def analyse(path: Path) -> None:
    """Run the whole pipeline over a file. Raises AssertionError, or what no capture may raise."""
    pipeline = Pipeline(Options(limits=LIMITS), with_zeek=True)
    summary = Summary(5)
    connections = 0
    try:
        for tables in pipeline.run([str(path)]):
            connections += tables["connections"].num_rows
            for batch in tables.values():
                batch.arrow().validate(full=True)
            summary.add(tables)
    except AnalyzerError as error:
        if not str(error).endswith("."):
            raise ValueError(f"no sentence: {error}") from error
        return
    assert pipeline.source is not None
    assert pipeline.quality.packets == sum(facts.packets for facts in pipeline.source.facts), "a packet without an outcome"
    assert summary.connections == connections
    assert summary.transports.total() == connections
