# mypy: allow-untyped-defs
"""Which protocol does a TCP stream speak? Asked of its first bytes, never of its port alone.

Each end's first bytes are shown to every probe (yes, no, need more). The first yes of either end decides for the connection; when
both ends are refused it is unknown for good. Runs that are too short to tell are copied to the arena and handed on, in order,
before the run that decided.

A protocol that may open TLS in its stream (STARTTLS and its kin, RDP, a SOCKS proxy) stays under watch: a run that begins with a whole
ClientHello header switches the connection to TLS, with the first protocol as ``outer``. After an HTTP tunnel was opened the question is
asked anew of what the tunnel carries, while HTTP still gets the runs and counts them. UDP connections are named by their datagrams.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, helper, kernel, u8
from analyzer.memory import arena_give, arena_take
from analyzer.messages.greeting_kernels import name_datagram, name_stream
from analyzer.messages.http.probe_kernels import looks_like_http
from analyzer.messages.tls.probe_kernels import MIDSTREAM, looks_like_tls
from analyzer.tables.packets import ANALYSED, IN_AYIYA, IN_GENEVE, IN_GTP, IN_TEREDO, IN_VXLAN
from analyzer.tables.services import (
    AYIYA,
    DNS,
    FIRST_OPENER,
    GENEVE,
    GTP,
    HTTP,
    HTTP2,
    LAST_DISSECTED,
    LAST_OPENER,
    SOCKS,
    TEREDO,
    TLS,
    UNDECIDED,
    UNKNOWN,
    VXLAN,
    VXLAN_GPE,
)

SCRATCH = 2048  # bytes of one end that are looked at before it is refused
SOCKS_BYTES = 1024  # of a stream, within which a SOCKS proxy has consented
HELLO_BYTES = 10  # of a ClientHello, by which it is told in the middle of a stream: fewer are held back
DATAGRAMS = 4  # that are looked at before a UDP connection is unknown
UDP = 17


@helper
def looks_like_dns(data, at, end, a_port, b_port):
    """DNS over TCP (RFC 1035 4.2.2) or inside of TLS (RFC 7858 3.3), by port and shape: a header's length at least, plausible counts."""
    if a_port != 53 and b_port != 53 and a_port != 853 and b_port != 853:
        return 0
    if end - at < 14:
        return -1
    length = be16(data, at, end)
    opcode = (u8(data, at + 4, end) >> 3) & 15
    questions = be16(data, at + 6, end)
    if length < 12 or opcode > 6 or questions > 16:
        return 0
    return 1


@helper
def probe(data, at, end, a_port, b_port, is_midstream):
    """The protocol these first bytes belong to; UNDECIDED = need more, UNKNOWN = none."""
    pending = False
    answer = looks_like_tls(data, at, end)
    if answer == 1 or (answer == MIDSTREAM and is_midstream):
        return TLS
    pending = pending or answer < 0
    answer = looks_like_http(data, at, end)
    if answer == 1:
        return HTTP
    if answer == 2:
        return HTTP2
    pending = pending or answer < 0
    answer = looks_like_dns(data, at, end, a_port, b_port)
    if answer == 1:
        return DNS
    pending = pending or answer < 0
    answer = name_stream(data, at, end, a_port, b_port)
    if answer > 0:
        return answer
    pending = pending or answer < 0
    return UNDECIDED if pending else UNKNOWN


@helper
def gather(data, scratch, held, first, sender):
    """Copy the held bytes of one end to the scratch; their number."""
    top = np.int64(0)
    row = np.int64(first)
    while row > 0:
        h = held[row - 1]
        if h.sender == sender:
            for k in range(h.run_size):
                if top < scratch.size:
                    scratch[top] = data[h.position + k]
                    top += 1
        row = np.int64(h.following)
    return top


@helper
def judge(data, run, held, first, scratch, c):
    """Probe one end with what is held of it and this run."""
    start = run.position
    is_midstream = c.syn_ts == 0 and c.synack_ts == 0
    top = gather(data, scratch, held, first, run.sender) if first > 0 else np.int64(0)
    if top == 0:
        return probe(data, start, start + run.run_size, c.a_port, c.b_port, is_midstream)
    for k in range(run.run_size):
        if top < scratch.size:
            scratch[top] = data[start + k]
            top += 1
    answer = probe(scratch, 0, top, c.a_port, c.b_port, is_midstream)
    return UNKNOWN if answer == UNDECIDED and top >= scratch.size else answer


