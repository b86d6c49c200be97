"""The split of a suite: chosen suites by hand, and every suite against a slow reading of its name."""

import dpkt.ssl_ciphersuites
import pytest

from analyzer.registries import tls
from analyzer.registries.cipher_split import AEAD, NEGOTIATED, UNKNOWN, CipherSuite, split
from analyzer.registries.cipher_suites import REGISTERED, SSL2_KINDS, UNREGISTERED

ALL = {**REGISTERED, **UNREGISTERED}
WITH = sorted(code for code, name in ALL.items() if "_WITH_" in name and "_MGM_" not in name)


def slow_exchange(left: str) -> tuple[str, str]:
    """Key exchange and authentication by asking one question after the other."""
    words = [word for word in left.split("_") if word not in ("EXPORT", "EXPORT1024", "FIPS")]
    if words[-1] == "anon":
        return words[0] + "E", "none"
    if words == ["NULL"]:
        return "none", "none"
    if words[0] == "SRP":
        return "SRP", words[2] if len(words) == 3 else "SRP"
    if "PSK" in words:
        others = [word for word in words if word != "PSK"]
        if not others:
            return "PSK", "PSK"
        return others[0], "RSA+PSK" if others[0] == "RSA" else "PSK"
    if words[0] == "CECPQ1":
        return "hybrid CECPQ1", words[1]
    if words[0] in ("DH", "DHE", "ECDH", "ECDHE"):
        return words[0], words[1]
    return "_".join(words), "_".join(words)


def slow_symmetric(right: str) -> tuple[str, int, str]:
    """Cipher, key bits and mode from the first rule whose words all occur."""
    words = right.split("_")
    sizes = [int(word) for word in words if word in ("40", "56", "128", "256")]
    for cipher, bits in (("CHACHA20", 256), ("KUZNYECHIK", 256), ("MAGMA", 256), ("3DES", 168), ("IDEA", 128), ("SEED", 128)):
        if cipher in words:
            return cipher, bits, slow_mode(words)
    if words[0] == "28147":
        return "GOST28147", 256, "CNT"
    if words[0] == "NULL":
        return "NULL", 0, "none"
    if words[0] == "RC4":
        return "RC4", sizes[0], "STREAM"
    if words[0] in ("DES", "DES40"):
        return "DES", 40 if "40" in right else 56, "CBC"
    if words[0] == "RC2":
        return "RC2", sizes[0] if sizes else 128, "CBC"
    return words[0], sizes[0], slow_mode(words)


def slow_mode(words: list[str]) -> str:
    if words[-2:] == ["CCM", "8"] or "CCM_8_" in "_".join(words):
        return "CCM_8"
    return next(word for word in words if word in ("CBC", "GCM", "CCM", "POLY1305", "CTR"))


def slow_integrity(right: str, mode: str) -> tuple[str, str]:
    """MAC and hash of the PRF."""
    last = right.removesuffix("_OLD").removesuffix("_2").split("_")[-1]
    aead = mode in ("GCM", "CCM", "CCM_8", "POLY1305")
    mac = "AEAD" if aead else {"SHA": "SHA-1", "RMD": "RMD160"}.get(last, last)
    return mac, last if last in ("SHA256", "SHA384") else "SHA256"


@pytest.mark.parametrize("code", WITH, ids=lambda code: ALL[code])
def test_table_agrees_with_slow_rule(code: int) -> None:
    left, right = ALL[code].split("_", 1)[1].split("_WITH_")
    suite = split(code)
    assert (suite.key_exchange, suite.authentication) == slow_exchange(left)
    assert (suite.encryption, suite.key_bits, suite.mode) == slow_symmetric(right)
    mac, prf = slow_integrity(right, suite.mode)
    assert suite.mac == mac
    assert suite.prf_hash == ("GOSTR3411" if left.startswith("GOST") else prf)
    assert suite.export == ("EXPORT" in left)
    assert suite.anonymous == ("anon" in left or left == "NULL")
    assert suite.null_encryption == right.startswith("NULL")
    assert suite.forward_secrecy == (left.startswith(("DHE", "ECDHE", "PSK_DHE", "CECPQ1")) or "anon" in left)
    assert suite.aead == (suite.mac == AEAD)
    assert not suite.tls13


