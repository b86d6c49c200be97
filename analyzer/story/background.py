"""What each chapter is for, and what a newcomer should know about it, with the documents that define it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Lesson(NamedTuple):
    """``purpose``: one sentence; ``background``: a few; ``sources``: sections of RFCs."""

    purpose: str
    background: str = ""
    sources: str = ""


TEACHING: Final[dict[str, Lesson]] = {
    "lookup": Lesson(
        "People use names, the network uses addresses: DNS finds the address that belongs to a name.",
        "The small resolver inside the machine (the stub) asks a recursive resolver, usually that of the provider or a public one. That one"
        " asks from the root of the name tree downwards, or remembers an answer as long as its time to live (TTL) allows. A capture near"
        " the client shows only the stub's question and the answer; what the resolver did in the meantime is part of the waiting time. A"
        " asks for IPv4 addresses, AAAA for IPv6, CNAME says that a name is an alias, HTTPS brings connection hints.",
        "RFC 1034 5.3 (resolvers), RFC 1035 4 (messages), RFC 9460 (HTTPS records)",
    ),
    "transport": Lesson(
        "The network may lose, repeat and reorder packets: TCP makes a reliable, ordered stream of bytes of them.",
        "Before data can flow both ends tell each other the numbers from which they count their bytes: SYN, SYN+ACK, ACK. That costs one"
        " round trip, so its time is a good measure of the distance. Ports tell apart the programs on one machine. With the first packets"
        " both offer options: the largest segment they take (MSS), a factor for the window (how much may be under way), selective"
        " acknowledgements (to repair losses precisely) and timestamps.",
        "RFC 9293 3.5 (opening), RFC 7323 (window scale, timestamps), RFC 2018 (SACK)",
    ),
    "datagrams": Lesson(
        "UDP adds nothing but ports to what the network does: datagrams may be lost or overtake each other.",
        "That is enough where one question has one answer (DNS), where a late answer is worthless (telephony), or where the program"
        " does the repairing itself (QUIC).",
        "RFC 768, RFC 8085 (how to use it)",
    ),
    "quic": Lesson(
        "QUIC makes reliable, encrypted streams out of UDP datagrams; HTTP/3 runs over it.",
        "TCP is part of operating systems and read by boxes on the way, so it hardly changes any more; QUIC is part of the program, and"
        " nearly all of it is encrypted. Packets with long headers open the connection: Initial (readable for everybody: its keys follow"
        " from a connection id), Handshake, and 0-RTT, which brings data along when both know each other. Everything later has a short"
        " header. The handshake of TLS travels inside, so transport and security take one round trip together. The server may first have"
        " the client's address proven (Retry) or name the versions it knows (Version Negotiation), one round trip each. Before the address"
        " is proven it sends no more than three times what it got, so that nobody can aim its answers at others.",
        "RFC 9000 7, 8 and 17 (handshake, Retry, packets), RFC 9001 4 and 5 (TLS in QUIC, keys), RFC 9369 (version 2), RFC 9114 (HTTP/3)",
    ),
    "quic_course": Lesson(
        "QUIC numbers and acknowledges its packets, repairs losses stream by stream, and can move to another address.",
        "A lost packet holds up only the streams whose data it carried: that is what HTTP/2 over TCP cannot do. A connection is known by"
        " ids that both ends hand out, so a phone can go from Wi-Fi to mobile without a new handshake. One bit of the short header may turn"
        " once a round trip (spin bit), for those who measure on the way; most programs leave it alone.",
        "RFC 9000 9 (migration), 17.4 (spin bit), RFC 9002 6 (losses), RFC 9312 (what can be seen on the way)",
    ),
    "quic_ending": Lesson(
        "CONNECTION_CLOSE ends QUIC at once; without a word it ends when both were silent for the idle timeout.",
        "There is no FIN in both directions: whoever closes says why, and answers what still comes with the same for a while. Since the"
        " close is encrypted, boxes on the way (NAT, firewalls) only guess by time when a connection is over.",
        "RFC 9000 10 (idle timeout, closing, stateless reset), 20 (error codes)",
    ),
    "page": Lesson(
        "A page is many files: the document names styles, scripts and images, and these name more.",
        "What the browser asks for, and in which order, decides how long a page takes: a file that is named late (by a script that had to"
        " come first) is asked for late. The critical path is the chain of exchanges that had to follow each other; making anything else"
        " faster does not help.",
        "RFC 9110 10.1.3 (Referer), RFC 9114 and RFC 9113 (several requests at a time), W3C Resource Timing",
    ),
    "icmp": Lesson(
        "Routers and hosts tell each other with ICMP what did not work, and ping asks whether a host is there.",
        "Dropping all ICMP in a firewall breaks path MTU discovery: large packets then vanish without a word.",
        "RFC 792 (ICMP), RFC 4443 (ICMPv6), RFC 8201 (path MTU discovery)",
    ),
    "other": Lesson("A protocol beside TCP, UDP and ICMP.", "", "IANA: Assigned Internet Protocol Numbers"),
    "security": Lesson(
        "TLS keeps the content secret and unchanged, and proves to the client that the server is who it says.",
        "The handshake agrees on five things. Key exchange: both get a shared secret over an open line; (EC)DHE gives forward secrecy:"
        " whoever steals the server's key later cannot read what was recorded before. Authentication: the certificate holds the server's"
        " public key and is signed by an authority that the client trusts; a signature with the private key proves possession. Encryption:"
        " fast symmetric ciphers with the shared secret. Integrity: a MAC, or an AEAD cipher that does both. Compression: no longer used,"
        " since it leaks secrets. TLS 1.2 takes two round trips; TLS 1.3 one, because the ClientHello brings key shares already, and"
        " everything after the ServerHello is encrypted. A session that is resumed skips the certificate.",
        "RFC 8446 2 (TLS 1.3), RFC 5246 7.3 (TLS 1.2), RFC 9325 (what is recommended), RFC 5280 (certificates)",
    ),
    "request": Lesson(
        "The client says what it wants: a method, a resource, and header fields that describe how.",
        "GET asks for something, POST sends something. The path names the resource, the Host field (or :authority) the site, since one"
        " server serves many. A connection that stays open takes further requests without new handshakes.",
        "RFC 9110 7 and 9 (routing, methods), RFC 9112 (HTTP/1.1), RFC 9113 (HTTP/2)",
    ),
    "response": Lesson(
        "The server answers with a status, header fields and the content.",
        "The time from the last byte of the request to the first byte of the response is one round trip plus what the server needed to"
        " think. How long receiving takes depends on the size, the bandwidth and the losses on the way. Statuses: 2xx done, 3xx look"
        " elsewhere, 4xx the request was wrong, 5xx the server failed.",
        "RFC 9110 15 (status codes), RFC 9110 8 (content)",
    ),
    "further": Lesson(
        "A browser fetches what a page names - styles, scripts, images - over the connections that are open.", "", "RFC 9112 9.3"
    ),
    "hidden": Lesson(
        "Inside TLS the request and the response travel as encrypted records: only their sizes, directions and times can be seen.",
        "Programs that write their keys to the file named by SSLKEYLOGFILE (browsers, curl) can be read with --keylog.",
        "RFC 8446 5 (records)",
    ),
    "data": Lesson("The connection carried the data of a program.", "", "RFC 9293 3.8"),
    "repairs": Lesson(
        "What the network lost TCP sends again: nothing is missing in the end, but it takes time.",
        "The receiver repeats its acknowledgement when something is missing; after the third repetition, or when SACK shows the hole, the"
        " sender sends it again at once (fast retransmission). Otherwise it waits until a timer runs out, 200 ms or more, which people"
        " notice. A receiver without room announces a window of zero, and the sender has to stop: then the receiving program is slow, not"
        " the network.",
        "RFC 5681 3 (congestion control), RFC 6675 (SACK), RFC 6298 (timer), RFC 8985 (RACK)",
    ),
    "ending": Lesson(
        "Each end says when it has nothing more to send (FIN); RST breaks a connection off.",
        "A normal end is FIN in both directions, each acknowledged. RST means that an end no longer knows the connection, or wants it gone"
        " at once: normal for programs in a hurry, suspicious in the middle of a response.",
        "RFC 9293 3.6 (closing), 3.5.2 (resets)",
    ),
}
"""Topic of a chapter -> what to teach with it."""
