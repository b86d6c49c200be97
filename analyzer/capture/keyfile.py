"""Text of TLS key logs: files, which may grow while they are read, and the decryption secrets blocks of captures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from analyzer.capture.facts import CaptureFacts
from analyzer.errors import CaptureError

PIECE: Final = 1 << 22  # bytes of a file read at a time
LINE_LIMIT: Final = 1 << 12  # a line longer than this is garbage, and not kept until its end comes


class KeyFile:
    """A key log file, read as far as its last whole line; ``read_more`` reads on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._rest = b""

    def read_more(self) -> bytes:
        """Whole lines that have come since the last call, from about PIECE bytes; b"" = no more for now.

        Raises:
            CaptureError: the file cannot be read.
        """
        while True:
            try:
                with self.path.open("rb") as file:
                    file.seek(self._offset)
                    piece = file.read(PIECE)
            except OSError as error:
                raise CaptureError(f"{self.path}: the key log cannot be read: {error.strerror or error}.") from error
            self._offset += len(piece)
            text = self._rest + piece
            cut = text.rfind(b"\n") + 1
            self._rest = text[cut:]
            if len(self._rest) > LINE_LIMIT:
                self._rest = b"?"
            if cut or not piece:
                return text[:cut]

    def read_rest(self) -> bytes:
        """What stands after the last line end, of a file that does not grow."""
        rest, self._rest = self._rest, b""
        return rest


class KeyTexts:
    """All key logs of one analysis."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [KeyFile(path) for path in paths]
        self._seen: dict[int, int] = {}
        self._given: set[bytes] = set()  # digests of secrets blocks

    def fresh(self, captures: Sequence[CaptureFacts], *, grows: bool) -> Iterator[bytes]:
        """Whole lines that have come since the last call: of the files, and of the captures read meanwhile.

        ``grows``: the files may be in writing, so a last line without an end is none yet.

        Raises:
            CaptureError: a file cannot be read.
        """
        for file in self._files:
            while text := file.read_more():
                yield text
            if not grows and (text := file.read_rest()):
                yield text
        for place, facts in enumerate(captures):
            yield from self.once(facts.secrets[self._seen.get(place, 0) :])
            self._seen[place] = len(facts.secrets)

    def once(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Those of the secrets blocks that were not given before: they are met again when reading comes to them."""
        for text in texts:
            digest = hashlib.sha256(text).digest()
            if digest not in self._given:
                self._given.add(digest)
                yield text
