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
    ("protected", "an 802.11 frame whose body is encrypted"),
    ("no_connection", "an IPv6 packet without a payload of its own (no next header): mobility signalling and the like"),
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
PROTECTED_FRAME = 11
NO_CONNECTION = 12

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
INNER = 2048  # not a frame but what the tunnel in the row before it carries: same number, time and lengths; frames are counted without it

# ---- PACKET.tunnel and PACKET.carries: what a packet was wrapped in
TUNNELS = (
    ("none", ""),
    ("ip", "IP in IP: protocol 4 or 41 (RFC 2003, RFC 2473, RFC 4213)"),
    ("gre", "GRE (RFC 2784, RFC 2890), also version 1 of PPTP (RFC 2637)"),
    ("erspan", "ERSPAN I, II or III"),
    ("mpls", "MPLS label stack (RFC 3032)"),
    ("pppoe", "PPPoE session (RFC 2516)"),
    ("vxlan", "VXLAN (RFC 7348)"),
    ("vxlan_gpe", "VXLAN-GPE"),
    ("geneve", "Geneve (RFC 8926)"),
    ("gtp", "GTP-U (3GPP TS 29.281)"),
    ("teredo", "Teredo (RFC 4380)"),
    ("ayiya", "AYIYA"),
    ("nsh", "network service header (RFC 8300)"),
    ("vntag", "VNTag (802.1BR)"),
    ("etherip", "EtherIP (RFC 3378)"),
    ("pbb", "provider backbone bridge (802.1ah)"),
    ("fabricpath", "Cisco FabricPath"),
)
TUNNEL_CODES = {name: code for code, (name, _) in enumerate(TUNNELS)}
(IN_IP, IN_GRE, IN_ERSPAN, IN_MPLS, IN_PPPOE, IN_VXLAN, IN_VXLAN_GPE, IN_GENEVE) = range(1, 9)
(IN_GTP, IN_TEREDO, IN_AYIYA, IN_NSH, IN_VNTAG, IN_ETHERIP, IN_PBB, IN_FABRICPATH) = range(9, 17)

