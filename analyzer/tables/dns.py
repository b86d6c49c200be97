"""Rows of messages/dns that later stages read."""

from __future__ import annotations

import numpy as np

from analyzer.tables import row_type


def by_size(*fields: tuple[str, str, str]) -> tuple[tuple[str, str, str], ...]:
    """Fields with the widest first, so that rows of which there are many have no gaps; else in the order given."""
    return tuple(sorted(fields, key=lambda field: -np.dtype(field[1]).itemsize))


# ---- LOOKUP.outcome
# unanswered: the capture ends less than 5 s after the last query; timeout: it goes on; unreachable: ICMP said so
OUTCOMES = (
    ("unanswered", "answered", "nodata", "nxdomain", "servfail", "refused", "failed", "truncated", "answer_only", "timeout", "unreachable")
)  # fmt: skip

UNANSWERED, ANSWERED, NODATA, NXDOMAIN, SERVFAIL, REFUSED, FAILED, TRUNCATED, ANSWER_ONLY, TIMEOUT, UNREACHABLE = range(len(OUTCOMES))

# ---- LOOKUP.is_repeat
REPEAT, SUPERSEDED = 1, 2

# ---- LOOKUP.error, DNS_MESSAGE.error: what was malformed; everything before it was read, nothing after it
ERRORS = (
    ("none", ""),
    ("cut", "cut by the snapshot length"),
    ("bad_name", "a name that runs past its end, is longer than 255 bytes, or whose compression does not point backwards"),
    ("bad_question", "the message ends inside its questions"),
    ("bad_record", "a record that runs past the end of the message, or fewer records than the header claims"),
    ("bad_rdata", "data that does not follow the rules of its type"),
    ("too_much_text", "compressed names that would unfold to far more text than the message has bytes"),
    ("two_opts", "more than one OPT record"),
)
NO_ERROR, CUT, BAD_NAME, BAD_QUESTION, BAD_RECORD, BAD_RDATA, TOO_MUCH_TEXT, TWO_OPTS = range(len(ERRORS))

# One message of the batch, on its way from framing to pairing. Its bytes are in memory, what was read of them in the text.
DNS_MESSAGE = row_type(
    "DNS_MESSAGE",
    *by_size(
        ("position", "i8", "position of the message in memory"),
        ("message_size", "i4", "bytes captured"),
        ("is_cut", "u1", "1: cut by the snapshot length"),
        ("block_size", "i4", "size of the arena block that holds it, 0 = it lies in a chunk"),
        ("order", "i8", "frame with which the message was complete: messages are paired in this order"),
        ("number", "i8", "frame that carried its last byte"),
        ("ts", "i8", "its time, ns"),
        ("connection", "i4", "row of the connection tables"),
        ("sender", "u1", "which end sent it"),
        ("transport", "u1", "17 UDP, 6 TCP"),
        ("ip_version", "u1", "4 or 6"),
        ("is_multicast", "u1", "1: sent to a multicast address"),
        ("is_netbios", "u1", "1: NetBIOS name service (port 137)"),
        ("src_hi", "u8", "sender's address, upper 64 bits"),
        ("src_lo", "u8", "lower 64 bits"),
        ("dst_hi", "u8", "receiver's address, upper 64 bits"),
        ("dst_lo", "u8", "lower 64 bits"),
        ("src_port", "i4", "sender's port"),
        ("dst_port", "i4", "receiver's port"),
        ("id", "i4", "message id"),
        ("bits", "i4", "second word of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, rcode"),
        ("questions", "i4", "questions by the header"),
        ("rcode", "i4", "response code, extended by OPT"),
        ("error", "u1", "index into ERRORS"),
        ("rejected", "u1", "Zeek's rejected: an error without a question, or a response without any record"),
        ("qtype", "i4", "type of the first question, -1 = none"),
        ("qclass", "i4", "its class, -1 = none"),
        ("question_hash", "i8", "hash of the first question: name without case, type, class"),
        ("name_hash", "i8", "hash of its name without case"),
        ("is_mixed_case", "u1", "1: its name has letters of both cases"),
        ("name", "i8", "name asked for"),
        ("name_size", "i4", "its length"),
        (
            "zeek_name",
            "i8",
            "Zeek's query: the last question of a query, the owner of the first answer of a response; lower case, bytes as they are",
        ),
        ("zeek_name_size", "i4", "its length"),
        ("zeek_qtype", "i4", "type of the last question, -1 = none"),
        ("zeek_qclass", "i4", "its class, -1 = none"),
        ("first_record", "i4", "first row of its records"),
        ("answer_records", "i4", "records of the answer section"),
        ("records", "i4", "records of all sections, OPT left out"),
        ("matching", "i4", "records of the answer section that have the type asked for"),
        ("zeek_answers", "i4", "records of the answer section that Zeek's script looks at"),
        ("udp_size", "i4", "UDP payload size of OPT, -1 = no OPT"),
        ("dnssec_ok", "u1", "DO"),
        ("extended_error", "i4", "info-code of the first extended DNS error (RFC 8914), -1 = none"),
        ("extended_error_text", "i8", "its extra text"),
        ("extended_error_text_size", "i4", "its length"),
        ("options", "i8", "the options of OPT as text"),
        ("options_size", "i4", "its length"),
    ),
)

