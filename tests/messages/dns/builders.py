"""DNS messages in, lookups out as plain dictionaries: tables are built by hand, without the stages before."""

import ipaddress
import itertools

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.dns import Dns
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.dns import ERRORS, OUTCOMES
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import RUN

CLIENT, SERVER = "192.0.2.1", "198.51.100.53"
SECOND = 1_000_000_000


def words(address):
    """An address as (ip version, upper 64 bits, lower 64 bits)."""
    ip = ipaddress.ip_address(address)
    return ip.version, int(ip) >> 64, int(ip) & (1 << 64) - 1


def name(text):
    """Labels of a name given as text with dots, uncompressed."""
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def header(bits=0x0100, *, qd=1, an=0, ns=0, ar=0, ident=1):
    return b"".join(v.to_bytes(2, "big") for v in (ident, bits, qd, an, ns, ar))


def question(text="www.example.org", qtype=1, qclass=1):
    return name(text) + qtype.to_bytes(2, "big") + qclass.to_bytes(2, "big")


def record(rrtype, rdata, owner=b"\xc0\x0c", rrclass=1, ttl=300):
    return owner + rrtype.to_bytes(2, "big") + rrclass.to_bytes(2, "big") + ttl.to_bytes(4, "big") + len(rdata).to_bytes(2, "big") + rdata


def query(text="www.example.org", qtype=1, ident=1, bits=0x0100):
    return header(bits, ident=ident) + question(text, qtype)


def response(*records, text="www.example.org", qtype=1, ident=1, bits=0x8180):
    return header(bits, an=len(records), ident=ident) + question(text, qtype) + b"".join(records)


def address(text):
    return record(1 if "." in text else 28, ipaddress.ip_address(text).packed)


class Wire:
    """A capture of datagrams: ``add`` them, then ``batches`` of any sizes."""

    def __init__(self):
        self.packets = []
        self.keys = {}
        self.first = {}

    def add(self, ts, source, target, payload, *, protocol=17, cut=0, connection=None):
        (src, sport), (dst, dport) = source, target
        key = connection if connection is not None else (*sorted([(src, sport), (dst, dport)]), protocol)
        row = self.keys.setdefault(key, len(self.keys))
        first = self.first.setdefault(row, (ts, len(self.packets) + 1, src, sport, dst, dport, protocol))
        self.packets.append((ts, src, sport, dst, dport, payload, protocol, cut, row, int((src, sport) != (first[2], first[3]))))
        return self

    def ask(self, ts, payload, *, sport=40000, server=SERVER, dport=53, client=CLIENT):
        return self.add(ts, (client, sport), (server, dport), payload)

    def answer(self, ts, payload, *, sport=40000, server=SERVER, dport=53, client=CLIENT):
        return self.add(ts, (server, dport), (client, sport), payload)

    def tables(self):
        data = b"".join(p[5] for p in self.packets)
        memory = Memory(len(data) + 64, 1, 1 << 20)
        memory.data[: len(data)] = np.frombuffer(data, np.uint8)
        packets, connections = new_table(PACKET, len(self.packets)), new_table(CONNECTION, max(len(self.keys), 1))
        at = 0
        for i, (ts, src, sport, dst, dport, payload, protocol, cut, row, sender) in enumerate(self.packets):
            p = packets[i]
            p.ts, p.number, p.offset, p.payload_size, p.protocol = ts, i + 1, at, len(payload), protocol
            p.payload_length = len(payload) + cut
            p.connection, p.sender = row, sender
            p.ip_version, p.src_hi, p.src_lo = words(src)
            p.ip_version, p.dst_hi, p.dst_lo = words(dst)
            p.src_port, p.dst_port = sport, dport
            at += len(payload)
        for row, (ts, number, src, sport, dst, dport, protocol) in self.first.items():
            c = connections[row]
            c.number, c.first_ts, c.first_number, c.protocol = row + 1, ts, number, protocol
            c.ip_version, c.a_hi, c.a_lo = words(src)
            c.ip_version, c.b_hi, c.b_lo = words(dst)
            c.a_port, c.b_port = sport, dport
        return memory, packets, connections

    def batches(self, cuts=()):
        memory, packets, connections = self.tables()
        edges = [0, *sorted(cuts), len(packets)]
        for start, end in itertools.pairwise(edges):
            now = int(packets["ts"][:end].max(initial=0))
            yield Batch(memory, packets[start:end], new_table(INTERFACE, 1), now, end), connections

    def analyse(self, cuts=(), runs=None):
        """The Dns after all batches; ``runs``: one RUN table and its wanted indices a batch."""
        dns = None
        for i, (batch, connections) in enumerate(self.batches(cuts)):
            dns = dns or Dns(batch.memory, Options())
            run, wanted = runs[i] if runs else (new_table(RUN, 0), np.zeros(0, np.int64))
            dns.process(batch, run, wanted, connections)
        return dns


def one(payload, dport=53, cut=0):
    """The lookup of a single message as a dictionary."""
    wire = Wire()
    wire.add(SECOND, (CLIENT, 40000), (SERVER, dport), payload, cut=cut)
    rows = listed(wire.analyse())
    return rows[0] if rows else None


def listed(dns, taken=None):
    """LOOKUP rows as dictionaries, spans as text, with their records."""
    lookups = dns.lookups[: dns.lookups_top] if taken is None else taken.lookups
    records = dns.records if taken is None else taken.records
    rows = []
    for lookup in lookups:
        row = plain(dns, lookup)
        row["outcome"], row["error"] = OUTCOMES[row["outcome"]], ERRORS[row["error"]][0]
        first = row.pop("first_record")
        row["rows"] = [plain(dns, r) for r in records[first : first + row["records"]]]
        rows.append(row)
    return rows


def plain(dns, row):
    values = {field: row[field].item() for field in row.dtype.names}
    for field in [f for f in values if f + "_size" in values]:
        at, size = values[field], values.pop(field + "_size")
        values[field] = bytes(dns.text.data[at : at + size]).decode("latin-1")
    return values


def datas(row):
    return [r["rdata"] for r in row["rows"]]
