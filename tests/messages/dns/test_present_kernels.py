from analyzer.memory import Text
from tests.messages.dns.builders import SECOND, Wire, header, listed, name, one, query, record, response


def test_text_is_bounded():
    long = name(".".join(["\x01" * 63] * 3))
    many = [record(5, b"\xc0\x0c", owner=b"\xc0\x0c") for _ in range(2000)]
    row = one(header(bits=0x8180, an=len(many)) + long + b"\0\1\0\1" + b"".join(many))
    assert row["error"] == "too_much_text"
    assert 0 < row["records"] < 2000


def test_growing_text_changes_nothing():
    records = [record(16, bytes([200]) + b"x" * 200, owner=name(f"n{i}.example.org")) for i in range(200)]
    wire = Wire()
    for i in range(4):
        wire.answer(i * SECOND, response(*records, ident=i))
    whole = wire.analyse((1, 2, 3))
    assert whole.text.top > Text().data.size  # it grew in the middle of a message
    assert [len(r["rows"]) for r in listed(whole)] == [200] * 4
    assert listed(whole) == listed(wire.analyse())


def test_answers_of_the_type_asked_for():
    row = one(response(record(5, name("a.org")), record(28, bytes(16))))
    assert (row["answer_records"], row["zeek_answers"]) == (2, 2)
    wire = Wire().ask(1, query()).answer(2, response(record(5, name("a.org")), record(28, bytes(16))))
    assert listed(wire.analyse())[0]["outcome"] == "nodata"
