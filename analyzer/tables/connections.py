"""Rows of stage 3: connections and their two endpoints (REFERENCE: the vocabulary and semantics are Zeek's conn.log).

The tables are hot: row i of CONNECTION goes with rows 2*i + sender of ENDPOINT. A row is reused after its connection was flushed.
What the analysis of TCP keeps is larger and has rows of its own (FLOW), given to a connection with its second packet, so that a flood of
SYNs costs none.
"""

from __future__ import annotations

from analyzer.tables import row_type

HISTORY_SIZE = 56

# ---- ENDPOINT.state
INACTIVE, SYN_SENT, SYN_ACK_SENT, PARTIAL, ESTABLISHED, CLOSED, RESET = 0, 1, 2, 3, 4, 5, 6

# ---- CONNECTION.conn_state, by position in CONN_STATES
CONN_STATES = ("OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR")

# ---- CONNECTION.marks bits
IS_PARTIAL = 1  # the first packet of an end was not the SYN (or SYN+ACK) that opens a connection
ORIGINATOR_SEEN = 2  # a valid packet of the originator has been seen
RESPONDER_SEEN = 4  # a valid packet of the responder has been seen
CLOSE_DEFERRED = 8  # an end has closed while bytes of the stream are still awaited
IS_CLOSED = 16  # the close is complete: only stragglers may follow
HISTORY_IS_FULL = 32  # history had no room for a letter
RANGES_MERGED = 64  # more holes at once than ENDPOINT can hold: the smallest was taken for filled
IS_ONE_WAY = 128  # an ICMP type without counterpart: packets of the other direction are another connection
IS_DNS = 256  # UDP to a port of DNS: the shorter idle limit
WAS_RETURNED = 512  # handed out by expire()
CUT_SHORT = 1024  # history has its X: a stream is no longer followed (ENDPOINT.is_skipping)

# ---- CONNECTION.close_kind, by position in CLOSE_KINDS
CLOSE_KINDS = (
    ("open", "neither FIN nor RST"),
    ("unanswered", "SYN without an answer"),
    ("refused", "RST in answer to the SYN"),
    ("fin", "FIN from both ends"),
    ("half-close", "FIN from both ends, and the second sent data after the first had closed its direction"),
    ("one-sided fin", "FIN from one end only"),
    ("reset after fin", "RST after a FIN"),
    ("reset", "RST without a FIN before it"),
)
OPEN_END, UNANSWERED, REFUSED, BOTH_FIN, HALF_CLOSE, ONE_FIN, RESET_AFTER_FIN, RESET_ONLY = range(8)

# ---- CONNECTION.vantage, by position in VANTAGES: where the capture was taken
VANTAGES = ("unknown", "originator", "middle", "responder")
NEAR_ORIGINATOR, IN_THE_MIDDLE, NEAR_RESPONDER = 1, 2, 3

# ---- CONNECTION.reset_marks bits: what does not fit between the first RST of an end and what that end has sent before
RESET_TTL_DIFFERS = 1  # its TTL is more than 2 away from that of the end's first packet
RESET_ID_DIFFERS = 2  # the end counts its IP ids up, and this one is far off

RANGES = 4  # ranges of bytes beyond a hole that an ENDPOINT remembers

