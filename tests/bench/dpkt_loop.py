"""The script of an afternoon, to compare with: flows in a dict, DNS names, server names and request lines of first packets; no reassembly.

python tests/bench/dpkt_loop.py CAPTURE > OUT.csv
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dpkt


def told_by(transport: Any) -> str:
    """What the payload of a packet says: a DNS name, a TLS hello, or a request line."""
    payload = transport.data
    try:
        if isinstance(transport, dpkt.udp.UDP) and 53 in (transport.sport, transport.dport):
            message = dpkt.dns.DNS(payload)
            return message.qd[0].name if message.qd else ""
        if payload[:2] == b"\x16\x03" and payload[5:6] == b"\x01":
            hello = dpkt.ssl.TLSClientHello(payload[9:])
            return next((data[5:].decode("ascii", "replace") for kind, data in hello.extensions if kind == 0), "")
        if payload[:4] in (b"GET ", b"POST", b"HEAD", b"PUT "):
            return str(payload.split(b"\r\n", 1)[0].decode("ascii", "replace"))
    except (dpkt.dpkt.Error, UnicodeError, IndexError, ValueError):
        return ""
    return ""


def main() -> None:
    flows: dict[Any, list[Any]] = {}
    with Path(sys.argv[1]).open("rb") as file:
        reader = dpkt.pcapng.Reader(file) if sys.argv[1].endswith("pcapng") else dpkt.pcap.Reader(file)
        for ts, content in reader:
            try:
                ip = dpkt.ethernet.Ethernet(content).data
            except dpkt.dpkt.Error:
                continue
            if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6) or not isinstance(ip.data, dpkt.tcp.TCP | dpkt.udp.UDP):
                continue
            ends = (ip.src, ip.data.sport), (ip.dst, ip.data.dport)
            key = (min(ends), max(ends), type(ip.data))
            flow = flows.setdefault(key, [ts, ts, 0, 0, ""])
            flow[1] = ts
            flow[2] += 1
            flow[3] += len(ip.data.data)
            if not flow[4] and ip.data.data:
                flow[4] = told_by(ip.data)
    for (a, b, _), facts in flows.items():
        print(a[0].hex(), a[1], b[0].hex(), b[1], *facts, sep=",")


if __name__ == "__main__":
    main()