def test_agrees_with_dpkt_on_the_left_part() -> None:
    """dpkt keeps the parts as words of the name; only suites whose parts are one word each are compared."""
    compared = 0
    for theirs in dpkt.ssl_ciphersuites.CIPHERSUITES:
        ours = split(theirs.code)
        if ours.known and theirs.kx in ("RSA", "DHE", "ECDHE") and theirs.auth in ("RSA", "ECDSA", "DSS"):
            assert (ours.key_exchange, ours.authentication) == (theirs.kx, theirs.auth), theirs.name
            compared += 1
    assert compared > 100


def parts(suite: CipherSuite) -> tuple[str, str, str, str, int, str]:
    return suite.key_exchange, suite.authentication, suite.cipher, suite.mac, suite.tag_bits, suite.prf_hash


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x0000, ("none", "none", "NULL", "NULL", 0, "SHA256")),
        (0x0004, ("RSA", "RSA", "RC4-128", "MD5", 128, "SHA256")),
        (0x000A, ("RSA", "RSA", "3DES-CBC", "SHA-1", 160, "SHA256")),
        (0x0008, ("RSA", "RSA", "DES-40-CBC", "SHA-1", 160, "SHA256")),
        (0x0018, ("DHE", "none", "RC4-128", "MD5", 128, "SHA256")),
        (0x0026, ("KRB5", "KRB5", "DES-40-CBC", "SHA-1", 160, "SHA256")),
        (0x0031, ("DH", "RSA", "AES-128-CBC", "SHA-1", 160, "SHA256")),
        (0x0095, ("RSA", "RSA+PSK", "AES-256-CBC", "SHA-1", 160, "SHA256")),
        (0xC00E, ("ECDH", "RSA", "AES-128-CBC", "SHA-1", 160, "SHA256")),
        (0xC018, ("ECDHE", "none", "AES-128-CBC", "SHA-1", 160, "SHA256")),
        (0xC01C, ("SRP", "DSS", "3DES-CBC", "SHA-1", 160, "SHA256")),
        (0xC028, ("ECDHE", "RSA", "AES-256-CBC", "SHA384", 384, "SHA384")),
        (0xC02F, ("ECDHE", "RSA", "AES-128-GCM", "AEAD", 128, "SHA256")),
        (0xC09C, ("RSA", "RSA", "AES-128-CCM", "AEAD", 128, "SHA256")),
        (0xC0AA, ("DHE", "PSK", "AES-128-CCM_8", "AEAD", 64, "SHA256")),
        (0xC0B3, ("ECCPWD", "ECCPWD", "AES-256-CCM", "AEAD", 128, "SHA384")),
        (0xCCA9, ("ECDHE", "ECDSA", "CHACHA20-POLY1305", "AEAD", 128, "SHA256")),
        (0xD003, ("ECDHE", "PSK", "AES-128-CCM_8", "AEAD", 64, "SHA256")),
        (0xC100, ("GOSTR341112_256", "GOSTR341112_256", "KUZNYECHIK-CTR", "OMAC", 128, "GOSTR3411")),
        (0xC101, ("GOSTR341112_256", "GOSTR341112_256", "MAGMA-CTR", "OMAC", 64, "GOSTR3411")),
        (0xC102, ("GOSTR341112_256", "GOSTR341112_256", "GOST28147-CNT", "IMIT", 32, "GOSTR3411")),
        (0xC103, (NEGOTIATED, NEGOTIATED, "KUZNYECHIK-MGM", "AEAD", 128, "GOSTR3411")),
        (0xC106, (NEGOTIATED, NEGOTIATED, "MAGMA-MGM", "AEAD", 64, "GOSTR3411")),
        (0x00C7, (NEGOTIATED, NEGOTIATED, "SM4-CCM", "AEAD", 128, "SM3")),
        (0x1302, (NEGOTIATED, NEGOTIATED, "AES-256-GCM", "AEAD", 128, "SHA384")),
        (0x1303, (NEGOTIATED, NEGOTIATED, "CHACHA20-POLY1305", "AEAD", 128, "SHA256")),
        (0x1305, (NEGOTIATED, NEGOTIATED, "AES-128-CCM_8", "AEAD", 64, "SHA256")),
        (0x1306, (NEGOTIATED, NEGOTIATED, "AEGIS-256", "AEAD", 128, "SHA512")),
        (0x1307, (NEGOTIATED, NEGOTIATED, "AEGIS-128L", "AEAD", 128, "SHA256")),
        (0xC0B4, (NEGOTIATED, NEGOTIATED, "NULL", "HMAC-SHA256", 256, "SHA256")),
        (0xC0B5, (NEGOTIATED, NEGOTIATED, "NULL", "HMAC-SHA384", 384, "SHA384")),
        (0x0700C0, ("RSA", "RSA", "3DES-CBC", "MD5", 128, "MD5")),
        (0x020080, ("RSA", "RSA", "RC4-40", "MD5", 128, "MD5")),
    ],
)
def test_chosen_suites(code: int, expected: tuple[str, str, str, str, int, str]) -> None:
    assert parts(split(code)) == expected


