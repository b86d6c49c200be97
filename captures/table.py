#!/usr/bin/python3
"""Renew the table in README.md from the recipes ("# shows:", "# programs:") and the captures beside them."""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
FORMATS = {"pcapng": "pcapng", "pcap": "pcap (us)", "nsecpcap": "pcap (ns)"}


def comment(recipe, word):
    return re.search(rf"^# {word}: (.*)$", recipe, re.MULTILINE).group(1)


def facts(capture):
    """Format, packets, size and date, as capinfos (Wireshark) reports them."""
    command = ["capinfos", "-T", "-m", "-M", "-r", "-t", "-c", "-s", "-a", "-S", str(capture)]
    line = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin", "TZ": "UTC"})
    _, kind, packets, size, start = line.stdout.strip().split(",")
    kind = FORMATS.get(kind, kind)
    day = subprocess.run(["date", "-u", "-d", f"@{start}", "+%Y-%m-%d"], check=True, capture_output=True, text=True)
    return kind, packets, f"{max(1, round(int(size) / 1000))} kB", day.stdout.strip()


def count(capture, display_filter, field):
    command = ["tshark", "-r", str(capture), "-Y", display_filter, "-T", "fields", "-e", field]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return answer.stdout.split()


def capture_of(path):
    found = (path.with_suffix(f".{suffix}") for suffix in ("pcapng", "pcap"))
    return next((capture for capture in found if capture.exists()), None)


def row(path):
    recipe = path.read_text()
    capture = capture_of(path)
    kind, packets, size, day = facts(capture)
    keys = path.with_suffix(".keylog.txt").exists()
    cells = (
        f"[{path.stem}]({capture.name})",
        comment(recipe, "shows"),
        comment(recipe, "programs"),
        kind,
        packets,
        str(len(set(count(capture, "tcp", "tcp.stream")))),
        str(len(count(capture, "dns.flags.response == 0 and not icmp and not icmpv6", "frame.number"))),
        size,
        "yes" if keys else "",
        day,
    )
    return "| " + " | ".join(cells) + " |"


def main():
    lines = [
        "| capture | what it shows | programs | format | packets | TCP | DNS | size | key log | recorded |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
        *(row(path) for path in sorted(HERE.glob("*.recipe")) if capture_of(path)),
    ]
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    main()
