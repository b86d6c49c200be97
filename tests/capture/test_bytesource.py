"""Compressed captures: read to the end, or as far as they go."""

import bz2
import gzip
import lzma
import random

import pytest

from analyzer.errors import CaptureError
from analyzer.options import Limits
from tests.builders import Frame, pcap
from tests.capture.reading import FRAMES, check, facts_of, read_bytes


def compressed_bytes(content, codec):
    import pyarrow as pa

    buffer = pa.BufferOutputStream()
    stream = pa.CompressedOutputStream(buffer, codec)
    stream.write(content)
    stream.close()
    return buffer.getvalue().to_pybytes()


COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: compressed_bytes(content, "zstd"),
    "lz4": lambda content: compressed_bytes(content, "lz4"),
}


@pytest.mark.parametrize("name", COMPRESS)
def test_compressed_captures(tmp_path, name):
    content = COMPRESS[name](pcap(FRAMES))
    result = read_bytes(tmp_path, content)
    check(result, FRAMES)
    assert facts_of(result[2]).compression == name


@pytest.mark.parametrize("name", COMPRESS)
def test_compressed_captures_that_end_too_early(tmp_path, name):
    content = pcap([Frame(random.Random(1).randbytes(1400))] * 2000)
    try:
        rows, _, source = read_bytes(tmp_path, COMPRESS[name](content)[:-200])
    except CaptureError as error:  # a codec may give nothing of a stream that is not whole
        assert f"its {name} data is damaged" in str(error)  # noqa: PT017
    else:
        assert 0 < len(rows) < 2000
        assert f"its {name} data is damaged" in facts_of(source).notes[0]


def test_gz_members_in_a_row(tmp_path):
    content = pcap(FRAMES)
    check(read_bytes(tmp_path, gzip.compress(content[:1000]) + gzip.compress(content[1000:]) + b"\0" * 50), FRAMES)


@pytest.mark.parametrize("name", COMPRESS)
def test_decompression_bombs_end_with_a_sentence(tmp_path, name):
    """Ten megabytes of one packet again and again: whole where that is allowed, and cut soon after the limit where it is not."""
    content = pcap([Frame(b"\0" * 250_000)] * 40)
    limits = Limits(packets_per_batch=256, inflate_ratio=30, inflate_free_bytes=1 << 20)
    rows, _, source = read_bytes(tmp_path, COMPRESS[name](content), chunk_bytes=1 << 20, limits=limits)
    assert 0 < len(rows) < 40
    assert "unpacks to more than 30 times its size, as a decompression bomb does" in facts_of(source).notes[0]
    assert len(read_bytes(tmp_path, COMPRESS[name](content), chunk_bytes=1 << 20)[0]) == 40


def test_a_dictionary_beyond_reason_is_refused(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    with pytest.raises(CaptureError, match=r"xz data is damaged: Memory usage limit"):
        read_bytes(tmp_path, b"\xfd7zXZ\0" + lzma.compress(pcap(FRAMES), filters=filters)[6:])
