"""Vectors of others: RFC 8448 3 for TLS 1.3, the well-known P_SHA256 vector for TLS 1.2; a twin for TLS 1.0."""

from __future__ import annotations

from analyzer.messages.tls import schedule
from analyzer.registries.cipher_split import split
from tests.messages.tls import protected as p


def test_traffic_keys_of_rfc_8448() -> None:
    secret = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    keys = schedule.traffic_keys(split(0x1301), secret)
    assert (keys.key.hex(), keys.iv.hex()) == ("3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30")


def test_p_sha256() -> None:
    secret, seed = bytes.fromhex("9bbe436ba940f017b17652849a71db35"), bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    found = schedule.p_hash("sha256", secret, b"test label" + seed, 32)
    assert found.hex() == "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"


def test_prf_of_tls10() -> None:
    suite = split(0xC013)
    for secret in (b"s" * 48, b"odd"):
        assert schedule.prf(suite, 0x0301, secret, b"label and seed", 100) == p.prf10(secret, b"label and seed", 100)


def test_which_suites() -> None:
    supported = {code: schedule.is_supported(split(code), 0x0303) for code in (0x1301, 0x1305, 0xC02F, 0xC013, 0x000A, 0x0005, 0x0002)}
    assert all(supported.values()), supported
    for code in (0x0003, 0x0007, 0xC0B4, 0x1307, 0x0A0A, 0xC100):  # export, IDEA, integrity only, AEGIS, GREASE, GOST
        assert not schedule.is_supported(split(code), 0x0303), code
    assert not schedule.is_supported(split(0xC02F), 0x0302)
    assert not schedule.is_supported(split(0x002F), 0x0300)
