"""How fast QUIC is read: decryption of 1-RTT packets with keys, and the first packets of many connections without.

    python tests/bench/quic.py [--megabytes N] [--connections N]

The captures are made in this process by aioquic (pip install aioquic), client and server side by side without a network, into a
temporary folder. Printed: MB/s of datagrams and microseconds per connection, CPU time of the stage ``quic`` and of the whole, the fastest
of three runs, kernels warm.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import dpkt
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from analyzer.options import Options
from analyzer.pipeline import Pipeline
from tests.bench.stages import Clock, watch

STEP = 0.0005  # seconds between two datagrams of one direction
CHUNK = 1 << 16


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate signed by itself and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench.example.org")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=30)).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem", folder / "key.pem"


def talk(files: tuple[Path, Path], keys: io.StringIO, load: int, begin: float) -> Iterator[tuple[float, bool, bytes]]:
    """The datagrams of one connection that carries ``load`` bytes from server to client: (time, is the client's, bytes)."""
    asking = QuicConfiguration(alpn_protocols=["bench"], verify_mode=0, secrets_log_file=keys, server_name="b.test")
    client = QuicConnection(configuration=asking)
    settings = QuicConfiguration(alpn_protocols=["bench"], is_client=False)
    settings.load_cert_chain(*files)
    server = QuicConnection(configuration=settings, original_destination_connection_id=client.original_destination_connection_id)
    client.connect(("192.0.2.1", 443), begin)
    now, left, stream = begin, load, -1
    for _ in range(40 + load):  # rounds: ends when nobody has anything more to say
        is_quiet = True
        for one, other, is_client in ((client, server, True), (server, client, False)):
            for content, _ in one.datagrams_to_send(now):
                now += STEP
                is_quiet = False
                yield now, is_client, content
                other.receive_datagram(content, ("192.0.2.1", 443), now)
        if server.tls.state.name.endswith("POST_HANDSHAKE") and left > 0:
            stream = server.get_next_available_stream_id(is_unidirectional=True) if stream < 0 else stream
            server.send_stream_data(stream, bytes(min(left, CHUNK)), end_stream=left <= CHUNK)
            left -= CHUNK
            is_quiet = False
        if is_quiet:
            return


def write_capture(path: Path, talks: Iterator[Iterator[tuple[float, bool, bytes]]]) -> int:
    """Datagrams of connections, one after the other, from a port each; their bytes in all."""
    total = 0
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for number, datagrams in enumerate(talks):
            port = 1024 + number % 60_000
            client = bytes((10, 0, number >> 16, 1))
            for at, is_client, content in datagrams:
                ends = (client, port, b"\xc0\0\2\1", 443) if is_client else (b"\xc0\0\2\1", 443, client, port)
                udp = dpkt.udp.UDP(sport=ends[1], dport=ends[3], data=content, ulen=8 + len(content))
                ip = dpkt.ip.IP(src=ends[0], dst=ends[2], p=17, data=udp, len=28 + len(content), ttl=64)
                writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=ip)), ts=at)
                total += len(content)
    return total


def measure(capture: Path, keylog: tuple[Path, ...], counted: tuple[str, ...]) -> tuple[float, float, int]:
    """CPU seconds of the stage ``quic`` and of the whole, the fastest of three runs; the sum of these columns."""
    best = (float("inf"), float("inf"), 0)
    for _ in range(3):
        clock, pipeline = Clock(), Pipeline(Options(keylog=keylog))
        watch(pipeline, clock)
        began = time.process_time()
        rows = [row for tables in pipeline.run([str(capture)]) for row in tables["quic"].to_pylist()]
        spent = time.process_time() - began
        best = min(best, (clock.seconds["quic"], spent, sum(row[name] or 0 for row in rows for name in counted)))
    return best


def main() -> None:
    """Make the captures, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--connections", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, keys = Path(name), io.StringIO()
        files = write_certificate(folder)
        bulk, many = folder / "bulk.pcap", folder / "many.pcap"
        size = write_capture(bulk, iter([talk(files, keys, options.megabytes * 1_000_000, 1e9)]))
        (folder / "keys.txt").write_text(keys.getvalue())
        write_capture(many, (talk(files, io.StringIO(), 0, 1e9 + k) for k in range(options.connections)))
        stage, whole, opened = measure(bulk, (folder / "keys.txt",), ("client_opened_packets", "server_opened_packets"))
        speed, all_of_it = size / 1e6 / stage, size / 1e6 / whole
        print(f"decryption: {size / 1e6:.1f} MB, {opened:,} packets: {speed:.0f} MB/s (whole analysis {all_of_it:.0f} MB/s)")
        stage, whole, initials = measure(many, (), ("client_initial_packets", "server_initial_packets"))
        each, one = 1e6 / options.connections, 1e6 / max(initials, 1)
        print(f"without keys: {stage * each:.0f} us a connection, {stage * one:.0f} us an Initial (whole analysis {whole * each:.0f} us)")


if __name__ == "__main__":
    main()
