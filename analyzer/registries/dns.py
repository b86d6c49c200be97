"""DNS numbers and their names: RR types, classes, opcodes, response codes, EDNS options, extended errors, SvcParam keys.

Source: IANA registry "Domain Name System (DNS) Parameters" and "DNS Service Bindings (SVCB)", state of 2026-11. Unknown
numbers keep their value: `TYPE65280` and `CLASS42` as RFC 3597 has it, `key42` as RFC 9460 has it, `OPCODE7`, `RCODE12`,
`OPTION42`, `EDE99`.

Zeek spells some of them its own way in dns.log (its script dns/consts.zeek, 2026). The `zeek_*` functions give that
spelling for Zeek output; nothing else should use them.
"""

from __future__ import annotations

from typing import Final

from analyzer.registries.listing import numbered

_TYPES_1_TO_53: Final = numbered(
    """
A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP NSAP-PTR SIG KEY PX GPOS AAAA LOC
NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM
TLSA SMIMEA
""",
    first=1,
)

RR_TYPES: Final[dict[int, str]] = {
    **_TYPES_1_TO_53,
    55: "HIP",
    56: "NINFO",
    57: "RKEY",
    58: "TALINK",
    59: "CDS",
    60: "CDNSKEY",
    61: "OPENPGPKEY",
    62: "CSYNC",
    63: "ZONEMD",
    64: "SVCB",
    65: "HTTPS",
    66: "DSYNC",
    67: "HHIT",
    68: "BRID",
    99: "SPF",
    100: "UINFO",
    101: "UID",
    102: "GID",
    103: "UNSPEC",
    104: "NID",
    105: "L32",
    106: "L64",
    107: "LP",
    108: "EUI48",
    109: "EUI64",
    128: "NXNAME",
    249: "TKEY",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    253: "MAILB",
    254: "MAILA",
    255: "ANY",
    256: "URI",
    257: "CAA",
    258: "AVC",
    259: "DOA",
    260: "AMTRELAY",
    261: "RESINFO",
    262: "WALLET",
    263: "CLA",
    264: "IPN",
    32768: "TA",
    32769: "DLV",
}
"""RR type to name. 255 is written `*` in the registry and `ANY` by everyone (RFC 8482)."""

CLASSES: Final[dict[int, str]] = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
"""Class to mnemonic (RFC 1035, 3.2.4; RFC 2136; RFC 6895, 3.2)."""

OPCODES: Final[dict[int, str]] = {0: "Query", 1: "IQuery", 2: "Status", 4: "Notify", 5: "Update", 6: "DSO"}
"""Opcode to name (RFC 6895, 2.2; RFC 8490)."""

RCODES: Final[dict[int, str]] = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSET",
    9: "NOTAUTH",
    10: "NOTZONE",
    11: "DSOTYPENI",
    16: "BADVERS",
    17: "BADKEY",
    18: "BADTIME",
    19: "BADMODE",
    20: "BADNAME",
    21: "BADALG",
    22: "BADTRUNC",
    23: "BADCOOKIE",
}
"""Response code, extended by EDNS to 12 bits, to mnemonic in capitals (RFC 6895, 2.3). 16 is BADSIG inside TSIG."""

EDNS_OPTIONS: Final[dict[int, str]] = {
    1: "LLQ",
    2: "Update Lease",
    3: "NSID",
    4: "Owner",
    5: "DAU",
    6: "DHU",
    7: "N3U",
    8: "edns-client-subnet",
    9: "EDNS EXPIRE",
    10: "COOKIE",
    11: "edns-tcp-keepalive",
    12: "Padding",
    13: "CHAIN",
    14: "edns-key-tag",
    15: "Extended DNS Error",
    16: "EDNS-Client-Tag",
    17: "EDNS-Server-Tag",
    18: "Report-Channel",
    19: "ZONEVERSION",
    20: "MQTYPE-Query",
    21: "MQTYPE-Response",
    20292: "Umbrella Ident",
    26946: "DeviceID",
}
"""EDNS(0) option code to name (RFC 6891, 9)."""

EXTENDED_ERRORS: Final[dict[int, str]] = dict(
    enumerate(
        (
            "Other Error",
            "Unsupported DNSKEY Algorithm",
            "Unsupported DS Digest Type",
            "Stale Answer",
            "Forged Answer",
            "DNSSEC Indeterminate",
            "DNSSEC Bogus",
            "Signature Expired",
            "Signature Not Yet Valid",
            "DNSKEY Missing",
            "RRSIGs Missing",
            "No Zone Key Bit Set",
            "NSEC Missing",
            "Cached Error",
            "Not Ready",
            "Blocked",
            "Censored",
            "Filtered",
            "Prohibited",
            "Stale NXDOMAIN Answer",
            "Not Authoritative",
            "Not Supported",
            "No Reachable Authority",
            "Network Error",
            "Invalid Data",
            "Signature Expired before Valid",
            "Too Early",
            "Unsupported NSEC3 Iterations Value",
            "Unable to conform to policy",
            "Synthesized",
            "Invalid Query Type",
            "Rate Limited",
            "Over Quota",
        )
    )
)
"""Extended DNS Error info-code to its purpose (RFC 8914, 4 and later registrations)."""

