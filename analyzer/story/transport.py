"""The chapters about the transport: how the connection was opened, and what had to be repaired on the way."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.quic import tell_course, tell_quic
from analyzer.story.words import counted, duration, frames, joined, size, times
from analyzer.thresholds import DEFAULTS

LAYER: Final = "transport layer"
MOST_WAITS: Final = 8

VANTAGES: Final = {
    "originator": "the capture was taken near the client",
    "responder": "the capture was taken near the server",
    "middle": "the capture was taken between client and server",
}


def tell_opening(case: Case) -> Chapter | None:
    """How the connection came to be."""
    transport = case.get("transport")
    if transport == "tcp":
        return _tell_handshake(case) if "syn" in case.steps or "syn_ack" in case.steps else _tell_midstream(case)
    if transport == "udp":
        return tell_quic(case) if case.one("quic") else _tell_datagrams(case)
    if transport == "icmp":
        return _tell_icmp(case)
    text = f"{str(transport).upper()} packets between two addresses: their content is not dissected."
    return Chapter("other", f"{str(transport).upper()}", "above the network layer", _first_last(case), (text, _amounts(case)))


def _first_last(case: Case) -> tuple[int, ...]:
    return tuple(sorted({case.get("first_frame"), case.get("last_frame")} - {None}))


def _amounts(case: Case) -> str:
    there, back = case.get("originator_packets") or 0, case.get("responder_packets") or 0
    sent = f"{case.get('originator_ip')} sent {counted(there, 'packet')} with {size(case.get('originator_bytes') or 0)} of data"
    got = f"{counted(back, 'packet')} with {size(case.get('responder_bytes') or 0)} came back" if back else "nothing came back"
    return f"{sent}; {got}."


def _tell_datagrams(case: Case) -> Chapter:
    service = case.get("service")
    spoken = f"It speaks {service}. " if service and service != "dns" else ""
    text = f"UDP has no handshake: the first datagram already carries data. {spoken}{_amounts(case)}"
    if case.get("icmp_error"):
        text += f" An ICMP error answered: {icmp_words(case)} ({frames([case.get('icmp_error_frame')])})."
    elif case.is_to_a_group:
        text += " The address is that of a group: whoever listens gets it, and nobody answers from it."
    elif not case.get("responder_packets"):
        text += " UDP does not tell whether anything arrived: no answer may be normal (logs, announcements) or a loss."
    return Chapter("datagrams", "UDP datagrams", LAYER, _first_last(case), (text,))


ICMP_KINDS: Final = {
    (4, 3): "destination unreachable",
    (4, 5): "redirect",
    (4, 8): "echo request (ping)",
    (4, 11): "time exceeded",
    (6, 1): "destination unreachable",
    (6, 2): "packet too big",
    (6, 3): "time exceeded",
    (6, 128): "echo request (ping)",
    (6, 133): "router solicitation",
    (6, 134): "router advertisement",
    (6, 135): "neighbour solicitation",
    (6, 136): "neighbour advertisement",
    (6, 143): "multicast listener report",
}
"""(IP version, type) -> what it is."""


UNREACHABLE: Final = {
    (4, 0): "no route to the network",
    (4, 1): "no such machine there (host unreachable)",
    (4, 2): "the machine does not speak this protocol",
    (4, 3): "nothing listens on this port (port unreachable)",
    (4, 4): "the packet is too large for a link (fragmentation needed)",
    (4, 9): "prohibited by an administrator",
    (4, 10): "prohibited by an administrator",
    (4, 13): "prohibited by a firewall",
    (6, 0): "no route to the destination",
    (6, 1): "prohibited by a firewall",
    (6, 3): "no such machine there (address unreachable)",
    (6, 4): "nothing listens on this port (port unreachable)",
}
"""(IP version, code) of destination unreachable -> what it says (RFC 792, RFC 4443 3.1)."""


def icmp_words(case: Case) -> str:
    """The ICMP error that speaks of a connection, in words."""
    told = str(case.get("icmp_error"))
    name, _, code = told.partition(", code ")
    meaning = UNREACHABLE.get((case.get("ip_version"), int(code))) if name == "unreachable" and code.isdecimal() else None
    return f"{told}: {meaning}" if meaning else told


def icmp_kind(case: Case) -> str:
    """What kind of ICMP messages a connection is made of."""
    kind = case.get("originator_port")
    return ICMP_KINDS.get((case.get("ip_version"), kind), f"type {kind}")


def _tell_icmp(case: Case) -> Chapter:
    text = f"ICMP speaks about the network itself: {icmp_kind(case)}. {_amounts(case)}"
    return Chapter("icmp", "ICMP messages", "network layer", _first_last(case), (text,))


def _tell_midstream(case: Case) -> Chapter:
    packets = case.get("responder_packets")
    text = (
        "The SYN that opened this connection is not in the capture: it was open before the capture began (or its first packets were not"
        " captured). What came before - lookup, TCP and TLS handshakes - cannot be known."
    )
    if not packets:
        text += f" And only packets of {case.get('originator_ip')} are in the capture: the answers took a path that was not captured."
    return Chapter("transport", "TCP: already under way", LAYER, (case.get("first_frame"),), (text, _amounts(case)))


def _places(case: Case, *names: str) -> tuple[int, ...]:
    return tuple(case.steps[name]["first_frame"] for name in names if name in case.steps)


def _tell_handshake(case: Case) -> Chapter:
    steps = []
    labels = (("syn", "SYN", "originator"), ("syn_ack", "SYN+ACK", "responder"), ("handshake_ack", "ACK", "originator"))
    for name, label, sender in labels:
        if name in case.steps:
            row = case.steps[name]
            text = _offer(case, sender) if name != "handshake_ack" else "the client may send data from here on"
            steps.append(Step(row["since_start_ms"], label, text, (row["first_frame"],)))
    refused = case.get("tcp_close") == "refused"
    if refused and case.get("teardown_first_frame"):
        since = case.steps.get("teardown_start", {}).get("since_start_ms")
        steps.append(Step(since, "RST", "refused", (case.get("teardown_first_frame"),)))
    paragraphs = [text for text in (_opening_text(case), _retry_text(case), _vantage_text(case)) if text]
    title = "TCP handshake" if "syn_ack" in case.steps else "TCP handshake: failed"
    if "syn_ack" not in case.steps and (case.get("responder_packets") or case.is_one_sided) and not refused:
        title = "TCP handshake: half seen"
    numbers = _places(case, "syn", "syn_ack", "handshake_ack") or _first_last(case)
    return Chapter("transport", title, LAYER, numbers, tuple(paragraphs), tuple(steps), _options(case))


def _offer(case: Case, sender: str) -> str:
    mss, scale = case.get(f"tcp_{sender}_mss"), case.get(f"tcp_{sender}_window_scale")
    parts = [f"segments up to {mss} bytes (MSS)" if mss else "", f"window scale {scale}" if scale is not None else ""]
    return joined([part for part in parts if part])


def _opening_text(case: Case) -> str:
    near, far = case.get("originator_ip"), case.get("responder_ip")
    port = case.get("responder_port")
    if case.get("tcp_close") == "refused":
        wait = case.steps.get("teardown_start")
        after = f" after {duration(wait['since_start_ms'])}" if wait else ""
        return (
            f"{near} asked {far} for a connection to port {port}, and was refused with RST{after}: the machine is there, but nothing"
            " listens on this port (or a firewall says so)."
        )
    if "syn_ack" not in case.steps:
        if case.get("icmp_error"):
            return (
                f"{near} asked {far} for a connection to port {port}; instead of an answer came the ICMP error"
                f" {icmp_words(case)} ({frames([case.get('icmp_error_frame')])})."
            )
        if case.get("responder_packets"):
            return "The SYN is in the capture, the SYN+ACK is not, although the other end did answer: packets are missing from the capture."
        if case.is_one_sided:
            return (
                f"Only packets of {near} are in the capture. It goes on after its SYN, so {far} must have answered: the answers took a path"
                " that was not captured."
            )
        return f"{near} asked {far} for a connection to port {port}. Nothing ever came back: no server there, or a firewall drops packets."
    if "syn" not in case.steps:
        return f"{far} confirmed a connection to port {port} (SYN+ACK); the SYN before it is not in the capture."
    trip = case.get("tcp_round_trip_ms")
    if "handshake_ack" not in case.steps:
        why = "a scan, a spoofed address, or a path that works one way"
        return f"{far} answered the SYN of {near}, but the answer was never confirmed: {why}."
    early = case.steps.get("first_originator_data")
    fast = early is not None and early["first_frame"] == case.steps["syn"]["first_frame"]
    note = " The SYN already carried data (TCP Fast Open), which saves one round trip." if fast else ""
    took = duration(case.get("tcp_connect_ms") or trip)
    whole = f"within {took}" if case.get("tcp_syn_retries") else f"after one round trip ({took})"
    return f"SYN, SYN+ACK, ACK: both ends agreed to talk {whole}.{note}"


def _retry_text(case: Case) -> str:
    count = case.get("tcp_syn_retries")
    if not count:
        return ""
    wait = sum(row["wait_ms"] or 0 for row in case.rows("waits") if row["kind"] == "syn retry")
    if "syn_ack" not in case.steps:
        return f"The SYN was sent {times(count + 1)} within {duration(case.get('duration_ms'))}, each time in vain."
    if 0 < wait <= DEFAULTS.tcp_syn_retry_ms:
        return f"The SYN is in the capture {times(count + 1)} within {duration(wait)}: it was seen at several places, not sent again."
    cost = f" This cost {duration(wait)}." if wait else ""
    return f"The SYN had to be sent {times(count + 1)}: it or its answer was lost, or the server's queue was full.{cost}"


def _vantage_text(case: Case) -> str:
    there, back = case.get("tcp_syn_to_synack_ms"), case.get("tcp_synack_to_ack_ms")
    vantage = VANTAGES.get(case.get("tcp_vantage"))
    if vantage is None or there is None or back is None:
        return ""
    proxy = case.get("tcp_proxy")
    note = " Something in between answers for one end, as a proxy does." if proxy else ""
    return f"The server's half took {duration(there)}, the client's {duration(back)}: {vantage}.{note}"


def _options(case: Case) -> tuple[tuple[str, str], ...]:
    if "syn" not in case.steps or "syn_ack" not in case.steps:
        return ()
    facts = []
    mss = (case.get("tcp_originator_mss"), case.get("tcp_responder_mss"))
    if all(mss):
        facts.append(("largest segment", f"{min(mss)} bytes"))
    for column, label in (("sack", "selective acknowledgement"), ("timestamps", "timestamps")):
        both = (case.get(f"tcp_originator_{column}"), case.get(f"tcp_responder_{column}"))
        if None not in both:
            facts.append((label, "both" if all(both) else "no" if not any(both) else "offered by one end only"))
    return tuple(facts)


def tell_repairs(case: Case) -> Chapter | None:
    """What TCP had to repair, and what waiting for it cost; with QUIC all that happened on the way."""
    if case.one("quic"):
        return tell_course(case)
    waits: list[Row] = [row for row in case.rows("waits") if row["kind"] != "syn retry"]
    counts = []
    for sender, name in (("originator", case.get("originator_ip")), ("responder", case.get("responder_ip"))):
        end = case.end(sender)
        repeated_syns = (case.get("tcp_syn_retries") or 0) if sender == "originator" else 0
        resent, late = (end.get("retransmissions") or 0) - repeated_syns, end.get("out_of_order") or 0
        doubled = end.get("duplicated_packets") or 0
        of = f" of {end.get('data_packets'):,}" if end.get("data_packets") else ""
        if resent > 0:
            counts.append(f"{name} sent {counted(resent, 'segment')}{of} again")
        if late:
            counts.append(f"{counted(late, 'segment')} of {name} arrived out of order")
        if doubled:
            counts.append(f"{counted(doubled, 'packet')} of {name} came twice")
        if end.get("missed_bytes"):
            counts.append(f"{size(end['missed_bytes'])} of {name} were acknowledged but are not in the capture")
    if not waits and not counts:
        return None
    steps = tuple(
        Step(
            None,
            str(row["kind"]),
            f"data of the {row['data_of']} waited {duration(row['wait_ms'])}"
            + (f", during {PHASE_WORDS.get(row['phase'], row['phase'])}" if row["phase"] else ""),
            tuple(number for number in (row["cause_frame"], row["end_frame"]) if number),
        )
        for row in sorted(waits, key=lambda row: -(row["wait_ms"] or 0))[:MOST_WAITS]
    )
    total = sum(row["wait_ms"] or 0 for row in waits)
    text = f"{joined(counts)}. " if counts else ""
    shown = "; the longest of them" if len(waits) > MOST_WAITS else ""
    text += (
        f"Waiting for that cost up to {duration(total)} in {counted(len(waits), 'wait')}{shown}."
        if waits
        else "Nobody had to wait for it noticeably."
    )
    numbers = tuple(number for step in steps for number in step.frames)
    numbers += tuple(end[name] for end in case.rows("tcp") for name in ("first_loss_frame", "first_retransmission_frame") if end.get(name))
    return Chapter("repairs", "Losses and waits", LAYER, numbers, (text[:1].upper() + text[1:],), steps)


PHASE_WORDS: Final = {
    "tcp_connect": "the TCP handshake",
    "tcp_to_tls": "the time before TLS",
    "tls_handshake": "the TLS handshake",
    "request_wait": "the time before the request",
    "request_send": "the request",
    "server_wait": "the wait for the server",
    "response_receive": "the response",
    "keepalive_idle": "idle time",
    "teardown": "the close",
}
