"""Sentences: numbers and first bytes as people read them."""

import pytest

from analyzer.capture.facts import MOST_NOTES, CaptureFacts, add_final_notes, count_text, describe_head
from analyzer.tables import new_table
from analyzer.tables.packets import READER


@pytest.mark.parametrize(("number", "text"), [(0, "0 packets"), (1, "1 packet"), (12345, "12,345 packets")])
def test_numbers_with_their_thing(number, text):
    assert count_text(number, "packet") == text


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"date,host,and more", 'it begins with "date,host" - text'),
        (b"one\r\ntwo", 'it begins with "one" - text'),
        (b"\x7fELF\2\1\1\0\0", "it begins with 7f 45 4c 46 02 01 01 00"),
        (b"\n", "it begins with 0a"),
    ],
)
def test_first_bytes(head, text):
    assert describe_head(head) == text


def test_notes_begin_with_the_name():
    facts = CaptureFacts("a", "a")
    facts.note_tail("packet 2", 1, 1)
    facts.note_tail("packet 1", 20, 0)
    assert facts.notes == [
        "a ends in the middle of packet 2, 1 byte into it (disk full, or still being written?). The packet before it was analysed.",
        "a ends in the middle of packet 1, 20 bytes into it (disk full, or still being written?). No packet is whole.",
    ]


def test_notes_do_not_grow_without_end():
    facts = CaptureFacts("a", "a")
    for _ in range(MOST_NOTES + 7):
        facts.note("is damaged.")
    add_final_notes(facts, new_table(READER, 1)[0], 100)
    assert len(facts.notes) == MOST_NOTES + 1
    assert facts.notes[-1] == "a has 7 further problems of the same kinds."