CONNECTION = row_type(
    "CONNECTION",
    ("number", "i8", "rank by first packet, from 1; 0 = free row"),
    ("a_hi", "u8", "address of end 0 (sender of the first packet), upper 64 bits"),
    ("a_lo", "u8", "its lower 64 bits"),
    ("b_hi", "u8", "address of end 1, upper 64 bits"),
    ("b_lo", "u8", "its lower 64 bits"),
    ("a_port", "i4", "port of end 0 (ICMP: type; other protocols: 0)"),
    ("b_port", "i4", "port of end 1 (ICMP: code or the counterpart type; other protocols: 0)"),
    ("protocol", "u1", "IP protocol number"),
    ("ip_version", "u1", "4 or 6"),
    ("flipped", "u1", "1: end 1 is the originator"),
    ("is_over", "u1", "1: its deadline has passed or it was replaced; waits to be flushed"),
    ("conn_state", "u1", "index into CONN_STATES; valid when is_over"),
    ("vlan", "i2", "outer VLAN id of the first packet, -1 = none"),
    ("inner_vlan", "i2", "inner VLAN id, -1 = none"),
    ("tunnel", "i8", "what its first packet was unwrapped from, as PACKET.tunnel"),
    ("tunnel_id", "i8", "as PACKET.tunnel_id, of the first packet, -1 = none"),
    ("carrier", "i8", "number of the connection whose datagrams carry it, 0 = none"),
    ("marks", "i4", "bits, see the constants above"),
    ("first_ts", "i8", "time of the first packet, ns"),
    ("first_number", "i8", "its frame"),
    ("last_ts", "i8", "time of the last packet, ns"),
    ("last_number", "i8", "its frame"),
    ("productive_ts", "i8", "last time that counts for the duration (frozen once both ends have closed, as Zeek does)"),
    ("deadline", "i8", "capture time at which the connection is over if nothing more comes, ns; 0 = never"),
    ("syn_ts", "i8", "first SYN of the originator, ns"),
    ("syn_number", "i8", "its frame"),
    ("last_syn_ts", "i8", "last (re)transmission of that SYN before the answer, ns"),
    ("syn_retries", "i4", "SYNs sent again before the answer"),
    ("synack_ts", "i8", "first SYN+ACK of the responder, ns"),
    ("synack_number", "i8", "its frame"),
    ("ack_ts", "i8", "the originator's first packet that acknowledges the SYN+ACK, ns"),
    ("ack_number", "i8", "its frame"),
    ("teardown_ts", "i8", "first FIN or RST, ns"),
    ("teardown_number", "i8", "its frame"),
    ("teardown_end_ts", "i8", "ACK of the last FIN, or the RST that ended it, ns; 0 = not seen"),
    ("teardown_end_number", "i8", "its frame"),
    ("teardown_sender", "u1", "which end sent the first FIN or RST"),
    ("teardown_by_reset", "u1", "1: the first closing packet was a RST"),
    ("history_size", "u1", "letters in history"),
    ("history", ("u1", (HISTORY_SIZE,)), "history letters as ASCII"),
    ("irtt_ns", "i8", "round trip of the handshake: last SYN before the answer to the ACK of the SYN+ACK; 0 = unknown"),
    ("flow", "i4", "its two FLOW rows are 2 * flow + sender; 0 = none"),
    ("close_kind", "u1", "index into CLOSE_KINDS; valid when is_over"),
    ("vantage", "u1", "index into VANTAGES, from the two halves of the handshake; valid when is_over"),
    ("reset_marks", "u1", "bits: what does not fit about a RST"),
    ("icmp_error_type", "u1", "type of the first ICMP error that quotes a packet of it; valid with icmp_errors"),
    ("icmp_error_code", "u1", "and its code"),
    ("icmp_errors", "i4", "ICMP errors that quote a packet of it"),
    ("icmp_error_mtu", "i4", "smallest MTU that a 'fragmentation needed' or 'packet too big' told; 0 = none"),
    ("icmp_error_ts", "i8", "time of the first one, ns"),
    ("icmp_error_number", "i8", "its frame"),
    ("key_hash", "i8", "hash of the key, 31 bits: where its slot is found again"),
    ("attempt_deadline", "i8", "with --zeek-timeouts: when an unanswered SYN is given up, ns; 0 = none"),
)

