"""Live capture: an engine brings packets as pcapng, a thread keeps them, and the reader of files makes of them what it makes of files."""

from __future__ import annotations

from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.session import Session, open_session

__all__ = ["LiveOptions", "Session", "open_session"]
