"""The chapter about DNS: the lookup that gave a connection its address, or the lookups that a connection carried."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.words import counted, duration, endpoint, frames, joined, sentence, span, times

MOST_LOOKUPS: Final = 12

OUTCOMES: Final = {
    "nodata": "no such record: the name exists, but not with this type",
    "nxdomain": "the name does not exist (NXDOMAIN)",
    "servfail": "the server failed to find out (SERVFAIL)",
    "refused": "the server refused to answer (REFUSED)",
    "failed": "the server answered with {rcode}",
    "truncated": "the answer did not fit into the datagram: the client has to ask again over TCP",
    "unanswered": "nobody answered",
    "timeout": "nobody answered in time",
    "unreachable": "the server cannot be reached (ICMP)",
    "answer_only": "only the answer is in the capture",
}


def answer_text(row: Row) -> str:
    """What a lookup brought, in a few words."""
    told = OUTCOMES.get(row["outcome"], f"the outcome is {row['outcome'] or 'unknown'}").format(rcode=row["rcode"] or "an error")
    if row["outcome"] == "answered" or row["answers"]:
        pairs = list(zip(row["answers"] or [], row["answer_types"] or [], row["answer_ttls_s"] or [], strict=False))
        aliases = [f"{name} ({kind})" for name, kind, _ in pairs if kind == "CNAME"]
        data = [name for name, kind, _ in pairs if kind != "CNAME"]
        ttls = [ttl for _, _, ttl in pairs]
        text = "; then ".join(joined(part) for part in (aliases, data) if part) or "an answer without records"
        valid = f" (valid for {ttl_text(min(ttls))})" if ttls else ""
        return text + valid + ("" if row["outcome"] in ("answered", "answer_only") else f"; {told}")
    return told


def ttl_text(seconds: int) -> str:
    """A time to live for people."""
    if seconds < 120:
        return counted(seconds, "second")
    return f"{seconds:,} s" if seconds < 7200 else span(seconds * 10**9)


def lookup_step(row: Row, begin: float | None = None) -> Step:
    """One question with its answer."""
    kind, name = row["type"] or "?", row["name"] or "."
    wait = f"after {duration(row['rtt_ms'])}: " if row["rtt_ms"] is not None else ""
    again = f" (asked {times(row['queries'])})" if (row["queries"] or 0) > 1 else ""
    numbers = tuple(number for number in (row["query_frame"], row["response_frame"]) if number)
    asked = f"{kind} {name}" if row["type"] or row["name"] else "announced"
    return Step(begin, asked, f"{wait}{answer_text(row)}{again}", numbers)


def tell_lookup(case: Case) -> Chapter | None:
    """The lookup before the connection: its own, one remembered, or none that can be seen."""
    if case.get("service") == "dns" or case.get("transport") not in ("tcp", "udp"):
        return None
    if case.get("dns_source") == "caused" and case.lookups:
        return _caused(case)
    if case.get("dns_source") == "cached":
        return _cached(case)
    if not case.is_tcp or "syn" not in case.steps:
        return None  # it was under way before the capture began: its lookup cannot be here
    if str(case.get("responder_ip")).startswith("127.") or case.get("responder_ip") == "::1":
        return None  # the machine itself needs no lookup
    text = (
        f"No answer in this capture gave the address {case.get('responder_ip')}. The client may have known it from before the capture,"
        " have been given the address itself, or have asked over an encrypted channel (DNS over TLS or HTTPS)."
    )
    return Chapter("lookup", "DNS lookup: none in this capture", "application layer", paragraphs=(text,))


def _server(row: Row) -> str:
    port = row["server_port"]
    return str(row["server_ip"]) if port == 53 else endpoint(row["server_ip"], port)


def _caused(case: Case) -> Chapter:
    rows = case.lookups
    asked = joined(sorted({f"{row['type'] or '?'}" for row in rows}))
    servers = joined(sorted({_server(row) for row in rows}))
    names = joined(sorted({str(row["name"]) for row in rows}))
    over = joined(sorted({(row["transport"] or "").upper() for row in rows}))
    text = f"{case.get('originator_ip')} asked the DNS server {servers} for the address of {names} ({asked})."
    took = f" The answers it waited for were complete after {duration(case.get('dns_ms'))}." if case.get("dns_ms") is not None else ""
    gap = case.get("dns_to_connect_ms")
    after = f" The connection began {duration(gap)} later, so this lookup made the client connect." if gap is not None else ""
    steps = tuple(lookup_step(row) for row in rows[:MOST_LOOKUPS])
    numbers = tuple(number for row in rows for number in (row["query_frame"], row["response_frame"]) if number)
    retries = sum((row["queries"] or 1) - 1 for row in rows)
    lost = f" Questions had to be repeated {times(retries)}: packets to or from the server were lost, or it was slow." if retries else ""
    return Chapter("lookup", "DNS lookup", f"application layer, over {over}", numbers, (text + took + lost + after,), steps)


def _cached(case: Case) -> Chapter:
    age, ttl = case.get("dns_answer_age_ms"), case.get("dns_ttl_s")
    name, host = case.get("dns_name"), case.get("host")
    called = f" The client called it {host}." if host and host != name else ""
    row = next(iter(case.lookups), None)
    where = frames([row["response_frame"]]) if row else ""
    old = f" {duration(age)} before this connection began" if age is not None else ""
    valid = f"; it is valid for {ttl_text(ttl)}" if ttl is not None else ""
    text = f"No lookup was needed: that {name} is {case.get('responder_ip')} had been answered{old}{f' ({where})' if where else ''}{valid}."
    others = case.get("dns_candidates") or 0
    doubt = f" {others} different names fit this address: which one the client meant is a guess." if others > 1 else ""
    numbers = tuple(number for number in (row["query_frame"], row["response_frame"]) if number) if row else ()
    return Chapter("lookup", "DNS lookup: known from before", "application layer", numbers, (text + called + doubt,))


def tell_questions(case: Case) -> Chapter | None:
    """The lookups that a DNS connection carried, and what was done with the answers."""
    rows = case.rows("dns")
    if not rows:
        return None
    steps = tuple(lookup_step(row) for row in rows[:MOST_LOOKUPS])
    more = f" The first {MOST_LOOKUPS} of them:" if len(rows) > MOST_LOOKUPS else ""
    text = f"{case.get('originator_ip')} asked {case.get('responder_ip')} {counted(len(rows), 'question')}.{more}"
    multicast = case.get("responder_port") == 5353
    if multicast:
        text = f"{case.get('originator_ip')} spoke multicast DNS: questions and answers to everybody on the local network, no server.{more}"
    paragraphs = [text]
    failed = sorted({str(row["outcome"]) for row in rows} - {"answered", "nodata", "None"})
    if failed and not multicast:
        count = sum(row["outcome"] in failed for row in rows)
        paragraphs.append(sentence(f"{counted(count, 'question has', 'questions have')} no usable answer: {joined(failed)}"))
    if case.caused:
        made = [f"connection {number} to {host}" for number, host in case.caused]
        paragraphs.append(f"With the answers the client made {joined(made)}.")
    numbers = tuple(number for row in rows for number in (row["query_frame"], row["response_frame"]) if number)
    layer = f"application layer, over {str(case.get('transport')).upper()}"
    return Chapter("lookup", "DNS questions" if not multicast else "Multicast DNS", layer, numbers, tuple(paragraphs), steps)
