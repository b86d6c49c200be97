"""What is left after others have been taken is the same as before, wherever it lay."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns.dissector import Dns
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.streams import RUN
from tests.messages.dns.builders import SECOND, Wire, address, header, listed, query, question, record, response


def mixed_capture(count):
    wire = Wire()
    opt = record(41, b"\0\x0a\0\2\1\2\0\x0f\0\4\0\3ab", owner=b"\0")
    for i in range(count):
        port = 1000 + i % 11
        wire.ask(i * SECOND, header(ident=i, ar=1) + question("Www.Example.org") + opt, sport=port)
        if i % 3 == 0:
            wire.ask(i * SECOND + 1, header(ident=i, ar=1) + question("Www.Example.org") + opt, sport=port)
    for i in range(count):
        port = 1000 + i % 11
        reply = response(address("192.0.2.1"), record(5, b"\1X\xc0\x0c"), text="www.example.ORG", ident=i)
        if i % 4:
            wire.answer((count + i) * SECOND // 2, reply, sport=port)
        wire.ask((count + i) * SECOND, query("m.local", ident=0), sport=5353, server="224.0.0.251", dport=5353)
    return wire


def without_places(rows):
    for row in rows:
        del row["is_over"]
    return rows


@given(st.lists(st.sets(st.integers(0, 12), max_size=5), max_size=4))
@settings(max_examples=25, deadline=None)
def test_what_stays_is_unchanged(groups):
    wire = mixed_capture(24)
    ((batch, connections),) = wire.batches()
    dns = Dns(batch.memory, Options())
    dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
    before = without_places(listed(dns))
    gone = set()
    for group in groups:
        rows = np.array(sorted(group - gone), np.int64)
        gone |= group
        dns.take(rows)
        dns.release(rows)
        dns._compact()
        assert without_places(listed(dns)) == [row for row in before if row["connection"] not in gone]
