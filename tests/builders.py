"""Packets and captures made from keyword arguments, byte by byte: no scapy, no dpkt, and nothing of the code under test.

Layers are plain functions from payload to bytes, so that a packet reads from the outside in::

    ethernet(ipv4(tcp(b"GET / HTTP/1.1\\r\\n\\r\\n", dst_port=80), protocol=6))

``ipv4`` and ``ipv6`` fill in the checksum of a TCP, UDP, ICMP or ICMPv6 payload when that builder left it open (``checksum=None``),
so nothing has to know addresses twice. Every length, version and checksum can be told to lie.

Whole packets in one call: ``tcp_packet``, ``udp_packet``. A TCP conversation with the right sequence numbers: ``Conversation``.
Captures: ``pcap(frames)``, ``pcapng(frames)``, or block by block with ``section_header``, ``interface_description``,
``enhanced_packet``, ... A capture holds ``Frame`` values (or plain bytes, then 1 ms apart). ``batch(frames)`` puts frames straight into a
``Batch`` (memory and PACKET rows with the fields of capture/), so that later stages are tested without files.
"""

from __future__ import annotations

import ipaddress
import itertools
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.tables import new_table
from analyzer.tables.packets import CUT_BY_SNAPLEN, INTERFACE, PACKET

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
FLAG_LETTERS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, "A": ACK, "U": URG, "E": ECE, "C": CWR}
START_NS = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
ByteOrder: TypeAlias = Literal["<", ">"]

CLIENT, SERVER = "10.0.0.1", "192.0.2.80"
CLIENT6, SERVER6 = "2001:db8::1", "2001:db8:80::80"
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


# ---- link layers


