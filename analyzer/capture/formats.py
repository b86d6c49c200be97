"""The two file formats as the reading loop sees them: begin a file, run the index kernel, answer the statuses it returns."""

from __future__ import annotations

from typing import Protocol

from analyzer.capture import pcapng
from analyzer.capture.cursor import Cursor
from analyzer.capture.pcap import HEADER_BYTES, parse_header, tell_variant
from analyzer.capture.reader_kernels import FOUND, GARBAGE_LENGTH, LARGE_BLOCK, LATEST_NS, LENGTHS_DISAGREE, NEED_BYTES

INTERFACES_PER_FILE = 1 << 16
NAMES_PER_FILE = 1 << 20
SECRETS_BYTES = 64 << 20
PEEK_BYTES = 1 << 20  # of a classic pcap file, to tell its variant
SEARCH_BYTES = 12  # type, length and byte-order magic of a section header: as much as a search must see at once


class Format(Protocol):
    """One file format, at work on one file."""

    name: str

    def begin(self) -> bool:
        """Read the file header at the cursor; False when it is not one."""

    def index(self) -> int:
        """Run the index kernel; its status."""

    def handle(self, status: int) -> None:
        """Deal with what the kernel stopped at, and move on."""

    def describe_tail(self) -> str:
        """What the file ends in the middle of; "" when it does not matter."""


class PcapFormat:
    """Classic pcap: records with nothing between them. Behind a damaged one, reading goes on where two look like records again."""

    name = "pcap"

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.is_lost = False
        self.lost_at = 0

    def begin(self) -> bool:
        """Read the file header at the cursor; False when it is not one."""
        r = self.cursor.r
        start = int(r.position)
        header = parse_header(bytes(self.cursor.view[start : min(start + HEADER_BYTES, int(r.end))]))
        if header is None:
            return False
        r.position = start + HEADER_BYTES
        r.is_big_endian = header.byteorder == ">"
        r.header_bytes, who = tell_variant(header, bytes(self.cursor.view[start + HEADER_BYTES : min(start + PEEK_BYTES, int(r.end))]))
        if who:
            self.cursor.facts.note(f"has record headers of {int(r.header_bytes)} bytes, as {who} wrote them.")
        face = self.cursor.add_interface(header.linktype, header.snaplen, header.fcs_bytes)
        face.tick_ns, face.most_ticks = header.tick_ns, LATEST_NS // header.tick_ns
        face.resolution_exponent = 9 if header.tick_ns == 1 else 6
        if header.version != (2, 4):
            self.cursor.facts.note("has version {}.{} of the pcap format: read as 2.4.".format(*header.version))
        return True

    def index(self) -> int:
        """Run the index kernel; its status."""
        # kernels of the other format need not be loaded
        from analyzer.capture.pcap_kernels import find_record, index_pcap  # noqa: PLC0415

        c = self.cursor
        if self.is_lost:
            if int(find_record(c.memory.data, c.reader, c.interfaces)) != FOUND:
                return NEED_BYTES
            self.is_lost = False
            passed = c.file_offset - self.lost_at
            c.facts.lost_bytes += passed
            c.facts.note(f"goes on at byte {c.file_offset:,} with packet {int(c.r.packets) + 1:,}: {passed:,} bytes were passed over.")
        c.save()
        return int(index_pcap(c.memory.data, c.reader, c.packets, c.interfaces))

    def handle(self, status: int) -> None:
        """Note the damage and look for the next record."""
        c, r = self.cursor, self.cursor.r
        if status != GARBAGE_LENGTH:
            raise RuntimeError(f"status {status} from the pcap index")
        if c.is_too_much():
            return
        c.facts.note(
            f"is damaged at byte {c.file_offset:,}, where packet {int(r.packets) + 1:,} should begin (it claims {int(r.detail):,} bytes).",
        )
        self.is_lost = True
        self.lost_at = c.file_offset
        r.position += 1

    def describe_tail(self) -> str:
        """What the file ends in the middle of; "" when it does not matter."""
        if self.is_lost:
            self.cursor.facts.lost_bytes += self.cursor.file_offset - self.lost_at
            return ""
        # the packet whose rest was to be passed over is already counted
        return f"packet {int(self.cursor.r.packets) + (0 if self.cursor.r.skip else 1):,}"


