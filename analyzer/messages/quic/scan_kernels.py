# mypy: allow-untyped-defs
"""Datagrams to what can be seen without keys: headers, connection ids, sizes, the spin bit; and the list of packets to be opened.

A packet with a short header costs a few comparisons. Without keys the end of the handshake is seen by packet types and sizes: the
client's Finished is its first Handshake packet that is long enough for one (acknowledgements are shorter), and the handshake is
confirmed by the server's first packet with a short header at least half a round trip later. The first exchange: what the client sends
after its Finished (or as 0-RTT) in packets larger than acknowledgements is the request, until such packets come from the server, which
are the response until the client asks again. The packet that confirms the handshake does not count (it carries tickets and connection
ids), nor do packets that share a datagram with the handshake's.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be32, be64, helper, kernel, u8
from analyzer.messages.quic.id_kernels import add_id, find_home
from analyzer.messages.quic.probe_kernels import ids_end, is_familiar, kind_of, varint, varint_size
from analyzer.tables.packets import ANALYSED
from analyzer.tables.quic import (
    CID_MAX,
    ERROR_CODES,
    HANDSHAKE,
    HAS_CLOSE,
    HAS_HELLO,
    HISTORY_SIZE,
    INITIAL,
    IS_CUT,
    NEGOTIATION,
    PLACE_CODES,
    RETRY,
    SHORT,
    UNFAMILIAR,
    ZERO_RTT,
)
from analyzer.tables.services import QUIC, UNDECIDED, UNKNOWN
from analyzer.tables.tls import BOUNDED, INFERRED, MEASURED

UDP = 17
COALESCED = 12  # packets of one datagram that are read: more than any real one has
TRIES = 4  # datagrams of an unknown UDP connection whose connection id is looked for
OVERHEAD = 1 + 2 + 16  # first byte, packet number as most senders write it, tag
# bytes of frames: a request at its shortest, a response (longer than the settings of HTTP/3), acknowledgements of a lossy path at most
REQUEST_LEAST, RESPONSE_LEAST, NEXT_LEAST = 21, 40, 24
FINISHED_LEAST, FINISHED_MOST = 1 + 3 + 36 + 16, 220  # length field of a Handshake packet with a Finished: SHA-256, CRYPTO header, tag
NOTHING = np.int64(0)

FOUND, IDS = 0, 1  # places in ``state``: rows of ``found``, rows of ``ids`` in use

P_CLIENT, P_SERVER, P_NEGOTIATION = (
    PLACE_CODES["first_client_initial"],
    PLACE_CODES["first_server_initial"],
    PLACE_CODES["version_negotiation"],
)
P_SECOND, P_RETRY, P_EARLY = PLACE_CODES["second_initial"], PLACE_CODES["retry"], PLACE_CODES["first_zero_rtt"]
P_CLIENT_HANDSHAKE, P_SERVER_HANDSHAKE = PLACE_CODES["first_client_handshake"], PLACE_CODES["first_server_handshake"]
P_LAST, P_FLIGHT_END, P_FINISHED = PLACE_CODES["last_server_handshake"], PLACE_CODES["server_flight_end"], PLACE_CODES["client_finished"]
P_CONFIRMED, P_CLIENT_DATA, P_SERVER_DATA = PLACE_CODES["confirmed"], PLACE_CODES["first_client_data"], PLACE_CODES["first_server_data"]

P_REQUEST, P_REQUEST_END, P_NEXT = PLACE_CODES["request"], PLACE_CODES["request_end"], PLACE_CODES["next_request"]
P_RESPONSE, P_RESPONSE_END = PLACE_CODES["response"], PLACE_CODES["response_end"]

HEADER, COALESCED_ERROR, CUT = ERROR_CODES["header"], ERROR_CODES["coalesced"], ERROR_CODES["cut"]
_LETTERS = np.frombuffer(b"izhrvu", np.uint8).copy()  # Zeek's of each kind; v is ours


@helper
def set_place(q, place, ts, number, basis):
    """Say when something happened."""
    q.place_ts[place] = ts
    q.place_number[place] = number
    q.place_basis[place] = basis


@helper
def mark(q, place, p, basis):
    """The first time counts."""
    if q.place_ts[place] == 0:
        set_place(q, place, p.ts, p.number, basis)


@helper
def note_error(q, error, number, errors):
    """Count it; the first of a connection stays, also when it was found later."""
    errors[error] += 1
    if q.error == 0 or number < q.error_number:
        q.error = error
        q.error_number = number


@helper
def add_packet(found, state, p, kind, version, at, packet_size, pn_at, dcid_size, scid_size):
    """A packet for those who open it."""
    f = found[state[FOUND]]
    state[FOUND] += 1
    f.connection = p.connection
    f.sender = p.sender
    f.marks = 0
    f.kind = kind
    f.dcid_size = dcid_size
    f.scid_size = scid_size
    f.version = version
    f.position = at
    f.packet_size = packet_size
    f.pn_at = pn_at
    f.number = p.number
    f.ts = p.ts


@helper
def note_ids(data, at, q, p, kind, ids, slots, state):
    """The connection ids of a long header."""
    sender, dcid = np.int64(p.sender), np.int64(data[at + 5])
    scid = np.int64(data[at + 6 + dcid])
    if kind == INITIAL and q.odcid_size == 0 and sender == q.client:
        q.odcid_size = dcid
        for k in range(dcid):
            q.odcid[k] = data[at + 6 + k]
    is_same = q.has_scid[sender] == 1 and np.int64(q.scid_size[sender]) == scid
    for k in range(scid):
        if q.scid[sender, k] != data[at + 7 + dcid + k]:
            is_same = False
            q.scid[sender, k] = data[at + 7 + dcid + k]
    q.has_scid[sender] = 1
    q.scid_size[sender] = scid
    if not is_same and kind != RETRY and q.is_path == 0:
        add_id(data, at + 7 + dcid, scid, np.int64(p.connection), sender, np.int64(p.number), ids, slots, state)


@helper
def note_request(q, p):
    """A packet of the first request."""
    mark(q, P_REQUEST, p, INFERRED)
    set_place(q, P_REQUEST_END, p.ts, p.number, INFERRED)


@helper
def note_exchange(q, p, is_client, plain):
    """What a packet with a short header and ``plain`` bytes of frames says of the first exchange."""
    if plain < REQUEST_LEAST or q.place_ts[P_NEXT] != 0:
        return
    if not is_client:
        if plain >= RESPONSE_LEAST and q.place_ts[P_REQUEST] != 0 and q.place_number[P_CONFIRMED] != p.number:
            mark(q, P_RESPONSE, p, INFERRED)
            set_place(q, P_RESPONSE_END, p.ts, p.number, INFERRED)
    elif q.place_ts[P_RESPONSE] == 0:
        if q.place_ts[P_FINISHED] != 0 and q.place_number[P_FINISHED] != p.number:
            note_request(q, p)
    elif plain >= NEXT_LEAST:
        mark(q, P_NEXT, p, INFERRED)


@helper
def note_handshake(q, p, sender, length):
    """What a Handshake packet tells by its size."""
    if sender != q.client:
        mark(q, P_SERVER_HANDSHAKE, p, MEASURED)
        set_place(q, P_LAST, p.ts, p.number, MEASURED)
        return
    mark(q, P_CLIENT_HANDSHAKE, p, MEASURED)
    if length >= FINISHED_LEAST and q.place_ts[P_FINISHED] == 0 and q.place_ts[P_SERVER_HANDSHAKE] != 0:
        basis = INFERRED if length <= FINISHED_MOST else BOUNDED
        mark(q, P_FINISHED, p, basis)
        set_place(q, P_FLIGHT_END, q.place_ts[P_LAST], q.place_number[P_LAST], basis)


@helper
def note_kind(q, p, kind, version, length):
    """Counts and places of a packet with a long header."""
    sender = np.int64(p.sender)
    if q.seen == 0 or q.version == 0:
        if kind in (INITIAL, ZERO_RTT):
            q.client = sender
        elif kind in (RETRY, NEGOTIATION):
            q.client = 1 - sender
    q.packets[sender, kind] += 1
    is_client = sender == np.int64(q.client)
    if version > 0:
        q.version = version
        if q.first_version == 0:
            q.first_version = version
    if kind == INITIAL or (kind == UNFAMILIAR and is_client):
        if q.place_ts[P_RETRY] + q.place_ts[P_NEGOTIATION] > 0 and is_client:
            mark(q, P_SECOND, p, MEASURED)
        mark(q, P_CLIENT if is_client else P_SERVER, p, MEASURED)
        if is_client:
            q.largest_client_initial = max(np.int64(q.largest_client_initial), np.int64(p.payload_length))
    elif kind == ZERO_RTT:
        mark(q, P_EARLY, p, MEASURED)
        note_request(q, p)
    elif kind == RETRY:
        mark(q, P_RETRY, p, MEASURED)
    elif kind == NEGOTIATION:
        mark(q, P_NEGOTIATION, p, MEASURED)
    elif kind == HANDSHAKE:
        note_handshake(q, p, sender, length)


@helper
def scan_long(data, at, end, wire_end, q, p, found, state, ids, slots, errors):
    """A packet with a long header; its bytes, 0 = nothing can follow it."""
    first, version, stop = u8(data, at, end), be32(data, at + 1, end), ids_end(data, at, end)
    if version >= 0 and not is_familiar(version) and version != 0:
        note_kind(q, p, np.int64(UNFAMILIAR), version, np.int64(0))
        add_packet(found, state, p, UNFAMILIAR, version, at, end - at, NOTHING, NOTHING, NOTHING)
        return np.int64(0)
    if stop < 0:
        note_error(q, HEADER if end == wire_end else CUT, p.number, errors)
        return np.int64(0)
    dcid = np.int64(data[at + 5])
    scid = np.int64(data[at + 6 + dcid])
    if version == 0:
        note_kind(q, p, np.int64(NEGOTIATION), np.int64(0), np.int64(0))
        add_packet(found, state, p, NEGOTIATION, version, at, end - at, stop - at, dcid, scid)
        return np.int64(0)
    kind = kind_of(first, version)
    if dcid > CID_MAX or scid > CID_MAX:
        note_error(q, HEADER, p.number, errors)
        return np.int64(0)
    begin, length = stop, np.int64(0)
    if kind == RETRY:
        length = wire_end - begin
    else:
        if kind == INITIAL:
            token = varint(data, begin, end)
            q.token_bytes = max(np.int64(q.token_bytes), min(token, np.int64(0xFFFF)))
            begin = begin + varint_size(data, begin, end) + token if token >= 0 else end
        length = varint(data, begin, end)
        begin += varint_size(data, begin, end)
    if length < 20 or begin + length > wire_end:
        note_error(q, CUT if begin >= end and end < wire_end else HEADER, p.number, errors)
        return np.int64(0)
    note_kind(q, p, kind, version, length)
    note_ids(data, at, q, p, kind, ids, slots, state)
    add_packet(found, state, p, kind, version, at, begin + length - at, begin - at, dcid, scid)
    if begin + length > end:
        note_error(q, CUT, p.number, errors)
        found[state[FOUND] - 1].marks = IS_CUT
        return np.int64(0)
    return begin + length - at


@helper
def note_spin(q, sender, bit, ts):
    """Changes of the spin bit (RFC 9000 17.4): one round trip lies between two of them in one direction."""
    before = np.int64(q.spin[sender])
    if before != 0 and before != bit + 1:
        if q.spin_edges[sender] > 0:
            wait = np.int64(ts) - np.int64(q.spin_edge_ts[sender])
            q.spin_sum[sender] += wait
            if q.spin_least[sender] == 0 or wait < q.spin_least[sender]:
                q.spin_least[sender] = wait
        q.spin_edges[sender] += 1
        q.spin_edge_ts[sender] = ts
    q.spin[sender] = bit + 1


@helper
def load_word(data, at, size):
    """Up to eight bytes as a word, filled up with zeros; they are there."""
    if size >= 8:
        return be64(data, at, at + 8)
    word = np.int64(0)
    for k in range(size):
        word = word << 8 | np.int64(data[at + k])
    return np.uint64(word)


@helper
def note_target(data, at, end, q, sender):
    """The destination connection id of a short header: as long as the other end's own; False = the packet is too short."""
    wide = np.int64(q.scid_size[1 - sender])
    if at + 1 + wide > end:
        return False
    is_same = True
    known = q.dcid[sender]
    for k in range((wide + 7) // 8):
        word = load_word(data, at + 1 + 8 * k, wide - 8 * k)
        if known[k] != word:
            is_same = False
            known[k] = word
    if not is_same and q.has_dcid[sender] == 1:
        q.dcid_changes[sender] += 1
    q.has_dcid[sender] = 1
    return True


@helper
def scan_short(data, at, end, q, p, found, state, wants, is_alone):
    """A packet with a short header (RFC 9000 17.3); ``is_alone``: it has its datagram for itself."""
    sender = np.int64(p.sender)
    first = np.int64(data[at])
    if q.version != 0 and not is_familiar(np.int64(q.version)):
        q.packets[sender, UNFAMILIAR] += 1
        return
    q.packets[sender, SHORT] += 1
    q.short_bytes[sender] += end - at
    if sender == np.int64(q.client):
        mark(q, P_CLIENT_DATA, p, MEASURED)
    else:
        mark(q, P_SERVER_DATA, p, MEASURED)
        if q.place_ts[P_FINISHED] != 0 and q.place_ts[P_CONFIRMED] == 0:
            half = (np.int64(q.place_ts[P_SERVER]) - max(np.int64(q.place_ts[P_CLIENT]), np.int64(q.place_ts[P_SECOND]))) // 2
            if np.int64(p.ts) - np.int64(q.place_ts[P_FINISHED]) >= half:
                mark(q, P_CONFIRMED, p, INFERRED)
    note_spin(q, sender, first >> 5 & 1, p.ts)
    if q.has_scid[1 - sender] == 0 or not note_target(data, at, end, q, sender):
        return
    wide = np.int64(q.scid_size[1 - sender])
    if is_alone:
        note_exchange(q, p, sender == np.int64(q.client), end - at - wide - OVERHEAD)
    if wants and q.is_keyed < 2:
        add_packet(found, state, p, SHORT, np.int64(q.version), at, end - at, 1 + wide, wide, np.int64(0))


@helper
def scan_datagram(data, q, p, found, state, ids, slots, errors, wants):
    """All packets of a datagram."""
    at = np.int64(p.offset) + np.int64(p.payload)
    end = at + np.int64(p.payload_size)
    wire_end = max(end, at + np.int64(p.payload_length))
    q.seen = 1
    q.datagrams += 1
    if q.last_ts != 0 and np.int64(p.ts) - np.int64(q.last_ts) > np.int64(q.pause_ns):
        q.pause_ns = np.int64(p.ts) - np.int64(q.last_ts)
        q.pause_ts = q.last_ts
        q.pause_number = q.last_number
    q.last_ts = p.ts
    q.last_number = p.number
    count = 0
    while at < end:
        if np.int64(data[at]) & 0x80 == 0:
            if count == 0 or np.int64(data[at]) & 0x40:  # else what fills up a datagram
                scan_short(data, at, end, q, p, found, state, wants, count == 0)
                count += 1
            break
        if count == COALESCED:
            note_error(q, COALESCED_ERROR, p.number, errors)
            break
        size = scan_long(data, at, end, wire_end, q, p, found, state, ids, slots, errors)
        count += 1
        if size == 0:
            break
        at += size
    if count > 1:
        q.coalesced += 1
    if q.place_ts[P_CLIENT_HANDSHAKE] == 0:
        q.unvalidated_bytes[np.int64(p.sender)] += p.payload_length


@helper
def add_letter(q, letter, is_client):
    """Append to the history; upper case for the client."""
    k = np.int64(q.history_size)
    if k < HISTORY_SIZE:
        q.history[k] = letter - 32 if is_client else letter
        q.history_size = k + 1


@kernel
def write_histories(found, count, rows):
    """Letters of the packets with long headers and of what was in them, as in Zeek's quic.log; V (version negotiation) is ours."""
    for i in range(count):
        f = found[i]
        q = rows[f.connection]
        is_client = np.int64(f.sender) == np.int64(q.client)
        if f.kind != SHORT:
            add_letter(q, np.int64(_LETTERS[f.kind]), is_client)
        if np.int64(f.marks) & HAS_HELLO:
            add_letter(q, np.int64(115), is_client)
        if np.int64(f.marks) & HAS_CLOSE:
            add_letter(q, np.int64(99), is_client)


@kernel
def scan(data, packets, i, services, connections, rows, ids, slots, found, state, errors, wants):
    """Read the datagrams of QUIC among packets[i:]; (status, next packet).

    ``state`` (int64): [0] rows of ``found``, [1] rows of ``ids``; ``errors``: how often each of ERRORS happened. ``wants``: packets
    with a short header that keys may open are listed too. UDP that is not known to be QUIC
    is another path of a connection when it leads to one of its ids.
    """
    while i < packets.size:
        p = packets[i]
        if p.protocol == UDP and p.connection >= 0 and p.outcome == ANALYSED and p.payload_size > 0 and p.carries == 0:
            protocol = services[p.connection].protocol
            q = rows[p.connection]
            if state[FOUND] + COALESCED + 1 > found.size or state[IDS] + COALESCED + 1 > ids.size:
                return GROW_ROWS, i
            if protocol != QUIC and q.seen == 0 and q.tries < TRIES and protocol in (UNDECIDED, UNKNOWN):
                if wants and state[FOUND] > 0:  # what comes before it may tell its connection id
                    return GROW_ROWS, i
                q.tries += 1
                find_home(data, p, connections, rows, ids, slots, state)
            if protocol == QUIC or q.seen:
                scan_datagram(data, q, p, found, state, ids, slots, errors, wants)
        i += 1
    return DONE, i
