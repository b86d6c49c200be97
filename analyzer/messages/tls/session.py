"""What must be known of one connection to open its records: secrets, randoms, suite, and where each direction stands.

A direction goes through stages: early data, handshake, application in TLS 1.3 (RFC 8446 2), one per change_cipher_spec before. It
knows its protection and the sequence number of the next record. After a gap neither is certain: then the next records are tried with
a bounded number of sequence numbers further on, with the stages to come, and with the keys after a KeyUpdate that may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from analyzer.messages.tls import schedule
from analyzer.messages.tls.protection import APPLICATION_DATA, Aead, NotOpenedError, Protection, WithMac
from analyzer.registries.cipher_split import CipherSuite, split

TRIES: Final = 64  # sequence numbers tried after a gap
FAILURES: Final = 64  # records of one direction that may fail in a row before it is given up
RECORD_MAX: Final = (1 << 14) + 256
RETRY_RANDOM: Final = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
EARLY_SUITES: Final = {32: (0x1301, 0x1303), 48: (0x1302,)}  # size of a secret -> suites that early data may have


@dataclass(slots=True)
class Stage:
    """Protection of a part of a direction; ``secret`` is the traffic secret of TLS 1.3."""

    name: str
    suite: CipherSuite
    protection: Protection
    secret: bytes = b""

    def after_update(self) -> Stage:
        """The stage after a KeyUpdate."""
        return traffic_stage(self.name, self.suite, schedule.next_secret(self.suite, self.secret))


@lru_cache(1 << 13)
def traffic_protection(code: int, secret: bytes) -> Aead:
    """Protection by a suite and a traffic secret; it has no state, and a connection that was recorded twice has the same."""
    suite = split(code)
    return Aead(suite, schedule.traffic_keys(suite, secret), is_tls13=True)


def traffic_stage(name: str, suite: CipherSuite, secret: bytes) -> Stage:
    """A stage of TLS 1.3."""
    return Stage(name, suite, traffic_protection(suite.code, secret), secret)


@dataclass(slots=True)
class Direction:
    """One end's records. ``behind``: sequence numbers that may have been lost since the last record that was opened."""

    stage: Stage | None = None
    sequence: int = 0
    later: list[Stage] = field(default_factory=list)
    is_lost: bool = False
    behind: int = 0
    failures: int = 0
    pending: bytearray = field(default_factory=bytearray)  # of a handshake message over several records
    pending_place: tuple[int, int] = (0, 0)  # time and frame of its first byte
    offset: int = 0  # of the next byte of content
    gap: int = 0  # bytes of content missing before it

    def enter(self, stage: Stage) -> None:
        """Begin a stage."""
        self.stage, self.sequence, self.is_lost, self.behind = stage, 0, False, 0
        self.pending.clear()

    def leave(self, name: str) -> None:
        """The stage of this name is over."""
        self.later = [stage for stage in self.later if stage.name != name]
        if self.stage is not None and self.stage.name == name and self.later:
            self.enter(self.later.pop(0))

    def update(self) -> None:
        """A KeyUpdate (RFC 8446 4.6.3)."""
        if self.stage is not None and self.stage.secret:
            self.enter(self.stage.after_update())

    def _attempts(self) -> Iterator[tuple[Stage, int, int]]:
        """(stage, sequence number, stages to come that it passes over) in order of likelihood."""
        stages = list(self.later)
        if self.stage is not None:
            last = self.sequence + (self.behind + TRIES if self.is_lost and self.stage.protection.is_searchable else 0)
            first = max(self.sequence, last - 2 * TRIES)
            yield from ((self.stage, number, 0) for number in range(first, last + 1))
            if self.is_lost and self.stage.secret and not stages:
                stages = [self.stage.after_update()]
        for passed, stage in enumerate(stages, 1):
            yield from ((stage, number, passed) for number in range(1 + (TRIES if self.is_lost else 0)))

    def open(self, header: int, body: memoryview, out: memoryview) -> tuple[int, int] | None:
        """(type of the content, bytes of it in ``out``), None = it could not be opened; arguments as of Protection.open."""
        if self.stage is not None and not self.is_lost:  # nearly always
            try:
                opened = self.stage.protection.open(self.sequence, header, body, out)
            except NotOpenedError:
                pass
            else:
                self.sequence += 1
                return opened
        if self.failures >= FAILURES:
            return None
        for stage, number, passed in self._attempts():
            try:
                opened = stage.protection.open(number, header, body, out)
            except NotOpenedError:
                continue
            if passed:
                self.later = [other for other in self.later[passed:] if other.name != stage.name]
                self.pending.clear()
            self.stage, self.sequence = stage, number + 1
            self.is_lost, self.behind, self.failures = False, 0, 0
            return opened
        self.failures += 1
        self.is_lost = True
        self.pass_over(header >> 16, body, len(body))
        return None

    def pass_over(self, kind: int, body: memoryview | None, size: int) -> None:
        """A record was seen that was not opened; ``body`` None: its bytes are missing, but it counts."""
        if self.stage is not None:
            self.stage.protection.pass_over(body, size)
            if body is None:
                self.sequence += 1
            if self.is_in_application and kind == APPLICATION_DATA:
                self.gap += max(size - self.stage.protection.overhead, 0)
        self.pending.clear()

    def lose(self, size: int) -> None:
        """So many bytes of the stream are missing, record headers among them."""
        self.is_lost = True
        self.behind += size // RECORD_MAX
        self.pending.clear()
        if self.is_in_application:
            self.gap += max(size, 1)

    def move(self, size: int) -> tuple[int, int]:
        """Content of so many bytes comes: (its offset, bytes missing before it)."""
        gap = self.gap
        offset = self.offset + gap
        self.offset = offset + size
        self.gap = 0
        return offset, gap

    @property
    def lead(self) -> int:
        """Bytes of a record's body before its content."""
        return self.stage.protection.lead if self.stage is not None else 0

    @property
    def is_in_application(self) -> bool:
        """What is missing was content."""
        return self.stage is not None and self.stage.name == "application"


