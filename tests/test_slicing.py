"""Which frames a slice holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.slicing import Wanted, copy_frames, find_frames, resolve
from tests.builders import ethernet, icmp, ipv4, ipv6, pcap, tcp_packet, udp, udp_packet

CAPTURES = Path(__file__).parents[1] / "captures"
SMALL = Options(limits=Limits(arena_bytes=1 << 20))


def rows_of(path: Path, table: str = "connections") -> list[dict[str, object]]:
    return [row for tables in Pipeline(SMALL).run([str(path)]) for row in tables[table].to_pylist()]


def test_a_connection_with_its_lookups(tmp_path: Path) -> None:
    capture = CAPTURES / "page-load.pcapng"
    wanted = resolve([str(capture)], ["api.example.net"], SMALL)
    assert len(wanted.numbers) == 1
    assert len(wanted.lookups) == 3  # HTTPS, AAAA and A, from a port each
    frames = find_frames([str(capture)], wanted, SMALL)
    assert copy_frames([str(capture)], frames, tmp_path / "slice.pcapng", SMALL) == len(frames)
    before = next(row for row in rows_of(capture) if row["connection"] == wanted.numbers[0])
    after = rows_of(tmp_path / "slice.pcapng")
    assert sorted(str(row["service"]) for row in after) == ["dns", "dns", "dns", "https"]
    (same,) = (row for row in after if row["service"] == "https")
    for name in (
        "start_time",
        "duration_ms",
        "host",
        "dns_name",
        "dns_ms",
        "tls_handshake_ms",
        "history",
        "responder_bytes",
        "community_id",
    ):
        assert same[name] == before[name], name
    assert resolve([str(capture)], ["api.example.net"], SMALL, with_lookups=False).lookups == {}


@pytest.mark.parametrize("size", [1, 5, 1 << 16])
def test_every_frame_of_a_connection_however_it_is_cut(size: int) -> None:
    capture = CAPTURES / "failures.pcapng"
    options = Options(limits=Limits(arena_bytes=1 << 20, packets_per_batch=size))
    for row in rows_of(capture)[:6]:
        frames = find_frames([str(capture)], Wanted([int(str(row["connection"]))]), options)
        assert (frames[0], frames[-1]) == (row["first_frame"], row["last_frame"])


def test_only_the_message_of_the_lookup(tmp_path: Path) -> None:
    """Three questions from one port: the message id tells which frames belong to the wanted one."""
    path = tmp_path / "dns.pcap"
    packets = [udp_packet(bytes([0, k]) + bytes(10), src_port=4000, dst_port=53) for k in (7, 8, 9)]
    path.write_bytes(pcap(packets))
    assert find_frames([str(path)], Wanted([], {1: {8, 9}}), SMALL).tolist() == [2, 3]


def test_icmp_errors_about_it(tmp_path: Path) -> None:
    path = tmp_path / "icmp.pcap"
    question = udp_packet(b"x", src_port=4000, dst_port=4001)
    error = ethernet(ipv4(icmp(3, 3, payload=question[14 : 14 + 28]), protocol=1, src="192.0.2.80", dst="10.0.0.1"))
    path.write_bytes(pcap([question, error, tcp_packet(flags="S")]))
    assert find_frames([str(path)], Wanted([1]), SMALL).tolist() == [1, 2]


def test_icmp_errors_of_version_six_and_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "icmp6.pcap"
    question = tcp_packet(flags="S", src="2001:db8::1", dst="2001:db8::2", src_port=4000, dst_port=443)
    right = ethernet(ipv6(icmp(1, 4, payload=question[14:]), protocol=58, src="2001:db8::2", dst="2001:db8::1"))
    short = ethernet(ipv6(icmp(1, 4, payload=question[14:50]), protocol=58, src="2001:db8::2", dst="2001:db8::1"))
    empty = ethernet(ipv4(icmp(3, 3), protocol=1))
    path.write_bytes(pcap([question, short, empty, right]))
    assert find_frames([str(path)], Wanted([1]), SMALL).tolist() == [1, 4]


def test_all_fragments(tmp_path: Path) -> None:
    capture = CAPTURES / "fragments.pcapng"
    row = max(rows_of(capture), key=lambda one: int(str(one["originator_bytes"])) + int(str(one["responder_bytes"])))
    wanted = Wanted([int(str(row["connection"]))])
    frames = find_frames([str(capture)], wanted, SMALL)
    copy_frames([str(capture)], frames, tmp_path / "slice.pcap", SMALL)
    (after,) = (one for one in rows_of(tmp_path / "slice.pcap") if one["community_id"] == row["community_id"])
    for name in ("originator_bytes", "responder_bytes", "originator_packets", "responder_packets", "service"):
        assert after[name] == row[name], name
    assert len(frames) > int(str(row["originator_packets"])) + int(str(row["responder_packets"]))


def test_fragments_of_others_stay_away(tmp_path: Path) -> None:
    path = tmp_path / "fragments.pcap"
    whole = udp(b"a" * 40, src_port=4000, dst_port=4001, checksum=0)
    assert isinstance(whole, bytes)

    def pieces(ip_id: int, source: str) -> list[bytes]:
        first = ipv4(whole[:24], protocol=17, ip_id=ip_id, src=source, dont_fragment=False, more_fragments=True)
        return [ethernet(first), ethernet(ipv4(whole[24:], protocol=17, ip_id=ip_id, src=source, dont_fragment=False, fragment_offset=3))]

    a, b = pieces(1, "10.0.0.1"), pieces(1, "10.0.0.2")
    path.write_bytes(pcap([a[0], b[0], b[1], a[1]]))
    numbers = {row["originator_ip"]: int(str(row["connection"])) for row in rows_of(path)}
    assert find_frames([str(path)], Wanted([numbers["10.0.0.1"]]), SMALL).tolist() == [1, 4]
    assert find_frames([str(path)], Wanted([numbers["10.0.0.2"]]), SMALL).tolist() == [2, 3]


def test_nobody_is_meant() -> None:
    with pytest.raises(UsageError, match="no connection has the number, the uid or the host nobody"):
        resolve([str(CAPTURES / "half-close.pcap")], ["1", "nobody"], SMALL)
    assert len(find_frames([str(CAPTURES / "half-close.pcap")], Wanted([]), SMALL)) == 0
    assert np.array_equal(find_frames([str(CAPTURES / "half-close.pcap")], Wanted([99]), SMALL), [])
