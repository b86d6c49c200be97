"""A flush made up for tests: rows as the stages before would hand them on, few or many."""

import numpy as np

from analyzer.lifecycle.blame import build_delays
from analyzer.lifecycle.findings import RULES
from analyzer.lifecycle.finished import Finished, Texts
from analyzer.lifecycle.milestones import build_milestones
from analyzer.lifecycle.phases import build_phases
from analyzer.memory import Text
from analyzer.messages.tls.certificates import Certificate
from analyzer.report.build import Lifecycle
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONN_STATES, CONNECTION, ENDPOINT, FLOW, WAIT
from analyzer.tables.dns import ATTRIBUTION, CAUSED, LOOKUP, RESOURCE_RECORD
from analyzer.tables.http import EXCHANGE
from analyzer.tables.http2 import HTTP2_LINK
from analyzer.tables.lifecycle import FINDING
from analyzer.tables.quic import QUIC
from analyzer.tables.services import DNS, HTTP, SERVICE, TLS
from analyzer.tables.streams import STREAM
from analyzer.tables.tls import BURST, CHAIN_LINK, HANDSHAKE, MEASURED, STEP_CODES
from analyzer.tables.websocket import WEBSOCKET, WEBSOCKET_END

START = 1_700_000_000_000_000_000
MS = 1_000_000
KINDS = ("dns", "tls", "http", "icmp")


CERTIFICATES = (
    Certificate(0, "a" * 64, "b" * 40, 900, subject="CN=www.example.org,O=\x1bExample", issuer="CN=CA", dns_names=("www.example.org",)),
    Certificate(1, "c" * 64, "d" * 40, 800, common_name="*.example.org", not_before=START - MS, not_after=253402300799 * 10**9, is_ca=True),
)


def put(text: Text, row: Rows, name: str, content: bytes) -> None:
    """Append bytes and point the span of a row at them."""
    at, size = text.append(content)
    row[name] = at
    row[f"{name}_size"] = size


def fill_connections(kinds: list[str]) -> tuple[Rows, Rows, Rows, Rows]:
    n = len(kinds)
    c, a, b, services = (new_table(dtype, n) for dtype in (CONNECTION, ENDPOINT, ENDPOINT, SERVICE))
    i = np.arange(n)
    kind = np.array([KINDS.index(k) for k in kinds], np.int64)
    c["number"] = n - i  # flushed in another order than they began
    c["ip_version"] = np.where(i % 5 == 4, 6, 4)
    c["a_hi"] = np.where(i % 5 == 4, 0x20010DB8 << 32, 0)
    c["b_hi"] = c["a_hi"]
    c["a_lo"], c["b_lo"] = 0x0A000005, 0xCB007100 + i % 256
    c["protocol"] = np.array([17, 6, 6, 1])[kind]
    c["a_port"] = np.array([53000, 50000, 40000, 8])[kind]
    c["b_port"] = np.array([53, 443, 80, 0])[kind]
    c["conn_state"] = CONN_STATES.index("SF")
    c["vlan"] = c["inner_vlan"] = c["tunnel_id"] = -1
    c["first_ts"] = START + (n - i) * MS
    c["productive_ts"] = c["last_ts"] = c["first_ts"] + 1_000_001
    c["first_number"], c["last_number"] = i + 1, i + 2
    tcp = c["protocol"] == 6
    c["syn_ts"] = c["last_syn_ts"] = np.where(tcp, c["first_ts"], 0)
    c["synack_ts"] = np.where(tcp, c["first_ts"] + 10 * MS, 0)
    c["ack_ts"] = np.where(tcp, c["first_ts"] + 11 * MS, 0)
    for field in ("syn_number", "synack_number", "ack_number"):
        c[field] = np.where(tcp, i + 1, 0)
    c["history"][:, :2] = (ord("S"), ord("h"))
    c["history_size"] = 2
    for end in (a, b):
        end["packets"], end["ip_bytes"], end["stream_bytes"], end["ttl"] = 3, 300, 180, 64
        end["first_ts"], end["mss"], end["window_scale"] = c["first_ts"], 1460, 7
    services["protocol"] = np.array([DNS, TLS, HTTP, 0])[kind]
    return c, a, b, services


