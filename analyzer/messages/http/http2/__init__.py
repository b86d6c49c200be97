"""HTTP/2 (RFC 9113): runs of stream bytes to the EXCHANGE rows that HTTP/1 has, too.

Theory. Frames are found in a kernel (``frame_kernels``), which measures bodies and collects what is small. Header blocks are opened in
Python, one call each (``field_blocks``): they are few beside bytes, and each needs the table that the blocks before it left. What DATA and
WINDOW_UPDATE frames add up to is counted in a kernel again. The order within a batch does not matter for sums and last times, so header
blocks of a batch come first.

A capture that begins in the middle, or misses bytes, leaves the table of header compression unknown: what refers to it is named
``:unknown-index-N``, and everything else is read.
"""

from __future__ import annotations

from analyzer.messages.http.http2.dissector import Http2

__all__ = ["Http2"]
