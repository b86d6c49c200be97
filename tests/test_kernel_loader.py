"""A kernel from disk is the kernel that was compiled; other kinds of arguments never reach it; what is damaged is compiled anew."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import kernel_loader
from analyzer.kernel_compiler import code_of, make_kernel
from analyzer.kernel_loader import Code, describe, kind_of, load, place_of, read, save

ROW = np.dtype([("a", np.uint8), ("b", np.int64, (2,))])
SAME_SIZE = np.dtype([("a", np.uint8), ("c", np.int64, (2,))])


def add(rows, step, is_twice):
    """A kernel with a record, a number and a truth, and two answers."""
    total = 0
    for k in range(rows.shape[0]):
        row = rows[k]
        row.b[1] += step * (2 if is_twice else 1)
        total += row.b[1]
    return total, rows[rows.shape[0] - 1].b[1]


def rows_of(count, dtype=ROW):
    return np.zeros(count, dtype).view(np.recarray)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    import numba

    dispatcher = make_kernel(add)
    signature = tuple(map(numba.typeof, (rows_of(1), 1, True)))
    dispatcher.compile(signature)
    path = tmp_path_factory.mktemp("kernels") / "add.kernel"
    save(path, code_of(dispatcher, signature))
    return path


def test_a_kernel_from_disk_does_what_it_did(kept):
    loaded = load(kept, add)
    assert loaded is not None
    for step, is_twice in ((3, False), (np.int64(5), True), (-1, True)):
        ours, plain = rows_of(4), rows_of(4)
        assert loaded(ours, step, is_twice) == add(plain, step, is_twice)
        np.testing.assert_array_equal(ours, plain)
    with pytest.raises(IndexError):
        loaded(rows_of(0), 1, False)
    assert loaded.__name__ == "add"


def test_it_is_linked_as_often_as_wanted(kept):
    first, second = load(kept, add), load(kept, add)
    assert first(rows_of(2), 1, False) == second(rows_of(2), 1, False) == (2, 1)


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 200])
def test_what_is_damaged_is_as_if_it_were_not_there(kept, tmp_path, damage):
    content = kept.read_bytes()
    path = tmp_path / "damaged.kernel"
    for broken in (damage, content[:-1], content[:50] + b"?" + content[51:], damage + content):
        path.write_bytes(broken)
        if broken != content:
            assert read(path) is None
            assert load(path, add) is None
    assert load(tmp_path / "missing.kernel", add) is None


def test_without_the_inner_parts_of_numba_kernels_are_compiled(kept, monkeypatch):
    monkeypatch.setattr(kernel_loader, "_linker", lambda: None)
    assert load(kept, add) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    save(tmp_path / "no folder" / "add.kernel", Code(b"code", "wrapper", "environment"))
    path = tmp_path / "add.kernel"
    save(path, Code(b"co\nde", "wrapper", "environment"))
    assert read(path) == Code(b"co\nde", "wrapper", "environment")
    assert list(tmp_path.iterdir()) == [path]


NUMBERS = np.arange(6)
FROZEN = np.frombuffer(b"abcdef", np.uint8)
ARGUMENTS = {
    "int64": NUMBERS,
    "int32": NUMBERS.astype(np.int32),
    "uint64": NUMBERS.astype(np.uint64),
    "two dimensions": NUMBERS.reshape(2, 3),
    "every second": NUMBERS[::2],
    "bytes": FROZEN.copy(),
    "frozen bytes": FROZEN,
    "not aligned": np.zeros(17, np.uint8)[1:].view(np.int64),
    "rows": rows_of(2),
    "other rows of the same size": rows_of(2, SAME_SIZE),
    "whole number": 1,
    "truth": True,
    "unsigned": np.uint64(1),
    "real": 1.5,
    "tuple": (NUMBERS, 1),
    "other tuple": (NUMBERS, True),
}


@pytest.mark.parametrize("one", ARGUMENTS)
def test_kinds_tell_apart_what_needs_other_code(one):
    for other, argument in ARGUMENTS.items():
        assert (kind_of(argument) == kind_of(ARGUMENTS[one])) == (other == one), other
        assert (describe(argument) == describe(ARGUMENTS[one])) == (other == one), other


def test_kinds_are_the_same_for_what_the_same_code_serves():
    table = rows_of(9)
    for one, other in (
        (table, table[2:5]),
        (table, table[2:5].view(np.recarray)),
        (NUMBERS, NUMBERS[1:3]),
        (7, np.int64(7)),
        (True, np.True_),
    ):
        assert kind_of(one) == kind_of(other)
        assert describe(one) == describe(other)


@given(st.lists(st.sampled_from(sorted(ARGUMENTS)), max_size=4), st.lists(st.sampled_from(sorted(ARGUMENTS)), max_size=4))
def test_other_arguments_have_another_place(tmp_path_factory, first, second):
    folder = tmp_path_factory.getbasetemp()
    places = [place_of(folder, "add", [describe(ARGUMENTS[name]) for name in names]) for names in (first, second)]
    assert (places[0] == places[1]) == (first == second)


def test_another_processor_has_another_place(tmp_path, monkeypatch):
    here = place_of(tmp_path, "add", ["int"])
    monkeypatch.setattr(kernel_loader, "_processor", lambda: "another")
    assert place_of(tmp_path, "add", ["int"]) != here


PROGRAM = """
import sys
import numpy as np
from analyzer.report.text import addresses, spans
print(spans(np.frombuffer(b"host", np.uint8).copy(), np.array([0]), np.array([4])).to_pylist())
print("numba.core" in sys.modules)
if sys.argv[1:]:
    print(addresses(np.zeros(1), np.ones(1), np.full(1, 6)).to_pylist())
    print("numba.core" in sys.modules)
"""


def test_a_process_that_finds_its_kernels_does_without_numba(tmp_path):
    environment = {**os.environ, "ANALYZER_KERNELS": "compiled", "ANALYZER_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    runs = [
        subprocess.run([*command, *more], env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
        for more in ([], [], ["another"], ["another"])
    ]
    assert runs[0] == ["['host']", "True"]
    assert runs[1] == ["['host']", "False"]
    assert runs[2] == ["['host']", "False", "['::1']", "True"]  # what is not on disk is compiled beside what is
    assert runs[3] == ["['host']", "False", "['::1']", "False"]
