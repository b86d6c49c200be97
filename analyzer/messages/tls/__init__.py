"""TLS: runs of stream bytes to handshakes, without keys as far as they can be read, with a key log whole (RFC 5246, RFC 8446).

* `probe_kernels`        is this TLS? from the first bytes of either direction
* `framing_kernels`      runs -> TLS_MESSAGE rows: records, handshake messages over records and segments, gaps
* `handshake_kernels`    TLS_MESSAGE rows -> HANDSHAKE rows: which message does what
* `negotiation_kernels`  what hellos and key exchange say, to the HANDSHAKE row
* `hello_kernels`        ClientHello, ServerHello and their extensions
* `data_kernels`         protected records: Finished, tickets, first exchange, close_notify, without keys
* `fingerprint_kernels`  JA3, JA3S, JA4 from a hello
* `digest_kernels`       MD5 and SHA-256 over text, and the table of distinct bytes met before
* `certificate_kernels`  Certificate messages -> distinct certificates
* `certificates`, `der`  X.509, once per distinct certificate; the lenient reader for those that a strict one refuses
* `datagram_kernels`     DTLS: datagrams -> TLS_MESSAGE rows
* `row_kernels`          pieces of framing: rows, and blocks for what comes in pieces
* `keylog`, `key_kernels` key logs to a table of secrets
* `schedule`             secrets to keys
* `protection`           records of one direction and epoch, opened
* `session`              where a connection that is being opened stands
* `opener`               protected records to what is in them
* `certificate_compression` CompressedCertificate to Certificate
* `chains`               certificates beside each other: signatures, order, names, trust
* `dissector`            the class that owns the tables and calls the kernels
"""

from __future__ import annotations

from analyzer.messages.tls.certificates import Certificate
from analyzer.messages.tls.chains import ChainChecks, read_trust_store
from analyzer.messages.tls.dissector import Taken, Tls
from analyzer.messages.tls.opener import describe_opening

__all__ = ["Certificate", "ChainChecks", "Taken", "Tls", "describe_opening", "read_trust_store"]
