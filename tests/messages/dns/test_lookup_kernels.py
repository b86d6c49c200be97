import pytest

from tests.messages.dns.builders import Wire, address, datas, header, listed, query, question, record, response

MX = record(15, b"\0\1\1m\xc0\x0c")


def first(*replies):
    """The lookup of one query with these responses."""
    wire = Wire().ask(1, query())
    for i, reply in enumerate(replies):
        wire.answer(2 + i, reply)
    return listed(wire.analyse())[0]


@pytest.mark.parametrize(
    ("replies", "conflicts"),
    [
        ([response(address("203.0.113.1"))] * 3, 0),
        ([response(address("203.0.113.1"), address("203.0.113.2")), response(address("203.0.113.2"), address("203.0.113.1"))], 0),
        ([response(address("203.0.113.1")), response(address("203.0.113.66"))], 1),
        ([response(address("203.0.113.1")), response(bits=0x8183)], 1),
        ([response(address("203.0.113.1")), response(address("203.0.113.1"), MX)], 1),
        ([response(MX), response(record(15, b"\0\2\1m\xc0\x0c")), response(MX)], 1),
    ],
)
def test_answers_that_conflict(replies, conflicts):
    row = first(*replies)
    assert (row["responses"], row["queries"], row["conflicts"]) == (len(replies), 1, conflicts)


def test_conflicting_answers_of_many_records():
    many = [address(f"203.0.113.{n}") for n in range(100)]
    assert first(response(*many), response(*many))["conflicts"] == 0


@pytest.mark.parametrize(
    ("asked", "told", "mixed", "changed"),
    [
        ("www.example.org", "www.example.org", 0, 0),
        ("WWW.EXAMPLE.ORG", "www.example.org", 0, 0),
        ("wWw.eXample.oRg", "wWw.eXample.oRg", 1, 0),
        ("wWw.eXample.oRg", "www.example.org", 1, 1),
        ("w-1.2", "w-1.2", 0, 0),
    ],
)
def test_case_of_names(asked, told, mixed, changed):
    (row,) = listed(Wire().ask(1, query(asked)).answer(2, response(text=told)).analyse())
    assert (row["is_mixed_case"], row["is_case_changed"]) == (mixed, changed)


def test_update_keeps_what_is_to_be_changed():
    change = header(bits=0x2800, ns=1) + question("example.org", 6) + address("192.0.2.1")
    (row,) = listed(Wire().ask(1, change).answer(2, header(bits=0xA800) + question("example.org", 6)).analyse())
    assert (row["opcode"], row["rcode"], datas(row), row["rows"][0]["section"]) == (5, 0, ["192.0.2.1"], 2)


def test_how_many_questions():
    (row,) = listed(Wire().ask(1, header(qd=2) + question("a.b") + question("c.d")).analyse())
    assert (row["name"], row["questions"]) == ("a.b", 2)