ENDPOINT = row_type(
    "ENDPOINT",
    ("state", "u1", "state, see the constants"),
    ("prev_state", "u1", "state before the last change"),
    ("history_seen", "i4", "bits: letters already in the history"),
    ("packets", "i8", "packets sent"),
    ("ip_bytes", "i8", "sum of IP lengths"),
    ("payload_bytes", "i8", "sum of payload lengths on the wire, retransmissions included"),
    (
        "stream_bytes",
        "i8",
        "payload bytes by sequence space (TCP, Zeek's orig_bytes) or summed (UDP, ICMP; other protocols 0); valid when is_over",
    ),
    ("missed_bytes", "i8", "bytes acknowledged by the other end but not in the capture, by the connection's own account (Zeek's rule)"),
    ("first_ts", "i8", "time of its first packet, ns"),
    ("first_payload_ts", "i8", "time of its first payload, ns"),
    ("last_payload_ts", "i8", "time of its last payload, ns"),
    ("first_payload_number", "i8", "frame of its first payload"),
    ("last_payload_number", "i8", "frame of its last payload"),
    ("fin_ts", "i8", "its first FIN, ns"),
    ("fin_number", "i8", "its frame"),
    ("rst_ts", "i8", "its first RST, ns"),
    ("rst_number", "i8", "its frame"),
    ("ttl", "u1", "TTL or hop limit of its first packet"),
    ("ttl_other", "u1", "the last TTL of it that differs from that, 0 = none"),
    ("window_scale", "u1", "shift count offered, 255 = none"),
    ("has_sack", "u1", "SACK permitted offered"),
    ("has_timestamps", "u1", "timestamps offered"),
    ("mss", "i4", "maximum segment size offered, 0 = none"),
    ("window_first", "i4", "window of its first packet, unscaled"),
    ("resent_segments", "i4", "segments that did not advance the highest byte sent (Zeek's T: retransmitted or out of order)"),
    ("retransmissions", "i4", "segments that it sent again, by the best evidence (see resent_kernels)"),
    ("out_of_order", "i4", "segments that were overtaken on their way, by the best evidence"),
    ("gaps", "i4", "gaps reported (Zeek's G)"),
    ("zero_windows", "i4", "packets that advertised a window of 0"),
    ("bad_checksums", "i4", "packets with a wrong transport checksum"),
    ("cut_packets", "i4", "packets cut by the snapshot length"),
    ("cut_bytes", "i8", "payload bytes cut off by it"),
    ("data_packets", "i8", "packets with payload"),
    # sequence space; numbers named *_seq of 64 bits count the wraps in their upper half
    ("start_seq", "i8", "sequence number of its SYN, or the one before its first byte when no SYN was seen"),
    ("last_seq", "i8", "one past the highest byte sent, SYN and FIN counted, 64 bits"),
    ("ack_seq", "i8", "highest acknowledgement number received for it, 64 bits"),
    ("fin_offset", "i8", "one past its last FIN, relative to start_seq; 0 = no FIN"),
    ("history_syn", "i8", "relative sequence number of the last SYN, for the history"),
    ("history_fin", "i8", "end of the last FIN segment, for the history"),
    ("history_rst", "i8", "relative sequence number of the last RST, for the history"),
    ("in_order", "i8", "relative sequence number up to which the stream is complete or given up; the first byte is 1"),
    ("acknowledged", "i8", "relative sequence number up to which the other end has acknowledged"),
    ("range_start", ("i8", (RANGES,)), "ranges seen beyond in_order, ascending and apart: start"),
    ("range_end", ("i8", (RANGES,)), "and end of each"),
    ("ranges", "u1", "their number"),
    ("did_close", "u1", "its end of the stream was reached (FIN with all bytes before it, or RST)"),
    ("did_eof", "u1", "the end of its stream was noticed"),
    ("is_skipping", "u1", "its stream is no longer followed: too much data beyond a hole"),
    ("fin_is_acked", "u1", "the other end acknowledged its FIN"),
)

# ---- FLOW.known bits
HAS_NEXT = 1  # next_seq is valid
HAS_CONTIGUOUS = 2  # contiguous_seq is valid
HAS_PACKET = 4  # window, last_ack and last_ts are those of a packet
HAS_ACK = 8  # one of its packets acknowledged something
HAS_TSVAL = 16  # last_tsval is valid
HAS_IP_ID = 32  # last_ip_id is valid
WINDOW_IS_OF_SYN = 64  # window was sent with a SYN: it is never scaled (RFC 7323 2.2)
IS_AMBIGUOUS = 128  # between ambiguous_from and ambiguous_until no round trip can be measured
HAS_SYN = 512  # its SYN was seen
UNSEEN_IS_COUNTED = 256  # an ACK for bytes not seen was counted, and nothing higher has been sent since

# ---- FLOW.last_kind
KEEP_ALIVE, WINDOW_PROBE = 1, 2

# ---- FLOW.judged_by: which rule told a retransmission from a segment that was overtaken, by position in RULES
RULES = (
    ("timestamps", "its TCP timestamp is older or newer than that of the highest byte sent"),
    ("ip_id", "its IP identification is older or newer, of an end that counts them up"),
    ("acknowledged", "the receiver had acknowledged its bytes"),
    ("content", "all of its bytes were in the capture before, or it goes on beyond the highest byte"),
    ("report", "whether the receiver had reported the hole, and time for the sender to react"),
    ("time", "Wireshark's guess: less than the handshake's round trip (or 3 ms) after the highest byte"),
)
BY_TIMESTAMPS, BY_IP_ID, BY_ACK, BY_CONTENT, BY_REPORT, BY_TIME = range(6)