PACKET = row_type(
    "PACKET",
    # written by capture/
    ("ts", "i8", "capture time, ns since 1970-01-01 UTC"),
    ("number", "i8", "frame number, from 1"),
    ("offset", "i8", "position in memory of the first captured byte; FROM_FRAGMENTS: of the IP header of the whole datagram, in the arena"),
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
    ("carries", "u1", "index into TUNNELS: this UDP datagram is a tunnel, and the next row (INNER) is the packet in it; 0 = none"),
    ("sender", "u1", "written by connections/: 0 = the end that sent the first packet of the connection"),
    ("ethertype", "i4", "network protocol inside the link layer, as EtherType; below 1536: 802.2 LLC; -1 = none found"),
    ("tunnel", "i8", "what it was unwrapped from, 8 bits (index into TUNNELS) a layer, the outermost lowest; 0 = no tunnel"),
    ("tunnel_id", "i8", "number that the innermost tunnel that has one gives to what it carries (see tunnel_id_kernels), -1 = none"),
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

UNITS = 1024  # bytes of a map with one bit for every 8 bytes of a datagram of 64 KiB

# ---- DATAGRAM.state
COLLECTING, GIVEN_UP = 1, 2

DATAGRAM = row_type(
    "DATAGRAM",  # an IP datagram of which fragments were seen; rows are named by row + 1, 0 = none
    ("state", "u1", "0 = free row; GIVEN_UP: later fragments of it are left out too"),
    ("src_hi", "u8", "key: source address"),
    ("src_lo", "u8", "key"),
    ("dst_hi", "u8", "key: destination address"),
    ("dst_lo", "u8", "key"),
    ("ident", "i8", "key: identification"),
    ("tunnel", "i8", "key: what it was unwrapped from, as PACKET.tunnel"),
    ("protocol", "i4", "key of IPv4: protocol number; -1 for IPv6"),
    ("vlan", "i4", "key of IPv4: outer VLAN id; -2 for IPv6"),
    ("next_header", "i4", "IPv6: what the first fragment says follows"),
    ("first_ts", "i8", "time of the fragment that came first, ns"),
    ("position", "i8", "its block in the arena: room for the IP header, then the payload"),
    ("block_size", "i8", "bytes of that block asked for; 0 = none"),
    ("header_size", "i8", "bytes of IP header, which end where the payload begins; 0 = the fragment at 0 was not seen"),
    ("total", "i8", "payload bytes of the whole, from the last fragment; -1 = not known yet"),
    ("highest", "i8", "end of the highest fragment seen"),
    ("covered", "i8", "payload bytes seen"),
    ("cut_at", "i8", "payload from here on may be missing, because a fragment was cut by the snapshot length"),
    ("fragments", "i4", "fragments taken"),
    ("following", "i4", "next row of the same bucket, or of the free rows"),
    ("older", "i4", "row of the datagram begun before this one"),
    ("newer", "i4", "row of the datagram begun after this one"),
    ("units", ("u1", (UNITS,)), "one bit for every 8 payload bytes seen"),
)

DEFRAGMENTER = row_type(
    "DEFRAGMENTER",  # one row: lists of DATAGRAM rows, limits, counts
    ("free", "i8", "first free row that was used before"),
    ("used", "i8", "rows used so far"),
    ("oldest", "i8", "datagram begun first"),
    ("newest", "i8", "datagram begun last"),
    ("delivered", "i8", "position of the first block that leaves with the batch; each names the next; 0 = none"),
    ("held_bytes", "i8", "bytes of blocks of incomplete datagrams"),
    ("max_bytes", "i8", "limit on held_bytes"),
    ("wait_ns", "i8", "an incomplete datagram is given up after this much capture time, ns"),
    ("max_fragments", "i8", "most fragments of one datagram"),
    ("completed", "i8", "datagrams put together"),
    ("repeated", "i8", "fragments that only repeat what was there"),
    ("overlapping", "i8", "fragments of IPv4 that overlap others: the bytes that came first stay"),
    ("dropped_overlap", "i8", "IPv6 datagrams dropped because fragments overlap (RFC 5722)"),
    ("too_large", "i8", "datagrams dropped because they pass 64 KiB"),
    ("too_many", "i8", "datagrams dropped because of the number of their fragments"),
    ("inconsistent", "i8", "fragments left out: no multiple of 8 bytes, empty, or beyond the end of their datagram"),
    ("timed_out", "i8", "datagrams that stayed incomplete"),
    ("shed", "i8", "incomplete datagrams dropped because of the limit on memory"),
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
    ("most_ticks", "i8", "up to so many ticks a time is their number times tick_ns; -1 = its clock needs more than that"),
    ("previous_ts", "i8", "time of the packet before, ns; 0 = none yet"),
    ("steps_back", "i8", "packets with a time before that of the packet before them on the same interface"),
    ("largest_step_back_ns", "i8", "the largest such step, ns"),
)

# ---- where each of several files stands that overlap in time
MERGE_INPUT = row_type(
    "MERGE_INPUT",
    ("next", "i8", "row of its next packet among those that wait"),
    ("end", "i8", "one past its last row there"),
    ("key", "i8", "time by which its next packet is taken, ns: its own, or that of the packet before when it has none"),
    ("rank", "i8", "of equal keys the lowest rank goes first: the order in which the files were named"),
    ("first_face", "i8", "where its interfaces begin in the list of INTERFACE rows"),
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
    ("longer_than_wire", "i8", "packets with more bytes captured than there were on the wire"),
    ("too_large", "i8", "packets of which only keep_bytes were kept"),
    ("without_time", "i8", "packets without a time"),
    ("unknown_interface", "i8", "packet blocks that name an interface which was not described; left out"),
    ("malformed_blocks", "i8", "packet blocks whose captured length does not fit into them; left out"),
    ("comments", "i8", "comments on packets"),
    ("rare_blocks", "i8", "blocks of names, statistics and secrets"),
    ("most_rare_blocks", "i8", "how many of them are read; the others are passed over"),
)
