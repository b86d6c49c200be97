"""Public resolvers that speak DNS over HTTPS, by the names in their certificates that clients ask for.

Source: the operators' own documentation, state of 2026-11. Only names that serve nothing else: an HTTPS connection to one of them is DNS.
"""

from __future__ import annotations

from typing import Final

DOH_HOSTS: Final = (
    "dns.google",
    "dns64.dns.google",
    "cloudflare-dns.com",
    "chrome.cloudflare-dns.com",
    "mozilla.cloudflare-dns.com",
    "security.cloudflare-dns.com",
    "family.cloudflare-dns.com",
    "dns64.cloudflare-dns.com",
    "dns.quad9.net",
    "dns9.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "doh.opendns.com",
    "doh.familyshield.opendns.com",
    "doh.umbrella.com",
    "dns.adguard-dns.com",
    "unfiltered.adguard-dns.com",
    "family.adguard-dns.com",
    "dns.nextdns.io",
    "chromium.dns.nextdns.io",
    "firefox.dns.nextdns.io",
    "doh.cleanbrowsing.org",
    "dns.mullvad.net",
    "doh.dns.sb",
    "dns.alidns.com",
    "doh.pub",
    "freedns.controld.com",
    "dns.switch.ch",
    "odvr.nic.cz",
    "doh.xfinity.com",
    "doh.libredns.gr",
    "dns.digitale-gesellschaft.ch",
)