# State of messages/dns, rows 2 * connection + sender: the DNS over TCP of one direction. The last three fields stand for the whole
# connection, in the row of sender 0.
DNS_STREAM = row_type(
    "DNS_STREAM",
    ("is_off", "u1", "1: it is not DNS, nothing more is read; 2: bytes are missing, a run that is one message is looked for"),
    ("prefix_bytes", "u1", "bytes of the length prefix seen"),
    ("wanted", "i4", "length prefix so far, then the size of the message"),
    ("have", "i4", "bytes of the message held"),
    ("block", "i8", "arena block that holds them"),
    ("order", "i8", "highest frame seen on the connection"),
    ("is_dns", "u1", "1: a query was recognised on another port"),
    ("first_query", "i4", "multicast: row of LOOKUP plus one, oldest query that Zeek has not paired; 0 = none"),
    ("last_query", "i4", "newest of them"),
    ("first_reply", "i4", "multicast: oldest response that Zeek has not paired"),
    ("last_reply", "i4", "newest of them"),
)

# State of messages/dns beside each pending LOOKUP row: the hash chains of open lookups and the lists of repeats.
PENDING = row_type(
    "PENDING",
    ("key", "i8", "hash of connection, client, id and question"),
    ("client", "u1", "which end (sender) asked"),
    ("chain", "i4", "next row plus one of the same hash slot"),
    ("first_repeat", "i4", "oldest repeated query without an answer, row plus one"),
    ("last_repeat", "i4", "newest of them"),
    ("next_repeat", "i4", "next repeated query of the same lookup"),
    ("next_join", "i4", "multicast: next in the queue of the connection"),
)

