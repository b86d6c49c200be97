"""Which link types are known."""

from analyzer.packets.rare import RARE_TYPES
from analyzer.tables.packets import UNKNOWN_LINK_TYPE
from tests.builders import tcp_packet
from tests.packets.decoding import row_of

IN_KERNELS = (0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 163, 228, 229, 239, 276)


def test_all_others_are_unknown():
    packet = tcp_packet()
    known = [link for link in range(300) if row_of(packet, linktype=link).outcome != UNKNOWN_LINK_TYPE]
    assert known == sorted({*IN_KERNELS, *RARE_TYPES})
