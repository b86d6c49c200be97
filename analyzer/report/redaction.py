"""A report that can be given away: addresses masked with their prefixes kept, names as keyed hashes, everything still joins.

The same key gives the same masks in every table and every report, another key (or none: then it is random) gives others. What is kept as
it is has a list here (PUBLIC): words of registries and of ours, which say nothing about who. A column that is in no list is hashed.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from analyzer.capture.facts import CaptureFacts
from analyzer.report.built import Built, ListColumn, NumberColumn, TextColumn, Texts
from analyzer.report.columns import Sheet
from analyzer.report.crypto_pan import KEY_BYTES, AddressMap
from analyzer.report.heads import HEADS
from analyzer.report.text import words

PUBLIC: Final = frozenset(
    """
    transport proto service outer_service host_source state history source closed_by close reset_differs vantage bounds proxy icmp_error
    version offered_version response_version cipher_suite key_exchange authentication encryption mac prf_hash group alpn alpn_offered ja3
    ja3s ja4 alert alert_level alert_sender last_alert resumed_by extensions_offered extensions_answered encrypted_extensions groups_offered
    shares_offered psk_modes certificate_compressions retry_group signature_scheme method content_encoding upgrade request_content_type
    response_content_type request_media_type response_media_type tunnel findings step basis sender silence_cause decided_by given_up_because
    data_of kind phase type class opcode outcome rcode answer_types extended_error qclass_name qtype_name rcode_name opcode_name
    key_algorithm key_type key_curve key_exponent signature_algorithm key_usage extended_key_usage severity rule meaning detail amount_unit
    advice explanation unit affects error reset_by reset_code grpc_status client_goaway server_goaway staple_status critical_path waited_for
    protocol race_result client first_alpn first_version offered_versions close_kind close_sender close_error spin_bit race_winner
    learned_from redirect_path
    """.split()  # noqa: SIM905 - words read best one after the other
)
"""Columns that say nothing about who, by their names without ``dns_``, ``tcp_``, ``tls_`` or ``http_``; so does every ``_basis``."""

_METHODS: Final = {
    "address": ("originator_ip", "responder_ip", "client_ip", "server_ip", "dns_server_ip", "addresses"),
    "host": (
        "host", "name", "dns_name", "dns_cnames", "dns_other_names", "query", "sni", "tls_sni", "names", "certificate_names",
        "tls_certificate_names", "common_name",
    ),
    "url": ("url", "cause_url", "http_url", "target", "referrer", "origin", "location", "uris", "ocsp_urls", "issuer_urls", "subject"),
    "answer": ("answers",),
    "distinguished": (
        "certificate_subject", "certificate_issuer", "tls_certificate_subject", "tls_certificate_issuer", "issuer",
    ),
    "mail": ("emails",),
    "digest": (
        "sha256", "sha1", "serial", "subject_key_id", "authority_key_id", "certificate_sha256", "tls_certificate_sha256", "server_chain",
        "client_chain",
    ),
    "uid": ("uid",),
    "community_id": ("community_id",),
}  # fmt: skip
METHOD_OF: Final = {column: method for method, columns in _METHODS.items() for column in columns}
_OF_TABLE: Final = {
    (HEADS, "request"): "nothing",
    (HEADS, "response"): "nothing",
    ("certificates", "subject"): "distinguished",
    ("capture", "name"): "",
    ("capture", "group"): "",
}
_PREFIXES: Final = ("dns_", "tcp_", "tls_", "http_")
_ABOUT_FILES: Final = frozenset({"format", "compression", "link_types"})  # rows of ``capture`` whose value is a word that may stay
# last labels that stay: they name no one
_TOP: Final = frozenset("arpa com edu example gov info int invalid local localhost mil net org test".split())  # noqa: SIM905
_LABEL: Final = re.compile(r"[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*\.?")
_REVERSED4: Final = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\.in-addr\.arpa\.?", re.IGNORECASE)
_REVERSED6: Final = re.compile(r"((?:[0-9a-f]\.){31}[0-9a-f])\.ip6\.arpa\.?", re.IGNORECASE)
_REMEMBERED: Final = 500_000  # masks of texts that are kept


def method_of(table: str, column: str) -> str:
    """How a column of text is masked: the name of a method of Redactor, "" = not at all, "nothing" = it is left out."""
    if (table, column) in _OF_TABLE:
        return _OF_TABLE[table, column]
    if column in METHOD_OF:
        return METHOD_OF[column]
    bare = column
    for prefix in _PREFIXES:
        bare = bare.removeprefix(prefix)
    return "" if bare in PUBLIC or column in PUBLIC or column.endswith("_basis") else "token"


class Redactor:
    """Masks tables; ``key``: any bytes, random when there are none."""

    def __init__(self, key: bytes = b"") -> None:
        wide = hashlib.blake2b(key or secrets.token_bytes(64), digest_size=64, person=b"redaction").digest()
        self._addresses = AddressMap(wide[:KEY_BYTES])
        self._key = wide[KEY_BYTES:]
        self._known: dict[tuple[str, str], str] = {}

    # ---- tables

    def apply(self, tables: Mapping[str, Sheet]) -> dict[str, Sheet]:
        """The tables of one flush with everything masked that says who."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        done: dict[tuple[int, str], Texts] = {}
        return {name: self._sheet(name, Sheet.of(sheet), done) for name, sheet in tables.items()}

    def _sheet(self, table: str, sheet: Sheet, done: dict[tuple[int, str], Texts]) -> Sheet:
        columns: list[Built] = []
        for name, column in zip(sheet.schema.names, sheet.columns, strict=True):
            is_fact = table == "capture" and name in ("value", "file")
            method = "" if is_fact or _without_text(column) else method_of(table, name)
            columns.append(self._column(column, method, done) if method else column)
        masked = Sheet(sheet.schema, columns, sheet.num_rows)
        return self._facts(masked) if table == "capture" else masked

    def _column(self, column: Built, method: str, done: dict[tuple[int, str], Texts]) -> Built:
        if isinstance(column, ListColumn):
            children = self._column(column.children, method, done)
            return ListColumn(children, column.ends, column.places) if not isinstance(children, ListColumn) else column
        if not isinstance(column, TextColumn):
            return column
        if method == "nothing":
            return TextColumn(column.texts, np.full(len(column), -1, np.int64))
        known = (id(column.texts), method)
        if known not in done:
            done[known] = words(self.mask(method, column.texts.arrow.to_pylist())).texts
        return TextColumn(done[known], column.places)

    def _facts(self, sheet: Sheet) -> Sheet:
        """The table ``capture``: names of files, and what was told about the machine that recorded them."""
        rows = [{name: value or "" for name, value in row.items()} for row in sheet.to_pylist()]
        for row in rows:
            file = row["file"]
            row["file"] = self.file_name(file)
            if row["group"] == "note":
                row["value"] = row["value"].replace(file, row["file"]) if file else ""
            elif row["group"] == "file" and row["name"] not in _ABOUT_FILES and not re.fullmatch(r"-?[0-9.]+", row["value"]):
                row["value"] = self.mask("token", [row["value"]])[0]
        return Sheet(sheet.schema, [words([row[name] or None for row in rows]) for name in sheet.schema.names], len(rows))

    def file_name(self, name: str) -> str:
        """The name of a capture, masked; nothing stays nothing."""
        return f"capture-{self._hash('file', name)}" if name else ""

    def facts(self, facts: CaptureFacts) -> CaptureFacts:
        """What is known of a file, for the summary."""
        name = self.file_name(facts.name)
        return replace(facts, path=name, name=name, notes=[note.replace(facts.name, name) for note in facts.notes])

    # ---- texts

    def mask(self, method: str, values: Sequence[str]) -> list[str]:
        """Texts masked by one of the methods below; an empty one stays empty."""
        if method in ("address", "host", "url", "answer"):
            self._learn_addresses(values)
        by_name: dict[str, Callable[[str], str]] = {
            "address": self.address,
            "host": self.host,
            "url": self.url,
            "answer": self.answer,
            "distinguished": self.distinguished,
            "mail": self.mail,
            "digest": self.digest,
            "uid": lambda text: "C" + self._hash("uid", text, 17),
            "community_id": lambda text: "1:" + self._hash("community", text, 27),
            "token": partial(self._hash, "token"),
        }
        function, told = by_name[method], []
        for value in values:
            found = self._known.get((method, value))
            if found is None:
                found = self._known[method, value] = function(value) if value else ""
            told.append(found)
        return told

    def _learn_addresses(self, values: Sequence[str]) -> None:
        """Mask all addresses among these texts together, which is much faster than one by one."""
        fresh: dict[int, dict[bytes, None]] = {4: {}, 16: {}}
        for value in values:
            packed = _packed(value)
            if packed is not None and ("address", value) not in self._known:
                fresh[len(packed)][packed] = None
        for size, found in fresh.items():
            for plain, masked in zip(found, self._addresses.mask(list(found)), strict=True):
                kind = ipaddress.IPv4Address if size == 4 else ipaddress.IPv6Address
                self._known["address", str(kind(plain))] = str(kind(masked))

    def address(self, text: str) -> str:
        """An IP address with its prefix kept; what stands after ``::ffff:`` as that of IPv4. Anything else is hashed."""
        packed = _packed(text)
        if packed is None:
            mapped = text.lower().removeprefix("::ffff:")
            return f"::ffff:{self.address(mapped)}" if mapped != text.lower() and _packed(mapped) else self._hash("token", text)
        return str(ipaddress.ip_address(self._addresses.mask([packed])[0]))

    def host(self, text: str) -> str:
        """A host name, label by label, so that names below the same domain still are; or an address; a port stays."""
        if _packed(text) is not None:
            return self.mask("address", [text])[0]
        bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](:\d+)?", text)
        if bracketed:
            return f"[{self.address(bracketed[1])}]{bracketed[2] or ''}"
        name, colon, port = text.rpartition(":")
        if colon and port.isdigit():
            return f"{self.host(name)}:{port}" if name else self._hash("token", text)
        if _REVERSED4.fullmatch(text) or _REVERSED6.fullmatch(text):
            return self._reversed(text)
        if not _LABEL.fullmatch(text):
            return self._hash("token", text)
        labels = text.lower().rstrip(".").split(".")
        told = [self._label(".".join(labels[k:])) for k in range(len(labels))]
        return ".".join(told) + ("." if text.endswith(".") else "")

    def _label(self, name: str) -> str:
        """The first label of a name, by all of the name."""
        label, dot, _ = name.partition(".")
        is_kept = label == "*" or label.startswith("_") or (not dot and (label in _TOP or len(label) == 2))
        return label if is_kept else "n" + self._hash("label", name)

    def _reversed(self, text: str) -> str:
        """A name of the reverse tree with its address masked."""
        dot = "." if text.endswith(".") else ""
        found = _REVERSED4.fullmatch(text)
        if found:
            address = self.address(".".join(reversed(found[1].split("."))))
            return ".".join(reversed(address.split("."))) + ".in-addr.arpa" + dot
        nibbles = "".join(reversed(text.lower().split(".")[:32]))
        masked = self._addresses.mask([bytes.fromhex(nibbles)])[0].hex()
        return ".".join(reversed(masked)) + ".ip6.arpa" + dot

    def url(self, text: str) -> str:
        """A URL, a request target or a name: the host as names are, path and query as one hash each."""
        found = re.fullmatch(r"(?:([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#]*@)?([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", text, re.DOTALL)
        if found is None:
            return self._hash("token", text)
        scheme, authority, path, query = found[1], found[2], found[3], found[4]
        if scheme is None and not path.startswith("/"):
            return text if text == "*" else self.host(text)
        told = f"{scheme}://{self.host(authority) if authority else ''}" if scheme else ""
        told += "/" + self._hash("path", path) if len(path) > 1 else path
        return told + ("?" + self._hash("query", query) if query else "")

    def answer(self, text: str) -> str:
        """The data of a DNS record: addresses and names in it masked, numbers kept, the rest hashed."""
        return " ".join(word if word.isdigit() or not word else self.host(word) for word in text.split(" "))

    def distinguished(self, text: str) -> str:
        """A distinguished name (RFC 4514): the types stay."""
        told = []
        for part in re.split(r"(?<!\\)([,+])", text):
            kind, equals, value = part.partition("=")
            is_host = _LABEL.fullmatch(value) is not None and "." in value
            told.append(f"{kind}={self.host(value) if is_host else self._hash('token', value)}" if equals else part)
        return "".join(told)

    def mail(self, text: str) -> str:
        """An address of mail."""
        local, at, domain = text.rpartition("@")
        return f"{self._hash('token', local)}@{self.host(domain)}" if at else self._hash("token", text)

    def digest(self, text: str) -> str:
        """A hash of as many hexadecimal digits."""
        wide = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=64, person=b"digest").hexdigest()
        return wide[: len(text)].upper() if text.isupper() else wide[: len(text)]

    def _hash(self, kind: str, text: str, letters: int = 10) -> str:
        """So many letters and digits (5 bits each) that depend on the key and the text."""
        content = text.encode("utf-8", "surrogatepass")
        wide = hashlib.blake2b(content, key=self._key, digest_size=20, person=kind.encode()).digest()
        return base64.b32encode(wide).decode().lower()[:letters]


def _packed(text: str) -> bytes | None:
    """The bytes of an IP address; None when it is none, or an IPv4 address in IPv6."""
    if not text or text[-1] not in "0123456789abcdefABCDEF:" or len(text) > 45:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id) else address.packed


def _without_text(column: Built) -> bool:
    return isinstance(column, NumberColumn) or (isinstance(column, ListColumn) and isinstance(column.children, NumberColumn))
