"""DNS that hides: which connections carry DNS over TLS, HTTPS or QUIC.

DNS over TLS and over QUIC have a port (853: RFC 7858 3.1, RFC 9250 4.1.1) and names in ALPN (``dot``, ``doq``). DNS over HTTPS (RFC 8484)
looks like any HTTPS: it is told by the media type of its messages where they can be read, else by the name of a public resolver.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.lifecycle.finished import Finished
from analyzer.registries.resolvers import DOH_HOSTS
from analyzer.report.built import Built, Mask, is_true
from analyzer.report.columns import Sheet
from analyzer.report.text import constant, words
from analyzer.tables import Ints
from analyzer.tables.services import DNS, QUIC

ENCRYPTED: Final = ("dot", "doh", "doq")
NOT_DNS, DOT, DOH, DOQ = -1, 0, 1, 2
PORT = 853
MEDIA_TYPE = "application/dns-message"


def find_encrypted(finished: Finished, is_tls: Mask, ports: Ints, tls: dict[str, Built], http: Sheet) -> Ints:
    """Place in ENCRYPTED of each connection, NOT_DNS for others; ``ports`` are those of the responders."""
    alpn = pc.coalesce(tls["tls_alpn"].arrow(), tls["tls_alpn_offered"].arrow())
    is_quic = finished.services["protocol"] == QUIC
    is_dot = is_tls & ((ports == PORT) | is_true(pc.equal(alpn, constant("dot"))) | (finished.services["inner"] == DNS))
    is_doq = (is_quic & (ports == PORT)) | is_true(pc.starts_with(alpn, "doq"))
    is_doh = (is_tls | is_quic) & is_true(pc.is_in(tls["tls_sni"].arrow(), value_set=_hosts()))
    order = finished.exchange_order  # of the first rows of ``http``: those that were read
    if len(order):
        for name in ("request_content_type", "response_content_type"):
            is_doh[order[is_true(pc.starts_with(http.column(name).slice(0, len(order)), MEDIA_TYPE))]] = True
    return np.select([is_doq, is_dot, is_doh], [DOQ, DOT, DOH], NOT_DNS)


def _hosts() -> pa.Array:
    return words(DOH_HOSTS).arrow()
