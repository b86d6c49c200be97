"""Where the capture was taken, by two witnesses, and what that bounds.

*The handshake.* SYN to SYN+ACK is the round trip from here to the responder, SYN+ACK to ACK the one to the originator. The half that is
much shorter than the whole (an eighth) lies between the capture and the end beside it (connections/ending_kernels).

*The hops.* Systems send packets with a TTL of 32, 64, 128 or 255, and every router takes one off. An end whose packets arrive with the
number they left with is on this side of the first router.

Beside the originator every phase is as the originator saw it. Anywhere else the responder's answers still have to travel: whatever ends
with an answer (server_wait, dns) lasts longer for the originator, by the round trip between here and the originator, which is
tcp_synack_to_ack_ms. Phases that begin and end with packets of the originator keep their length wherever they are measured.

*A proxy.* Packets of one end that arrive with different TTLs come from different places: something between answers in its name
(a load balancer that completes the handshake, a firewall, an injector). A tunnel that was asked for (CONNECT, SOCKS) is said so.
"""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.tables import Ints, Rows
from analyzer.tables.connections import IN_THE_MIDDLE, NEAR_ORIGINATOR, NEAR_RESPONDER
from analyzer.tables.services import HTTP, SOCKS

INITIAL_TTLS = (32, 64, 128, 255)
HOPS_APART = 2  # routes change by a hop or two

BASES = ("handshake", "hops", "handshake, hops", "handshake, against hops")
BY_HANDSHAKE, BY_HOPS, BY_BOTH, IN_CONFLICT = range(len(BASES))

TUNNEL, TWO_PLACES = 1, 2  # how a proxy shows, by position in PROXIES
PROXIES = (None, "tunnel", "ttl")


def hops(endpoints: Rows) -> Ints:
    """(n,) routers that the first packet of an end passed, most likely; -1 where it sent none."""
    ttl = endpoints["ttl"].astype(np.int64)
    initial = np.array(INITIAL_TTLS)[np.searchsorted(INITIAL_TTLS, ttl)]
    return np.where(endpoints["packets"] > 0, initial - ttl, -1)


def find_vantage(finished: Finished) -> tuple[Ints, Ints]:
    """(place, basis) of each connection: VANTAGES and BASES; basis counts only where the place is known (not 0)."""
    c = finished.connections
    near, far = hops(finished.originators) == 0, hops(finished.responders) == 0
    told = c["vantage"].astype(np.int64)
    by_hops = np.select([near & ~far, far & ~near], [NEAR_ORIGINATOR, NEAR_RESPONDER], 0)
    known = (told != 0) & (told != IN_THE_MIDDLE)
    is_silent = (by_hops == 0) | (c["protocol"] != 6)
    place = np.where(known | is_silent, told, by_hops)
    basis = np.select([is_silent, ~known, by_hops == told], [BY_HANDSHAKE, BY_HOPS, BY_BOTH], IN_CONFLICT)
    return place, basis


def find_proxies(finished: Finished) -> Ints:
    """(n,) place in PROXIES: how it shows that something between the ends speaks in the name of one."""
    outer = finished.services["outer"]
    tunnelled = (outer == HTTP) | (outer == SOCKS)
    apart = [
        (end["ttl_other"] != 0) & (np.abs(end["ttl_other"].astype(np.int64) - end["ttl"]) > HOPS_APART)
        for end in (finished.originators, finished.responders)
    ]
    return np.select([tunnelled, (apart[0] | apart[1]) & (finished.connections["protocol"] == 6)], [TUNNEL, TWO_PLACES], 0)
