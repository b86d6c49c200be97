"""DNS names: chosen codes, dnspython as oracle, unknown numbers, Zeek's spellings."""

import dns.edns
import dns.rcode
import dns.rdatatype
import dns.rdtypes.svcbbase
import pytest

from analyzer.registries import dns as names


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (1, "A"),
        (23, "NSAP-PTR"),
        (28, "AAAA"),
        (41, "OPT"),
        (52, "TLSA"),
        (53, "SMIMEA"),
        (55, "HIP"),
        (64, "SVCB"),
        (65, "HTTPS"),
        (128, "NXNAME"),
        (255, "ANY"),
        (257, "CAA"),
        (32769, "DLV"),
        (0, "TYPE0"),
        (54, "TYPE54"),
        (65280, "TYPE65280"),
    ],
)
def test_rr_type_names(code: int, name: str) -> None:
    assert names.rr_type_name(code) == name


def test_rr_types_agree_with_dnspython() -> None:
    for kind in dns.rdatatype.RdataType:
        if kind != 0:
            assert names.rr_type_name(int(kind)) == kind.name.replace("_", "-"), kind


def test_rcodes_agree_with_dnspython() -> None:
    assert {int(code): code.name for code in dns.rcode.Rcode} == names.RCODES


def test_svc_param_keys_agree_with_dnspython() -> None:
    for key in dns.rdtypes.svcbbase.ParamKey:
        assert names.svc_param_key_name(int(key)) == key.name.lower().replace("_", "-"), key


def test_extended_errors_agree_with_dnspython() -> None:
    for error in dns.edns.EDECode:
        if error != 0:  # dnspython says OTHER, the registry "Other Error"
            assert names.extended_error_name(int(error)).upper().replace(" ", "_") == error.name, error


def test_every_number_has_a_name_and_types_are_distinct() -> None:
    seen = [names.rr_type_name(code) for code in range(65536)]
    assert all(seen)
    assert len(set(seen)) == 65536


def test_unknown_numbers_keep_their_value() -> None:
    assert names.class_name(1) == "IN"
    assert names.class_name(32769) == "CLASS32769"
    assert names.opcode_name(5) == "Update"
    assert names.opcode_name(3) == "OPCODE3"
    assert names.rcode_name(12) == "RCODE12"
    assert names.edns_option_name(8) == "edns-client-subnet"
    assert names.edns_option_name(65001) == "OPTION65001"
    assert names.extended_error_name(4242) == "EDE4242"
    assert names.svc_param_key_name(667) == "key667"


def test_sixteen_is_badsig_only_inside_tsig() -> None:
    assert names.rcode_name(16) == "BADVERS"
    assert names.rcode_name(16, tsig=True) == "BADSIG"
    assert names.rcode_name(17, tsig=True) == "BADKEY"


@pytest.mark.parametrize(
    ("header", "ttl", "code"),
    [(0, 0x01000000, 16), (7, 0x01008000, 23), (3, 0, 3), (0xF, 0xFF000000, 4095), (0x13, 0x0000FFFF, 3)],
)
def test_extended_rcode_joins_header_and_opt(header: int, ttl: int, code: int) -> None:
    assert names.extended_rcode(header, ttl) == code


def test_zeek_spellings() -> None:
    assert [names.zeek_rr_type_name(code) for code in (1, 255, 32, 65281, 66, 4711)] == [
        "A",
        "*",
        "NIMLOC",
        "WINS",
        "query-66",
        "query-4711",
    ]
    assert [names.zeek_class_name(code) for code in (1, 3, 255, 32769)] == ["C_INTERNET", "C_CHAOS", "C_ANY", "qclass-32769"]
    assert [names.zeek_rcode_name(code) for code in (0, 7, 8, 11, 15, 16, 3842, 24)] == (
        ["NOERROR", "YXRRSET", "NXRRSet", "unassigned-11", "unassigned-15", "BADVERS", "BADSIG", "rcode-24"]
    )
    assert [names.zeek_opcode_name(code) for code in (0, 4, 5, 3)] == ["query", "notify", "dynamic-update", "opcode-3"]
    assert [names.zeek_opcode_name(code, netbios=True) for code in (0, 5, 1)] == (
        ["netbios-query", "netbios-registration", "netbios-opcode-1"]
    )
    assert [names.zeek_svc_param_key_name(code) for code in (1, 6, 7, 300)] == ["alpn", "ipv6hint", "key-7", "key-300"]
