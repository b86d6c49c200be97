"""Several captures as one: the same as all packets sorted by time, wherever files and chunks begin and end."""

import gzip

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Limits
from tests.builders import Frame, pcap, pcapng, simple_packet
from tests.capture.reading import read

# times of the packets of one file, in steps from the one before, some of them back
STEPS = st.lists(st.integers(-2, 6), max_size=25)
START = 1_700_000_000_000_000_000


def merged(files):
    """The twin: take the file whose next packet is earliest, of equal ones the file that was named first."""
    files = [list(frames) for frames in files]
    result = []
    while any(files):
        best = min((k for k in range(len(files)) if files[k]), key=lambda k: (files[k][0].ts, k))
        result.append(files[best].pop(0))
    return result


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 40), STEPS, st.sampled_from(["pcap", "pcapng", "gz"])), min_size=2, max_size=5),
    chunk_bytes=st.sampled_from([6000, 1 << 15]),
    rows=st.sampled_from([1, 3, 64]),
)
def test_any_files_come_by_time(tmp_path_factory, steps, chunk_bytes, rows):
    folder = tmp_path_factory.mktemp("merge")
    files, paths = [], []
    for k, (start, gaps, kind) in enumerate(steps):
        ts, frames = START + start, []
        for i, gap in enumerate(gaps):
            ts += gap
            frames.append(Frame(bytes([k, i]) * (1 + 13 * i), ts))
        content = pcap(frames, nanosecond=True) if kind != "pcapng" else pcapng(frames)
        path = folder / f"{9 - k}.{kind}"
        path.write_bytes(gzip.compress(content) if kind == "gz" else content)
        files.append(frames)
        paths.append(path)
    got, contents, source = read(paths, chunk_bytes=chunk_bytes, limits=Limits(packets_per_batch=rows))
    wanted = merged(files)
    assert contents == [frame.content for frame in wanted]
    assert [row[:2] for row in got] == [(frame.ts, i) for i, frame in enumerate(wanted, 1)]
    assert sum(facts.packets for facts in source.facts) == len(wanted)
    assert len({row[4] for row in got}) == sum(bool(frames) for frames in files)
    assert source.progress.done == source.progress.total


def test_packets_without_time_stay_behind_the_one_before(tmp_path):
    (tmp_path / "a").write_bytes(pcapng([Frame(b"a1", START + 1), Frame(b"a3", START + 3)]) + simple_packet(b"none"))
    (tmp_path / "b").write_bytes(pcap([Frame(b"b2", START + 2), Frame(b"b4", START + 4)], nanosecond=True))
    assert read([tmp_path / "a", tmp_path / "b"])[1] == [b"a1", b"b2", b"a3", b"none", b"b4"]


def test_more_files_than_are_merged(tmp_path):
    frames = [[Frame(bytes([k, i]), START + 10 * i + k) for i in range(5)] for k in range(4)]
    paths = []
    for k, each in enumerate(frames):
        paths.append(tmp_path / str(k))
        paths[-1].write_bytes(pcapng(each))
    _, contents, source = read(paths, limits=Limits(packets_per_batch=8, open_captures=2))
    assert sorted(contents) == sorted(frame.content for each in frames for frame in each)
    notes = [note for facts in source.facts for note in facts.notes]
    assert len(notes) == 1
    assert "and later captures overlap with 2 others" in notes[0]


def test_overlap_and_gaps_are_told(tmp_path):
    for name, times in (("a", (100, 200)), ("b", (150, 300)), ("c", (350, 400))):
        (tmp_path / name).write_bytes(pcap([Frame(b"x", START + ts) for ts in times], nanosecond=True))
    source = read([tmp_path / "c", tmp_path])[2]
    assert [(facts.name[-1], facts.gap_ns) for facts in source.facts] == [("a", None), ("b", -50), ("c", 50)]