# ---- FLOW.idle_cause: what ended the longest silence, by position in IDLE_CAUSES
IDLE_CAUSES = ("application", "retransmission", "zero window", "keep-alive")
IDLE_RETRANSMISSION, IDLE_ZERO_WINDOW, IDLE_KEEP_ALIVE = 1, 2, 3

SACKS = 4  # blocks that fit in the options of one packet
RTT_BUCKETS = 64  # of the histogram: four to each doubling, from 8 us to 1 s
RTT_SHIFT = 13  # its unit is 2**13 ns

# What one end of a TCP connection does, beyond what conn.log needs. Written by connections/ only. Sequence numbers here are those of
# the wire, 0 .. 2**32 - 1. The names are Wireshark's and tcptrace's.
FLOW = row_type(
    "FLOW",
    # state that nearly every packet needs
    ("next_seq", "i8", "one past the highest byte sent"),
    ("next_ts", "i8", "when it was sent, ns"),
    ("contiguous_seq", "i8", "one past the highest byte sent without a hole before it: an ACK beyond is for bytes not seen"),
    ("last_ack", "i8", "acknowledgement number of its last packet"),
    ("last_ts", "i8", "time of its last packet, ns"),
    ("window", "i4", "window of its last packet, unscaled"),
    ("last_ip_id", "i4", "IP identification of its latest packet that came in order"),
    ("ip_id_steps", "i4", "packets in a row whose IP identification went up a little; at most 1000"),
    ("duplicate_count", "i4", "duplicate ACKs in a row"),
    ("first_segment", "i4", "SEGMENT row of its oldest unacknowledged segment, 0 = none"),
    ("last_segment", "i4", "and of its newest"),
    ("outstanding", "i4", "how many there are"),
    ("known", "u2", "bits: what is valid"),
    ("last_kind", "u1", "KEEP_ALIVE or WINDOW_PROBE when its last packet was one"),
    ("sacks", "u1", "blocks above the acknowledgement that its last packet reported"),
    ("idle_cause", "u1", "what ended idle_max_ns, see IDLE_CAUSES"),
    ("last_tsval", "i8", "TCP timestamp of the packet that carried the highest byte"),
    ("max_in_flight", "i8", "most bytes sent and not acknowledged at one time"),
    ("idle_max_ns", "i8", "longest time between two packets of this end in a row, ns"),
    ("zero_since", "i8", "since when it advertises no window, ns; 0 = it does"),
    ("zero_number", "i8", "frame that said so"),
    ("segment_max", "i4", "largest payload of one packet"),
    # state that loss needs
    ("ambiguous_from", "i8", "first byte that was sent again since; see round_trip_kernels"),
    ("ambiguous_until", "i8", "highest byte that was sent when that happened"),
    ("report_ts", "i8", "since when its ACKs report a hole (duplicate ACK or SACK), ns; 0 = they do not"),
    ("hole_ts", "i8", "when the first packet beyond the open hole was seen, ns; 0 = no hole"),
    ("hole_number", "i8", "its frame"),
    ("waited_until", "i8", "end of the waiting that retransmission_wait_ns has counted"),
    ("sack_start", ("u4", (SACKS,)), "first byte of each block"),
    ("sack_end", ("u4", (SACKS,)), "and one past its last"),
    # results
    ("initial_window", "i8", "bytes sent before the first of them was acknowledged"),
    ("fast_retransmissions", "i4", "of ENDPOINT.retransmissions: those that followed duplicate ACKs or SACK at once"),
    ("spurious_retransmissions", "i4", "of ENDPOINT.retransmissions: those of bytes that the receiver had acknowledged"),
    ("duplicated_packets", "i4", "packets that the network or the capture doubled: sent once, seen again"),
    ("judged_by", ("i4", (len(RULES),)), "how often each rule decided, see RULES"),
    ("wireshark_retransmissions", "i4", "retransmissions by Wireshark's rules, neither fast nor spurious"),
    ("wireshark_fast_retransmissions", "i4", "fast retransmissions by Wireshark's rules"),
    ("wireshark_spurious_retransmissions", "i4", "spurious retransmissions by Wireshark's rules"),
    ("wireshark_out_of_order", "i4", "out-of-order segments by Wireshark's rules"),
    ("duplicate_acks", "i4", "ACKs that repeat the one before: the receiver misses something"),
    ("triple_duplicate_acks", "i4", "third ones in a row: the sender should send again"),
    ("dsacks", "i4", "ACKs that report bytes which arrived twice (RFC 2883)"),
    ("lost_segments", "i4", "packets before which a segment is not in the capture"),
    ("acked_unseen", "i4", "ACKs for bytes of the other end that are not in the capture"),
    ("zero_windows", "i4", "packets that advertised no window (Wireshark's rule)"),
    ("zero_window_episodes", "i4", "times it closed its window"),
    ("window_full", "i4", "packets that filled the other end's window"),
    ("window_updates", "i4", "packets that said nothing but a new window"),
    ("window_probes", "i4", "one byte sent into a closed window"),
    ("keep_alives", "i4", "packets that repeat the last byte, or its place, to see whether the other end is there"),
    ("zero_window_ns", "i8", "time for which it advertised no window, ns"),
    ("retransmission_wait_ns", "i8", "time in which its stream waited for a retransmission, ns"),
    ("longest_wait_ns", "i8", "longest such wait, ns"),
    ("longest_wait_number", "i8", "frame that ended it"),
    ("waits", "i4", "WAIT rows of it; at most MOST_WAITS"),
    (
        "first_loss_number",
        "i8",
        "frame of the segment that its first retransmission replaces, or of the first beyond the hole; 0 = unknown",
    ),
    ("first_retransmission_number", "i8", "frame of its first retransmission"),
    ("idle_end_number", "i8", "frame that ended idle_max_ns"),
    ("rtt_min_ns", "i8", "smallest round trip from here to the other end and back, ns"),
    ("rtt_max_ns", "i8", "largest, ns"),
    ("rtt_sum_ns", "i8", "sum, ns"),
    ("rtt_p95_ns", "i8", "95 % stay below it (exact to 25 %), ns; valid when is_over"),
    ("rtt_samples", "i4", "round trips measured (Karn's rule: nothing that was sent again)"),
    ("rtt_ambiguous", "i4", "segments acknowledged whose round trip cannot be told"),
    ("full_rtt_samples", "i4", "round trips of segments as large as the largest so far"),
    ("full_rtt_min_ns", "i8", "smallest of them, ns"),
    ("full_rtt_sum_ns", "i8", "their sum, ns"),
    ("rtt_buckets", ("u2", (RTT_BUCKETS,)), "histogram of round trips, see round_trip_kernels"),
)

