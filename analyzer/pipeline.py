"""The wiring: the only file that knows every stage.

    capture -> packets -> connections -> streams -> messages -> lifecycle -> report

One batch goes through stages 2 to 5 and leaves rows in the tables of their owners. Connections that are over leave in a *flush*: the
assembler gives up their holes, the dissectors see the last runs, the lifecycle is built, and every stage forgets the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.batch import Batch
from analyzer.capture import Follow, KeyTexts, Source, look_ahead, open_captures
from analyzer.connections import Tracker
from analyzer.connections.identity import capture_seed
from analyzer.lifecycle.attribution import Attribution
from analyzer.lifecycle.blame import build_delays
from analyzer.lifecycle.findings import build_findings
from analyzer.lifecycle.finished import Finished, Texts
from analyzer.lifecycle.flight import Flights, find_flights
from analyzer.lifecycle.milestones import build_milestones
from analyzer.lifecycle.phases import build_phases
from analyzer.lifecycle.quality import Quality
from analyzer.lifecycle.quic_past import QuicPast
from analyzer.memory import Memory
from analyzer.messages.dns import Dns
from analyzer.messages.inside import Inside
from analyzer.messages.over_quic import OverQuic
from analyzer.messages.quic import Quic
from analyzer.messages.services import Services
from analyzer.messages.tls import ChainChecks, Tls, describe_opening, read_trust_store
from analyzer.messages.web import PROTOCOLS, Web
from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.parking import Parking
from analyzer.report.build import Context, Lifecycle, build_tables, build_totals
from analyzer.report.capture import build_capture
from analyzer.report.certificates import build_validity
from analyzer.report.flight import Flight, describe_flight
from analyzer.report.provenance import capture_facts
from analyzer.streams import Assembler
from analyzer.tables import Ints, Rows, plain_rows, take_rows
from analyzer.tables.services import DNS, QUIC, TLS
from analyzer.threads import assembly_line

if TYPE_CHECKING:
    from analyzer.messages.http.bodies import Bodies
    from analyzer.report.columns import Sheet

Tables = dict[str, "Sheet"]
Watch = Callable[[Batch, Rows, Rows], None]
Progress = Callable[[int, int | None], None]
FLUSH_ROWS = 4000  # connections of one flush: so many that a table costs little per row, so few that its columns stay in the cache


@dataclass
class Flush:
    """What stages 2 to 5 hand over of connections that are over: copies, so that those stages can go on.

    Attributes:
        finished: the rows.
        capture: facts of the captures, at their end.
    """

    finished: Finished
    capture: Sheet | None = None


class Pipeline:
    """One analysis: ``run`` reads captures and yields tables; afterwards ``quality``, ``notes`` and ``source`` say how it went."""

    def __init__(
        self,
        options: Options,
        *,
        with_zeek: bool = False,
        with_heads: bool = False,
        bodies: Bodies | None = None,
        flush_rows: int = FLUSH_ROWS,
    ) -> None:
        if with_heads:
            options = replace(options, keep_heads=True)
        decode = with_zeek or with_heads or bodies is not None
        limits = options.limits
        self._options = options
        self.limits = limits
        self._flush_rows = flush_rows
        self.watch: Watch | None = None
        self.memory = Memory(limits.chunk_bytes, chunks=2, arena_bytes=limits.arena_bytes)
        self._decoder = Decoder(options)
        self._tracker = Tracker(options)
        self._assembler = Assembler(self.memory, options)
        self._services = Services(self.memory, (TLS, DNS, *PROTOCOLS))
        self._dns = Dns(self.memory, options)
        self._tls = Tls(self.memory, options)
        self._web = Web(self.memory, options, decode=decode, bodies=bodies)
        self._quic = Quic(self.memory, options, self._tls.keylog)
        self._over_quic = OverQuic(self.memory, options, decode=decode, bodies=bodies)
        self._chains = ChainChecks(self._tls.der, [root for path in options.trust_store for root in read_trust_store(path)])
        self._inside = Inside(self.memory, options, decode=decode, bodies=bodies)
        self._keys = KeyTexts(options.keylog)
        self._attribution = Attribution(options)
        self._quic_past = QuicPast()
        self._parking = Parking(limits, self._tracker, self._assembler, self._services, self._attribution)
        self._context = Context(
            0, self._tls.certificates, with_zeek=with_zeek, with_heads=with_heads, masks=not options.include_secrets,
            thresholds=options.thresholds, bodies=bodies,
        )  # fmt: skip
        self._over: list[Ints] = []
        self._flushed_ns = 0
        self.undissected = 0
        self.now_ns = 0
        self.quality = Quality()
        self.source: Source | None = None
        self.is_stopped = False

    def stop(self) -> None:
        """End the reading: after the batch at hand, live when all that was seen is read. What is open is reported as it stands."""
        self.is_stopped = True
        if self.source is not None:
            self.source.stop()

    @property
    def notes(self) -> list[str]:
        """One sentence for everything in the captures that could not be read."""
        notes = [note for facts in self.source.facts for note in facts.notes] if self.source else []
        opened = self._quic.opener.counts
        said = describe_opening(self._tls.opener.counts, self._tls.keylog, opened["connections_with_keys"])
        if failed := opened["not_opened_packets"]:
            total = failed + opened["opened_packets"]
            said.append(f"TLS keys: {failed:,} of {total:,} packets of QUIC could not be opened (wrong keys, or the handshake is missing).")
        return notes + said

    @property
    def has_opened(self) -> bool:
        """Whether anything was decrypted."""
        return self._tls.opener.counts["decrypted_records"] > 0 or self._quic.opener.counts["opened_packets"] > 0

    def run(
        self,
        captures: Sequence[str],
        advance: Progress | None = None,
        follow: Follow | None = None,
        then: Callable[[Tables], Any] = lambda tables: tables,
    ) -> Iterator[Any]:
        """Analyse captures; yields the tables of finished connections, at the end those of all others with the ``capture`` table.

        Args:
            captures: paths, as ``open_captures`` takes them.
            advance: is told bytes read and bytes in all after each batch.
            follow: read on while the one capture is being written.
            then: what to do with the tables, on another thread where ``Options.jobs`` allows; its results are yielded instead of them.

        Raises:
            CaptureError: none of the captures can be read.
        """
        return assembly_line(self._from_files(captures, advance, follow), (self._tell, then), self._options.jobs - 1)

    def read(self, source: Source) -> Iterator[Tables]:
        """Analyse what a live source brings, as ``run`` does, on this thread.

        Connections leave at least once in ``Source.flush_ns``, and an empty dict comes after each batch, for whoever wants to look at
        ``in_flight``.
        """
        for flush in self._flushes(source, None, grows=True):
            yield {} if flush is None else self._tell(flush)

    def _from_files(self, captures: Sequence[str], advance: Progress | None, follow: Follow | None) -> Iterator[Flush]:
        """Stages 1 to 5 of captures."""
        with open_captures(captures, self.memory, self._options.limits, follow) as source:
            if self._options.jobs > 1:
                source.read_ahead()
            if follow is None:
                for text in self._keys.once(look_ahead(source.files, self._options.limits.memory_bytes)):
                    self._tls.keylog.add(text)
            yield from (flush for flush in self._flushes(source, advance, grows=follow is not None) if flush is not None)

    def _flushes(self, source: Source, advance: Progress | None, *, grows: bool) -> Iterator[Flush | None]:
        """Stages 1 to 5: connections as they leave, and None after each batch of a live source."""
        self.source = source
        last = Batch(self.memory, np.recarray(0, np.dtype("i8")), np.recarray(0, np.dtype("i8")), 0, 0)
        for batch in source.batches():
            if last.last_number == 0 and batch.last_number > 0:
                self._context.seed = capture_seed(batch)
            for text in self._keys.fresh(source.facts, grows=grows):
                self._tls.keylog.add(text)
            last = batch
            if len(batch.packets):
                self._push(batch)
                if advance is not None:
                    advance(*source.progress)
                yield from self._flush_full(last)
            yield from self.advance(last, source.flush_ns)
            if source.flush_ns is not None:
                self.now_ns = max(self.now_ns, batch.now_ns)
                yield None
            elif self.is_stopped:
                break
        self._over.append(self._parking.expire(last.now_ns, everything=True))
        yield from self._flush_full(last)
        flush = self._flush(last, self._waiting())
        flush.capture = self.capture_table()
        yield flush

    def advance(self, batch: Batch, flush_ns: int | None) -> Iterator[Flush]:
        """Let time pass up to ``batch.now_ns``: connections whose deadline lies before it are over, as with a packet of that time.

        What waits to be flushed leaves when the last flush was ``flush_ns`` ago (None: only when it fills a flush).
        """
        if not len(batch.packets):
            self._over.append(self._parking.expire(batch.now_ns))
            yield from self._flush_full(batch)
        if flush_ns is not None and batch.now_ns - self._flushed_ns >= flush_ns:
            self._flushed_ns = batch.now_ns
            rows = self._waiting()
            if len(rows):
                self._over = []
                yield self._flush(batch, rows)

    def in_flight(self, most: int) -> tuple[Flights, list[Flight]]:
        """What is not over, and of the ``most`` that wait longest what they are: to be shown while a live capture runs."""
        tracker = self._tracker
        flights = find_flights(tracker.connections, tracker.endpoints, tracker.used, self.now_ns, most)
        parked, waiting = self._parking.parked, self._parking.waiting
        flights = replace(flights, total=flights.total + parked, waiting=flights.waiting + waiting)
        texts = (self._tls.text.data, self._attribution.text.data)
        tables = (self._tls.handshakes, self._services.table, self._attribution.table)
        return flights, [describe_flight(flights, at, tracker.connections, tables, texts) for at in range(len(flights.rows))]

    def begin_part(self) -> None:
        """The report goes on in another folder: certificates are told there again."""
        self._context.reported_certificates.clear()

    def capture_table(self) -> Sheet:
        """The table ``capture`` as it stands now."""
        facts = self.source.facts if self.source is not None else []
        return build_capture(capture_facts(facts, self.quality.facts(), self._counts()))

    def _push(self, batch: Batch) -> None:
        """Stages 2 to 5 of one batch."""
        self._decoder.decode(batch)
        self.quality.observe(batch)
        self._parking.revive(batch)
        self._tracker.track(batch)
        if batch.is_dissected:
            self._read(batch)
        else:
            self.undissected += len(batch.packets)
        self._over.append(self._parking.expire(batch.now_ns))
        self._parking.park()

    def _read(self, batch: Batch) -> None:
        """Stages 4 and 5 of one batch."""
        connections = self._tracker.connections
        self._services.name_datagrams(batch, connections)
        self._dissect(batch, self._assembler.assemble(batch, connections))
        self._tls.process_packets(batch, connections, self._services.table)
        self._quic.process_packets(batch, self._services.table, connections)
        self._read_quic()
        self._dns.process_packets(batch, connections)
        self._dns.pair()
        self._attribution.learn(self._dns)
        self._quic_past.learn(self._dns, self._tracker.connections)
        self._attribution.attribute(batch, connections)

    def _read_quic(self) -> None:
        """What QUIC carried in this batch: messages of TLS, then streams."""
        self._tls.process_messages(self._quic.messages(), self._tracker.connections)
        self._over_quic.process_pieces(self._quic.pieces(), self._tls.handshakes, self._tls.text.data)

    def _dissect(self, batch: Batch, runs: Rows) -> None:
        """Stage 5 for runs of streams."""
        connections, wishes = self._tracker.connections, self._assembler.wishes
        found = self._services.sort(runs, connections)
        tunnels = self._web.process_runs(batch, found, connections, wishes)
        if len(tunnels):
            found = self._services.enter(tunnels, found, TLS, connections)
        runs, wanted = found
        self._tls.process_runs(batch, runs, wanted[TLS], connections)
        opened = self._tls.opener.runs()
        if self.watch is not None:
            self.watch(batch, opened, connections)
        inside = self._inside.process_runs(batch, opened, connections)
        if inside is not None:
            self._dns.process_runs(inside.runs, inside.wanted[DNS], connections)
        self._dns.process_runs(runs, wanted[DNS], connections)

    def _waiting(self) -> Ints:
        """Places (see parking) of connections that are over and wait to be flushed, in the order in which they ended."""
        rows: Ints = np.concatenate([np.zeros(0, np.int64), *self._over])
        self._over = [rows]
        return rows

    def _flush_full(self, batch: Batch) -> Iterator[Flush]:
        """Flush what waits as long as it fills flushes: where one ends does not depend on the batches."""
        if sum(map(len, self._over)) < self._flush_rows:
            return
        rows = self._waiting()
        full = len(rows) - len(rows) % self._flush_rows
        for at in range(0, full, self._flush_rows):
            self._over = [rows[at + self._flush_rows :]]
            yield self._flush(batch, rows[at : at + self._flush_rows])

    def _flush(self, batch: Batch, places: Ints) -> Flush:
        """Gather what is known of connections that are over, then forget them."""
        rows = self._parking.settle(places)
        self._dissect(batch, self._assembler.finish(rows, self._tracker.connections))
        self._quic.finish(rows)
        self._read_quic()
        self._dns.pair()
        self._attribution.learn(self._dns)
        self._quic_past.learn(self._dns, self._tracker.connections)
        finished = self._gather(rows, batch.now_ns)
        self.quality.observe_finished(finished)
        protocols = (self._dns, self._tls, self._quic, self._over_quic, self._web, self._inside)
        for owner in (self._assembler, self._services, *protocols, self._attribution, self._tracker):
            owner.release(rows)
        return Flush(finished)

    def _tell(self, flush: Flush) -> Tables:
        """Stages 6 and 7: the tables of connections that are over. Reads nothing that stages 2 to 5 change, but what only grows."""
        finished = flush.finished
        phases = build_phases(finished)
        delays = build_delays(finished, phases)
        found = build_findings(finished, build_validity(self._tls.certificates[:], self._chains), self._options.thresholds)
        tables = build_tables(finished, Lifecycle(phases, build_milestones(finished), delays, found), self._context)
        return tables if flush.capture is None else {**build_totals(self._context, tables), "capture": flush.capture}

    def _gather(self, rows: Ints, now_ns: int) -> Finished:
        """Copies of all rows that belong to connections ``rows``."""
        tracker = self._tracker
        lookups, records = self._dns.take(rows, tracker.connections, now_ns)
        handshakes, links = self._tls.take(rows)
        connections = take_rows(tracker.connections, rows)
        services = take_rows(self._services.table, rows)
        part, http2_links, sockets, socket_ends = self._inside.add_to(rows, services, self._web.take(rows))
        exchanges, http_text = self._over_quic.add_to(rows, part)
        quic = self._quic.take(rows)
        if len(quic):
            services["protocol"][quic["seen"] == 1] = QUIC
        flows = 2 * connections["flow"].astype(np.int64) + connections["flipped"]
        tables = {
            "connections": connections,
            "endpoints_a": take_rows(tracker.endpoints, 2 * rows),
            "endpoints_b": take_rows(tracker.endpoints, 2 * rows + 1),
            "originator_flows": take_rows(tracker.flows, flows),
            "responder_flows": take_rows(tracker.flows, flows ^ 1),
            "originator_streams": take_rows(self._assembler.streams, 2 * rows + connections["flipped"]),
            "responder_streams": take_rows(self._assembler.streams, 2 * rows + 1 - connections["flipped"]),
            "waits": tracker.take_waits(rows),
            "handshakes": handshakes,
            "attributions": take_rows(self._attribution.table, rows),
            "services": services,
            "quic": quic,
            "exchanges": exchanges,
            "http2_links": http2_links,
            "websockets": sockets,
            "websocket_ends": socket_ends,
            "bursts": self._tls.take_bursts(rows),
            "chain_links": links,
            "lookups": lookups,
            "records": records,
        }
        texts = Texts(self._tls.text.data, http_text, self._dns.text.data, self._attribution.text.data, self._quic.text.data)
        plain: dict[str, Any] = {name: plain_rows(table) for name, table in tables.items()}
        finished = Finished(rows=rows, texts=texts, **plain)
        advertised = (part for web in (self._web, self._inside) for part in web.advertised())
        return self._quic_past.add_to(finished, tracker.connections, (self._tls.handshakes, self._tls.text.data), advertised)

    def certificates(self) -> Iterator[tuple[str, bytes]]:
        """SHA-256 and DER of each distinct certificate seen so far."""
        return ((one.sha256, self._tls.der(one.number)) for one in self._tls.certificates)

    @property
    def evicted(self) -> int:
        """Connections that were ended early to stay within ``Limits.memory_bytes``."""
        return self._tracker.evicted

    def _counts(self) -> dict[str, dict[str, int]]:
        """What each stage could not read or keep, by its own names."""
        tls, inside = {**self._tls.errors, **self._tls.opener.counts}, self._inside.anomalies
        http = {name: self._web.anomalies.get(name, 0) + inside.get(name, 0) for name in {**self._web.anomalies, **inside}}
        kept = {"ended_for_memory": self.evicted, "packets_counted_only": self.undissected}
        return {
            "connections": kept,
            "fragments": self._decoder.counts,
            "dns": self._dns.counts,
            "tls": tls,
            "quic": self._quic.errors,
            "http": http,
        }
