"""DNS over UDP and TCP: messages, records, lookups (RFC 1035 and its successors; REFERENCE of pairing: dissector)."""

from __future__ import annotations

from analyzer.messages.dns.dissector import Dns, Taken

__all__ = ["Dns", "Taken"]