def mac(text: str) -> bytes:
    """Six bytes of a MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def ethertype_of(payload: bytes) -> int:
    """The EtherType that fits an IP packet, by its version nibble (0x0800 when it is neither)."""
    return 0x86DD if payload[:1] and payload[0] >> 4 == 6 else 0x0800


def ethernet(
    payload: bytes,
    *,
    src: str = CLIENT_MAC,
    dst: str = SERVER_MAC,
    ethertype: int | None = None,
    vlans: Sequence[int] = (),
    pad: bool = False,
) -> bytes:
    """Ethernet II frame. ``vlans``: VLAN ids from the outer to the inner (the outer one of several with 0x88a8). ``pad`` to 60 bytes."""
    kind = ethertype_of(payload) if ethertype is None else ethertype
    for vid in reversed(vlans):
        payload, kind = vlan(payload, vid, ethertype=kind), 0x8100
    if len(vlans) > 1:
        kind = 0x88A8
    frame = mac(dst) + mac(src) + struct.pack(">H", kind) + payload
    return frame.ljust(60, b"\0") if pad else frame


def vlan(payload: bytes, vid: int, *, ethertype: int | None = None, priority: int = 0) -> bytes:
    """An 802.1Q tag's control word and inner EtherType before the payload (the tag's own EtherType belongs to the layer outside)."""
    return struct.pack(">HH", priority << 13 | vid, ethertype_of(payload) if ethertype is None else ethertype) + payload


def llc_snap(payload: bytes, *, ethertype: int = 0x0800, oui: bytes = b"\0\0\0", src: str = CLIENT_MAC, dst: str = SERVER_MAC) -> bytes:
    """An 802.3 frame with LLC/SNAP (RFC 1042)."""
    body = b"\xaa\xaa\x03" + oui + struct.pack(">H", ethertype) + payload
    return mac(dst) + mac(src) + struct.pack(">H", len(body)) + body


def null_link(payload: bytes, *, family: int | None = None, byteorder: ByteOrder = "<") -> bytes:
    """LINKTYPE_NULL (0), or LOOP (108) with byteorder ">": address family, then IP. Default family: 2, or 30 for IPv6."""
    value = family if family is not None else (30 if ethertype_of(payload) == 0x86DD else 2)
    return struct.pack(byteorder + "I", value) + payload


def sll(payload: bytes, *, packet_type: int = 0, arphrd: int = 1, protocol: int | None = None, address: bytes = b"\2\0\0\0\0\1") -> bytes:
    """LINKTYPE_LINUX_SLL (113): 16-byte header."""
    kind = ethertype_of(payload) if protocol is None else protocol
    return struct.pack(">HHH8sH", packet_type, arphrd, len(address), address, kind) + payload


def sll2(
    payload: bytes,
    *,
    packet_type: int = 0,
    arphrd: int = 1,
    protocol: int | None = None,
    interface: int = 2,
    address: bytes = b"\2\0\0\0\0\1",
) -> bytes:
    """LINKTYPE_LINUX_SLL2 (276): 20-byte header."""
    kind = ethertype_of(payload) if protocol is None else protocol
    return struct.pack(">HHIHBB8s", kind, 0, interface, arphrd, packet_type, len(address), address) + payload


# ---- IP


def internet_checksum(content: bytes) -> int:
    """RFC 1071 checksum of the bytes, as it is stored in a header whose checksum field counted as zero."""
    if len(content) % 2:
        content += b"\0"
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


CHECKSUM_AT = {6: 16, 17: 6, 1: 2, 58: 2}


@dataclass(frozen=True)
class Open:
    """A transport segment whose checksum the IP builder fills in."""

    content: bytes

    def closed(self, pseudo_header: bytes, protocol: int) -> bytes:
        at = CHECKSUM_AT[protocol]
        value = internet_checksum((b"" if protocol == 1 else pseudo_header) + self.content)
        if protocol == 17 and value == 0:
            value = 0xFFFF
        return self.content[:at] + struct.pack(">H", value) + self.content[at + 2 :]


def ipv4(
    payload: bytes | Open,
    *,
    src: str = CLIENT,
    dst: str = SERVER,
    protocol: int = 6,
    ttl: int = 64,
    ip_id: int = 0x1234,
    dont_fragment: bool = True,
    more_fragments: bool = False,
    fragment_offset: int = 0,
    options: bytes = b"",
    tos: int = 0,
    version: int = 4,
    header_words: int | None = None,
    total_length: int | None = None,
    checksum: int | None = None,
) -> bytes:
    """IPv4 packet (RFC 791). ``fragment_offset`` in units of 8 bytes; ``options`` are padded to 4 bytes; None = the true value."""
    addresses = ipaddress.IPv4Address(src).packed + ipaddress.IPv4Address(dst).packed
    if isinstance(payload, Open):
        payload = payload.closed(addresses + struct.pack(">BBH", 0, protocol, len(payload.content)), protocol)
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if header_words is None else header_words
    length = 20 + len(options) + len(payload) if total_length is None else total_length
    fragment = dont_fragment << 14 | more_fragments << 13 | fragment_offset
    header = struct.pack(">BBHHHBBH", version << 4 | words, tos, length, ip_id, fragment, ttl, protocol, 0) + addresses + options
    value = internet_checksum(header) if checksum is None else checksum
    return header[:10] + struct.pack(">H", value) + header[12:] + payload


def ipv6(
    payload: bytes | Open,
    *,
    src: str = CLIENT6,
    dst: str = SERVER6,
    protocol: int = 6,
    hop_limit: int = 64,
    extensions: Sequence[tuple[int, bytes]] = (),
    flow_label: int = 0,
    version: int = 6,
    payload_length: int | None = None,
) -> bytes:
    """IPv6 packet (RFC 8200). ``extensions``: (header number, header with any next-header byte) in order; the chain is linked here."""
    addresses = ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed
    if isinstance(payload, Open):
        payload = payload.closed(addresses + struct.pack(">IxxxB", len(payload.content), protocol), protocol)
    following = protocol
    for number, header in reversed(extensions):
        payload, following = bytes([following]) + header[1:] + payload, number
    length = len(payload) if payload_length is None else payload_length
    return struct.pack(">IHBB", version << 28 | flow_label, length, following, hop_limit) + addresses + payload


def extension(content: bytes = b"", *, units: int | None = None) -> bytes:
    """A hop-by-hop (0), destination options (60) or routing (43) header: padded with zeros (Pad1) to a multiple of 8 bytes.

    ``units``: the length byte, when it shall lie.
    """
    size = -(-(2 + len(content)) // 8) * 8
    return bytes([0, size // 8 - 1 if units is None else units]) + content.ljust(size - 2, b"\0")


def fragment_header(*, offset: int = 0, more: bool = False, ident: int = 1) -> bytes:
    """IPv6 fragment header (44); ``offset`` in units of 8 bytes."""
    return struct.pack(">BBHI", 0, 0, offset << 3 | more, ident)


def authentication_header(*, icv: bytes = b"\0" * 12) -> bytes:
    """IPv6/IPv4 authentication header (51, RFC 4302), its length in words minus 2."""
    return struct.pack(">BBHII", 0, (12 + len(icv)) // 4 - 2, 0, 1, 1) + icv


# ---- transport


def flags_of(letters: str | int) -> int:
    """TCP flag bits from letters such as "SA" (FSRPAUEC), or the number itself."""
    return letters if isinstance(letters, int) else sum(FLAG_LETTERS[letter] for letter in letters)


def tcp(
    payload: bytes = b"",
    *,
    src_port: int = 50000,
    dst_port: int = 80,
    seq: int = 1000,
    ack: int = 0,
    flags: str | int = "A",
    window: int = 64240,
    options: bytes = b"",
    urgent: int = 0,
    data_offset: int | None = None,
    checksum: int | None = None,
) -> bytes | Open:
    """TCP segment (RFC 9293 3.1). ``options`` are padded with zeros to 4 bytes; build them with ``tcp_options``."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if data_offset is None else data_offset
    header = struct.pack(">HHIIBBHHH", src_port, dst_port, seq, ack, words << 4, flags_of(flags), window, checksum or 0, urgent)
    content = header + options + payload
    return Open(content) if checksum is None else content


