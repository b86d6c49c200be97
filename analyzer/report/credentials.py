"""Credentials in URLs are no part of a report: what stands before the @ of a URL, and parameters whose name says password, token or key."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pyarrow.compute as pc

from analyzer.report.built import TextColumn, is_there, is_true, texts_of

MASK: Final = "***"
_WORDS: Final = "passw|passphrase|pwd|secret|token|api[-_.]?key|auth[-_.]|[-_.]auth|authori[sz]|credential|session|signature"  # in a name
_NAMES: Final = "pass|otp|o?auth"  # a whole name
_LONG_NAMES: Final = "sid|sig|key|code"  # a whole name that says other things, too: only a long value is a secret
PARAMETER: Final = rf"(?i)([?&;](?:[^=&;#?]*(?:{_WORDS})[^=&;#?]*|{_NAMES})=)[^&;#]+"
LONG_PARAMETER: Final = rf"(?i)([?&;](?:{_LONG_NAMES})=)[^&;#]{{16,}}"
USER: Final = r"(?i)^([a-z][a-z0-9+.-]*://)[^/?#@]+(?:@[^/?#@]+)*@"


PATTERNS: Final = ((PARAMETER, rf"\1{MASK}"), (LONG_PARAMETER, rf"\1{MASK}"), (USER, rf"\1{MASK}@"))


def mask_url(text: str) -> str:
    """One URL or request target with ``***`` in place of credentials."""
    for pattern, told in PATTERNS:
        text = re.sub(pattern, told, text)
    return text


def without_credentials(column: TextColumn) -> TextColumn:
    """A column of URLs or request targets with ``***`` in place of credentials (RFC 3986 3.2.1, 3.4)."""
    array = plain = column.arrow()
    for pattern, told in PATTERNS:
        if is_true(pc.match_substring_regex(array, pattern)).any():
            array = pc.replace_substring_regex(array, pattern, told)
    return column if array is plain else TextColumn(texts_of(array), np.where(is_there(array), np.arange(len(array)), -1))
