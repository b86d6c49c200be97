"""Interfaces and rights as the system has them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.capture.live import interfaces
from analyzer.capture.live.interfaces import check_interfaces, has_capability, is_up, list_interfaces, missing_right
from analyzer.errors import CaptureError


def test_the_loopback_interface_is_there() -> None:
    found = {interface.name: interface for interface in list_interfaces()}
    assert "127.0.0.1/8" in found["lo"].addresses
    assert found["lo"].mtu > 1000
    assert list(found)[-1] == "any"
    assert is_up("lo")
    assert is_up("any")
    assert not is_up("no-such-interface")


@pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip")
def test_addresses_are_those_that_ip_prints() -> None:
    told = json.loads(subprocess.run(["ip", "-j", "addr"], check=True, capture_output=True).stdout)
    expected = {one["ifname"]: {f"{info['local']}/{info['prefixlen']}" for info in one["addr_info"]} for one in told}
    assert {one.name: set(one.addresses) for one in list_interfaces() if one.name != "any"} == expected


def test_what_cannot_be_captured_on_is_one_sentence() -> None:
    check_interfaces(("lo",))
    with pytest.raises(CaptureError, match=r"^eth77: no such interface. Interfaces here: lo, .*any\.$"):
        check_interfaces(("eth77",))
    with pytest.raises(CaptureError, match="name it alone"):
        check_interfaces(("any", "lo"))


def test_an_interface_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "is_up", lambda _: False)
    with pytest.raises(CaptureError, match="sudo ip link set lo up"):
        check_interfaces(("lo",))


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(interfaces, "has_capability", lambda _: True)
    assert missing_right("eth0") == ""
    monkeypatch.setattr(interfaces, "has_capability", lambda _: False)
    monkeypatch.setattr(interfaces, "find_dumpcap", lambda: None)
    assert "apt install wireshark-common" in missing_right("eth0")
    helper = tmp_path / "dumpcap"
    helper.write_bytes(b"")
    monkeypatch.setattr(interfaces, "find_dumpcap", lambda: str(helper))
    helper.chmod(0o755)
    assert missing_right("eth0").startswith(f"sudo setcap cap_net_raw,cap_net_admin+eip {helper}")
    assert missing_right("eth0").endswith("sudo analyzer live eth0")
    monkeypatch.setattr(interfaces, "has_file_rights", lambda _: True)
    assert missing_right("eth0") == ""
    monkeypatch.setattr(interfaces.os, "access", lambda *_: False)
    assert missing_right("eth0").startswith("sudo usermod -aG ")


def test_capabilities_are_read_from_the_kernel() -> None:
    assert has_capability(0) in (True, False)
    assert not has_capability(63)