def tcp_options(
    *,
    mss: int | None = None,
    window_scale: int | None = None,
    sack_permitted: bool = False,
    timestamps: tuple[int, int] | None = None,
    sack_blocks: Sequence[tuple[int, int]] = (),
    extra: bytes = b"",
) -> bytes:
    """TCP options, not yet padded; ``extra`` bytes stand before all others."""
    content = extra
    if mss is not None:
        content += struct.pack(">BBH", 2, 4, mss)
    if sack_permitted:
        content += b"\x04\x02"
    if timestamps is not None:
        content += struct.pack(">BBII", 8, 10, *timestamps)
    if window_scale is not None:
        content += struct.pack(">BBBB", 1, 3, 3, window_scale)
    if sack_blocks:
        content += struct.pack(">BB", 5, 2 + 8 * len(sack_blocks)) + b"".join(struct.pack(">II", *block) for block in sack_blocks)
    return content


def udp(
    payload: bytes = b"", *, src_port: int = 50000, dst_port: int = 53, length: int | None = None, checksum: int | None = None
) -> bytes | Open:
    """UDP datagram (RFC 768). ``checksum=0``: none."""
    content = struct.pack(">HHHH", src_port, dst_port, 8 + len(payload) if length is None else length, checksum or 0) + payload
    return Open(content) if checksum is None else content


def icmp(kind: int, code: int = 0, rest: bytes = b"\0\0\0\0", payload: bytes = b"", *, checksum: int | None = None) -> bytes | Open:
    """ICMP (protocol 1) or ICMPv6 (protocol 58) message: type, code, 4 bytes that depend on the type, payload."""
    content = struct.pack(">BBH", kind, code, checksum or 0) + rest + payload
    return Open(content) if checksum is None else content


# ---- tunnels and rarer link layers


def mpls(payload: bytes, *labels: int, control_word: bool = False) -> bytes:
    """An MPLS label stack (RFC 3032), the last label at the bottom; ``control_word`` (RFC 4385) before a pseudo-wire's frame."""
    stack = b"".join(struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 64) for i, label in enumerate(labels))
    return stack + (b"\0\0\0\0" if control_word else b"") + payload


def ppp_protocol(payload: bytes) -> int:
    """The PPP protocol number that fits an IP packet."""
    return 0x0057 if ethertype_of(payload) == 0x86DD else 0x0021


def ppp(payload: bytes, *, protocol: int | None = None, address: bool = True, compressed: bool = False) -> bytes:
    """A PPP frame (RFC 1661), with address and control field (RFC 1662), with a protocol field of one byte when ``compressed``."""
    number = ppp_protocol(payload) if protocol is None else protocol
    return (b"\xff\3" if address else b"") + (bytes([number]) if compressed else struct.pack(">H", number)) + payload


def pppoe(payload: bytes, *, code: int = 0, session: int = 7) -> bytes:
    """A PPPoE session packet (RFC 2516) around an IP packet: behind EtherType 0x8864, or LINKTYPE_PPP_ETHER (51)."""
    body = ppp(payload, address=False)
    return struct.pack(">BBHH", 0x11, code, session, len(body)) + body


