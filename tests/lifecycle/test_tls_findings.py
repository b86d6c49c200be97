"""Each rule fires on its suite, version, key or chain, with the frame of the evidence, and not on a good handshake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.lifecycle.findings import RULES
from analyzer.lifecycle.finished import Finished, Texts
from analyzer.lifecycle.tls_findings import TLS_RULES, judge_certificates, judge_handshakes
from analyzer.messages.tls.certificates import Certificate
from analyzer.messages.tls.chains import OTHER_ISSUER, SIGNED, WRONG_SIGNATURE
from tests.lifecycle.builders import MS, finished, set_step

GOOD: dict[str, Any] = {
    "seen": 1, "version": 0x0303, "cipher_suite": 0xC02F, "secure_renegotiation": 1, "extended_master_secret": 1,
}  # fmt: skip
DAY = 86_400 * 10**9


def handshake(**fields: Any) -> Finished:
    f = finished([{"syn_ts": 1}], handshakes=[{**GOOD, **fields}])
    set_step(f.handshakes[0], "server_hello", (20, 3))
    return f


def fired(f: Finished) -> list[tuple[str, int, int]]:
    return [(hit.rule, int(n), int(a)) for hit in judge_handshakes(f) for n, a in zip(hit.number, hit.amount, strict=True)]


def test_a_good_handshake_has_none() -> None:
    assert fired(handshake()) == []
    assert fired(handshake(version=0x0304, cipher_suite=0x1301, secure_renegotiation=0, extended_master_secret=0)) == []


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"version": 0x0300}, ["tls.broken_version"]),
        ({"cipher_suite": 0xC010}, ["tls.no_encryption"]),
        ({"cipher_suite": 0xC019}, ["tls.no_authentication", "tls.cbc_sha1"]),
        ({"cipher_suite": 0x0003}, ["tls.export_cipher", "tls.broken_cipher", "tls.no_forward_secrecy"]),
        ({"cipher_suite": 0xC011}, ["tls.broken_cipher"]),
        ({"cipher_suite": 0xC012}, ["tls.triple_des", "tls.cbc_sha1"]),
        ({"cipher_suite": 0xC013, "encrypt_then_mac": 1}, []),
        ({"cipher_suite": 0x009C}, ["tls.no_forward_secrecy"]),
        ({"prime_bits": 512}, ["tls.broken_dh_prime"]),
        ({"prime_bits": 1024}, ["tls.weak_dh_prime"]),
        ({"prime_bits": 2048}, []),
        ({"compression": 1}, ["tls.compression"]),
        ({"secure_renegotiation": 0}, ["tls.no_secure_renegotiation"]),
        ({"extended_master_secret": 0}, ["tls.no_extended_master_secret"]),
        ({"heartbeat": 1}, ["tls.heartbeat"]),
    ],
)
def test_rules_of_handshakes(fields: dict[str, Any], rules: list[str]) -> None:
    found = fired(handshake(**fields))
    assert [rule for rule, _, _ in found] == rules
    assert all(number == 3 for _, number, _ in found)


@pytest.mark.parametrize(("milliseconds", "slow"), [(299, False), (301, True)])
def test_slow(milliseconds: int, *, slow: bool) -> None:
    f = handshake()
    set_step(f.handshakes[0], "client_hello", (10, 2))
    for name in ("client_finished", "server_finished"):
        set_step(f.handshakes[0], name, (10 + milliseconds, 9))
    assert fired(f) == ([("tls.slow", 3, milliseconds * MS)] if slow else [])


class Checks:
    """Stands for ChainChecks: certificate n is signed by n + 1, but 5 by nobody and 7 wrongly."""

    def __init__(self, *, has_roots: bool) -> None:
        self.has_roots = has_roots

    def link(self, child: int, parent: int) -> str:
        return WRONG_SIGNATURE if child == 7 else OTHER_ISSUER if child == 5 or parent != child + 1 else SIGNED

    def is_trusted(self, last: int) -> bool:
        return last == 2


def certificates(**leaf: Any) -> list[Certificate]:
    plain = {"key_type": "rsa", "key_bits": 2048, "signature_algorithm": "sha256WithRSAEncryption", "dns_names": ("www.example.org",)}
    first = Certificate(0, "", "", 0, **{**plain, **leaf})  # type: ignore[arg-type]
    return [first, *(Certificate(n, "", "", 0, **plain) for n in range(1, 10))]  # type: ignore[arg-type]


def shown(chain: list[int], all_of_them: list[Certificate], name: bytes = b"www.example.org", *, has_roots: bool = False) -> list[str]:
    links = [{"connection": 5, "certificate": n, "place": k, "number": 4, "ts": 100 * DAY} for k, n in enumerate(chain)]
    f = finished([{"syn_ts": 1}], handshakes=[{**GOOD, "server_name": 1, "server_name_size": len(name)}], chain_links=links)
    text = np.frombuffer(b"?" + name, np.uint8)
    f = Finished(**{**{field: getattr(f, field) for field in f.__dataclass_fields__}, "texts": Texts(text, text, text, text, text)})
    hits = judge_certificates(f, all_of_them, Checks(has_roots=has_roots))  # type: ignore[arg-type]
    assert all(int(n) == 4 for hit in hits for n in hit.number)
    return [hit.rule for hit in hits for _ in hit.order]


def test_a_good_chain_has_none() -> None:
    assert shown([0, 1, 2], certificates()) == []
    assert shown([0, 1, 2], certificates(), has_roots=True) == []


@pytest.mark.parametrize(
    ("leaf", "rule"),
    [
        ({"key_bits": 1024}, "tls.weak_rsa_key"),
        ({"key_type": "ecdsa", "key_bits": 192}, "tls.weak_ec_key"),
        ({"signature_algorithm": "md5WithRSAEncryption"}, "tls.broken_signature"),
        ({"signature_algorithm": "ecdsa-with-SHA1"}, "tls.old_signature"),
        ({"is_self_signed": True}, "tls.self_signed"),
        ({"not_after": 105 * DAY}, "tls.certificate_expires_soon"),
        ({"dns_names": ("*.example.com",)}, "tls.name_mismatch"),
    ],
)
def test_rules_of_leaves(leaf: dict[str, Any], rule: str) -> None:
    assert shown([0, 1, 2], certificates(**leaf)) == [rule]


def test_common_name_alone() -> None:
    assert shown([0, 1, 2], certificates(dns_names=(), common_name="www.example.org")) == ["tls.no_alternative_names", "tls.name_mismatch"]


def test_rules_of_chains() -> None:
    assert shown([4, 5, 6], certificates()) == ["tls.chain_order"]
    assert shown([6, 7, 8], certificates()) == ["tls.chain_signature"]
    assert shown([0], certificates()) == ["tls.chain_incomplete"]
    assert shown([2], certificates(), has_roots=True) == []
    assert shown([3, 4], certificates(), has_roots=True) == ["tls.untrusted"]
    assert shown([], certificates()) == []


def test_rules_are_all_known_and_tested() -> None:
    assert set(TLS_RULES) <= set(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.advice.endswith(".") for rule in TLS_RULES)
