"""Our reading beside tshark's."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from analyzer import verification
from analyzer.options import Limits, Options
from analyzer.verification import Disagreement, Verdict, choose_sample, describe, verify

CAPTURES = Path(__file__).parents[1] / "captures"
OPTIONS = Options(limits=Limits(arena_bytes=1 << 20))
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
@pytest.mark.parametrize("name", ["page-load.pcapng", "failures.pcapng", "http-plain.pcapng", "ipv6.pcapng"])
def test_both_agree(name: str) -> None:
    verdict = verify([str(CAPTURES / name)], 0, OPTIONS)
    assert verdict.disagreements == []
    assert verdict.connections == verdict.of > 3
    assert verdict.compared["dns name"] > 3
    assert verdict.compared["originator packets"] > 1


@needs_tshark
def test_a_wrong_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = verification.read_ours

    def wrong(*arguments: Any) -> dict[str, list[dict[str, Any]]]:
        ours = right(*arguments)
        for row in ours["tls"]:
            row["sni"] = "wrong.example"
        ours["dns"][0]["rtt_ms"] += 1.0
        ours["connections"][-1]["originator_packets"] += 1
        return ours

    monkeypatch.setattr(verification, "read_ours", wrong)
    verdict = verify([str(CAPTURES / "page-load.pcapng")], 0, OPTIONS)
    found = Counter(one.what for one in verdict.disagreements)
    assert found["dns rtt_ms"] == 1
    assert found["tls sni"] == 5
    assert {one.ours for one in verdict.disagreements if one.what == "tls sni"} == {"wrong.example"}
    assert {one.theirs for one in verdict.disagreements if one.what == "tls sni"} > {"api.example.net"}


def test_a_sample_is_spread() -> None:
    numbers, total = choose_sample([str(CAPTURES / "page-load.pcapng")], 3, OPTIONS)
    assert total == 14
    assert len(numbers) == 3
    assert (numbers[0], numbers[-1]) == (1, 14)
    assert len(choose_sample([str(CAPTURES / "page-load.pcapng")], 0, OPTIONS)[0]) == 14


def test_values_are_compared_by_their_kind() -> None:
    verdict, row = Verdict(), {"connection": 3, "first_frame": 7}
    verdict.compare(row, "a", 1.0, 1.0004)
    verdict.compare(row, "a", 5, "5", 9)
    assert verdict.disagreements == []
    verdict.compare(row, "a", 1.0, 1.1)
    verdict.compare(row, "b", "x", "y", 9)
    assert verdict.disagreements == [Disagreement(3, "a", "1.", "1.1", 7), Disagreement(3, "b", "x", "y", 9)]
    lines = list(describe(verdict))
    assert lines[0] == "Compared 0 of 0 connections"
    assert lines[-1].split() == ["b", "1", "0", "1"]


def tcp_row() -> dict[str, Any]:
    names = ("retransmissions", "out_of_order", "zero_windows")
    ends = {f"tcp_{side}_{name}": 0 for side in ("originator", "responder") for name in names}
    return {"connection": 3, "first_frame": 7, "originator_ip": "192.0.2.1", "originator_port": 9, "tcp_connect_ms": None, **ends} | {
        f"{side}_packets": 0 for side in ("originator", "responder")
    }


def test_evidence_against_a_guess_is_no_difference() -> None:
    verdict = Verdict()
    end = {"sender": "originator", "retransmissions": 1, "out_of_order": 0, "wireshark_out_of_order": 1, "decided_by": ["ip_id"]}
    frame = {name: [] for name in verification._FIELDS}
    frame |= {"frame.number": ["8"], "ip.src": ["192.0.2.1"], "tcp.srcport": ["9"], "tcp.analysis.out_of_order": ["1"]}
    verification.compare_tcp(verdict, tcp_row() | {"originator_packets": 1}, [end], [frame])
    assert verdict.disagreements == []
    assert verdict.judged == {"ip_id": 1}
    assert list(describe(verdict))[-1] == "Ends of connections where it did: ip_id 1"
    verification.compare_tcp(verdict, tcp_row() | {"originator_packets": 1}, [], [frame])
    assert [one.what for one in verdict.disagreements] == ["tcp out_of_order"]
