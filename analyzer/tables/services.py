"""Rows of protocol recognition (messages/services)."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- SERVICE.protocol: those that are dissected ...
UNDECIDED, TLS, HTTP, DNS, HTTP2, UNKNOWN = 0, 1, 2, 3, 4, 255
LAST_DISSECTED = HTTP2
# ... those that TLS may follow in the same stream, after a command (STARTTLS and its kin), a reply or a proxy's consent ...
SMTP, FTP, POP3, IMAP, XMPP, IRC, LDAP, POSTGRESQL, MYSQL, RDP, SOCKS = range(16, 27)
FIRST_OPENER, LAST_OPENER = SMTP, SOCKS
# ... and those that are only named
SSH, RFB, MQTT, SMB, DCE_RPC, KERBEROS, MODBUS, DNP3, SIP = range(40, 49)
DHCP, NTP, SNMP, RADIUS, SYSLOG, DTLS, QUIC, GTP, VXLAN, GENEVE, STUN, TEREDO, AYIYA, VXLAN_GPE = range(60, 74)

NAMES = {
    SMTP: "smtp", FTP: "ftp", POP3: "pop3", IMAP: "imap", XMPP: "xmpp", IRC: "irc", LDAP: "ldap", POSTGRESQL: "postgresql",
    MYSQL: "mysql", RDP: "rdp", SOCKS: "socks", SSH: "ssh", RFB: "rfb", MQTT: "mqtt", SMB: "smb", DCE_RPC: "dce_rpc",
    KERBEROS: "kerberos", MODBUS: "modbus", DNP3: "dnp3", SIP: "sip", DHCP: "dhcp", NTP: "ntp", SNMP: "snmp", RADIUS: "radius",
    SYSLOG: "syslog", DTLS: "dtls", QUIC: "quic", GTP: "gtp", VXLAN: "vxlan", GENEVE: "geneve", STUN: "stun",
    TEREDO: "teredo", AYIYA: "ayiya", VXLAN_GPE: "vxlan_gpe",
}  # fmt: skip

SERVICE = row_type(
    "SERVICE",
    ("protocol", "u1", "what the connection speaks, see the constants; inside of ``outer`` where that is set"),
    ("outer", "u1", "what it spoke before: HTTP of a tunnel (CONNECT), or the protocol that opened TLS; 0 = nothing"),
    ("inner", "u1", "what was decrypted inside of TLS speaks, 0 = nothing was (filled when the connection leaves)"),
    ("refused", "u1", "bits: 1 the first bytes of end 0 are of no known protocol, 2 those of end 1"),
    ("datagrams", "u1", "datagrams looked at, while undecided"),
    ("first_held", "i4", "first row of HELD plus one, 0 = none"),
    ("last_held", "i4", "last row of HELD plus one, 0 = none"),
)

# Runs too short to tell, kept until more is seen: a RUN whose bytes were copied to the arena, linked in order of capture.
HELD = row_type(
    "HELD",
    ("sender", "u1", "as in RUN"),
    ("marks", "u1", "as in RUN"),
    ("gap", "i8", "as in RUN"),
    ("position", "i8", "its bytes in the arena"),
    ("run_size", "i8", "as in RUN"),
    ("offset", "i8", "as in RUN"),
    ("number", "i8", "as in RUN"),
    ("ts", "i8", "as in RUN"),
    ("following", "i4", "next row of HELD plus one, 0 = last"),
)
