"""Rows of stage 3: connections and their two endpoints (REFERENCE: the vocabulary and semantics are Zeek's conn.log).

The tables are hot: row i of CONNECTION goes with rows 2*i + sender of ENDPOINT. A row is reused after its connection was flushed.
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
    ("window_scale", "u1", "shift count offered, 255 = none"),
    ("has_sack", "u1", "SACK permitted offered"),
    ("has_timestamps", "u1", "timestamps offered"),
    ("mss", "i4", "maximum segment size offered, 0 = none"),
    ("window_first", "i4", "window of its first packet, unscaled"),
    ("resent_segments", "i4", "segments that did not advance the highest byte sent (Zeek's T: retransmitted or out of order)"),
    ("retransmissions", "i4", "those of them that carried nothing new"),
    ("out_of_order", "i4", "those of them that filled a hole"),
    ("gaps", "i4", "gaps reported (Zeek's G)"),
    ("zero_windows", "i4", "packets that advertised a window of 0"),
    ("bad_checksums", "i4", "packets with a wrong transport checksum"),
    ("cut_packets", "i4", "packets cut by the snapshot length"),
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