@helper
def hold(data, arena, run, held, state, service):
    """Keep a run that is too short to tell; False when there is no room for its bytes."""
    position = arena_take(data, arena, run.run_size)
    if position < 0:
        return False
    row = state[0]
    if row >= 0:
        state[0] = held[row].following - 1
    else:
        row = state[1]
        state[1] += 1
    h = held[row]
    for k in range(run.run_size):
        data[position + k] = data[run.position + k]
    h.sender = run.sender
    h.marks = run.marks
    h.gap = run.gap
    h.position = position
    h.run_size = run.run_size
    h.offset = run.offset
    h.number = run.number
    h.ts = run.ts
    h.following = 0
    if service.last_held > 0:
        held[service.last_held - 1].following = row + 1
    else:
        service.first_held = row + 1
    service.last_held = row + 1
    return True


@helper
def free_held(data, arena, held, state, service):
    """Forget what is held of a connection."""
    row = np.int64(service.first_held)
    while row > 0:
        h = held[row - 1]
        following = np.int64(h.following)
        arena_give(data, arena, h.position, h.run_size)
        h.following = state[0] + 1
        state[0] = row - 1
        row = following
    service.first_held = 0
    service.last_held = 0


@helper
def emit_held(held, service, connection, extras, top):
    """Hand on what is held of a connection as runs at the end of ``extras``; the blocks stay until the next call."""
    row = np.int64(service.first_held)
    while row > 0:
        h = held[row - 1]
        x = extras[top]
        x.connection = connection
        x.sender = h.sender
        x.marks = h.marks
        x.gap = h.gap
        x.position = h.position
        x.run_size = h.run_size
        x.offset = h.offset
        x.number = h.number
        x.ts = h.ts
        top += 1
        row = np.int64(h.following)
    return top


@helper
def hand_on(held, service, connection, extras, wanted, decided, state, runs):
    """Give what is held of a connection to its protocol, before the run that decided; ``runs``: how many there are in the batch."""
    if service.first_held == 0:
        return
    top = emit_held(held, service, connection, extras, state[2])
    for k in range(state[2], top):
        add_pair(wanted, state, np.int64(service.protocol), runs + k)
    state[2] = top
    decided[state[4]] = connection
    state[4] += 1


@kernel
def assign(data, arena, runs, first, connections, services, held, state, extras, wanted, decided, scratch):
    """Sort runs by protocol.

    ``state``: [free row of HELD or -1, untouched rows used, rows of extras, rows of wanted, rows of decided]. ``wanted`` gets
    (protocol, index) pairs: an index below ``runs.size`` is a run, above it a row of ``extras``. ``decided`` gets the connection
    rows whose held runs were handed on (to be freed by the next call). Returns (status, next run).
    """
    for i in range(first, runs.size):
        run = runs[i]
        s = services[run.connection]
        if state[3] + 80 > wanted.shape[0] or state[2] + 64 > extras.size or state[1] + 1 >= held.size or state[4] + 1 >= decided.size:
            return GROW_ROWS, i
        if s.outer == HTTP:
            add_pair(wanted, state, HTTP, i)
        if FIRST_OPENER <= s.protocol <= LAST_OPENER:
            if watch(data, run, held, scratch, s) == UNDECIDED:
                if held_runs(held, s) < 60 and hold(data, arena, run, held, state, s):
                    continue
                free_held(data, arena, held, state, s)
            elif s.protocol <= LAST_DISSECTED:
                hand_on(held, s, run.connection, extras, wanted, decided, state, runs.size)
            elif s.first_held > 0 and held[s.first_held - 1].sender == run.sender:
                free_held(data, arena, held, state, s)
        elif s.protocol == UNDECIDED:
            can_tell = run.run_size > 0 and run.position >= 0
            bit = 1 << np.int64(run.sender)
            if can_tell and not (np.int64(s.refused) & bit):
                answer = judge(data, run, held, s.first_held, scratch, connections[run.connection])
                if answer == UNKNOWN:
                    s.refused = np.int64(s.refused) | bit
                    if s.refused == 3:
                        s.protocol = UNKNOWN
                        free_held(data, arena, held, state, s)
                elif answer == UNDECIDED:
                    if held_runs(held, s) >= 60 or not hold(data, arena, run, held, state, s):
                        s.protocol = UNKNOWN
                        free_held(data, arena, held, state, s)
                    continue
                else:
                    s.protocol = answer
                    if answer > LAST_DISSECTED:
                        free_held(data, arena, held, state, s)
                    else:
                        hand_on(held, s, run.connection, extras, wanted, decided, state, runs.size)
        if UNDECIDED < s.protocol <= LAST_DISSECTED:
            add_pair(wanted, state, s.protocol, i)
    return DONE, runs.size


