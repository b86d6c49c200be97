"""Zeek's logs as Zeek writes them, read as zeek-cut does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.export.writers import open_writers
from analyzer.export.zeek import LOGS
from analyzer.export.zeek_tsv import moment
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline

CAPTURES = Path(__file__).parents[2] / "captures"
# what zeek-cut does: columns by the names of the #fields line
CUT = r"""BEGIN { FS = OFS = "\t"; n = split(want, names, ",") }
/^#fields/ { for (i = 2; i <= NF; i++) at[$i] = i - 1 }
/^#/ { next }
{ line = ""; for (i = 1; i <= n; i++) line = line (i > 1 ? OFS : "") $(at[names[i]]); print line }"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in ("zeek", "again", "zeek-json")}
    writers = [open_writers([name.replace("again", "zeek")], folder)[0] for name, folder in made.items()]
    for tables in Pipeline(Options(limits=Limits(arena_bytes=1 << 20)), with_zeek=True).run([str(CAPTURES / "http-plain.pcapng")]):
        for writer in writers:
            writer.write(tables)
    for writer in writers:
        writer.close()
        writer.close()
    return made


def test_headers_are_complete(folders: dict[str, Path]) -> None:
    for log in LOGS:
        lines = (folders["zeek"] / f"{log.path}.log").read_text().splitlines()
        head = [line for line in lines if line.startswith("#")]
        assert head[0] == "#separator \\x09"
        assert head[1:5] == ["#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{log.path}"]
        fields, kinds = (next(line for line in head if line.startswith(word)).split("\t")[1:] for word in ("#fields", "#types"))
        assert fields == [field.name for field in log.fields]
        assert len(kinds) == len(fields)
        rows = [line for line in lines if not line.startswith("#")]
        assert {line.count("\t") for line in rows} <= {len(fields) - 1}
        assert ([line.split("\t")[0] for line in head if line.split("\t")[0] in ("#open", "#close")] == ["#open", "#close"]) == bool(rows)


def test_values_are_those_of_the_json_logs(folders: dict[str, Path]) -> None:
    for log in LOGS:
        lines = [line.split("\t") for line in (folders["zeek"] / f"{log.path}.log").read_text().splitlines() if line[0] != "#"]
        objects = [json.loads(line) for line in (folders["zeek-json"] / f"{log.path}.log").read_text().splitlines()]
        assert len(lines) == len(objects)
        for line, told in zip(lines, objects, strict=True):
            for field, value in zip(log.fields, line, strict=True):
                known = told.get(field.name)
                if field.kind in ("time", "interval") and known is not None:
                    assert float(value) == pytest.approx(known, abs=1e-6)
                elif field.kind in ("string", "addr", "enum"):
                    assert value == ("-" if known is None else known or "(empty)")
                elif field.kind == "bool":
                    assert value == {None: "-", True: "T", False: "F"}[known]


def test_an_awk_script_cuts_columns(folders: dict[str, Path]) -> None:
    if shutil.which("awk") is None:
        pytest.skip("no awk here")
    command = ["awk", "-v", "want=id.resp_h,host,status_code", CUT, str(folders["zeek"] / "http.log")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) > 3
    assert told[0].split("\t")[1:] == ["www.example.org", "200"]


def test_the_same_report_gives_the_same_bytes(folders: dict[str, Path]) -> None:
    for path in folders["zeek"].iterdir():
        assert path.read_bytes() == (folders["again"] / path.name).read_bytes()


def test_moments() -> None:
    assert moment(1_700_000_000_999_999_999) == "2023-11-14-22-13-20"
