# mypy: allow-untyped-defs
"""Names of protocols that are not dissected, by the first bytes of an end of a stream or by a datagram.

A port alone never names a protocol; where the bytes say little (numbers in a fixed layout) the port must fit as well.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be24, be32, helper, le16, u8
from analyzer.messages.quic.probe_kernels import looks_like_quic
from analyzer.tables.services import (
    DCE_RPC,
    DHCP,
    DNP3,
    DTLS,
    FTP,
    GENEVE,
    GTP,
    IMAP,
    IRC,
    KERBEROS,
    LDAP,
    MODBUS,
    MQTT,
    MYSQL,
    NTP,
    POP3,
    POSTGRESQL,
    QUIC,
    RADIUS,
    RDP,
    RFB,
    SIP,
    SMB,
    SMTP,
    SNMP,
    SOCKS,
    SSH,
    STUN,
    SYSLOG,
    VXLAN,
    XMPP,
)

# what an end begins with, of either side, and the protocol that means; capitals in any case
_GREETINGS = (
    (b"SSH-", SSH), (b"RFB 00", RFB), (b"+OK ", POP3), (b"* OK", IMAP), (b"* PREAUTH", IMAP), (b"EHLO ", SMTP), (b"HELO ", SMTP),
    (b"NICK ", IRC), (b"STARTTLS\r\n", IRC), (b"CAP LS", IRC), (b"NOTICE AUTH", IRC),
    (b"<stream:stream", XMPP), (b"<?xml version='1.0'?><stream:", XMPP),
    (b"<?xml version='1.0'?>\n<stream:", XMPP), (b'<?xml version="1.0"?><stream:', XMPP), (b"INVITE sip:", SIP), (b"REGISTER sip:", SIP),
    (b"OPTIONS sip:", SIP), (b"SIP/2.0 ", SIP), (b"\0\0\0\x08\x04\xd2\x16\x2f", POSTGRESQL),
)  # fmt: skip
_TEXT = np.frombuffer(b"".join(text for text, _ in _GREETINGS), np.uint8)
_ENDS = np.cumsum([0] + [len(text) for text, _ in _GREETINGS]).astype(np.int64)
_CODES = np.array([code for _, code in _GREETINGS], np.int64)
_SMTP_WORD = np.frombuffer(b"smtp", np.uint8)
_FTP_WORD = np.frombuffer(b"ftp", np.uint8)


@helper
def lower(byte):
    """A letter in lower case."""
    return byte + 32 if 65 <= byte <= 90 else byte


@helper
def find_greeting(data, at, end):
    """The protocol whose greeting these bytes are, 0 = none, -1 = they end inside one."""
    pending = np.int64(0)
    for k in range(_CODES.size):
        i = _ENDS[k]
        p = at
        while i < _ENDS[k + 1] and p < end and lower(np.int64(data[p])) == lower(np.int64(_TEXT[i])):
            i += 1
            p += 1
        if i == _ENDS[k + 1]:
            return _CODES[k]
        if p == end:
            pending = np.int64(-1)
    return pending


@helper
def has_word(data, at, end, word):
    """Whether a word (lower case) stands in a line, in any case."""
    while at + word.size <= end and data[at] != 10:
        i = 0
        while i < word.size and lower(np.int64(data[at + i])) == word[i]:
            i += 1
        if i == word.size:
            return True
        at += 1
    return False


@helper
def name_line(data, at, end, a_port, b_port):
    """SMTP or FTP by the ``220`` line of the server (RFC 5321 4.2, RFC 959 5.4): by its words, else by the port."""
    if (a_port == 21 or b_port == 21) and be32(data, at, end) == 0x55534552:  # USER
        return np.int64(FTP)
    if u8(data, at, end) != 50 or u8(data, at + 1, end) != 50 or u8(data, at + 2, end) != 48:
        return np.int64(0)
    if u8(data, at + 3, end) != 32 and u8(data, at + 3, end) != 45:
        return np.int64(0)
    if has_word(data, at, end, _SMTP_WORD):
        return np.int64(SMTP)
    if a_port == 21 or b_port == 21 or has_word(data, at, end, _FTP_WORD):
        return np.int64(FTP)
    is_mail = a_port in (25, 465, 587, 2525) or b_port in (25, 465, 587, 2525)
    return np.int64(SMTP) if is_mail else np.int64(0)


@helper
def is_socks(data, at, end):
    """A client's greeting of SOCKS 5 (RFC 1928 3) or its request in SOCKS 4: exactly these bytes and no more."""
    version, count = u8(data, at, end), u8(data, at + 1, end)
    if version == 5:
        return count >= 1 and end - at == 2 + count and u8(data, at + 2, end) <= 2
    return version == 4 and 1 <= count <= 2 and end - at >= 9 and data[end - 1] == 0 and end - at <= 512


