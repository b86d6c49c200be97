"""An HTTP/3 server and a client that asks it, by aioquic: what curl and nginx of Debian cannot do.

h3.py serve ADDRESS CERTIFICATE KEY FOLDER LOG [--retry]
    Files of FOLDER, and /wait/MS answers after so many milliseconds. One line a request in LOG: stream, method, path, status, bytes.
h3.py ask CA KEYLOG URL... [--with STEP]...
    The URLs at once on one connection. STEP, between two rounds of asking: update (keys), migrate (another port and connection id),
    rebind (another port, as when a NAT forgets). Or of the connection: early (first another connection that leaves a ticket, then the
    URLs as 0-RTT data), version2, negotiate (begin with a version that nobody knows), chacha, post (send 30 kB with each request), close.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

KINDS = {"html": "text/html", "css": "text/css", "js": "application/javascript", "png": "image/png", "json": "application/json"}


class Server(QuicConnectionProtocol):
    """Answers requests."""

    folder, log = Path(), Path()

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = None
        self.requests = {}
        self.tasks = []

    def quic_event_received(self, event):
        if self.http is None:
            self.http = H3Connection(self._quic)
        for told in self.http.handle_event(event):
            if isinstance(told, HeadersReceived):
                self.requests[told.stream_id] = dict(told.headers)
            if isinstance(told, HeadersReceived | DataReceived) and told.stream_ended:
                self.tasks.append(asyncio.ensure_future(self.answer(told.stream_id, self.requests.pop(told.stream_id))))

    async def answer(self, stream, fields):
        path = fields[b":path"].decode()
        file = self.folder / (path.split("?")[0].strip("/") or "index.html")
        if path.startswith("/wait/"):
            await asyncio.sleep(int(path.split("/")[2]) / 1000)
            status, body, kind = 200, b"waited\n" * 200, "text/plain"
        elif file.is_file() and file.resolve().is_relative_to(self.folder):
            status, body, kind = 200, file.read_bytes(), KINDS.get(file.suffix[1:], "application/octet-stream")
        else:
            status, body, kind = 404, b"not found\n", "text/plain"
        with self.log.open("a") as log:
            log.write(f"{stream} {fields[b':method'].decode()} {path} {status} {len(body)}\n")
        head = [
            (b":status", b"%d" % status),
            (b"server", b"h3.py"),
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        self.http.send_headers(stream, head)
        self.http.send_data(stream, body, end_stream=True)
        self.transmit()


class Client(QuicConnectionProtocol):
    """Asks."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.waiting = {}

    def quic_event_received(self, event):
        for told in self.http.handle_event(event):
            if isinstance(told, HeadersReceived | DataReceived) and told.stream_ended:
                self.waiting.pop(told.stream_id).set_result(None)

    def ask(self, url, body=b""):
        parts = urlsplit(url)
        stream = self._quic.get_next_available_stream_id()
        fields = [(b":method", b"POST" if body else b"GET"), (b":scheme", b"https"), (b":authority", parts.netloc.encode())]
        fields += [(b":path", (parts.path or "/").encode()), (b"user-agent", b"h3.py"), (b"accept", b"*/*")]
        self.http.send_headers(stream, fields, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.waiting[stream] = self._loop.create_future()
        self.transmit()
        return self.waiting[stream]


async def new_port(client):
    """The connection goes on from another port."""
    client._transport.close()  # noqa: SLF001
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: client, local_addr=("::", 0))


async def ask(options, log):
    tickets = []
    parts = urlsplit(options.urls[0])
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=True, secrets_log_file=log)
    configuration.load_verify_locations(options.ca)
    if "version2" in options.steps:
        configuration.supported_versions = [QuicProtocolVersion.VERSION_2, QuicProtocolVersion.VERSION_1]
        configuration.original_version = QuicProtocolVersion.VERSION_2
    if "negotiate" in options.steps:
        configuration.supported_versions = [0x1A2A3A4A, QuicProtocolVersion.VERSION_1]
        configuration.original_version = 0x1A2A3A4A
    if "chacha" in options.steps:
        configuration.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    body = bytes(range(250)) * 120 if "post" in options.steps else b""

    def session():
        more = {"configuration": configuration, "create_protocol": Client, "session_ticket_handler": tickets.append}
        return connect(parts.hostname, parts.port or 443, wait_connected=not configuration.session_ticket, **more)

    if "early" in options.steps:
        async with session() as client:
            await client.ask(options.urls[0])
        configuration.session_ticket = tickets[-1]
    async with session() as client:
        await asyncio.gather(*(client.ask(url, body) for url in options.urls))
        for step in options.steps:
            if step == "update":
                client.request_key_update()
            elif step == "migrate":
                await new_port(client)
                client.change_connection_id()
            elif step == "rebind":
                await new_port(client)
            else:
                continue
            await asyncio.gather(*(client.ask(url, body) for url in options.urls))


def ask_with_keys(options):
    with Path(options.keylog).open("a") as log:
        asyncio.run(ask(options, log))


async def answer_forever(options):
    Server.folder, Server.log = options.folder, options.log
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False, max_datagram_size=1350)
    configuration.load_cert_chain(options.certificate, options.key)
    tickets = {}
    store = {"session_ticket_handler": lambda ticket: tickets.update({ticket.ticket: ticket}), "session_ticket_fetcher": tickets.get}
    await serve(options.address, 443, configuration=configuration, create_protocol=Server, retry=options.retry, **store)
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("serve")
    for name in ("address", "certificate", "key"):
        one.add_argument(name)
    one.add_argument("folder", type=lambda name: Path(name).resolve())
    one.add_argument("log", type=Path)
    one.add_argument("--retry", action="store_true")
    one.set_defaults(run=lambda options: asyncio.run(answer_forever(options)))
    one = commands.add_parser("ask")
    one.add_argument("ca")
    one.add_argument("keylog")
    one.add_argument("urls", nargs="+")
    one.add_argument("--with", dest="steps", action="append", default=[])
    one.set_defaults(run=ask_with_keys)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
