"""One connection whose Initial packets are opened: its keys, and the CRYPTO frames of both ends."""

from __future__ import annotations

from analyzer.messages.quic.crypto import CryptoStream
from analyzer.messages.quic.frames import Frames, read_frames
from analyzer.messages.quic.protection import Keys, NotOpenedError, initial_keys

INITIALS = 64  # of each end that are opened: a ClientHello of 128 KiB needs more, but nobody sends one


class Conversation:
    """Opens Initials. ``client``: which end (sender) is the client; None until its first Initial."""

    def __init__(self, client: int, limit: int) -> None:
        self.client = client
        self.dcid: bytes | None = None  # the client's, from which the keys come
        self.opened = [0, 0]
        self.crypto_frames = [0, 0]
        self.not_opened = 0
        self.hello = b""  # the last ClientHello
        self._limit = limit
        self._keys: dict[tuple[int, int], Keys] = {}
        self.streams = (CryptoStream(limit), CryptoStream(limit))

    def begin_again(self) -> None:
        """After a Retry or a version negotiation the client's next Initial brings another connection id, and so other keys.

        The ClientHello should be the same after a Retry (RFC 9000 17.2.5.2), but some clients make a new one.
        """
        self.dcid = None
        self._keys.clear()
        self.streams = (CryptoStream(self._limit), CryptoStream(self._limit))

    def keys(self, version: int, end: int) -> Keys | None:
        """Keys of the Initials of an end in a version; an end may change it (RFC 9368), the connection id stays."""
        if self.dcid is None:
            return None
        known = self._keys.get((version, end))
        if known is None:
            known = self._keys[version, end] = initial_keys(version, self.dcid, 0 if end == self.client else 1)
        return known

    def open(self, packet: memoryview, pn_at: int, version: int, sender: int) -> Frames | None:
        """The frames of an Initial; None where its tag is wrong or there are no keys.

        A client's Initial that the known keys do not open may be the first of another connection between the same ports.
        """
        dcid = bytes(packet[6 : 6 + packet[5]])
        is_first = self.dcid is None
        if sender == self.client and is_first:
            self.dcid = dcid
        keys = self.keys(version, sender)
        if keys is None:
            return None
        try:
            _, content = keys.open(packet, pn_at)
        except NotOpenedError:
            if sender != self.client or dcid == self.dcid:
                if is_first:
                    self.dcid = None
                return None
            other = self._open_another(packet, pn_at, version, dcid)
            if other is None:
                return None
            content = other
        self.opened[sender] += 1
        return read_frames(content)

    def _open_another(self, packet: memoryview, pn_at: int, version: int, dcid: bytes) -> bytes | None:
        keys = initial_keys(version, dcid, 0)
        try:
            _, content = keys.open(packet, pn_at)
        except NotOpenedError:
            return None
        self.begin_again()
        self.dcid = dcid
        self._keys[version, self.client] = keys
        return content
