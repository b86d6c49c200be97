#!/usr/bin/python3
"""Write the DNS zones that the laboratory's name server serves: zones.py FOLDER."""

import sys
from pathlib import Path

START = """$ORIGIN {origin}
$TTL {ttl}
@ IN SOA ns1.example.org. hostmaster.example.org. 2026010101 7200 3600 1209600 300
@ IN NS ns1.example.org.
"""
ORG = """
ns1 IN A 198.51.100.53
ns1 IN AAAA 2001:db8:2::53
@ IN A 198.51.100.10
@ IN MX 10 mail.example.org.
@ IN MX 20 mail.example.net.
@ IN TXT "v=spf1 mx -all"
@ IN TXT "site-verification=4f1c2a" "second string of the same record"
@ IN CAA 0 issue "ca.example.com"
www IN A 198.51.100.10
www IN HTTPS 1 . alpn="h2" ipv4hint=198.51.100.10
mail IN A 198.51.100.27
rsa IN A 198.51.100.21
ecdsa IN A 198.51.100.22
strict IN A 198.51.100.23
unknown-site IN A 198.51.100.23
members IN A 198.51.100.24
expired IN A 198.51.100.25
refused IN A 198.51.100.26
breaks-off IN A 198.51.100.26
proxy IN A 198.51.100.26
silent IN A 203.0.113.66
unreachable IN A 203.0.113.77
again IN A 198.51.100.31
six IN AAAA 2001:db8:2::10
dual IN A 198.51.100.30
dual IN AAAA 2001:db8:2::30
race IN A 198.51.100.30
race IN AAAA 2001:db8:2::66
shop IN CNAME shop.customers.example.net.
_imaps._tcp IN SRV 10 60 993 mail.example.org.
_imaps._tcp IN SRV 20 0 993 mail.example.net.
_dns IN SVCB 1 dns.example.net. alpn=dot port=853
*.wild IN A 198.51.100.10
"""
NET = """
static 60 IN A 198.51.100.11
static IN HTTPS 1 . alpn="h2"
api 60 IN A 198.51.100.12
mail IN A 198.51.100.28
shop.customers 300 IN CNAME edge7.cdn.example.net.
edge7.cdn 30 IN A 198.51.100.11
dns IN A 198.51.100.53
broken IN NS ns.no-such-host.example.org.
alias IN HTTPS 0 static.example.net.
"""


def main(folder):
    many_addresses = "".join(f"pool IN A 203.0.113.{n}\n" for n in range(100, 160))
    many_texts = "".join(f'notes IN TXT "note {n:02}: {"all quiet in the harbour, " * 3}"\n' for n in range(40))
    zones = {
        "root": (".", 86400, "ns1.example.org. IN A 198.51.100.53\n"),
        "example.org": ("example.org.", 3600, ORG + many_addresses + many_texts),
        "example.net": ("example.net.", 3600, NET),
        "example.com": ("example.com.", 3600, "ready IN A 198.51.100.53\n"),
        "100.51.198.in-addr.arpa": (
            "100.51.198.in-addr.arpa.",
            3600,
            "10 IN PTR www.example.org.\n53 IN PTR ns1.example.org.\n",
        ),
        "2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": (
            "2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
            3600,
            "0.1" + ".0" * 18 + " IN PTR six.example.org.\n",
        ),
    }
    for name, (origin, ttl, records) in zones.items():
        (folder / f"{name}.zone").write_text(START.format(origin=origin, ttl=ttl) + records)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
