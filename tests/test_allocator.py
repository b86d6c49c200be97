"""The choice of allocator leaves alone what the user chose."""

from __future__ import annotations

import ctypes

import pytest

from analyzer import allocator


class Library:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def mallopt(self, option: int, value: int) -> int:
        self.calls.append((option, value))
        return 1


@pytest.fixture
def library(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: library)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    return library


def test_blocks_come_from_the_heap(library):
    allocator.keep_memory()
    assert {option for option, _ in library.calls} == {allocator.M_MMAP_THRESHOLD, allocator.M_TRIM_THRESHOLD}


def test_the_users_own_choice_wins(library, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", "mimalloc")
    allocator.keep_memory()
    assert library.calls == []
    assert allocator.os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "mimalloc"


def test_other_c_libraries_are_left_alone(library, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    allocator.keep_memory()
    assert library.calls == []