# One data segment that is not acknowledged, in a list by FLOW. Row 0 stays zero: 0 = none.
SEGMENT = row_type(
    "SEGMENT",
    ("end_seq", "i8", "one past its last byte"),
    ("ts", "i8", "when it was sent, ns"),
    ("number", "i8", "its frame"),
    ("payload_length", "i4", "its bytes"),
    ("following", "i4", "the next one of the flow, or the next free row"),
)

# ---- WAIT.kind, by position in WAIT_KINDS
WAIT_KINDS = (
    ("retransmission", "a segment was lost and sent again"),
    ("syn retry", "SYN or SYN+ACK was sent again: the first was not answered in time"),
    ("zero window", "the receiver had no room"),
)
RETRANSMISSION_WAIT, SYN_WAIT, ZERO_WINDOW_WAIT = range(3)

MOST_WAITS = 1000  # of one end: what comes later is only summed up (FLOW.retransmission_wait_ns, zero_window_ns)

# One time in which a stream stood still because of TCP. Written by connections/ only, read by lifecycle/.
WAIT = row_type(
    "WAIT",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "end whose data had to wait: the one that sent again, or the one whose peer had no room"),
    ("kind", "u1", "index into WAIT_KINDS"),
    ("first_ts", "i8", "when the wait begins, ns: the loss is visible, or the window closed"),
    ("first_number", "i8", "frame of the segment that was lost, of the first beyond the hole, or that closed the window; 0 = unknown"),
    ("last_ts", "i8", "when it ends, ns"),
    ("last_number", "i8", "frame that ended it; 0 = nothing did"),
)
