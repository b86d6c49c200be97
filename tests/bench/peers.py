"""The table of the README: our command beside those of the field on the same captures, in one run on one machine.

    python tests/bench/peers.py CAPTURE... [--runs N] [--only NAME]...

Peers that are not installed are left out and named. All take turns; the median of N runs counts. What is slow by a multiple of ten runs
once.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from whole import Cost, run, write_ten_packets

HERE: Final = Path(__file__).resolve().parent
FIELDS: Final = (
    "frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.len",
    "dns.id", "dns.qry.name", "dns.a", "dns.time", "tls.handshake.type", "tls.handshake.extensions_server_name",
    "tls.handshake.ciphersuite", "http.request.method", "http.host", "http.request.uri", "http.response.code", "http.time",
)  # fmt: skip
INTERESTING: Final = "tcp.flags.syn==1||tcp.flags.fin==1||tcp.flags.reset==1||dns||tls.handshake||http"
NFSTREAM: Final = "import sys; from nfstream import NFStreamer; NFStreamer(source=sys.argv[1]).to_csv(sys.argv[2])"


class Peer(NamedTuple):
    """One command: {capture} and {out} (a folder of its own) stand for what they say; ``module``: of Python that it needs."""

    name: str
    command: str
    what: str
    module: str = ""
    is_slow: bool = False


PYTHON: Final = shlex.quote(sys.executable)
PEERS: Final = (
    Peer("analyzer", f"{PYTHON} -m analyzer analyze {{capture}} -o {{out}}/report --force --quiet", "all of its tables as CSV"),
    Peer("suricata", "suricata -S /dev/null -k none -r {capture} -l {out} --runmode single", "flow, DNS, TLS and HTTP events; no rules"),
    Peer("tshark -T fields", f"tshark -n -r {{capture}} -T fields {' '.join(f'-e {name}' for name in FIELDS)} -Y '{INTERESTING}'",
         "a line per packet of interest", is_slow=True),
    Peer("nfstream", f"{PYTHON} -c {shlex.quote(NFSTREAM)} {{capture}} {{out}}/flows.csv", "flows, application by nDPI", "nfstream", True),
    Peer("dpkt loop", f"{PYTHON} {shlex.quote(str(HERE / 'dpkt_loop.py'))} {{capture}}", "flows and first messages, no reassembly", "dpkt",
         True),
    Peer("tcptrace", "tcptrace -n -l --csv {capture}", "statistics of TCP connections"),
    Peer("capinfos", "capinfos -A {capture}", "counts of the file"),
    Peer("tcpdump copy", "tcpdump -r {capture} -w /dev/null", "the floor: every record read"),
)  # fmt: skip


def is_installed(peer: Peer) -> bool:
    """Whether its program and its module are here."""
    program = shlex.split(peer.command)[0]
    return shutil.which(program) is not None and (not peer.module or importlib.util.find_spec(peer.module) is not None)


def measure(peers: list[Peer], capture: str, runs: int) -> dict[str, Cost]:
    """Medians of all peers on one capture."""
    costs: dict[str, list[Cost]] = {peer.name: [] for peer in peers}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(runs + 1):
            for peer in peers:
                if turn > 1 and peer.is_slow:
                    continue
                out = Path(folder) / peer.name.replace(" ", "-")
                out.mkdir(exist_ok=True)
                words = [word.format(capture=capture, out=out) for word in shlex.split(peer.command)]
                if turn == 0 and peer.name != "analyzer":
                    continue  # the first turn compiles our kernels and brings the file into memory
                cost = run(words)
                if turn > 0:
                    costs[peer.name].append(cost)
    return {name: Cost(*(statistics.median(column) for column in zip(*several, strict=True))) for name, several in costs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these peers; may be repeated")
    arguments = parser.parse_args()
    os.environ["ANALYZER_KERNELS"] = "compiled"
    wanted = [peer for peer in PEERS if not arguments.only or peer.name in arguments.only]
    peers = [peer for peer in wanted if is_installed(peer)]
    print("| capture | command | what it makes | CPU s | wall s | peak MB | its CPU / ours |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        ten = Path(folder) / "ten packets.pcap"
        write_ten_packets(ten)
        for capture in (str(ten), *(str(Path(name).resolve()) for name in arguments.captures)):
            costs = measure(peers, capture, arguments.runs)
            ours = costs.get("analyzer")
            for peer in peers:
                cost = costs[peer.name]
                ratio = f"{cost.cpu_s / ours.cpu_s:.2f}" if ours else ""
                figures = f"{cost.cpu_s:.2f} | {cost.wall_s:.2f} | {cost.peak_mb:.0f} | {ratio}"
                print(f"| {Path(capture).name} | {peer.name} | {peer.what} | {figures} |", flush=True)
    missing = [peer.name for peer in wanted if peer not in peers]
    if missing:
        print(f"\nNot installed, so not measured: {', '.join(missing)}.")
    if shutil.which("suricata"):
        print(subprocess.run(["suricata", "-V"], capture_output=True, text=True, check=False).stdout.strip())


if __name__ == "__main__":
    main()
