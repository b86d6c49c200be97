"""Wireshark's display filter for the packets of a connection and of its lookups."""

from __future__ import annotations

from analyzer.story.case import Case


def display_filter(case: Case) -> str:
    """A filter that shows the same packets in Wireshark and tshark."""
    field = "ipv6" if case.get("ip_version") == 6 else "ip"
    near, far = case.get("originator_ip"), case.get("responder_ip")
    first, last = case.get("first_frame"), case.get("last_frame")
    parts = [f"frame.number == {first}"] if first == last else [f"frame.number >= {first}", f"frame.number <= {last}"]
    parts += [f"{field}.addr == {near}"] + ([f"{field}.addr == {far}"] if far != near else [])
    transport = case.get("transport")
    if transport in ("tcp", "udp"):
        ports = {case.get("originator_port"), case.get("responder_port")}
        parts += [f"{transport}.port == {port}" for port in sorted(ports)]
    elif transport == "icmp":
        parts.append("icmpv6" if field == "ipv6" else "icmp")
    told = " && ".join(parts)
    others = {number for row in case.lookups for number in (row["query_frame"], row["response_frame"]) if number}
    others |= {case.get("icmp_error_frame")} - {None}
    if not others:
        return told
    return f"({told}) || frame.number in {{{', '.join(map(str, sorted(others)))}}}"
