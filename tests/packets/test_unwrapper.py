"""Limits of the state between batches, and tables that grow."""

import numpy as np

from analyzer.options import Limits
from analyzer.packets.decode_kernels import decode_packets
from analyzer.packets.unwrapper import Unwrapper
from analyzer.tables.packets import ANALYSED, INNER
from tests import builders
from tests.builders import MILLISECOND, START_NS, Frame, ethernet, fragments4, ipv4, tcp_packet, udp, udp_packet, vxlan


def unwrap(unwrapper, batch):
    todo = np.zeros(len(batch.packets), np.int64)
    count = decode_packets(batch.memory.data, batch.packets, 16, todo)
    unwrapper.release(batch)
    unwrapper.unwrap(batch, todo[:count])


def test_tables_of_one_row_grow():
    frames = [frame for i in range(9) for frame in (tcp_packet(bytes([i])), udp_packet(vxlan(tcp_packet(b"in")), dst_port=4789))]
    unwrapper = Unwrapper(Limits(), verifies=False, rows=1)
    for _ in range(2):
        batch = builders.batch(frames)
        unwrap(unwrapper, batch)
        assert batch.packets.outcome.tolist() == [ANALYSED] * 27
        assert (batch.packets.marks & INNER).tolist() == [0, 0, INNER] * 9
        assert batch.packets.number.tolist() == [number for i in range(9) for number in (2 * i + 1, 2 * i + 2, 2 * i + 2)]


def test_memory_is_bounded_the_oldest_goes_first():
    firsts = [ethernet(fragments4(ipv4(udp(bytes(3000)), protocol=17, ip_id=i), 2000)[0]) for i in range(50)]
    lasts = [ethernet(fragments4(ipv4(udp(bytes(3000)), protocol=17, ip_id=i), 2000)[1]) for i in range(50)]
    for limits, shed in (
        (Limits(fragment_bytes=10 * 4096), 40),
        (Limits(datagrams=8), 42),
        (Limits(fragment_bytes=100), 50),
    ):
        for cuts in ((), (7, 50, 60)):
            unwrapper = Unwrapper(limits, verifies=False)
            for batch in builders.batches(firsts, [cut for cut in cuts if cut < 50]):
                unwrap(unwrapper, batch)
            assert unwrapper.counts["shed"] == shed
            if shed == 50:
                continue
            batch = builders.batch(lasts[50 - (50 - shed) :])
            assert unwrapper.counts["incomplete"] == 50 - shed


def test_the_arena_may_be_full():
    unwrapper = Unwrapper(Limits(), verifies=False)
    pieces = fragments4(ipv4(udp(bytes(3000)), protocol=17), 2000)
    batch = builders.batch([ethernet(piece) for piece in pieces], arena_bytes=512)
    unwrap(unwrapper, batch)
    assert unwrapper.counts["shed"] == 1
    assert ANALYSED not in batch.packets.outcome.tolist()


def test_rows_are_used_again_after_a_timeout():
    unwrapper = Unwrapper(Limits(datagrams=4), verifies=False)
    piece = [ethernet(fragments4(ipv4(udp(bytes(3000)), protocol=17, ip_id=i), 2000)[0]) for i in range(12)]
    frames = [Frame(content, ts=START_NS + i * 70_000 * MILLISECOND) for i, content in enumerate(piece)]
    for batch in builders.batches(frames, (3, 5)):
        unwrap(unwrapper, batch)
    assert (unwrapper.counts["timed_out"], unwrapper.counts["shed"], unwrapper.counts["incomplete"]) == (11, 0, 1)
