"""What must be known of one connection to open its packets: secrets, suite, and where each end stands in its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.messages.quic.crypto import CryptoStream
from analyzer.messages.quic.protection import AES_128, AES_256, CHACHA, KEY_SIZES, HeaderProtection, Keys, PacketProtection
from analyzer.messages.quic.streams import Stream

RETRY_RANDOM: Final = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
EARLY_SUITES: Final = {32: (AES_128, CHACHA), 48: (AES_256,)}  # size of a secret -> suites that 0-RTT may have
NAMES: Final = ("CLIENT", "SERVER")
STREAMS: Final = 1 << 14  # of one connection that are open at a time


class Direction:
    """1-RTT packets of one end: the keys of this phase, the one before and the one after (RFC 9001 6)."""

    def __init__(self, suite: int, secret: bytes, version: int) -> None:
        self._keys = Keys(suite, secret, version)
        self.header: HeaderProtection = self._keys.header
        self.current: PacketProtection = self._keys.packet
        self.previous: PacketProtection | None = None
        self._following: PacketProtection | None = None
        self.phase = 0
        self.phase_start = 0  # first packet number of this phase
        self.largest = -1
        self.updates = 0

    def following(self) -> PacketProtection:
        """The keys of the next phase."""
        if self._following is None:
            self._following = PacketProtection(self._keys.suite, self._keys.next_secret(), self._keys.version)
        return self._following

    def update(self, number: int) -> None:
        """A packet of the next phase was opened."""
        self.previous, self.current = self.current, self.following()
        self._keys.secret = self._keys.next_secret()
        self._following = None
        self.phase ^= 1
        self.phase_start = number
        self.updates += 1


class Session:
    """One connection. Roles: 0 = client, 1 = server. ``connection``: the row that it is told of in."""

    def __init__(  # noqa: PLR0913, PLR0917
        self, connection: int, client: int, secrets: Mapping[str, bytes], version: int, limit: int, slot: int
    ) -> None:
        self.connection = connection
        self.client = client  # which sender of that row is the client
        self.stream_bytes = [0, 0]
        self.slot = slot
        self.rows = {connection}
        self.version = version
        self.ready_number = -1  # frame of the ServerHello: before it nothing can be opened
        self.handshake: list[Keys | None] = [None, None]
        self.application: list[Direction | None] = [None, None]
        self.early: list[Keys] = []
        self.crypto = tuple(tuple(CryptoStream(limit) for _ in range(2)) for _ in range(2))  # [handshake, application][role]
        self.streams: dict[int, Stream] = {}  # 2 * stream id + role
        self.seen_streams = 0
        self._secrets = secrets
        secret = self._secret("CLIENT_EARLY_TRAFFIC_SECRET")
        self.early = [Keys(suite, secret, version) for suite in EARLY_SUITES.get(len(secret), ())]

    def _secret(self, label: str) -> bytes:
        """A secret by its label; early key logs of QUIC have labels of their own."""
        return self._secrets.get(label) or self._secrets.get(f"QUIC_{label}", b"")

    def read_server_hello(self, body: bytes, version: int, number: int) -> None:
        """The suite that was chosen: from here on packets can be opened."""
        if len(body) < 38 or body[2:34] == RETRY_RANDOM or self.ready_number >= 0:
            return
        at = 35 + body[34]
        suite = int.from_bytes(body[at : at + 2], "big")
        if suite not in KEY_SIZES:
            return
        self.version = version
        self.ready_number = number
        for role, name in enumerate(NAMES):
            secret = self._secret(f"{name}_HANDSHAKE_TRAFFIC_SECRET")
            if secret:
                self.handshake[role] = Keys(suite, secret, version)
            secret = self._secret(f"{name}_TRAFFIC_SECRET_0")
            if secret:
                self.application[role] = Direction(suite, secret, version)
        self.early = [keys for keys in self.early if keys.suite == suite] or self.early