def test_suite_that_is_split_names_itself() -> None:
    for code, name in {**ALL, **SSL2_KINDS}.items():
        suite = split(code)
        assert (suite.code, suite.name, suite.known) == (code, name, True)
        assert UNKNOWN not in parts(suite)


def test_tls13_leaves_exchange_to_the_handshake() -> None:
    thirteen = {code for code in ALL if split(code).tls13}
    assert thirteen == {0x00C6, 0x00C7, *range(0x1301, 0x1308), 0xC0B4, 0xC0B5, *range(0xC103, 0xC107)}
    assert all(split(code).forward_secrecy is None for code in thirteen)


def test_small_blocks() -> None:
    assert {split(code).encryption for code in ALL if split(code).block_bits == 64} == {"DES", "3DES", "IDEA", "RC2", "GOST28147", "MAGMA"}


def test_prf_depends_on_the_version() -> None:
    suite = split(0xC013)
    assert suite.prf_hash_in(0x0303) == "SHA256"
    assert suite.prf_hash_in(0x0302) == "MD5+SHA-1"
    assert suite.prf_hash_in(0xFEFF) == "MD5+SHA-1"
    assert suite.prf_hash_in(0xFEFD) == "SHA256"
    assert split(0xABCD).prf_hash_in(0x0301) == UNKNOWN


@pytest.mark.parametrize("code", [0x00FF, 0x5600, 0x0A0A, 0xFAFA, 0xABCD, 0xFFFF, 0x123456, 2**32])
def test_not_a_suite_is_unknown(code: int) -> None:
    suite = split(code)
    assert not suite.known
    assert suite.name == f"0x{code:04X}"
    assert {suite.key_exchange, suite.authentication, suite.encryption, suite.mac, suite.mode, suite.prf_hash} == {UNKNOWN}
    assert suite.cipher == UNKNOWN
    assert suite.forward_secrecy is None
    assert not (suite.export)
    assert not (suite.anonymous)
    assert not (suite.null_encryption)
    assert not (suite.aead)
    assert not (suite.tls13)


def test_every_code_is_split_without_error() -> None:
    known = {code for code in range(65536) if split(code).known}
    assert known == set(ALL)
    assert not known & (tls.GREASE | set(tls.SCSV))


def test_suite_is_frozen() -> None:
    with pytest.raises(AttributeError):
        split(0x1301).name = "x"  # type: ignore[misc]