SVC_PARAM_KEYS: Final[dict[int, str]] = {
    0: "mandatory",
    1: "alpn",
    2: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
    7: "dohpath",
    8: "ohttp",
    9: "tls-supported-groups",
    10: "docpath",
}
"""SvcParamKey of SVCB and HTTPS records to name (RFC 9460, 14.3)."""


def rr_type_name(code: int) -> str:
    """Name of an RR type or QTYPE; `TYPE123` when unassigned (RFC 3597, 5)."""
    return RR_TYPES.get(code) or f"TYPE{code}"


def class_name(code: int) -> str:
    """Name of a class or QCLASS; `CLASS123` when unassigned (RFC 3597, 5). The mDNS top bit is not taken off."""
    return CLASSES.get(code) or f"CLASS{code}"


def opcode_name(code: int) -> str:
    """Name of an opcode (4 bits); `OPCODE3` when unassigned."""
    return OPCODES.get(code) or f"OPCODE{code}"


def rcode_name(code: int, *, tsig: bool = False) -> str:
    """Name of a full (12 bit) response code; `RCODE12` when unassigned. With `tsig`, 16 is BADSIG (RFC 8945, 3)."""
    if tsig and code == 16:
        return "BADSIG"
    return RCODES.get(code) or f"RCODE{code}"


def extended_rcode(header_rcode: int, opt_ttl: int) -> int:
    """The 12-bit response code: 4 bits of the header below the top 8 bits of the OPT record's TTL (RFC 6891, 6.1.3)."""
    return (opt_ttl >> 24 & 0xFF) << 4 | header_rcode & 0x0F


def edns_option_name(code: int) -> str:
    """Name of an EDNS option; `OPTION42` when unassigned."""
    return EDNS_OPTIONS.get(code) or f"OPTION{code}"


def extended_error_name(code: int) -> str:
    """Purpose of an Extended DNS Error info-code (RFC 8914); `EDE99` when unassigned."""
    return EXTENDED_ERRORS.get(code) or f"EDE{code}"


def svc_param_key_name(code: int) -> str:
    """Presentation name of a SvcParamKey; `key42` when unassigned (RFC 9460, 2.1)."""
    return SVC_PARAM_KEYS.get(code) or f"key{code}"


# --- Zeek's spellings, for dns.log only ---------------------------------------------------------------------------

# Zeek knows these beside or instead of the IANA names ...
_ZEEK_TYPES: Final[dict[int, str]] = {255: "*", 65281: "WINS", 65282: "WINS-R", 65422: "XPF", 65521: "INTEGRITY"}
# ... and does not know these.
_NO_ZEEK_TYPES: Final = frozenset({66, 67, 68, 128, 258, 259, 260, 261, 262, 263, 264})
_ZEEK_RCODES: Final[dict[int, str]] = {8: "NXRRSet", **{code: f"unassigned-{code}" for code in range(11, 16)}, 3842: "BADSIG"}
_ZEEK_CLASSES: Final[dict[int, str]] = {
    1: "C_INTERNET",
    2: "C_CSNET",
    3: "C_CHAOS",
    4: "C_HESIOD",
    254: "C_NONE",
    255: "C_ANY",
}
_ZEEK_OPCODES: Final[dict[int, str]] = {
    0: "query",
    1: "iquery",
    2: "server-status",
    4: "notify",
    5: "dynamic-update",
    6: "dso",
}
_ZEEK_NETBIOS_OPCODES: Final[dict[int, str]] = {
    0: "netbios-query",
    5: "netbios-registration",
    6: "netbios-release",
    7: "netbios-wack",
    8: "netbios-refresh",
}


def zeek_rr_type_name(code: int) -> str:
    """Zeek's `qtype_name`: as IANA, but `*` for 255 and `query-123` for what Zeek does not know."""
    if code in _ZEEK_TYPES:
        return _ZEEK_TYPES[code]
    name = None if code in _NO_ZEEK_TYPES else RR_TYPES.get(code)
    return name or f"query-{code}"


def zeek_class_name(code: int) -> str:
    """Zeek's `qclass_name`: `C_INTERNET`, `qclass-32769`."""
    return _ZEEK_CLASSES.get(code) or f"qclass-{code}"


def zeek_rcode_name(code: int) -> str:
    """Zeek's `rcode_name`: `NXRRSet`, `unassigned-11`, `rcode-42`."""
    return _ZEEK_RCODES.get(code) or RCODES.get(code) or f"rcode-{code}"


def zeek_opcode_name(code: int, *, netbios: bool = False) -> str:
    """Zeek's `opcode_name`; NetBIOS name service (UDP port 137, RFC 1002, 4.2.1.1) has its own set."""
    if netbios:
        return _ZEEK_NETBIOS_OPCODES.get(code) or f"netbios-opcode-{code}"
    return _ZEEK_OPCODES.get(code) or f"opcode-{code}"


def zeek_svc_param_key_name(code: int) -> str:
    """Zeek's SvcParam key: names up to 6 (ipv6hint), then `key-7`."""
    return SVC_PARAM_KEYS[code] if 0 <= code <= 6 else f"key-{code}"
