"""The whole pipeline on damaged recordings: no failure but a sentence for the user, and every packet accounted for."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import CAPTURES, LIMITS, analyse, damage


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**63 - 1))
def test_damaged_captures(tmp_path: Path, seed: int) -> None:
    _, data = damage(seed)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    analyse(path)


@pytest.mark.parametrize("name", ["https-tls13.pcapng", "http-plain.pcapng", "dns-variety.pcapng", "port-reuse.pcap"])
def test_truncated_anywhere(name: str, tmp_path: Path) -> None:
    """Cut at many places: what came before the cut is analysed."""
    whole = (CAPTURES / name).read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        analyse(path)


def test_damage_is_reproducible() -> None:
    assert damage(7) == damage(7)
    assert LIMITS.chunk_bytes >= 4 * LIMITS.packet_bytes