def gre(
    payload: bytes,
    *,
    protocol: int | None = None,
    key: int | None = None,
    sequence: int | None = None,
    checksum: bool = False,
    acknowledgement: int | None = None,
    version: int = 0,
) -> bytes:
    """A GRE header (RFC 2784, RFC 2890; version 1: RFC 2637) before the payload; the checksum is left zero."""
    kind = ethertype_of(payload) if protocol is None else protocol
    bits = checksum << 15 | (key is not None) << 13 | (sequence is not None) << 12 | (acknowledgement is not None) << 7 | version
    header = struct.pack(">HH", bits, kind) + (b"\0\0\0\0" if checksum else b"")
    return header + b"".join(struct.pack(">I", word) for word in (key, sequence, acknowledgement) if word is not None) + payload


def vxlan(frame: bytes, *, vni: int = 5, bits: int = 8, following: int = 0) -> bytes:
    """A VXLAN header (RFC 7348), or that of VXLAN-GPE, before an Ethernet frame."""
    return struct.pack(">BHBI", bits, 0, following, vni << 8) + frame


def geneve(payload: bytes, *, protocol: int = 0x6558, options: bytes = b"") -> bytes:
    """A Geneve header (RFC 8926) before the payload; ``options`` a multiple of 4 bytes."""
    return struct.pack(">BBHI", len(options) // 4, 0, protocol, 5 << 8) + options + payload


def gtp(payload: bytes, *, kind: int = 255, sequence: int | None = None, extensions: Sequence[bytes] = ()) -> bytes:
    """A GTP-U header (3GPP TS 29.281) before the payload; each extension header: length byte, content, room for the next type."""
    more = b""
    if sequence is not None or extensions:
        more = struct.pack(">HBB", sequence or 0, 0, 0x85 if extensions else 0)
        for i, content in enumerate(extensions):
            more += content[:-1] + bytes([0x85 if i + 1 < len(extensions) else 0])
    bits = 0x30 | bool(extensions) << 2 | (sequence is not None) << 1
    return struct.pack(">BBHI", bits, kind, len(more) + len(payload), 77) + more + payload


def wifi(
    payload: bytes,
    *,
    subtype: int = 0,
    kind: int = 2,
    to_ds: bool = True,
    from_ds: bool = False,
    protected: bool = False,
    order: bool = False,
) -> bytes:
    """An 802.11 frame around an IP packet with LLC/SNAP; subtype 8 has a QoS field."""
    control = kind << 2 | subtype << 4 | to_ds << 8 | from_ds << 9 | protected << 14 | order << 15
    header = struct.pack("<HH", control, 0) + mac(SERVER_MAC) + mac(CLIENT_MAC) + mac(SERVER_MAC) + b"\0\0"
    header += mac(CLIENT_MAC) if to_ds and from_ds else b""
    if subtype & 8:
        header += b"\0\0" + (b"\0\0\0\0" if order else b"")
    return header + b"\xaa\xaa\3\0\0\0" + struct.pack(">H", ethertype_of(payload)) + payload


def radiotap(frame: bytes, *, fields: bytes = b"", present: int = 0) -> bytes:
    """LINKTYPE_IEEE802_11_RADIOTAP (127): the header with these fields before an 802.11 frame."""
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), present) + fields + frame


def nflog(payload: bytes, *, family: int | None = None, byteorder: ByteOrder = "<") -> bytes:
    """LINKTYPE_NFLOG (239): a prefix record, then the payload."""
    value = family if family is not None else (10 if ethertype_of(payload) == 0x86DD else 2)
    prefix = struct.pack(byteorder + "HH", 7, 10) + b"ab\0\0"
    return struct.pack(">BBH", value, 0, 0) + prefix + struct.pack(byteorder + "HH", 4 + len(payload), 9) + payload