def make_finished(kinds: list[str]) -> Finished:
    """One connection of each kind: dns (a lookup with two answers), tls (with a certificate), http (two exchanges), icmp."""
    n = len(kinds)
    c, a, b, services = fill_connections(kinds)
    handshakes, attributions = new_table(HANDSHAKE, n), new_table(ATTRIBUTION, n)
    handshakes["cipher_suite"] = handshakes["alert_code"] = handshakes["last_alert_code"] = -1
    tls_text, http_text, dns_text, attribution_text = Text(), Text(), Text(), Text()
    for text in (tls_text, http_text, dns_text, attribution_text):
        text.append(b"?")
    template = new_table(HANDSHAKE, 1)
    for name, content in (
        ("server_name", b"www.example.org"),
        ("alpn", b"h2"),
        ("alpn_offered", b"h2,http/1.1"),
        ("ja3", b"a" * 32),
        ("ja4", b"t13d1516h2_8daaf6152771_e5627efa2ab1"),
    ):
        put(tls_text, template[0], name, content)
    template["seen"], template["version"], template["cipher_suite"], template["group"] = 1, 0x0303, 0xC02F, 29
    template["offered_version"], template["is_established"] = 0x0304, 1
    template["alert_code"] = template["last_alert_code"] = -1
    template["history"][0, :3] = list(b"CsX")
    template["history_size"] = 3
    tls = np.flatnonzero([k == "tls" for k in kinds])
    for at in tls:
        handshakes[at] = template[0]
    for step, late in (("client_hello", 12), ("server_hello", 22), ("client_finished", 23), ("server_finished", 33)):
        code = STEP_CODES[step]
        handshakes["step_ts"][tls, code] = (c["first_ts"][tls] + late * MS)[:, None]
        handshakes["step_number"][tls, code] = 7
        handshakes["step_basis"][tls, code] = MEASURED
    links = new_table(CHAIN_LINK, len(tls))
    links["connection"], links["certificate"] = n - 1 - tls, np.arange(len(tls)) % 2
    links["number"], links["ts"] = 8, c["first_ts"][tls] + 25 * MS
    where = attribution_text.append(b"www.example.org")
    attributions["basis"][tls] = CAUSED
    attributions["name"][tls], attributions["name_size"][tls] = where
    attributions["query_ts"][tls], attributions["response_ts"][tls] = c["first_ts"][tls] - 20 * MS, c["first_ts"][tls] - 3 * MS
    attributions["query_number"] = attributions["response_number"] = 2
    attributions["server_lo"][tls], attributions["lookup"], attributions["ttl"] = 0x08080808, 1, 300
    return Finished(
        rows=np.arange(n)[::-1].astype(np.int64).copy(),
        connections=c,
        endpoints_a=a,
        endpoints_b=b,
        originator_flows=new_table(FLOW, n),
        responder_flows=new_table(FLOW, n),
        originator_streams=new_table(STREAM, n),
        responder_streams=new_table(STREAM, n),
        waits=new_table(WAIT, 0),
        handshakes=handshakes,
        attributions=attributions,
        services=services,
        exchanges=make_exchanges(kinds, c, http_text),
        http2_links=new_table(HTTP2_LINK, 0),
        websockets=new_table(WEBSOCKET, 0),
        websocket_ends=new_table(WEBSOCKET_END, 0),
        bursts=new_table(BURST, 0),
        chain_links=links,
        **dict(zip(("lookups", "records"), make_lookups(kinds, c, dns_text), strict=True)),
        quic=new_table(QUIC, 0),
        texts=Texts(tls_text.data, http_text.data, dns_text.data, attribution_text.data, attribution_text.data),
    )


