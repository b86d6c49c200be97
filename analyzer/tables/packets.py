"""Rows of stages 1 and 2: what the capture says of a packet, and what its headers say."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- what became of a packet (PACKET.outcome): every packet has exactly one, and the capture table counts them all
OUTCOMES = (
    ("analysed", "decoded to an IP packet that belongs to a connection"),
    ("not_ip", "a link-layer protocol other than IP (ARP, LLDP, ...)"),
    ("fragment", "a fragment of an IP datagram"),
    ("unknown_link_type", "the interface's link type is not known"),
    ("cut", "cut by the snapshot length before the headers end"),
    ("malformed_link", "the link-layer header lies about itself"),
    ("malformed_ip", "the IP header is too short, of a wrong version or lies about its length"),
    ("malformed_transport", "the TCP, UDP or ICMP header is too short or lies about its length"),
    ("bad_checksum", "left out because its checksum is wrong and --checksums verify was asked for"),
    ("tunnel_too_deep", "more encapsulations or extension headers than the limit"),
    ("no_time", "a packet without a time (pcapng simple packet block)"),
)
OUTCOME_CODES = {name: code for code, (name, _) in enumerate(OUTCOMES)}
ANALYSED = 0
NOT_IP = 1
FRAGMENT = 2
UNKNOWN_LINK_TYPE = 3
CUT = 4
MALFORMED_LINK = 5
MALFORMED_IP = 6
MALFORMED_TRANSPORT = 7
BAD_CHECKSUM = 8
TUNNEL_TOO_DEEP = 9
NO_TIME_PACKET = 10

# ---- TCP flag bits (RFC 9293 3.1)
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

# ---- PACKET.marks bits
CUT_BY_SNAPLEN = 1  # caplen < length
HAS_TIMESTAMPS = 2  # the TCP timestamps option is there
HAS_SACK_PERMITTED = 4
BAD_IP_CHECKSUM = 8
BAD_TRANSPORT_CHECKSUM = 16
FROM_FRAGMENTS = 32  # a datagram put together from fragments
LENGTH_FROM_CAPTURE = 64  # IP total length 0 (segmentation offload): caplen used instead
INBOUND = 128  # direction as the capture recorded it (pcapng epb_flags)
OUTBOUND = 256
WITHOUT_TIME = 512  # the capture gives no time (pcapng simple packet block), or none that fits: ts is 0, outcome is no_time
LENGTH_MISMATCH = 1024  # UDP length says more than the IP packet holds: the smaller one was used

PACKET = row_type(
    "PACKET",
    # written by capture/
    ("ts", "i8", "capture time, ns since 1970-01-01 UTC"),
    ("number", "i8", "frame number, from 1"),
    ("offset", "i8", "position in memory of the first captured byte"),
    ("caplen", "i4", "bytes captured"),
    ("length", "i4", "bytes on the wire"),
    ("interface", "i4", "row of the INTERFACE table"),
    ("linktype", "i4", "LINKTYPE number of its interface"),
    ("marks", "i4", "bits, see the constants above"),
    # written by packets/
    ("outcome", "u1", "index into OUTCOMES"),
    ("ip_version", "u1", "4 or 6; 0 when not IP"),
    ("protocol", "u1", "IP protocol number of the innermost header (IPv6: after the extension headers)"),
    ("ttl", "u1", "TTL or hop limit"),
    ("tcp_flags", "u1", "the eight TCP flag bits"),
    ("window_scale", "u1", "TCP option, shift count as sent; 255 = not sent"),
    ("sender", "u1", "written by connections/: 0 = the end that sent the first packet of the connection"),
    ("ethertype", "i4", "network protocol inside the link layer, as EtherType; below 1536: 802.2 LLC; -1 = none found"),
    ("vlan", "i2", "outer VLAN id, -1 = none"),
    ("inner_vlan", "i2", "inner VLAN id, -1 = none"),
    ("ip_id", "i4", "IPv4 identification, -1 = none"),
    ("ip_length", "i4", "bytes of the IP packet on the wire, header included (IPv4 total length; IPv6 payload length + 40)"),
    ("src_hi", "u8", "source address, upper 64 bits (0 for IPv4)"),
    ("src_lo", "u8", "source address, lower 64 bits (IPv4: the 32 bits)"),
    ("dst_hi", "u8", "destination address, upper 64 bits"),
    ("dst_lo", "u8", "destination address, lower 64 bits"),
    ("src_port", "i4", "TCP/UDP source port; ICMP: type; else 0"),
    ("dst_port", "i4", "TCP/UDP destination port; ICMP: code; else 0"),
    ("seq", "i8", "TCP sequence number, 0 .. 2**32 - 1"),
    ("ack", "i8", "TCP acknowledgement number, 0 .. 2**32 - 1"),
    ("tsval", "i8", "TCP timestamp value (HAS_TIMESTAMPS)"),
    ("tsecr", "i8", "TCP timestamp echo reply"),
    ("window", "i4", "TCP window as sent, before scaling"),
    ("mss", "i4", "TCP option, 0 = not sent"),
    ("tcp_options", "i4", "position of the TCP options relative to offset"),
    ("tcp_options_size", "i4", "bytes of TCP options that were captured"),
    ("network", "i4", "position of the innermost IP header relative to offset; -1 = none"),
    ("transport", "i4", "position of what follows the IP headers relative to offset; -1 = none"),
    (
        "payload",
        "i4",
        "position of the payload relative to offset (ICMP: after its 8-byte header; other protocols and fragments: after the IP headers)",
    ),
    ("payload_size", "i4", "payload bytes captured"),
    ("payload_length", "i4", "payload bytes on the wire, by the IP (and UDP) length; more than payload_size when cut"),
    # written by connections/
    ("connection", "i4", "row of the connection tables, -1 = none"),
)

INTERFACE = row_type(
    "INTERFACE",
    ("linktype", "i4", "LINKTYPE number, low 16 bits"),
    ("snaplen", "i8", "snapshot length, 0 = unlimited"),
    ("fcs_bytes", "i4", "bytes of frame check sequence at the end of each frame, 0 = none"),
    ("resolution_exponent", "i4", "if_tsresol exponent: 10**-n, or 2**-n when is_binary"),
    ("is_binary", "u1", "resolution is a power of two"),
    ("tick_ns", "i8", "ns in one tick of its clock (decimal, 10**-9 or coarser); 0 = finer, or a power of two"),
    ("ticks_per_ns", "i8", "ticks in one ns (decimal, finer than 10**-9); 0 otherwise"),
    ("offset_s", "i8", "if_tsoffset, seconds"),
    ("file", "i4", "index of the capture file it belongs to"),
    ("packets", "i8", "packets read from it"),
    ("bytes_captured", "i8", "bytes captured"),
    ("received", "i8", "packets received by the interface, from interface statistics; -1 = not said"),
    ("dropped", "i8", "packets dropped by the interface or the operating system, from interface statistics; -1 = not said"),
    ("dropped_between", "i8", "sum of the drop counts that its packets carry (epb_dropcount, packet block drops)"),
)

# ---- where the index kernels of capture/ stand in the file they read: one row, all int64
READER = row_type(
    "READER",
    ("position", "i8", "next byte to look at, in memory"),
    ("end", "i8", "end of the bytes that were read, in memory"),
    ("skip", "i8", "bytes to pass over before the next record (the rest of one that is not kept whole)"),
    ("rows", "i8", "rows of PACKET filled since the last batch"),
    ("number", "i8", "frames so far, over all files"),
    ("detail", "i8", "what a status is about: a length that was read"),
    ("is_big_endian", "i8", "1: numbers of this file (section) have the most significant byte first"),
    ("header_bytes", "i8", "bytes of a record header: 16, modified pcap 24"),
    ("keep_bytes", "i8", "bytes of one packet that are kept"),
    ("block_bytes", "i8", "blocks up to this size are seen whole"),
    ("record_bytes", "i8", "a record or block that claims more is garbage"),
    ("first_interface", "i8", "row of INTERFACE of interface 0 of this file (section)"),
    ("interface_count", "i8", "interfaces described so far in this file (section)"),
    # facts of the file
    ("packets", "i8", "packets"),
    ("bytes_captured", "i8", "their captured bytes"),
    ("first_ts", "i8", "earliest time, ns; 0 = none yet"),
    ("last_ts", "i8", "latest time, ns"),
    ("previous_ts", "i8", "time of the packet before, ns"),
    ("steps_back", "i8", "packets with a time before that of the packet before them"),
    ("largest_step_back_ns", "i8", "the largest such step, ns"),
    ("longer_than_wire", "i8", "packets with more bytes captured than there were on the wire"),
    ("too_large", "i8", "packets of which only keep_bytes were kept"),
    ("without_time", "i8", "packets without a time"),
    ("unknown_interface", "i8", "packet blocks that name an interface which was not described; left out"),
    ("malformed_blocks", "i8", "packet blocks whose captured length does not fit into them; left out"),
    ("comments", "i8", "comments on packets"),
    ("rare_blocks", "i8", "blocks of names, statistics and secrets"),
    ("most_rare_blocks", "i8", "how many of them are read; the others are passed over"),
)
