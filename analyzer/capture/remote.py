"""Captures that lie elsewhere (s3://, https://, sftp://, ...), through fsspec: the extra ``remote``."""

from __future__ import annotations

import re
from typing import Any

from analyzer.errors import CaptureError

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z][A-Za-z0-9+.-]+)*://")  # at least two letters: C:// is a drive


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    return URL.match(path) is not None


class RemoteFile:
    """What ``PlainBytes`` needs of a file, over a file of fsspec: whatever its protocols raise becomes an OSError with a text."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec  # noqa: PLC0415 (an extra, and slow to import)
        except ImportError as error:
            extra = "pip install 'connection-lifecycle-analyzer[remote]'"
            raise CaptureError(f"{url} lies elsewhere, and the extra that reads it is not installed: {extra}") from error
        try:
            system, path = fsspec.core.url_to_fs(url)
            self.size: int | None = system.info(path).get("size")
            self._file: Any = system.open(path, "rb")
        except OSError:
            raise
        except Exception as error:  # each protocol has exceptions of its own
            raise OSError(0, describe(error)) from error

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, b"" at the end."""
        try:
            return bytes(self._file.read(size))
        except OSError:
            raise
        except Exception as error:  # as above
            raise OSError(0, describe(error)) from error

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end."""
        content = self.read(min(len(view), 4 << 20))
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close the connection."""
        self._file.close()


def describe(error: Exception) -> str:
    """An exception of a protocol in one line."""
    return (str(error).split("\n")[0] or type(error).__name__).rstrip(".")