# One question with its answer (either may be missing). Spans are in the text of messages/dns.
#
# A query that is sent again while its first is unanswered, and a response to it or a second response, have a row of their own with
# is_repeat = 1 and the number of the lookup they repeat; that lookup counts them (queries, responses). Tables for people leave the
# repeats out. Zeek's dns.log has a line for every row with zeek_row = 1.
#
# A query over TCP that follows a truncated answer over UDP goes on with that lookup: its row takes the number, the first query and the
# count of queries over, and the row over UDP becomes a SUPERSEDED one that only Zeek's log shows.
LOOKUP = row_type(
    "LOOKUP",
    *by_size(
        ("number", "i8", "rank of the lookup in the capture, from 1; of a repeat: the lookup it repeats"),
        ("connection", "i4", "row of the connection tables"),
        ("is_repeat", "u1", "1: a repeated query or response of that lookup; 2: its attempt over UDP, which was truncated"),
        ("is_multicast", "u1", "1: sent to a multicast address; never paired"),
        ("is_netbios", "u1", "1: NetBIOS name service (port 137)"),
        ("is_over", "u1", "1: answered or given up; nothing will change"),
        ("has_query", "u1", "the query was seen"),
        ("has_response", "u1", "the response was seen"),
        ("outcome", "u1", "index into OUTCOMES"),
        ("transport", "u1", "17 UDP, 6 TCP"),
        ("id", "u2", "message id"),
        ("opcode", "u1", "operation code"),
        ("qtype", "i4", "type asked for; -1 = no question"),
        ("qclass", "i4", "class asked for; -1 = no question"),
        ("rcode", "i2", "extended response code, -1 = no response"),
        ("authoritative", "u1", "AA of the response"),
        ("is_truncated", "u1", "TC"),
        ("recursion_desired", "u1", "RD"),
        ("recursion_available", "u1", "RA"),
        ("z", "u1", "the three bits after RA: Z, AD, CD as one number (Zeek's Z)"),
        ("authentic_data", "u1", "AD of the response"),
        ("checking_disabled", "u1", "CD of the query"),
        ("error", "u1", "index into ERRORS: what was malformed in the response, else in the query"),
        ("query_ts", "i8", "first query, ns"),
        ("query_number", "i8", "its frame"),
        ("own_query_ts", "i8", "first query of this row: not that over UDP which was truncated, ns"),
        ("last_query_ts", "i8", "last retransmission of it, ns"),
        ("queries", "i4", "queries sent, retransmissions included"),
        ("response_ts", "i8", "response, ns"),
        ("response_number", "i8", "its frame"),
        ("responses", "i4", "responses seen (more than one: duplicates, or conflicting answers)"),
        ("conflicts", "i4", "of these, those whose response code or answers differ from those of the first"),
        ("truncated_number", "i8", "frame of the truncated response over UDP that made the client ask over TCP; 0 = none"),
        ("questions", "u2", "questions in the query, else in the response: only the first is shown"),
        ("client_hi", "u8", "address that asked, upper 64 bits"),
        ("client_lo", "u8", "lower 64 bits"),
        ("server_hi", "u8", "address that was asked, upper 64 bits"),
        ("server_lo", "u8", "lower 64 bits"),
        ("client_port", "u2", "its port"),
        ("server_port", "u2", "its port"),
        ("ip_version", "u1", "4 or 6"),
        ("name", "i8", "name asked for, as on the wire (case kept), labels joined by '.', '\\DDD' escapes"),
        ("name_size", "u2", "its length"),
        ("name_hash", "i8", "hash of the name without case"),
        ("is_mixed_case", "u1", "1: the query's name has letters of both cases"),
        ("is_case_changed", "u1", "1: the response has the name in another case than the query"),
        ("resolution", "i8", "LOOKUP.number of the first lookup of its resolution: of A, AAAA and HTTPS of one name, after search domains"),
        ("resolution_ts", "i8", "first query of the resolution, ns"),
        ("resolution_number", "i8", "its frame"),
        ("searched", "i4", "names that the client tried before in this resolution, which did not exist"),
        ("nxdomains", "i4", "resolutions of this name by this client that ended in NXDOMAIN, this one included"),
        ("first_record", "i4", "first row of its resource records in RESOURCE_RECORD"),
        ("answer_records", "i4", "records of the answer section"),
        ("records", "i4", "records of all sections (OPT left out)"),
        ("query_bits", "i4", "second word of the query's header, -1 = no query"),
        ("response_bits", "i4", "second word of the response's header, -1 = no response"),
        ("query_udp_size", "i4", "UDP payload size of the query's OPT, -1 = no OPT"),
        ("response_udp_size", "i4", "UDP payload size of the response's OPT, -1 = no OPT"),
        ("dnssec_ok", "u1", "DO of the query"),
        ("extended_error", "i4", "info-code of the extended DNS error (RFC 8914), -1 = none"),
        ("extended_error_text", "i8", "its extra text"),
        ("extended_error_text_size", "i4", "its length"),
        ("query_options", "i8", "the options of the query's OPT as text"),
        ("query_options_size", "i4", "its length"),
        ("response_options", "i8", "the options of the response's OPT as text"),
        ("response_options_size", "i4", "its length"),
        ("zeek_row", "u1", "1: a line of Zeek's dns.log; 0: stands in the line of zeek_pair"),
        ("zeek_pair", "i8", "number of the lookup that Zeek joins with this one in one line, for the ids are the same; 0 = none"),
        (
            "zeek_name",
            "i8",
            "Zeek's query: the last question of the query, else the owner of the first answer; lower case, bytes as they are",
        ),
        ("zeek_name_size", "u2", "its length"),
        ("zeek_qtype", "i4", "Zeek's qtype: of the last question of the query, -1 = none"),
        ("zeek_qclass", "i4", "Zeek's qclass, -1 = none"),
        ("zeek_answers", "i4", "answers that Zeek's script looks at: only with one does it set rtt, AA and RA"),
        ("rejected", "u1", "Zeek's rejected"),
        ("question_hash", "i8", "hash of the question: name without case, type, class"),
    ),
)

