"""WebSocket (RFC 6455) after its upgrade: frames to counts of messages, opcodes and the close code of each end."""

from __future__ import annotations

from analyzer.messages.websocket.dissector import WebSockets

__all__ = ["WebSockets"]