def make_exchanges(kinds: list[str], c: Rows, text: Text) -> Rows:
    at = np.repeat(np.flatnonzero([k == "http" for k in kinds]), 2)
    x = new_table(EXCHANGE, len(at))
    x["connection"], x["index"] = len(kinds) - 1 - at, np.arange(len(at)) % 2 + 1
    x["has_request"] = x["has_response"] = x["request_complete"] = x["response_complete"] = 1
    x["status"], x["version"], x["response_version"] = 200, 11, 11
    for k, field in enumerate(("request_first", "request_last", "response_first", "response_last")):
        x[f"{field}_ts"], x[f"{field}_number"] = c["first_ts"][at] + (20 + k + 9 * x["index"]) * MS, 20 + k
    for name, content in (
        ("method", b"GET"),
        ("target", b'=cmd|" /C calc",\x1b[1m'),
        ("host", b"www.example.org:8080"),
        ("user_agent", b"curl/8"),
        ("response_type", b"text/html"),
        ("reason", b"OK"),
        ("proxied", b"VIA -> a\nX-FORWARDED-FOR -> b"),
    ):
        row = new_table(EXCHANGE, 1)
        put(text, row[0], name, content)
        x[name], x[f"{name}_size"] = row[name], row[f"{name}_size"]
    target, size = text.append(b"/index.html?a=1")
    x["target"][::2], x["target_size"][::2] = target, size
    return x


def make_lookups(kinds: list[str], c: Rows, text: Text) -> tuple[Rows, Rows]:
    at = np.flatnonzero([k == "dns" for k in kinds])
    q, records = new_table(LOOKUP, len(at)), new_table(RESOURCE_RECORD, 3 * len(at))
    q["number"], q["connection"] = np.arange(len(at)) + 1, len(kinds) - 1 - at
    for name in ("is_over", "has_query", "has_response", "outcome", "queries", "responses", "zeek_row", "recursion_desired"):
        q[name] = 1
    q["transport"], q["id"], q["qtype"], q["qclass"], q["ip_version"] = 17, 0xBEEF, 1, 1, 4
    q["zeek_qtype"], q["zeek_qclass"] = 1, 1
    q["query_bits"], q["response_bits"] = 0x0100, 0x8180
    q["recursion_available"] = q["zeek_answers"] = 1
    q["query_udp_size"] = q["response_udp_size"] = q["extended_error"] = -1
    q["query_ts"] = q["own_query_ts"] = q["last_query_ts"] = c["first_ts"][at]
    q["response_ts"] = c["first_ts"][at] + 1_500_001
    q["query_number"], q["response_number"] = 1, 2
    q["client_lo"], q["server_lo"], q["client_port"], q["server_port"] = c["a_lo"][at], c["b_lo"][at], 53000, 53
    q["first_record"], q["answer_records"], q["records"] = 3 * np.arange(len(at)), 2, 3
    for name in ("name", "zeek_name"):
        q[name], q[f"{name}_size"] = text.append(b"www.example.org")
    records["lookup"], records["section"], records["rrtype"], records["ttl"] = np.repeat(q["number"], 3), 1, 1, 60
    records["section"][2::3] = 2
    for name in ("rdata", "zeek"):
        records[name], records[f"{name}_size"] = text.append(b"192.0.2.1")
        records[name][1::3], records[f"{name}_size"][1::3] = text.append(b"edge.example.net")
    records["rrtype"][1::3] = 5
    return q, records


def make_findings(finished: Finished) -> Rows:
    """One finding per connection: a slow lookup, a slow response or an old version."""
    names = [rule.name for rule in RULES]
    f = new_table(FINDING, len(finished.rows))
    f["order"] = np.arange(len(f))
    f["rule"], f["amount"], f["number"], f["ts"] = names.index("tls.old_version"), 0x0301, 3, START
    f["lookup"] = f["exchange"] = -1
    return f


def make_inputs(kinds: list[str]) -> tuple[Finished, Lifecycle]:
    """Everything build_tables takes but the context."""
    finished = make_finished(kinds)
    phases = build_phases(finished)
    delays = build_delays(finished, phases)
    return finished, Lifecycle(phases, build_milestones(finished), delays, make_findings(finished))