# What was asked lately, each in a table of fixed size where a newer entry takes the place of an older one with the same slot.
RESOLUTION = row_type(
    "RESOLUTION",
    ("key", "i8", "hash of client and name; 0 = none"),
    ("number", "i8", "as LOOKUP.resolution"),
    ("first_ts", "i8", "as LOOKUP.resolution_ts"),
    ("first_number", "i8", "as LOOKUP.resolution_number"),
    ("until_ts", "i8", "lookups until then can belong to it, ns"),
    ("kinds", "i4", "bits of what was asked: 1 A, 2 AAAA, 4 HTTPS or SVCB"),
    ("open_lookups", "i4", "lookups without an answer"),
    ("searched", "i4", "as LOOKUP.searched"),
    ("nxdomains", "i4", "as LOOKUP.nxdomains"),
    ("nxdomain", "i8", "number of the last resolution that was counted there"),
)

SEARCH = row_type(
    "SEARCH",
    ("key", "i8", "hash of the client; 0 = none"),
    ("name_hash", "i8", "hash of the name that did not exist"),
    ("label_hash", "i8", "hash of its first label"),
    ("number", "i8", "as LOOKUP.resolution"),
    ("first_ts", "i8", "as LOOKUP.resolution_ts"),
    ("first_number", "i8", "as LOOKUP.resolution_number"),
    ("last_ts", "i8", "last NXDOMAIN, ns"),
    ("searched", "i4", "names tried, this one included"),
)

TRUNCATION = row_type(
    "TRUNCATION",
    ("key", "i8", "hash of client, server and question; 0 = none"),
    ("row", "i4", "row of LOOKUP plus one"),
    ("number", "i8", "its number"),
)

RESOURCE_RECORD = row_type(
    "RESOURCE_RECORD",
    *by_size(
        ("lookup", "i8", "LOOKUP.number it belongs to"),
        ("section", "u1", "1 answer, 2 authority, 3 additional"),
        ("rrtype", "u2", "type"),
        ("rrclass", "u2", "class"),
        ("ttl", "u4", "seconds"),
        ("name", "i8", "owner name"),
        ("name_size", "u2", "its length"),
        ("rdata", "i8", "the data as text (presentation form; unknown types as RFC 3597)"),
        ("rdata_size", "i4", "its length"),
        ("zeek", "i8", "answer section: the data as a string of Zeek's answers"),
        ("zeek_size", "i4", "its length, 0 = not listed"),
        ("address_hi", "u8", "A and AAAA: the address, upper 64 bits; HTTPS and SVCB: where in the text the addresses of its hints lie"),
        ("address_lo", "u8", "lower 64 bits; HTTPS and SVCB: 65536 times the hints of IPv4 (4 bytes each) plus those of IPv6 (16 bytes)"),
    ),
)

# ---- ATTRIBUTION.basis
NOT_SEEN, CACHED, CAUSED = 0, 1, 2

# Which lookup gave the responder's address of a connection; one per connection row, all zero = none seen.
CANDIDATES = 4  # names of other answers that fit, which are kept

