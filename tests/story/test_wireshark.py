"""The filter is one that tshark takes, and it finds the packets of the connection."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from analyzer.story.wireshark import display_filter
from tests.story.stories import CAPTURES, case


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize(("name", "number"), [("https-tls13", 2), ("https-tls13", 1), ("ipv6", 0), ("failures", 7), ("failures", 13)])
def test_tshark_finds_the_same_packets(name: str, number: int) -> None:
    one = case(name, number=number)
    path = next(CAPTURES.glob(f"{name}.pcap*"))
    command = ["tshark", "-r", str(path), "-Y", display_filter(one), "-T", "fields", "-e", "frame.number"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    lookups = {number for row in one.lookups for number in (row["query_frame"], row["response_frame"]) if number}
    extra = {one.get("icmp_error_frame")} - {None}
    assert len(found) == one.get("originator_packets") + one.get("responder_packets") + len(lookups | extra)
    assert {one.get("first_frame"), one.get("last_frame")} <= set(map(int, found))
