"""Captures behind URLs, through fsspec."""

import gzip
import sys

import fsspec
import pytest

from analyzer.capture.remote import RemoteFile, is_remote
from analyzer.errors import CaptureError
from tests.builders import pcap, pcapng
from tests.capture.reading import FRAMES, check, facts_of, read


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()


@pytest.mark.parametrize(("url", "remote"), [("s3://a/b", True), ("simplecache::https://a/b", True), ("C://a", False), ("a/b", False)])
def test_what_is_remote(url, remote):
    assert is_remote(url) == remote


@pytest.mark.parametrize("content", [pcap(FRAMES), pcapng(FRAMES), gzip.compress(pcap(FRAMES), mtime=0)])
def test_remote_captures(memory, content):
    memory.pipe("/there/capture", content)
    result = read(["memory://there/capture"])
    check(result, FRAMES)
    assert result[2].progress.done == result[2].progress.total == len(content)
    assert facts_of(result[2]).name == "memory://there/capture"


def test_remote_beside_local(memory, tmp_path):
    memory.pipe("/a", pcap(FRAMES[:2]))
    (tmp_path / "b").write_bytes(pcap(FRAMES[2:]))
    check_contents = read([tmp_path / "b", "memory://a", (tmp_path / "b").as_uri()])[1]
    assert check_contents[:2] == [frame.content for frame in FRAMES[:2]]
    assert len(check_contents) == 2 * len(FRAMES) - 2


@pytest.mark.parametrize(
    ("url", "sentence"), [("memory://nothing", "no such file"), ("nosuch://a/b", "cannot be read: Protocol not known")]
)
def test_what_is_not_there(url, sentence):
    with pytest.raises(CaptureError, match=sentence):
        read([url])


def test_without_fsspec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(CaptureError, match=r"s3://a/b lies elsewhere.*\[remote\]"):
        read(["s3://a/b"])


def test_whatever_a_protocol_raises_is_told(memory, monkeypatch):
    memory.pipe("/a", pcap(FRAMES))
    file = RemoteFile("memory://a")

    def fail(_size):
        raise ValueError("connection lost\nand more")

    monkeypatch.setattr(file._file, "read", fail)
    with pytest.raises(OSError, match=r"connection lost$"):
        file.read(1)