ATTRIBUTION = row_type(
    "ATTRIBUTION",
    ("basis", "u1", "NOT_SEEN, CACHED (an answer was known) or CAUSED (this lookup made the client connect)"),
    ("candidates", "i4", "different names that fit"),
    ("lookup", "i8", "LOOKUP.number of the answer used"),
    ("query_ts", "i8", "first query of the resolution (A, AAAA and HTTPS of the same name together), ns"),
    ("query_number", "i8", "its frame"),
    ("response_ts", "i8", "the last answer the client waited for, ns"),
    ("response_number", "i8", "its frame"),
    ("ttl", "i8", "TTL of the address record, seconds"),
    ("queries", "i4", "queries sent, retransmissions included"),
    ("name", "i8", "the name asked for"),
    ("name_size", "i4", "its length"),
    ("server_hi", "u8", "DNS server, upper 64 bits"),
    ("server_lo", "u8", "lower 64 bits"),
    ("is_hint", "u1", "1: the address is a hint of an HTTPS record; no A or AAAA answer has it"),
    ("resolution", "i8", "as LOOKUP.resolution"),
    ("searched", "i4", "as LOOKUP.searched"),
    ("kind_ns", ("i8", 3), "query to response of the lookups of A, AAAA and HTTPS that were answered before the connection, ns; 0 = none"),
    ("cnames", "i8", "targets of the CNAME records on the way to the address, spaces between"),
    ("cnames_size", "i4", "their length"),
    ("other", ("i8", CANDIDATES), "the other names that fit, newest first"),
    ("other_size", ("i4", CANDIDATES), "their lengths"),
    ("race", "i8", "number of the connection that was the first attempt to reach the name, of several addresses; 0 = no other attempt"),
    ("race_ts", "i8", "its first packet, ns"),
)

# State of lifecycle/attribution: answered lookups of addresses, and the addresses they gave. Both hang in hash chains, newest first.
KNOWN_NAME = row_type(
    "KNOWN_NAME",
    ("chain", "i4", "next row plus one of the same hash slot"),
    ("key", "i8", "hash of client and name"),
    ("question", "i8", "hash of the name without case"),
    ("lookup", "i8", "LOOKUP.number"),
    ("client_hi", "u8", "address that asked, upper 64 bits"),
    ("client_lo", "u8", "lower 64 bits"),
    ("server_hi", "u8", "address that was asked, upper 64 bits"),
    ("server_lo", "u8", "lower 64 bits"),
    ("query_ts", "i8", "first query, ns; 0 = not seen"),
    ("query_number", "i8", "its frame"),
    ("response_ts", "i8", "response, ns"),
    ("response_number", "i8", "its frame"),
    ("queries", "i4", "queries sent"),
    ("expires_ts", "i8", "no answer in it can explain a connection after this, ns"),
    ("name", "i8", "the name asked for, in the text of the attribution"),
    ("name_size", "i4", "its length"),
    ("kind", "i4", "what was asked for: 0 A, 1 AAAA, 2 HTTPS"),
    ("resolution", "i8", "as in LOOKUP"),
    ("resolution_ts", "i8", "as in LOOKUP"),
    ("resolution_number", "i8", "as in LOOKUP"),
    ("searched", "i4", "as in LOOKUP"),
    ("cnames", "i8", "as in ATTRIBUTION"),
    ("cnames_size", "i4", "their length"),
)

# The latest attempt of a client to reach a name, in a table of fixed size.
RACE = row_type(
    "RACE",
    ("key", "i8", "hash of client and name, as in KNOWN_NAME; 0 = none"),
    ("first", "i8", "number of the connection that was the first attempt"),
    ("first_ts", "i8", "its first packet, ns"),
    ("last", "i8", "number of the latest attempt"),
    ("last_row", "i4", "its row"),
    ("port", "i4", "port that is to be reached"),
    ("address_hi", "u8", "address of the latest attempt, upper 64 bits"),
    ("address_lo", "u8", "lower 64 bits"),
)

KNOWN_ADDRESS = row_type(
    "KNOWN_ADDRESS",
    ("chain", "i4", "next row plus one of the same hash slot"),
    ("key", "i8", "hash of client and address"),
    ("any_chain", "i4", "next row plus one of the same slot among all clients"),
    ("any_key", "i8", "hash of the address"),
    ("known_name", "i4", "row of KNOWN_NAME"),
    ("address_hi", "u8", "the address, upper 64 bits"),
    ("address_lo", "u8", "lower 64 bits"),
    ("ttl", "i8", "TTL of its record, seconds"),
    ("expires_ts", "i8", "end of its life: response + TTL + 60 s, ns"),
    ("is_used", "u1", "1: a connection of this client went to the address after this answer"),
    ("is_hint", "u1", "1: a hint of an HTTPS record"),
)
