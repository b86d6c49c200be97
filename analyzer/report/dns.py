"""Table ``dns``: one row per lookup, a question with its answer. Repeated questions and answers are counted in the row they repeat."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.registries.dns import class_name, extended_error_name, opcode_name, rcode_name, rr_type_name
from analyzer.report.built import ListColumn, Mask, TextColumn
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.text import addresses, between, booleans, chosen, codes, counts, ints, lists, named, spans, texts, times
from analyzer.report.zeek_updates import UPDATE, read_updates
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.dns import ERRORS, OUTCOMES

COLUMNS = (
    Column("lookup", "number", "rank of the lookup in the capture"),
    Column("connection", "number", "number of the connection that carried it"),
    Column("uid", "text", "unique id of that connection"),
    Column("client_ip", "text", "address that asked"),
    Column("client_port", "number", "its port"),
    Column("server_ip", "text", "address that was asked"),
    Column("server_port", "number", "its port"),
    Column("transport", "text", "udp or tcp"),
    Column("protocol", "text", "dns, mdns, llmnr, nbns (NetBIOS names), or dot: DNS over TLS, opened with keys"),
    Column("id", "number", "message id"),
    Column("query_time", "time", "first query", "UTC"),
    Column("response_time", "time", "first response", "UTC"),
    Column("rtt_ms", "milliseconds", "from the first query to the response", "ms"),
    Column("last_rtt_ms", "milliseconds", "from the last repetition of the query to the response", "ms"),
    Column("queries", "number", "queries sent, repetitions included"),
    Column("responses", "number", "responses seen"),
    Column(
        "conflicting_responses", "number", "of these, those that say something else than the first", caveat="more than queries: forged?"
    ),
    Column("tcp_after_truncation", "truth", "asked over UDP, truncated there, and asked again over TCP: one lookup"),
    Column("resolution", "number", "lookup that began this resolution: A, AAAA and HTTPS of one name together, after search domains"),
    Column("names_tried", "number", "names that the client tried before in this resolution, none of which existed (search domains)"),
    Column("name", "text", "name asked for, as on the wire", caveat="bytes that are not printable ASCII stand as \\DDD"),
    Column("questions", "number", "questions in the message: only the first is shown"),
    Column("type", "text", "type asked for (IANA)"),
    Column("class", "text", "class asked for (IANA); mDNS: without the bit that asks for a unicast response"),
    Column("opcode", "text", "operation (IANA)"),
    Column("outcome", "text", "what became of it: " + ", ".join(OUTCOMES)),
    Column("rcode", "text", "response code, extended by EDNS (IANA)"),
    Column("answers", "texts", "data of the answer section's records, in the order of the message"),
    Column("answer_types", "texts", "their types"),
    Column("answer_ttls_s", "numbers", "their times to live", "s"),
    Column("changes", "texts", "what a dynamic update asks for: prerequisites (pre), deletions (del) and additions (add)"),
    Column("mixed_case", "truth", "the name asked for has letters of both cases (0x20)"),
    Column("case_changed", "truth", "the response has it in another case", caveat="a sign of forgery where the client mixes cases"),
    Column("authoritative", "truth", "AA of the response"),
    Column("truncated", "truth", "TC of the response, else of the query"),
    Column("recursion_desired", "truth", "whether the client asked for recursion (RD)"),
    Column("recursion_available", "truth", "RA of the response"),
    Column("authentic_data", "truth", "AD of the response"),
    Column("checking_disabled", "truth", "CD of the query"),
    Column("dnssec_ok", "truth", "DO of the query"),
    Column("query_udp_size_bytes", "number", "UDP payload size the client can take (EDNS)", "bytes"),
    Column("response_udp_size_bytes", "number", "UDP payload size the server can take (EDNS)", "bytes"),
    Column("query_options", "text", "EDNS options of the query: ECS=address/bits/bits, COOKIE=hex, PADDING=bytes and so on"),
    Column("response_options", "text", "EDNS options of the response"),
    Column("extended_error", "text", "extended DNS error of the response (RFC 8914)"),
    Column("extended_error_text", "text", "its text"),
    Column("is_multicast", "truth", "sent to a multicast address", caveat="questions and answers are not paired there"),
    Column("error", "text", "what was malformed"),
    Column("query_frame", "number", "frame of the first query"),
    Column("response_frame", "number", "frame of the response"),
    Column("truncated_frame", "number", "frame of the truncated response over UDP that came before"),
)
PROTOCOLS = ("dns", "mdns", "llmnr", "nbns", "dot")
_DNS, MDNS, LLMNR, NBNS, DOT = range(len(PROTOCOLS))
_PORTS = {5353: MDNS, 5355: LLMNR, 137: NBNS}
_NETBIOS = 1 << 16  # in the code of a type of NetBIOS
_NETBIOS_TYPES = {32: "NB", 33: "NBSTAT"}


def record_places(lookups: Rows, wanted: Mask) -> tuple[Ints, Ints]:
    """Indices of the wanted records (a mask over Finished.records) of these lookups in order, and how many each lookup has.

    ``LOOKUP.first_record`` must be an index into ``Finished.records``.
    """
    sizes = lookups["records"].astype(np.int64)
    owners = np.repeat(np.arange(len(lookups)), sizes)
    starts = lookups["first_record"].astype(np.int64) - (np.cumsum(sizes) - sizes)
    places = starts[owners] + np.arange(len(owners))
    kept = wanted[places]
    return places[kept], np.bincount(owners[kept], minlength=len(lookups))


def lookup_order(finished: Finished) -> Ints:
    """Output position of the connection of each lookup."""
    return finished.order_of(finished.lookups["connection"].astype(np.int64))


def lookup_names(finished: Finished) -> TextColumn:
    """The name each lookup asks for."""
    return spans(finished.texts.dns, finished.lookups["name"], finished.lookups["name_size"])


def lookup_protocols(finished: Finished, lookups: Rows, order: Ints) -> Ints:
    """Place in PROTOCOLS for LOOKUP rows, whose connections have these output positions."""
    ports = lookups["server_port"]
    told = np.select([ports == port for port in _PORTS], list(_PORTS.values()), _DNS)
    return np.where(finished.handshakes["seen"][order] == 1, DOT, told)


def _type_name(code: int) -> str:
    name = _NETBIOS_TYPES.get(code & 0xFFFF) if code & _NETBIOS else None
    return name or rr_type_name(code & 0xFFFF)


def _changes(finished: Finished, lookups: Rows) -> ListColumn:
    """What the dynamic updates among these lookups ask for."""
    updates = read_updates(lookups, finished.records, finished.texts.dns, np.arange(len(lookups)))
    lengths = np.zeros(len(lookups), np.int64)
    for place, update in updates.items():
        lengths[place] = len(update.answers)
    return lists(lengths, texts([answer for update in updates.values() for answer in update.answers]))


def build_dns(finished: Finished, identity: Identity, names: TextColumn) -> Sheet:
    """LOOKUP rows as a report table; ``names`` are those of all lookups of the flush."""
    kept = np.flatnonzero(finished.lookups["is_repeat"] == 0)
    if len(kept) == 0:
        return empty_sheet(COLUMNS)
    q, records, text = take_rows(finished.lookups, kept), finished.records, finished.texts.dns
    is_update = q["opcode"] == UPDATE
    places, lengths = record_places(q, records["section"] == 1)
    if is_update.any():
        places, lengths = places[~np.repeat(is_update, lengths)], np.where(is_update, 0, lengths)
    answers = take_rows(records, places)
    order = lookup_order(finished)[kept]
    protocols = lookup_protocols(finished, q, order)
    asked, answered = q["has_query"] == 1, q["has_response"] == 1
    qclass = np.where(protocols == MDNS, q["qclass"] & 0x7FFF, q["qclass"])
    bits = {
        "tcp_after_truncation": (q["truncated_number"], None),
        "mixed_case": (q["is_mixed_case"], asked),
        "case_changed": (q["is_case_changed"], asked & answered),
        "authoritative": (q["authoritative"], answered),
        "truncated": (q["is_truncated"], None),
        "recursion_desired": (q["recursion_desired"], None),
        "recursion_available": (q["recursion_available"], answered),
        "authentic_data": (q["authentic_data"], answered),
        "checking_disabled": (q["checking_disabled"], asked),
        "dnssec_ok": (q["dnssec_ok"], asked),
        "is_multicast": (q["is_multicast"], None),
    }
    return make_sheet(
        COLUMNS,
        {
            "lookup": ints(q["number"]),
            "connection": ints(identity.numbers[order]),
            "uid": identity.arrays["uid"].take(order),
            "client_ip": addresses(q["client_hi"], q["client_lo"], q["ip_version"]),
            "client_port": ints(q["client_port"]),
            "server_ip": addresses(q["server_hi"], q["server_lo"], q["ip_version"]),
            "server_port": ints(q["server_port"]),
            "transport": chosen(("udp", "tcp"), q["transport"] == 6),
            "protocol": chosen(PROTOCOLS, protocols),
            "id": ints(q["id"]),
            "query_time": times(q["query_ts"]),
            "response_time": times(q["response_ts"]),
            "rtt_ms": between(q["query_ts"], q["response_ts"]),
            "last_rtt_ms": between(q["last_query_ts"], q["response_ts"]),
            "queries": ints(q["queries"]),
            "responses": ints(q["responses"]),
            "conflicting_responses": counts(q["conflicts"]),
            "resolution": counts(q["resolution"]),
            "names_tried": counts(q["searched"]),
            "name": names.take(kept),
            "questions": ints(q["questions"]),
            "type": named(q["qtype"] | _NETBIOS * (protocols == NBNS), _type_name, q["qtype"] >= 0),
            "class": named(qclass, class_name, q["qclass"] >= 0),
            "opcode": named(q["opcode"], opcode_name),
            "outcome": chosen(OUTCOMES, q["outcome"]),
            "rcode": named(q["rcode"], rcode_name, q["rcode"] >= 0),
            "answers": lists(lengths, spans(text, answers["rdata"], answers["rdata_size"])),
            "answer_types": lists(lengths, named(answers["rrtype"], rr_type_name)),
            "answer_ttls_s": lists(lengths, ints(answers["ttl"])),
            "changes": _changes(finished, q),
            **{name: booleans(values, valid) for name, (values, valid) in bits.items()},
            "query_udp_size_bytes": codes(q["query_udp_size"]),
            "response_udp_size_bytes": codes(q["response_udp_size"]),
            "query_options": spans(text, q["query_options"], q["query_options_size"]),
            "response_options": spans(text, q["response_options"], q["response_options_size"]),
            "extended_error": named(q["extended_error"], extended_error_name, q["extended_error"] >= 0),
            "extended_error_text": spans(text, q["extended_error_text"], q["extended_error_text_size"]),
            "error": chosen([name for name, _ in ERRORS], q["error"], q["error"] > 0),
            "query_frame": counts(q["query_number"]),
            "response_frame": counts(q["response_number"]),
            "truncated_frame": counts(q["truncated_number"]),
        },
    )