def parse_server_hello(body: bytes) -> tuple[int, bytes, int, int, bool] | None:
    """(version, random, suite, compression method, encrypt-then-mac agreed); None = malformed."""
    if len(body) < 38 or body[34] > 32 or len(body) < 38 + body[34]:
        return None
    at = 35 + body[34]
    version, suite, compression = int.from_bytes(body[:2], "big"), int.from_bytes(body[at : at + 2], "big"), body[at + 2]
    at += 5
    encrypts_first = False
    while at + 4 <= len(body):
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        if kind == 43 and size == 2:
            version = int.from_bytes(body[at + 4 : at + 6], "big")
        encrypts_first |= kind == 22
        at += 4 + size
    return version, body[2:34], suite, compression, encrypts_first


class Session:
    """One connection. ``secrets``: label -> secret, of the newest ClientHello that may change keys."""

    __slots__ = ("_agreed", "_server", "client", "client_random", "directions", "has_content", "is_tls13", "is_unsupported", "secrets")

    def __init__(self, client: int, random: bytes, secrets: dict[str, bytes]) -> None:
        self.client = client
        self.client_random = random
        self.secrets = secrets
        self.directions = (Direction(), Direction())
        self.is_tls13 = False
        self.has_content = False
        self.is_unsupported = False
        self._server: tuple[int, bytes, int, int, bool] | None = None
        self._agreed: tuple[tuple[int, int, bytes, bytes], tuple[schedule.Keys, schedule.Keys]] | None = None  # keys of both ends
        early = secrets.get("CLIENT_EARLY_TRAFFIC_SECRET")
        if early:
            suites = [split(code) for code in EARLY_SUITES.get(len(early), ())]
            self.directions[client].later = [traffic_stage("early", suite, early) for suite in suites]

    def renew(self, random: bytes, secrets: dict[str, bytes]) -> None:
        """Another ClientHello: of a renegotiation (RFC 5746), or after a HelloRetryRequest, which changes nothing."""
        if not self.is_tls13 and self._server is not None and secrets:
            self.client_random, self.secrets = random, secrets

    def read_server_hello(self, body: bytes) -> None:
        """Know what was chosen; TLS 1.3 encrypts what follows."""
        if body[2:34] == RETRY_RANDOM:
            return
        hello = parse_server_hello(body)
        if hello is None:
            return
        self._server = hello
        version, _random, code, compression, _ = hello
        suite = split(code)
        if version == 0x0304 or version >> 8 == 0x7F:
            self.is_tls13 = True
            version = schedule.TLS_12
        self.is_unsupported = not schedule.is_supported(suite, version) or compression != 0 or suite.tls13 != self.is_tls13
        if not self.is_tls13 or self.is_unsupported:
            return
        for end, labels in ((self.client, ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0")),
                            (1 - self.client, ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"))):  # fmt: skip
            stages = [
                traffic_stage(name, suite, self.secrets[label])
                for name, label in zip(("handshake", "application"), labels, strict=True)
                if label in self.secrets
            ]
            direction = self.directions[end]
            direction.later += stages
            if direction.stage is None and direction.later[:1] and direction.later[0].name == "handshake":  # no early data before
                direction.enter(direction.later.pop(0))

    def change_cipher_spec(self, sender: int) -> None:
        """Up to TLS 1.2 the sender uses the keys agreed on from here on."""
        if self.is_tls13 or self.is_unsupported or self._server is None or "CLIENT_RANDOM" not in self.secrets:
            return
        version, random, code, _, encrypts_first = self._server
        suite = split(code)
        material = (code, version, self.secrets["CLIENT_RANDOM"], self.client_random + random)
        if self._agreed is None or self._agreed[0] != material:
            self._agreed = material, schedule.split_key_block(suite, *material[1:])
        keys = self._agreed[1][0 if sender == self.client else 1]
        protection: Protection
        protection = Aead(suite, keys, is_tls13=False) if suite.aead else WithMac(suite, keys, version, mac_last=encrypts_first)
        self.directions[sender].enter(Stage("application", suite, protection))
