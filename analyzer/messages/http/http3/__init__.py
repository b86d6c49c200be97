"""HTTP/3 (RFC 9114): stream data of QUIC to the EXCHANGE rows that HTTP/1 and HTTP/2 have, too.

* `frames`     frames of one stream from pieces of it; bodies are counted, not kept
* `qpack`      field sections of one direction (RFC 9204)
* `dissector`  streams to exchanges, until their connections leave
"""

from __future__ import annotations

from analyzer.messages.http.http3.dissector import Http3

__all__ = ["Http3"]
