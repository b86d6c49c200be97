#!/usr/bin/python3
"""Take what the recording machine says about itself out of a pcapng file, in place.

dumpcap writes the processor and the kernel into the section header and into every interface. They say
nothing about the traffic. Packets, times, names, statistics and the writing program stay as they were.
"""

import struct
import sys
from pathlib import Path

SECTION_HEADER, INTERFACE_DESCRIPTION = 0x0A0D0D0A, 1
HARDWARE, OPERATING_SYSTEM, INTERFACE_OPERATING_SYSTEM = 2, 3, 12
# block type: (bytes before its options, options to drop)
CLEANED = {
    SECTION_HEADER: (16, {HARDWARE, OPERATING_SYSTEM}),
    INTERFACE_DESCRIPTION: (8, {INTERFACE_OPERATING_SYSTEM}),
}


def without_options(options, dropped):
    kept, at = b"", 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from("<HH", options, at)
        step = 4 + (size + 3) // 4 * 4
        if code not in dropped:
            kept += options[at : at + step]
        at += step
    return kept


def anonymous(data):
    out, at = [], 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + size - 4]
        if kind in CLEANED:
            fixed, dropped = CLEANED[kind]
            body = body[:fixed] + without_options(body[fixed:], dropped)
        out.append(struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12))
        at += size
    return b"".join(out)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_bytes(anonymous(path.read_bytes()))
