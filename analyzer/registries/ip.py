"""IP protocol numbers, and ports on which a server is likely to listen.

Source: IANA registry "Protocol Numbers", state of 2026-11, keywords in lower case; and the port sets which Zeek's base
scripts add to `likely_server_ports` (base/protocols/*/main.zeek, base/packet-protocols/*/main.zeek, state of 2026).
"""

from __future__ import annotations

from typing import Final

from analyzer.registries.listing import numbered

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMP6: Final = 58
SCTP: Final = 132

PROTOCOLS: Final[dict[int, str]] = {
    **numbered(
        """
hopopt icmp igmp ggp ipv4 st tcp cbt egp igp bbn-rcc-mon nvp-ii pup argus emcon xnet chaos udp mux dcn-meas hmp prm xns-idp
trunk-1 trunk-2 leaf-1 leaf-2 rdp irtp iso-tp4 netblt mfe-nsp merit-inp dccp 3pc idpr xtp ddp idpr-cmtp tp++ il ipv6 sdrp
ipv6-route ipv6-frag idrp rsvp gre dsr bna esp ah i-nlsp swipe narp min-ipv4 tlsp skip ipv6-icmp ipv6-nonxt ipv6-opts
""",
        first=0,
    ),
    62: "cftp",
    64: "sat-expak",
    65: "kryptolan",
    66: "rvd",
    67: "ippc",
    **numbered(
        """
sat-mon visa ipcv cpnx cphb wsn pvp br-sat-mon sun-nd wb-mon wb-expak iso-ip vmtp secure-vmtp vines iptm nsfnet-igp dgp tcf
eigrp ospfigp sprite-rpc larp mtp ax.25 ipip micp scc-sp etherip encap
""",
        first=69,
    ),
    **numbered("gmtp ifmp pnni pim aris scps qnx a/n ipcomp snp compaq-peer ipx-in-ip vrrp pgm", first=100),
    **numbered(
        """
l2tp ddx iatp stp srp uti smp sm ptp isis fire crtp crudp sscopmce iplt sps pipe sctp fc rsvp-e2e-ignore mobility-header
udplite mpls-in-ip manet hip shim6 wesp rohc ethernet aggfrag nsh homa bit-emu
""",
        first=115,
    ),
}
"""Protocol number (IPv4 Protocol, IPv6 Next Header) to keyword. Numbers with no keyword in the registry are absent."""


def protocol_name(number: int) -> str:
    """Keyword of an IP protocol in lower case: `tcp`, `ipv6-icmp`; `proto-253` when it has none."""
    return PROTOCOLS.get(number) or f"proto-{number}"


# Used when the first packets of a connection are missing: the end with a likely server port is taken for the responder.
# Not a list of services: a port is here because Zeek guesses by it, so that both tools guess the same.
LIKELY_SERVER_TCP: Final = frozenset(
    {
        *(21, 2811),  # FTP, GridFTP
        *(22,),  # SSH
        *(25, 587),  # SMTP
        *(53,),  # DNS
        *(79,),  # Finger
        *(80, 81, 631, 1080, 3128, 8000, 8080, 8888),  # HTTP, IPP and proxies
        *(88,),  # Kerberos
        *(135,),  # DCE/RPC
        *(139, 445),  # SMB
        *(143,),  # IMAP
        *(389, 3268),  # LDAP, global catalogue
        *(443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223),  # TLS
        *(502,),  # Modbus
        *(1080,),  # SOCKS
        *(1883,),  # MQTT
        *(3389,),  # RDP
        *(5222, 5269),  # XMPP
        *(6379,),  # Redis
        *(6666, 6667, 6668, 6669),  # IRC
        *(20000,),  # DNP3
    }
)
"""TCP ports of likely servers."""

LIKELY_SERVER_UDP: Final = frozenset(
    {
        *(53, 137, 5353, 5355),  # DNS, NetBIOS names, mDNS, LLMNR
        *(67,),  # DHCP server
        *(88,),  # Kerberos
        *(123,),  # NTP
        *(161, 162),  # SNMP
        *(389,),  # LDAP
        *(443,),  # DTLS, QUIC
        *(514,),  # syslog
        *(1812,),  # RADIUS
        *(2123, 2152),  # GTP
        *(3389,),  # RDP over UDP
        *(3544,),  # Teredo
        *(4789,),  # VXLAN
        *(5060,),  # SIP
        *(5072,),  # AYIYA
        *(6081,),  # Geneve
        *(20000,),  # DNP3
    }
)
"""UDP ports of likely servers."""

# Zeek registers an analyser for these ports too, but does not count them among the likely servers.
ANALYZED_ONLY_TCP: Final = frozenset({1434, 3306, 5432})  # MySQL, PostgreSQL
ANALYZED_ONLY_UDP: Final = frozenset({68, 784, 853, 4011})  # DHCP client, DNS over QUIC, PXE


def is_likely_server(protocol: int, port: int) -> bool:
    """True if a server is likely to own this port; protocol 6 (TCP) or 17 (UDP), False for all others."""
    if protocol == TCP:
        return port in LIKELY_SERVER_TCP
    return protocol == UDP and port in LIKELY_SERVER_UDP