@helper
def name_binary(data, at, end, a_port, b_port):
    """The protocol whose fixed layout these bytes have, 0 = none."""
    first, n = u8(data, at, end), end - at
    if first == 3 and u8(data, at + 1, end) == 0 and be16(data, at + 2, end) == n and u8(data, at + 5, end) in (0xE0, 0xD0):
        return np.int64(RDP)  # TPKT (RFC 1006 6) with a connection request or confirm of X.224
    if first == 0 and n >= 8 and be24(data, at + 5, end) == 0x534D42 and u8(data, at + 4, end) in (0xFE, 0xFF):
        return np.int64(SMB)
    if first == 5 and u8(data, at + 1, end) <= 1 and n >= 16 and u8(data, at + 2, end) in (0, 2, 11, 12):
        if be32(data, at + 4, end) == 0x10000000 and le16(data, at + 8, end) <= 0x2000:
            return np.int64(DCE_RPC)
    if first == 0x10 and n >= 8 and be24(data, at + 4, end) in (0x4D5154, 0x4D5149):
        return np.int64(MQTT)
    if n >= 6 and u8(data, at + 3, end) == 0 and u8(data, at + 4, end) == 10 and 48 <= u8(data, at + 5, end) <= 57:
        return np.int64(MYSQL)  # the server's handshake, protocol version 10, then its version as text
    if be32(data, at + 4, end) == 0x00030000 and be32(data, at, end) == n:
        return np.int64(POSTGRESQL)
    if first == 0x30 and (a_port in (389, 3268) or b_port in (389, 3268)):
        return np.int64(LDAP)
    if (a_port == 88 or b_port == 88) and be32(data, at, end) == n - 4 and 0x60 <= u8(data, at + 4, end) <= 0x7F:
        return np.int64(KERBEROS)
    if (a_port == 502 or b_port == 502) and be16(data, at + 2, end) == 0 and be16(data, at + 4, end) == n - 6:
        return np.int64(MODBUS)
    if (a_port == 20000 or b_port == 20000) and be16(data, at, end) == 0x0564:
        return np.int64(DNP3)
    return np.int64(SOCKS) if is_socks(data, at, end) else np.int64(0)


@helper
def name_stream(data, at, end, a_port, b_port):
    """The protocol that the first bytes of an end of a stream name, 0 = none, -1 = too few to say."""
    found = find_greeting(data, at, end)
    if found > 0:
        return found
    line = name_line(data, at, end, a_port, b_port)
    if line > 0:
        return line
    binary = name_binary(data, at, end, a_port, b_port)
    if binary > 0:
        return binary
    return found


@helper
def is_port(port, a_port, b_port):
    """Whether either end has this port."""
    return a_port == port or b_port == port


@helper
def name_datagram(data, at, end, a, b):
    """The protocol of a UDP datagram between the ports ``a`` and ``b``, 0 = none."""
    n, first = end - at, u8(data, at, end)
    if (is_port(67, a, b) or is_port(68, a, b)) and n >= 236 and 1 <= first <= 2 and u8(data, at + 1, end) == 1:
        return np.int64(DHCP)  # RFC 2131 2
    if is_port(123, a, b) and n >= 48 and 1 <= (first >> 3 & 7) <= 4 and first & 7 >= 1:
        return np.int64(NTP)  # RFC 5905 7.3
    if (is_port(161, a, b) or is_port(162, a, b)) and first == 0x30:
        return np.int64(SNMP)
    if (is_port(1812, a, b) or is_port(1813, a, b)) and be16(data, at + 2, end) == n and 1 <= first <= 13:
        return np.int64(RADIUS)  # RFC 2865 3
    if is_port(514, a, b) and first == 60 and 48 <= u8(data, at + 1, end) <= 57:
        return np.int64(SYSLOG)  # RFC 5424 6.2.1
    if is_port(4789, a, b) and n >= 8 and first == 8:
        return np.int64(VXLAN)  # RFC 7348 5
    if is_port(6081, a, b) and n >= 8 and first >> 6 == 0 and be16(data, at + 2, end) in (0x6558, 0x0800, 0x86DD, 0x0806):
        return np.int64(GENEVE)  # RFC 8926 3.4
    if is_port(2152, a, b) and n >= 8 and first >> 5 == 1:
        return np.int64(GTP)
    if 20 <= first <= 25 and (be16(data, at + 1, end) in (0xFEFF, 0xFEFD)) and n >= 13:
        return np.int64(DTLS)  # RFC 6347 4.1
    if looks_like_quic(data, at, end, a, b):
        return np.int64(QUIC)
    if n >= 20 and first < 2 and be32(data, at + 4, end) == 0x2112A442 and be16(data, at + 2, end) == n - 20:
        return np.int64(STUN)  # RFC 8489 5
    if is_port(88, a, b) and 0x6A <= first <= 0x7E and n >= 32:
        return np.int64(KERBEROS)
    if is_port(20000, a, b) and be16(data, at, end) == 0x0564:
        return np.int64(DNP3)
    if is_port(5060, a, b):
        found = find_greeting(data, at, end)
        return found if found == SIP else np.int64(0)
    return np.int64(0)
