"""The services of the report by the names of Zeek's conn.log."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.text import constant, words

SERVICES: Final = {
    "dns": "dns", "http": "http", "https": "ssl", "tls": "ssl", "dot": "ssl", "doh": "ssl", "smtp": "smtp",
    "ftp": "ftp", "pop3": "pop3", "imap": "imap",
    "xmpp": "xmpp", "irc": "irc", "ldap": "ldap_tcp", "postgresql": "postgresql", "mysql": "mysql", "rdp": "rdp", "socks": "socks",
    "ssh": "ssh", "rfb": "rfb", "mqtt": "mqtt", "smb": "smb", "dce_rpc": "dce_rpc", "kerberos": "krb_tcp", "modbus": "modbus",
    "dnp3": "dnp3_tcp", "sip": "sip", "dhcp": "dhcp", "ntp": "ntp", "snmp": "snmp", "radius": "radius", "syslog": "syslog",
    "dtls": "dtls", "gtp": "gtpv1", "vxlan": "vxlan", "geneve": "geneve", "teredo": "teredo", "ayiya": "ayiya",
}  # fmt: skip
"""Service of the report -> Zeek's; those that Zeek has no name for have none there."""
_OVER_UDP: Final = {"krb_tcp": "krb", "dnp3_tcp": "dnp3_udp", "ldap_tcp": "ldap_udp"}


WEBSOCKET: Final = "is_websocket"
"""A column beside those of ``connections``: the connection went on as a WebSocket."""


def zeek_service(batch: pa.RecordBatch) -> pa.Array:
    """Zeek's service: the outer protocol first."""
    inner = _zeek_name(batch, "service")
    is_udp = pc.equal(batch.column("transport"), constant("udp"))
    for mine, other in _OVER_UDP.items():
        inner = pc.if_else(pc.and_(is_udp, pc.equal(inner, constant(mine))), constant(other), inner)
    is_quic = pc.and_(pc.equal(batch.column("service"), constant("quic")), batch.column("tls_ja4").is_valid())
    inner = pc.coalesce(pc.if_else(is_quic, constant("quic,ssl"), inner), inner)  # Zeek says so once it has opened the Initials
    outer = _zeek_name(batch, "outer_service")
    both = pc.binary_join_element_wise(outer, inner, constant(","))
    told = pc.coalesce(both, outer, inner)
    return pc.if_else(batch.column(WEBSOCKET), pc.binary_join_element_wise(told, constant("websocket"), constant(",")), told)


def _zeek_name(batch: pa.RecordBatch, column: str) -> pa.Array:
    places = pc.index_in(batch.column(column), value_set=words(list(SERVICES)).arrow())
    return words(list(SERVICES.values())).arrow().take(places)