class PcapngFormat:
    """pcapng: sections, each with its byte order and interfaces. Damage ends a section; reading goes on at the next one."""

    name = "pcapng"

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.byteorder: pcapng.ByteOrder = "<"
        self.is_lost = False
        self.secrets_bytes = 0

    def begin(self) -> bool:
        """Read the file header at the cursor; False when it is not one."""
        r = self.cursor.r
        return pcapng.find_byteorder(bytes(self.cursor.view[int(r.position) : min(int(r.end), int(r.position) + 12)])) is not None

    def index(self) -> int:
        """Run the index kernel; its status."""
        # kernels of the other format need not be loaded
        from analyzer.capture.pcapng_kernels import find_section, index_pcapng  # noqa: PLC0415

        c = self.cursor
        if self.is_lost:
            before = c.file_offset
            status = int(find_section(c.memory.data, c.reader))
            c.facts.lost_bytes += c.file_offset - before
            if status != FOUND:
                return NEED_BYTES
            self.is_lost = False
        c.save()
        return int(index_pcapng(c.memory.data, c.reader, c.packets, c.interfaces))

    def handle(self, status: int) -> None:
        """Read the rare block at the cursor, or give up the section."""
        r = self.cursor.r
        if status == GARBAGE_LENGTH:
            self._lose(f"a block there claims {int(r.detail):,} bytes")
        elif status == LENGTHS_DISAGREE:
            self._lose(f"the two lengths of a block there disagree, the second is {int(r.detail):,}")
        else:
            self._read_block(int(r.detail), is_large=status == LARGE_BLOCK)

    def describe_tail(self) -> str:
        """What the file ends in the middle of; "" when it does not matter."""
        c, r = self.cursor, self.cursor.r
        if self.is_lost:
            return ""
        kind = int.from_bytes(c.view[int(r.position) : min(int(r.end), int(r.position) + 4)], "little" if self.byteorder == "<" else "big")
        if r.skip:
            return "a block"
        if r.end - r.position < 4 or kind in (2, 3, 6):
            return f"packet {int(r.packets) + 1:,}"
        return "a block"

    def _lose(self, reason: str) -> None:
        """Give up the section at the cursor."""
        c, r = self.cursor, self.cursor.r
        if c.is_too_much():
            return
        c.facts.note(
            f"is damaged at byte {c.file_offset:,}, after packet {int(r.packets):,} ({reason}): the rest of that section was left out.",
        )
        self.is_lost = True
        r.skip = 0
        r.position += 1
        c.facts.lost_bytes += 1

    def _read_block(self, size: int, *, is_large: bool) -> None:
        """Parse the rare block at the cursor and move beyond it."""
        c, r = self.cursor, self.cursor.r
        start = int(r.position)
        head = bytes(c.view[start : start + SEARCH_BYTES])
        if head.startswith(pcapng.MAGIC):
            self._read_section(head)
            return
        kind = int.from_bytes(head[:4], "little" if self.byteorder == "<" else "big")
        if is_large:
            content = c.take(size)
            if len(content) < size:
                c.facts.note_tail("a block", len(content), int(r.packets))
                return
        else:
            content = bytes(c.view[start : start + size])
            r.position = start + size
        body = content[8:-4]
        if kind == 1:
            self._read_interface(body, size)
        elif kind == 4:
            for pair in pcapng.parse_names(body, self.byteorder):
                if len(c.facts.names) < NAMES_PER_FILE:
                    c.facts.names.append(pair)
        elif kind == 5:
            self._read_statistics(body)
        elif kind == 10:
            self._read_secrets(body)

    def _read_section(self, head: bytes) -> None:
        """Start the section at the cursor. Its block stays there, as one to be skipped, until it is whole."""
        c, r = self.cursor, self.cursor.r
        start = int(r.position)
        if c.is_too_much():
            return
        byteorder = pcapng.find_byteorder(head)
        if byteorder is None:
            self._lose("a section header there has no byte-order magic")
            return
        order: str = "little" if byteorder == "<" else "big"
        size = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
        if size < pcapng.SMALLEST_SECTION or size & 3 or size > int(r.record_bytes):
            self._lose(f"a section header there claims {size:,} bytes")
            return
        offset = c.file_offset
        content = bytes(c.view[start : start + size]) if size <= r.end - r.position else b""
        if content:
            r.position = start + size
        else:
            content = c.take(size)
        if len(content) < size:
            c.facts.note_tail("a section header", len(content), int(r.packets))
            return
        trailer = int.from_bytes(content[-4:], order)  # type: ignore[arg-type]
        section = pcapng.parse_section(content[8:-4], byteorder)
        if trailer != size or section.version[0] != 1:
            reason = f"lengths {size:,} and {trailer:,}" if trailer != size else f"version {section.version[0]}.{section.version[1]}"
            c.facts.note(f"has a section header at byte {offset:,} that cannot be used ({reason}): that section was left out.")
            self.is_lost = True
            return
        self.byteorder = byteorder
        r.is_big_endian = byteorder == ">"
        r.first_interface = c.interface_rows
        r.interface_count = 0
        c.facts.comments += section.comments
        for field in ("hardware", "os", "application"):
            if not getattr(c.facts, field):
                setattr(c.facts, field, getattr(section, field))

    def _read_interface(self, body: bytes, size: int) -> None:
        c = self.cursor
        face = pcapng.parse_interface(body, self.byteorder)
        if face is None or c.interface_rows >= INTERFACES_PER_FILE:
            reason = "an interface description there is too short" if face is None else "it describes too many interfaces"
            c.r.position -= size
            self._lose(reason)
            return
        row = c.add_interface(face.linktype, face.snaplen, face.fcs_bytes)
        row.resolution_exponent, row.is_binary, row.offset_s = face.exponent, face.is_binary, face.offset_s
        row.tick_ns, row.ticks_per_ns = face.tick_ns, face.ticks_per_ns
        # with an offset, or with ticks finer than ns, times take more than a product
        row.most_ticks = LATEST_NS // face.tick_ns if face.tick_ns and not face.offset_s else -1
        c.facts.comments += face.comments
        for oddity in face.oddities:
            c.facts.note(f"claims {oddity} for an interface: its times cannot be trusted.")

    def _read_statistics(self, body: bytes) -> None:
        c, r = self.cursor, self.cursor.r
        said = pcapng.parse_statistics(body, self.byteorder)
        if said is None or said[0] >= r.interface_count:
            return
        row = c.interfaces[int(r.first_interface) + said[0]]
        if said[1] is not None:  # the numbers count from the start of the capture: the last block is the one that holds
            row.received = said[1]
        if said[2] is not None:
            row.dropped = said[2]

    def _read_secrets(self, body: bytes) -> None:
        secrets = pcapng.parse_secrets(body, self.byteorder)
        if secrets is not None and secrets[0] == pcapng.TLS_KEY_LOG and self.secrets_bytes + len(secrets[1]) <= SECRETS_BYTES:
            self.secrets_bytes += len(secrets[1])
            self.cursor.facts.secrets.append(secrets[1])