def fragments4(packet: bytes, size: int) -> list[bytes]:
    """An IPv4 packet cut into fragments of ``size`` payload bytes (a multiple of 8)."""
    header = (packet[0] & 15) * 4
    body, parts = packet[header:], []
    for at in range(0, len(body), size):
        head = bytearray(packet[:header])
        piece = body[at : at + size]
        head[2:4] = struct.pack(">H", header + len(piece))
        head[6:8] = struct.pack(">H", (at + size < len(body)) << 13 | at // 8)
        head[10:12] = b"\0\0"
        head[10:12] = struct.pack(">H", internet_checksum(bytes(head)))
        parts.append(bytes(head) + piece)
    return parts


def fragments6(packet: bytes, size: int, *, ident: int = 1) -> list[bytes]:
    """An IPv6 packet without extension headers cut into fragments of ``size`` payload bytes (a multiple of 8)."""
    body, parts = packet[40:], []
    for at in range(0, len(body), size):
        piece = struct.pack(">BBHI", packet[6], 0, at | (at + size < len(body)), ident) + body[at : at + size]
        parts.append(packet[:4] + struct.pack(">HB", len(piece), 44) + packet[7:40] + piece)
    return parts


# ---- whole packets


def ip_packet(segment: bytes | Open, *, src: str, dst: str, protocol: int, **ip: object) -> bytes:
    """IPv4 or IPv6 around a segment, by the form of the addresses; further keywords go to ``ipv4`` or ``ipv6``."""
    build = ipv6 if ":" in src else ipv4
    return build(segment, src=src, dst=dst, protocol=protocol, **ip)  # type: ignore[arg-type]


def tcp_packet(
    payload: bytes = b"", *, src: str = CLIENT, dst: str = SERVER, link: bool = True, ip: dict[str, object] | None = None, **segment: object
) -> bytes:
    """An Ethernet frame (``link=False``: the bare IP packet) with one TCP segment; ``ip``: keywords for the IP layer."""
    packet = ip_packet(tcp(payload, **segment), src=src, dst=dst, protocol=6, **(ip or {}))  # type: ignore[arg-type]
    return ethernet(packet) if link else packet


def udp_packet(
    payload: bytes = b"",
    *,
    src: str = CLIENT,
    dst: str = SERVER,
    link: bool = True,
    ip: dict[str, object] | None = None,
    **datagram: object,
) -> bytes:
    """An Ethernet frame (``link=False``: the bare IP packet) with one UDP datagram; ``ip``: keywords for the IP layer."""
    packet = ip_packet(udp(payload, **datagram), src=src, dst=dst, protocol=17, **(ip or {}))  # type: ignore[arg-type]
    return ethernet(packet) if link else packet


# ---- frames with their time


@dataclass(frozen=True)
class Frame:
    """One captured packet. ``length``: bytes on the wire when the capture cut it; ``direction``: 1 inbound, 2 outbound (pcapng)."""

    content: bytes
    ts: int = START_NS
    length: int | None = None
    interface: int = 0
    comment: str | None = None
    direction: int = 0

    @property
    def wire_length(self) -> int:
        return len(self.content) if self.length is None else self.length

    def cut(self, snaplen: int) -> Frame:
        """The same packet as a capture with this snapshot length holds it."""
        return Frame(self.content[:snaplen], self.ts, self.wire_length, self.interface, self.comment, self.direction)


def frames_of(packets: Iterable[bytes | Frame], *, start: int = START_NS, step: int = MILLISECOND) -> list[Frame]:
    """Give plain bytes a time: ``start`` and then ``step`` ns further each."""
    return [p if isinstance(p, Frame) else Frame(p, start + i * step) for i, p in enumerate(packets)]


@dataclass
class Conversation:
    """A TCP connection whose segments carry the right numbers: ``c.handshake().send(b"GET ...").reply(b"HTTP ...").close()``.

    Every call appends to ``frames`` (``step`` ns apart; ``wait(ns)`` for more) and answers the conversation itself. ``client`` and
    ``server`` make one segment from a side with any flags; ``at`` (a stream offset: 0 = the byte after the SYN) sends out of
    place and does not move the side's next number. Drop, swap or duplicate entries of ``frames`` for loss and disorder.
    """

    src: str = CLIENT
    dst: str = SERVER
    src_port: int = 50000
    dst_port: int = 80
    isn: tuple[int, int] = (1000, 9000)
    ts: int = START_NS
    step: int = MILLISECOND
    options: bytes = field(default_factory=lambda: tcp_options(mss=1460, sack_permitted=True, window_scale=7))
    frames: list[Frame] = field(default_factory=list)
    window: int = 64240

    def __post_init__(self) -> None:
        self.next = [self.isn[0], self.isn[1]]
        self.known = [0, 0]  # what each side has acknowledged so far

    def segment(self, side: int, payload: bytes = b"", flags: str = "A", *, at: int | None = None, **more: object) -> Conversation:
        """One segment of side 0 (client) or 1 (server)."""
        seq = self.next[side] if at is None else self.isn[side] + 1 + at
        ports = {"src_port": (self.src_port, self.dst_port)[side], "dst_port": (self.dst_port, self.src_port)[side]}
        fields: dict[str, object] = {**ports, "seq": seq % 2**32, "flags": flags, "window": self.window, "options": b""}
        fields["ack"] = self.next[1 - side] % 2**32 if "A" in flags else 0
        fields |= more
        ends = (self.src, self.dst) if side == 0 else (self.dst, self.src)
        self.frames.append(Frame(tcp_packet(payload, src=ends[0], dst=ends[1], **fields), self.ts))  # type: ignore[arg-type]
        self.ts += self.step
        if at is None:
            self.next[side] += len(payload) + ("S" in flags) + ("F" in flags)
        return self

    def client(self, payload: bytes = b"", flags: str = "A", **more: object) -> Conversation:
        return self.segment(0, payload, flags, **more)  # type: ignore[arg-type]

    def server(self, payload: bytes = b"", flags: str = "A", **more: object) -> Conversation:
        return self.segment(1, payload, flags, **more)  # type: ignore[arg-type]

    def wait(self, ns: int) -> Conversation:
        """Let time pass."""
        self.ts += ns
        return self

    def handshake(self) -> Conversation:
        """SYN, SYN+ACK, ACK."""
        return self.client(flags="S", options=self.options).server(flags="SA", options=self.options).client()

    def send(self, content: bytes, size: int = 1460) -> Conversation:
        """Data from the client in segments of at most ``size`` bytes, then an acknowledgement."""
        return self._data(0, content, size)

    def reply(self, content: bytes, size: int = 1460) -> Conversation:
        """Data from the server in segments of at most ``size`` bytes, then an acknowledgement."""
        return self._data(1, content, size)

    def _data(self, side: int, content: bytes, size: int) -> Conversation:
        for at in range(0, len(content), size):
            self.segment(side, content[at : at + size], "PA" if at + size >= len(content) else "A")
        return self.segment(1 - side)

    def close(self, side: int = 0) -> Conversation:
        """FIN from ``side``, FIN from the other, last ACK."""
        return self.segment(side, flags="FA").segment(1 - side, flags="FA").segment(side)

    def reset(self, side: int = 1) -> Conversation:
        """RST+ACK."""
        return self.segment(side, flags="RA")


# ---- classic pcap


def pcap_header(
    *,
    byteorder: ByteOrder = "<",
    nanosecond: bool = False,
    modified: bool = False,
    linktype: int = 1,
    snaplen: int = 262_144,
    fcs_words: int | None = None,
    version: tuple[int, int] = (2, 4),
    thiszone: int = 0,
) -> bytes:
    """Classic pcap file header. ``modified``: the old libpcap with 24-byte record headers; ``fcs_words``: FCS length in 16-bit words."""
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nanosecond else 0xA1B2C3D4
    link = linktype if fcs_words is None else linktype | 0x04000000 | fcs_words << 28
    return struct.pack(byteorder + "IHHiIII", magic, *version, thiszone, 0, snaplen, link)


def pcap_record(
    frame: Frame, *, byteorder: ByteOrder = "<", nanosecond: bool = False, modified: bool = False, caplen: int | None = None
) -> bytes:
    """One record. ``caplen`` when it shall lie."""
    seconds, rest = divmod(frame.ts, 1_000_000_000)
    captured = len(frame.content) if caplen is None else caplen
    head = struct.pack(byteorder + "IIII", seconds, rest if nanosecond else rest // 1000, captured, frame.wire_length)
    if modified:
        head += struct.pack(byteorder + "IHBB", 2, 0x0800, 0, 0)
    return head + frame.content


def pcap(
    packets: Iterable[bytes | Frame], *, byteorder: ByteOrder = "<", nanosecond: bool = False, modified: bool = False, **header: object
) -> bytes:
    """A classic pcap file; further keywords go to ``pcap_header``."""
    parts = [pcap_header(byteorder=byteorder, nanosecond=nanosecond, modified=modified, **header)]  # type: ignore[arg-type]
    parts += [pcap_record(f, byteorder=byteorder, nanosecond=nanosecond, modified=modified) for f in frames_of(packets)]
    return b"".join(parts)


# ---- pcapng


def option(code: int, value: bytes, byteorder: ByteOrder = "<") -> bytes:
    """One option, padded to 4 bytes."""
    return struct.pack(byteorder + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def options_of(options: Sequence[tuple[int, bytes]], byteorder: ByteOrder = "<") -> bytes:
    """All options and the end marker; nothing at all when there are none."""
    return b"".join(option(code, value, byteorder) for code, value in options) + (option(0, b"", byteorder) if options else b"")


def block(kind: int, body: bytes, byteorder: ByteOrder = "<", *, length: int | None = None, trailer: int | None = None) -> bytes:
    """One block; ``length`` and ``trailer`` when they shall lie."""
    body += b"\0" * (-len(body) % 4)
    true = 12 + len(body)
    return (
        struct.pack(byteorder + "II", kind, true if length is None else length)
        + body
        + struct.pack(byteorder + "I", (true if length is None else length) if trailer is None else trailer)
    )


def section_header(
    byteorder: ByteOrder = "<", *, version: tuple[int, int] = (1, 0), section_length: int = -1, options: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    """SHB. Options: 2 hardware, 3 os, 4 application."""
    return block(
        0x0A0D0D0A, struct.pack(byteorder + "IHHq", 0x1A2B3C4D, *version, section_length) + options_of(options, byteorder), byteorder
    )


def interface_description(
    byteorder: ByteOrder = "<",
    *,
    linktype: int = 1,
    snaplen: int = 262_144,
    tsresol: int | None = None,
    tsoffset: int | None = None,
    fcslen: int | None = None,
    name: str | None = None,
    options: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """IDB. ``tsresol``: the raw byte (9 = ns, 0x80 | n = 2**-n); ``tsoffset`` in seconds."""
    more = list(options)
    if name is not None:
        more.append((2, name.encode()))
    if tsresol is not None:
        more.append((9, bytes([tsresol])))
    if tsoffset is not None:
        more.append((14, struct.pack(byteorder + "q", tsoffset)))
    if fcslen is not None:
        more.append((13, bytes([fcslen])))
    return block(1, struct.pack(byteorder + "HHI", linktype, 0, snaplen) + options_of(more, byteorder), byteorder)


def ticks_of(ts: int, tsresol: int | None, tsoffset: int = 0) -> int:
    """Nanoseconds -> ticks of an interface with this resolution byte (None: microseconds)."""
    ns = ts - tsoffset * 1_000_000_000
    if tsresol is None:
        return ns // 1000
    if tsresol & 0x80:
        return (ns << (tsresol & 0x7F)) // 1_000_000_000
    return ns * 10**tsresol // 1_000_000_000


def enhanced_packet(
    frame: Frame,
    byteorder: ByteOrder = "<",
    *,
    tsresol: int | None = None,
    tsoffset: int = 0,
    ticks: int | None = None,
    caplen: int | None = None,
    options: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """EPB; the frame's comment and direction become options 1 and 2."""
    when = ticks_of(frame.ts, tsresol, tsoffset) if ticks is None else ticks
    more = list(options)
    if frame.comment is not None:
        more.append((1, frame.comment.encode()))
    if frame.direction:
        more.append((2, struct.pack(byteorder + "I", frame.direction)))
    captured = len(frame.content) if caplen is None else caplen
    head = struct.pack(byteorder + "IIIII", frame.interface, when >> 32, when & 0xFFFFFFFF, captured, frame.wire_length)
    padded = frame.content + b"\0" * (-len(frame.content) % 4)
    return block(6, head + padded + options_of(more, byteorder), byteorder)


def simple_packet(content: bytes, byteorder: ByteOrder = "<", *, length: int | None = None) -> bytes:
    """SPB: no time, interface 0. ``length``: bytes on the wire when more than captured."""
    return block(3, struct.pack(byteorder + "I", len(content) if length is None else length) + content, byteorder)


def old_packet(
    frame: Frame, byteorder: ByteOrder = "<", *, drops: int = 0xFFFF, tsresol: int | None = None, options: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    """The obsolete packet block (2)."""
    when = ticks_of(frame.ts, tsresol)
    head = struct.pack(byteorder + "HHIIII", frame.interface, drops, when >> 32, when & 0xFFFFFFFF, len(frame.content), frame.wire_length)
    return block(2, head + frame.content + b"\0" * (-len(frame.content) % 4) + options_of(options, byteorder), byteorder)


def name_resolution(names: Sequence[tuple[str, str]], byteorder: ByteOrder = "<") -> bytes:
    """NRB of (address, name) pairs."""
    body = b""
    for address, name in names:
        packed = ipaddress.ip_address(address).packed
        value = packed + name.encode() + b"\0"
        body += struct.pack(byteorder + "HH", 1 if len(packed) == 4 else 2, len(value)) + value + b"\0" * (-len(value) % 4)
    return block(4, body + struct.pack(byteorder + "HH", 0, 0), byteorder)


def interface_statistics(
    interface: int = 0,
    byteorder: ByteOrder = "<",
    *,
    received: int | None = None,
    dropped: int | None = None,
    os_dropped: int | None = None,
    ts: int = START_NS,
) -> bytes:
    """ISB with options 4 ifrecv, 5 ifdrop, 7 osdrop."""
    ticks = ts // 1000
    given = [(4, received), (5, dropped), (7, os_dropped)]
    options = [(code, struct.pack(byteorder + "Q", value)) for code, value in given if value is not None]
    return block(5, struct.pack(byteorder + "III", interface, ticks >> 32, ticks & 0xFFFFFFFF) + options_of(options, byteorder), byteorder)


def decryption_secrets(content: bytes, byteorder: ByteOrder = "<", *, kind: int = 0x544C534B) -> bytes:
    """DSB; the default kind is a TLS key log."""
    return block(10, struct.pack(byteorder + "II", kind, len(content)) + content + b"\0" * (-len(content) % 4), byteorder)


def pcapng(packets: Iterable[bytes | Frame], *, byteorder: ByteOrder = "<", tsresol: int | None = 9, **interface: object) -> bytes:
    """One section, one interface (as many as the frames name), enhanced packet blocks; keywords go to ``interface_description``."""
    frames = frames_of(packets)
    interfaces = 1 + max((frame.interface for frame in frames), default=0)
    offset = int(interface.get("tsoffset") or 0)  # type: ignore[call-overload]
    parts = [section_header(byteorder)]
    parts += [interface_description(byteorder, tsresol=tsresol, **interface)] * interfaces  # type: ignore[arg-type]
    parts += [enhanced_packet(frame, byteorder, tsresol=tsresol, tsoffset=offset) for frame in frames]
    return b"".join(parts)


# ---- batches


def batch(
    packets: Iterable[bytes | Frame], *, linktype: int = 1, first_number: int = 1, arena_bytes: int = 1 << 20, interfaces: int = 1
) -> Batch:
    """Frames as a ``Batch`` whose rows have the fields of capture/ (not yet decoded), in a memory of its own.

    ``memory.data`` holds all bytes in its one chunk buffer, then comes an arena of ``arena_bytes``.
    """
    frames = frames_of(packets)
    content = b"".join(frame.content for frame in frames)
    memory = Memory(chunk_bytes=max(64, len(content)), chunks=1, arena_bytes=arena_bytes)
    memory.data[: len(content)] = np.frombuffer(content, np.uint8)
    rows, links = new_table(PACKET, len(frames)), new_table(INTERFACE, interfaces)
    for row in links:
        row.linktype, row.received, row.dropped = linktype, -1, -1
    at = 0
    for i, frame in enumerate(frames):
        row = rows[i]
        row.ts, row.number, row.offset = frame.ts, first_number + i, at
        row.caplen, row.length = len(frame.content), frame.wire_length
        row.interface, row.linktype = frame.interface, linktype
        row.marks = CUT_BY_SNAPLEN if frame.wire_length > len(frame.content) else 0
        row.connection = -1
        at += len(frame.content)
    now = max((frame.ts for frame in frames), default=0)
    return Batch(memory, rows, links, now, first_number + len(frames) - 1)


def batches(packets: Iterable[bytes | Frame], cuts: Sequence[int], **more: object) -> list[Batch]:
    """The same frames cut into several batches before the frame indices in ``cuts``, all in one memory (so that arenas live on)."""
    whole = batch(packets, **more)  # type: ignore[arg-type]
    edges = [0, *sorted(cuts), len(whole.packets)]
    parts = []
    for first, end in itertools.pairwise(edges):
        rows = whole.packets[first:end].copy().view(np.recarray)
        now = int(whole.packets.ts[:end].max()) if end else 0
        parts.append(Batch(whole.memory, rows, whole.interfaces, now, int(whole.packets.number[0]) + end - 1 if end else 0))
    return parts
