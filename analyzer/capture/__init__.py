"""Stage 1: the bytes of capture files become PACKET rows."""

from __future__ import annotations

from analyzer.capture.facts import CaptureFacts
from analyzer.capture.files import Follow
from analyzer.capture.keyfile import KeyTexts
from analyzer.capture.secrets import look_ahead
from analyzer.capture.source import Progress, Source, open_captures

__all__ = ["CaptureFacts", "Follow", "KeyTexts", "Progress", "Source", "look_ahead", "open_captures"]
