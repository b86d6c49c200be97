import pytest

from tests.messages.dns.builders import datas, name, one, record, response


def parameter(key, value):
    return key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def https(*parameters, priority=1, target=b"\0"):
    return one(response(record(65, priority.to_bytes(2, "big") + target + b"".join(parameters))))


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ([], "1 ."),
        ([parameter(1, b"\2h2")], '1 . alpn="h2"'),
        ([parameter(2, b""), parameter(8, b"")], "1 . no-default-alpn ohttp"),
        ([parameter(7, b"/dns-query{?dns}")], '1 . dohpath="/dns-query{?dns}"'),
        ([parameter(5, b"\1\2\3\4")], '1 . ech="AQIDBA=="'),
        ([parameter(65280, b"")], "1 . key65280"),  # a value of no bytes at the very end
        ([parameter(65280, b'a"\\\xff')], '1 . key65280="a\\"\\\\\\255"'),
        ([parameter(1, b"\4f\\,o")], '1 . alpn="f\\\\\\\\\\\\,o"'),  # RFC 9460 appendix A.1, figure 6
        (
            [parameter(0, b"\0\1\0\4"), parameter(1, b"\2h2"), parameter(4, bytes(4))],
            '1 . mandatory="alpn,ipv4hint" alpn="h2" ipv4hint="0.0.0.0"',
        ),
    ],
)
def test_parameters(parameters, text):
    assert datas(https(*parameters)) == [text]


def test_alias():
    assert datas(https(priority=0, target=name("svc.example.net"))) == ["0 svc.example.net"]


@pytest.mark.parametrize(
    "parameters",
    [
        [parameter(3, b"\0\1"), parameter(1, b"\2h2")],  # keys out of order
        [parameter(3, b"\0\1"), parameter(3, b"\0\1")],  # a key twice
        [parameter(3, b"\1")],
        [parameter(1, b"")],
        [parameter(1, b"\0")],
        [parameter(1, b"\3h2")],
        [parameter(2, b"x")],
        [parameter(4, bytes(5))],
        [parameter(4, b"")],
        [parameter(6, bytes(8))],
        [parameter(0, b"\0\0")],  # mandatory lists itself
        [parameter(0, b"\0\4\0\1")],
        [b"\0\1\0\5\2h2"],  # longer than the record
        [b"\0\1\0"],
    ],
)
def test_broken_rules(parameters):
    assert https(*parameters)["error"] == "bad_rdata"


def test_compressed_target():
    assert https(target=b"\xc0\x0c")["error"] == "bad_rdata"
