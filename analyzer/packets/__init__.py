"""Stage 2: PACKET rows get the fields of their headers."""

from __future__ import annotations

from analyzer.packets.decoder import Decoder, count_outcomes, decode, verify_checksums

__all__ = ["Decoder", "count_outcomes", "decode", "verify_checksums"]
