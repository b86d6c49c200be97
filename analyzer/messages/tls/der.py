"""A lenient reader of X.509 (RFC 5280 4.1) for certificates that a strict one refuses: servers send them, clients accept them.

It reads only what the report shows, front to back; the first thing that does not fit ends it, and what was read before stays.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

INTEGER, OID, UTF8_STRING, UTC_TIME, BMP_STRING = 2, 6, 12, 23, 30
VERSION, EXTENSIONS = 0xA0, 0xA3
CURVES: Final = {"1.2.840.10045.3.1.7": ("prime256v1", 256), "1.3.132.0.34": ("secp384r1", 384), "1.3.132.0.35": ("secp521r1", 521)}


class Item(NamedTuple):
    """One tag with its content."""

    tag: int
    content: bytes


def items(content: bytes) -> Iterator[Item]:
    """The items in ``content`` (X.690 8.1, definite lengths).

    Raises:
        ValueError: a length passes the end.
    """
    at = 0
    while at < len(content):
        header = content[at : at + 2]
        if len(header) < 2:
            raise ValueError("a tag without a length")
        size, at = header[1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(content[at : at + width]), at + width
            if not 1 <= width <= 4:
                raise ValueError("an indefinite or huge length")
        if at + size > len(content):
            raise ValueError("a length past the end")
        yield Item(header[0], content[at : at + size])
        at += size


def dotted(content: bytes) -> str:
    """An object identifier as dotted numbers (X.690 8.19)."""
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        return ""
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def text_of(item: Item) -> str:
    """A character string of any of the kinds in names."""
    encoding = {BMP_STRING: "utf-16-be", UTF8_STRING: "utf-8"}.get(item.tag, "latin-1")
    return item.content.decode(encoding, "replace")


def read_name(content: bytes) -> list[list[tuple[str, str]]]:
    """A distinguished name: per relative name its (attribute identifier, value) pairs, in the order of the certificate."""
    name = []
    for rdn in items(content):
        pairs = []
        for pair in items(rdn.content):
            kind, value = list(items(pair.content))[:2]
            pairs.append((dotted(kind.content), text_of(value)))
        name.append(pairs)
    return name


def read_time(item: Item) -> int:
    """UTCTime or GeneralizedTime (RFC 5280 4.1.2.5) in ns since 1970."""
    digits = item.content.decode("ascii")
    if item.tag == UTC_TIME:
        digits = ("19" if digits >= "50" else "20") + digits
    moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000


def read_key(content: bytes) -> dict[str, Any]:
    """SubjectPublicKeyInfo: algorithm, and the size of RSA and elliptic-curve keys."""
    algorithm, bits = list(items(content))[:2]
    kind, *parameters = items(algorithm.content)
    found: dict[str, Any] = {"key_oid": dotted(kind.content)}
    key = bits.content[1:]
    if found["key_oid"] == "1.2.840.113549.1.1.1":
        modulus, exponent = list(items(next(items(key)).content))[:2]
        found |= {"key_type": "rsa", "key_bits": int.from_bytes(modulus.content).bit_length()}
        found["key_exponent"] = str(int.from_bytes(exponent.content))
    elif found["key_oid"] == "1.2.840.10045.2.1":
        found |= {"key_type": "ecdsa", "key_bits": (len(key) - 1) // 2 * 8}
        if parameters and parameters[0].tag == OID and (curve := CURVES.get(dotted(parameters[0].content))):
            found["key_curve"], found["key_bits"] = curve
    return found


def read_alternative_names(content: bytes) -> dict[str, Any]:
    """SubjectAltName (RFC 5280 4.2.1.6): DNS names, addresses, URIs, mail addresses."""
    found: dict[str, list[str]] = {"dns_names": [], "ip_addresses": [], "uris": [], "emails": []}
    for name in items(next(items(content)).content):
        if name.tag == 0x87 and len(name.content) in (4, 16):
            found["ip_addresses"].append(str(ipaddress.ip_address(name.content)))
        elif kind := {0x81: "emails", 0x82: "dns_names", 0x86: "uris"}.get(name.tag):
            found[kind].append(name.content.decode("latin-1"))
    return {kind: tuple(names) for kind, names in found.items()}


def read_extensions(content: bytes) -> dict[str, Any]:
    """The extensions that matter most: SubjectAltName and BasicConstraints."""
    found: dict[str, Any] = {}
    for extension in items(next(items(content)).content):
        kind, *_, value = items(extension.content)
        if kind.content == b"\x55\x1d\x11":
            found |= read_alternative_names(value.content)
        elif kind.content == b"\x55\x1d\x13":
            parts = list(items(next(items(value.content)).content))
            found["is_ca"] = any(part.tag == 1 and part.content != b"\0" for part in parts)
            lengths = [int.from_bytes(part.content) for part in parts if part.tag == INTEGER]
            found |= {"path_length": lengths[0]} if lengths else {}
    return found


def read_leniently(der: bytes) -> dict[str, Any]:
    """What can be read: version, serial (an int), signature_oid, issuer, not_before, not_after, subject, key and extension parts."""
    found: dict[str, Any] = {}
    try:
        parts = items(next(items(next(items(der)).content)).content)
        part = next(parts)
        found["version"] = 1
        if part.tag == VERSION:
            found["version"] = int.from_bytes(next(items(part.content)).content) + 1
            part = next(parts)
        found["serial"] = int.from_bytes(part.content, signed=True)
        found["signature_oid"] = dotted(next(items(next(parts).content)).content)
        found["issuer"] = read_name(next(parts).content)
        before, after = list(items(next(parts).content))[:2]
        found |= {"not_before": read_time(before), "not_after": read_time(after)}
        found["subject"] = read_name(next(parts).content)
        found |= read_key(next(parts).content)
        for part in parts:
            if part.tag == EXTENSIONS:
                found |= read_extensions(part.content)
    except (ValueError, StopIteration, OverflowError):
        return found  # as far as it can be read: the certificate carries the error that brought it here
    return found
