"""What stage 2 does with a batch as a whole."""

from analyzer.packets import count_outcomes, decode
from analyzer.tables.packets import (
    ANALYSED,
    NO_TIME_PACKET,
    NOT_IP,
    OUTCOMES,
    WITHOUT_TIME,
)
from tests import builders
from tests.builders import (
    ethernet,
    tcp_options,
    tcp_packet,
    udp_packet,
)
from tests.packets.decoding import decoded


def test_a_packet_without_time_is_decoded_all_the_same():
    batch = builders.batch([tcp_packet(b"x"), ethernet(b"", ethertype=0x0806)])
    batch.packets.marks |= WITHOUT_TIME
    decode(batch)
    assert batch.packets.outcome.tolist() == [NO_TIME_PACKET, NOT_IP]
    assert batch.packets[0].dst_port == 80


def test_decoding_twice_changes_nothing():
    batch = decoded([tcp_packet(b"x", options=tcp_options(timestamps=(1, 2))), udp_packet(b"y")])
    before = batch.packets.tobytes()
    decode(batch)
    assert batch.packets.tobytes() == before


def test_count_outcomes():
    batch = builders.batch([tcp_packet(), tcp_packet(), ethernet(b"", ethertype=0x0806)], interfaces=3)
    batch.packets.interface = [0, 2, 2]
    decode(batch)
    counts = count_outcomes(batch.packets, 3)
    assert counts.shape == (3, len(OUTCOMES))
    assert (counts[0, ANALYSED], counts[2, ANALYSED], counts[2, NOT_IP], counts.sum()) == (1, 1, 1, 3)