@helper
def add_pair(wanted, state, protocol, index):
    """Hand a run on to a protocol; the caller has made sure of the room."""
    wanted[state[3], 0] = protocol
    wanted[state[3], 1] = index
    state[3] += 1


@helper
def watch(data, run, held, scratch, service):
    """Switch to TLS, behind SOCKS also to HTTP, when a run begins with it. UNDECIDED: it may be the first few bytes of a ClientHello."""
    if run.position < 0 or run.run_size == 0:
        return np.int64(UNKNOWN)
    at, end = np.int64(run.position), np.int64(run.position) + np.int64(run.run_size)
    first = gather(data, scratch, held, service.first_held, run.sender) if service.first_held > 0 else np.int64(0)
    if first > 0:  # the beginning of this run was held
        top = first
        while at < end and top < HELLO_BYTES:
            scratch[top] = data[at]
            top += 1
            at += 1
        return switch(scratch, np.int64(0), top, run, service)
    return switch(data, at, end, run, service)


@helper
def switch(content, at, end, run, service):
    """What `watch` answers for the bytes at[:end]."""
    if u8(content, at, end) == 22 and (end - at < 2 or content[at + 1] == 3):
        if end - at < HELLO_BYTES:
            return np.int64(UNDECIDED)
        if content[at + 5] == 1 and looks_like_tls(content, at, end) == 1:
            service.outer = service.protocol
            service.protocol = TLS
    elif service.protocol == SOCKS and end - at >= HELLO_BYTES and run.offset < SOCKS_BYTES and looks_like_http(content, at, end) == 1:
        service.outer = SOCKS
        service.protocol = HTTP
    return np.int64(UNKNOWN)


@helper
def service_of_tunnel(code):
    """What a UDP connection speaks whose datagram carries a packet; ``code``: index into TUNNELS."""
    if code == IN_VXLAN:
        return VXLAN
    if code == IN_GENEVE:
        return GENEVE
    if code == IN_GTP:
        return GTP
    if code == IN_TEREDO:
        return TEREDO
    return AYIYA if code == IN_AYIYA else VXLAN_GPE


@kernel
def name_datagrams(data, packets, services):
    """Name UDP connections by their first datagrams."""
    for i in range(packets.size):
        p = packets[i]
        if p.protocol != UDP or p.connection < 0 or p.outcome != ANALYSED or p.payload_size == 0:
            continue
        s = services[p.connection]
        if s.protocol != UNDECIDED:
            continue
        if p.carries != 0:
            s.protocol = service_of_tunnel(np.int64(p.carries))
            continue
        at = np.int64(p.offset) + np.int64(p.payload)
        found = name_datagram(data, at, at + np.int64(p.payload_size), np.int64(p.src_port), np.int64(p.dst_port))
        s.datagrams += 1
        if found > 0:
            s.protocol = found
        elif s.datagrams >= DATAGRAMS:
            s.protocol = UNKNOWN


@helper
def held_runs(held, service):
    """How many runs of a connection are held."""
    count = 0
    row = np.int64(service.first_held)
    while row > 0:
        count += 1
        row = np.int64(held[row - 1].following)
    return count


@kernel
def forget(data, arena, services, held, state, rows, count):
    """Free what is held of the first ``count`` of ``rows``."""
    for k in range(count):
        free_held(data, arena, held, state, services[rows[k]])
