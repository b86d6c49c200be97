"""QUIC: datagrams to connections, their handshakes without keys, their streams with a key log (RFC 9000, RFC 9001, RFC 9369).

* `probe_kernels`   is this QUIC? from one datagram; variable-length integers and kinds of packets
* `scan_kernels`    datagrams -> QUIC rows: headers, sizes, the spin bit; the list of packets to be opened
* `id_kernels`      connection ids by hash: a connection is known again under another address
* `protection`      secrets to keys; packets opened
* `frames`          frames of Initial and Handshake packets
* `crypto`          CRYPTO frames in any order to handshake messages, which TLS reads
* `parameters`      transport parameters
* `conversation`    the Initials of one connection
* `dissector`       the class that owns the tables
"""

from __future__ import annotations

from analyzer.messages.quic.dissector import Quic

__all__ = ["Quic"]
