"""Decryption secrets of a pcapng file before its packets: a block of them may stand behind the packets that it opens.

The blocks of the file are walked over once by their lengths, which touches no packet. Only files that can be read twice, and that the
page cache can hold, are looked through; of others the secrets come when reading meets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from analyzer.capture import pcapng
from analyzer.capture.files import STANDARD_INPUT, CaptureFile
from analyzer.capture.formats import SECRETS_BYTES
from analyzer.capture.reader_kernels import FOUND, NEED_BYTES
from analyzer.capture.remote import is_remote

PIECE: Final = 1 << 20  # bytes read at a time


def look_ahead(files: Sequence[CaptureFile], most_bytes: int) -> Iterator[bytes]:
    """TLS key logs inside those of the captures that are plain pcapng files of at most ``most_bytes``."""
    for file in files:
        facts = file.facts
        is_plain = facts.format == "pcapng" and not facts.compression and facts.path != STANDARD_INPUT and not is_remote(facts.path)
        if is_plain and file.total is not None and file.total <= most_bytes:
            yield from read_secrets(facts.path)


def read_secrets(path: str) -> Iterator[bytes]:
    """TLS key logs of the decryption secrets blocks of a pcapng file, up to the first damage. What cannot be read, reading will tell."""
    from analyzer.capture.pcapng_kernels import find_secrets  # noqa: PLC0415 - a kernel that only pcapng needs

    data, state = np.empty(PIECE, np.uint8), np.zeros(3, np.int64)
    view = memoryview(data.data)
    offset = total = 0
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - unbuffered
            while True:
                file.seek(offset)
                got = file.readinto(view)
                state[:2] = 0, got
                while (status := int(find_secrets(data, state))) == FOUND:
                    at = int(state[0])
                    byteorder: pcapng.ByteOrder = ">" if state[2] else "<"
                    size = int.from_bytes(view[at + 4 : at + 8], "big" if state[2] else "little")
                    file.seek(offset + at + 8)
                    total += size
                    body = file.read(size - 12) if total <= SECRETS_BYTES else b""
                    if len(body) < size - 12:
                        return
                    secrets = pcapng.parse_secrets(body, byteorder)
                    if secrets is not None and secrets[0] == pcapng.TLS_KEY_LOG:
                        yield secrets[1]
                    state[0] += size
                if status != NEED_BYTES or got < len(view):
                    return
                offset += int(state[0])
    except OSError:
        return
