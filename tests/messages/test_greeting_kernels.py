"""Names of protocols by first bytes and by datagrams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.greeting_kernels import name_datagram, name_stream
from analyzer.tables import services as codes
from analyzer.tables.services import NAMES


def stream(content: bytes, port: int = 4711) -> str:
    """Name of the protocol of a stream; empty = none, "more" = too few bytes."""
    code = int(name_stream(np.frombuffer(content + b"!", np.uint8), 0, len(content), 50_000, port))
    return "more" if code < 0 else NAMES.get(code, "")


def datagram(content: bytes, port: int) -> str:
    return NAMES.get(int(name_datagram(np.frombuffer(content + b"!", np.uint8), 0, len(content), 50_000, port)), "")


@pytest.mark.parametrize(
    ("content", "port", "name"),
    [
        (b"SSH-2.0-x\r\n", 4711, "ssh"),
        (b"220 mail ESMTP ready\r\n", 4711, "smtp"),
        (b"220 hello\r\n", 587, "smtp"),
        (b"220-Welcome to the FTP server\r\n", 4711, "ftp"),
        (b"220 hello\r\n", 21, "ftp"),
        (b"220 hello\r\n", 4711, ""),
        (b"USER x\r\n", 21, "ftp"),
        (b"ehlo me\r\n", 4711, "smtp"),
        (b"+OK ready\r\n", 110, "pop3"),
        (b"+OK\r\n", 6379, ""),
        (b"* OK IMAP4\r\n", 143, "imap"),
        (b"RFB 003.008\n", 5900, "rfb"),
        (b"<?xml version='1.0'?><stream:stream to='a'>", 5222, "xmpp"),
        (b"\x05\x01\x00", 1080, "socks"),
        (b"\x05\x02\x00\x02", 1080, "socks"),
        (b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00", 1080, "socks"),
        (b"\x05\x02\x00\x02\x07", 1080, ""),
        (b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", 3389, "rdp"),
        (b"\x00\x00\x00\x55\xffSMB\x72", 445, "smb"),
        (b"\x10\x10\x00\x04MQTT\x05\xc2", 1883, "mqtt"),
        (b"\x4a\x00\x00\x00\x0a8.0.30\x00", 3306, "mysql"),
        (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", 5432, "postgresql"),
        (b"\x05\x64\x05\xc9", 20000, "dnp3"),
        (b"S", 4711, "more"),
        (b"nothing at all", 4711, ""),
    ],
)
def test_streams(content: bytes, port: int, name: str) -> None:
    assert stream(content, port) == name


@pytest.mark.parametrize(
    ("content", "port", "name"),
    [
        (b"\x01\x01\x06\x00" + bytes(240), 67, "dhcp"),
        (b"\x01\x01\x06\x00" + bytes(240), 4711, ""),
        (b"\x23" + bytes(47), 123, "ntp"),
        (b"\x30\x26\x02\x01\x01", 161, "snmp"),
        (b"<34>1 2003", 514, "syslog"),
        (b"\x08" + bytes(60), 4789, "vxlan"),
        (b"\x00\x00\x65\x58" + bytes(60), 6081, "geneve"),
        (b"\x16\xfe\xfd" + bytes(20), 4711, "dtls"),
        (b"\xc3\x00\x00\x00\x01\x00\x00\x00\x44\x00" + bytes(1200), 443, "quic"),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), 3478, "stun"),
        (b"INVITE sip:a@b SIP/2.0\r\n", 5060, "sip"),
        (b"anything", 4711, ""),
        (b"", 53, ""),
    ],
)
def test_datagrams(content: bytes, port: int, name: str) -> None:
    assert datagram(content, port) == name


@settings(max_examples=60)
@given(st.binary(max_size=60), st.sampled_from([21, 25, 53, 67, 88, 123, 161, 389, 443, 502, 5060, 20000]))
def test_nothing_is_read_past_the_end(content: bytes, port: int) -> None:
    stream(content, port)
    datagram(content, port)
    assert min(NAMES) > codes.LAST_DISSECTED
