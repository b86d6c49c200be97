# mypy: allow-untyped-defs
"""What the two ends agree on: hellos, key exchange and encrypted extensions to the HANDSHAKE row."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, be64, helper, u8
from analyzer.messages.tls.data_kernels import MEASURED, STEP, finish_client, mark_step
from analyzer.messages.tls.hello_kernels import (
    ALPN,
    CODINGS,
    COMPRESSIONS,
    EARLY,
    ECH,
    EMS,
    ETM,
    GROUPS,
    HEARTBEAT,
    MODES,
    OLD_SHARE,
    ONE,
    PSK,
    RENEGOTIATION,
    SESSION,
    SHARE,
    SIZE_LIMIT,
    STATUS,
    SUITES,
    TICKET,
    TO_TLS11,
    TO_TLS12,
    TWO,
    VERSIONS,
    bits_of,
    copy_to_text,
    find_client_parts,
    find_extensions,
    find_server_parts,
    find_ssl2_parts,
    first_server_name,
    found_nothing,
    highest_version,
    is_grease,
    is_post_quantum,
    is_tls13_version,
    list_span,
    put_decimals,
    put_extensions,
    put_protocols,
    put_shares,
)
from analyzer.tables.tls import BY_EXTERNAL_PSK, BY_ID, BY_PSK, BY_TICKET, ERROR_CODES, SSL2

BAD_CLIENT_HELLO, BAD_SERVER_HELLO = ERROR_CODES["client_hello"], ERROR_CODES["server_hello"]
RETRY = STEP["hello_retry_request"]
IDENTITY_SHOWN = np.int64(32)  # bytes of a PSK identity: a ticket is long, and its first bytes tell it apart


@helper
def note_error(h, m, error):
    """Keep the first thing that was wrong, of the message and of the connection."""
    if m.error == 0:
        m.error = error
    if h.error == 0 and error > 0:
        h.error = error
        h.error_number = m.last_number


@helper
def copy_session_id(data, at, end, p):
    """Keep the offered session id; one of zeros only counts as none (Zeek's rule)."""
    p.session_id_size = 0
    for i in range(at, end):
        p.session_id[i - at] = data[i]
        if data[i] != 0:
            p.session_id_size = end - at


@helper
def is_modern(code):
    """ECDHE with an AEAD in TLS 1.2 (RFC 9325 4.2): AES-GCM, ChaCha20-Poly1305, AES-CCM."""
    return 0xC02B <= code <= 0xC02C or 0xC02F <= code <= 0xC030 or 0xCCA8 <= code <= 0xCCA9 or 0xC0AC <= code <= 0xC0AF


@helper
def count_offers(data, found, width, h):
    """How many real suites, and whether a post-quantum group is among the groups."""
    count = np.int64(0)
    for at in range(found[2 * SUITES], found[2 * SUITES + 1], width):
        code = be16(data, at + width - 2, found[2 * SUITES + 1])
        if not is_grease(code) and code != 0x00FF and code != 0x5600:  # the two are signals (RFC 5746 3.3, RFC 7507 3)
            count += 1
        if is_modern(code):
            h.offers_modern = 1
    h.ciphers_offered = count
    at, end = list_span(data, GROUPS, TWO, found)
    while at + 2 <= end:
        if is_post_quantum(be16(data, at, end)):
            h.post_quantum_offered = 1
        at += 2


@helper
def read_client_limits(data, h, found):
    """PSK modes (RFC 8446 4.2.9), codings of certificates (RFC 8879 3), record size limit (RFC 8449 4), early data."""
    at, end = list_span(data, MODES, ONE, found)
    h.psk_modes = bits_of(data, at, end, ONE)
    at, end = list_span(data, CODINGS, ONE, found)
    h.certificate_codings = bits_of(data, at, end, TWO)
    h.client_record_limit = max(be16(data, found[2 * SIZE_LIMIT], found[2 * SIZE_LIMIT + 1]), 0) if found[2 * SIZE_LIMIT] > 0 else 0
    h.early_offered = 1 if found[2 * EARLY] > 0 else 0
    h.staple_asked = 1 if found[2 * STATUS] > 0 else 0


@helper
def read_identities(data, h, p, found, text, top):
    """PSK identities (RFC 8446 4.2.11): their number, the first bytes of the first in hexadecimal, and which are no tickets."""
    at, end = list_span(data, PSK, TWO, found)
    p.identity_length = max(be16(data, at, end), 0)
    h.psk_identity = top
    for i in range(at + 2, min(at + 2 + min(np.int64(p.identity_length), IDENTITY_SHOWN), end)):
        for shift in range(4, -1, -4):
            digit = np.int64(data[i]) >> shift & 15
            text[top] = digit + (48 if digit < 10 else 87)
            top += 1
    h.psk_identity_size = top - np.int64(h.psk_identity)
    p.external_identities = 0
    count = np.int64(0)
    while at < end:
        age = at + 2 + max(be16(data, at, end), np.int64(0))
        if be32(data, age, end) < 0:
            break
        if be32(data, age, end) == 0 and count < 62:
            p.external_identities = np.int64(p.external_identities) | np.int64(1) << count
        count += 1
        at = age + 4
    h.psk_identities = count
    return top


@helper
def read_client_hello(data, m, h, p, text, top, found):
    """The first ClientHello; the new top of the text."""
    at, end = np.int64(m.position), np.int64(m.position) + np.int64(m.length)
    if np.int64(m.marks) & SSL2:
        h.client_version = m.version
        h.offered_version = m.version
        note_error(h, m, 0 if find_ssl2_parts(data, at, end, found) else BAD_CLIENT_HELLO)
        count_offers(data, found, np.int64(3), h)
        return top
    is_good = find_client_parts(data, at, end, found)
    version = max(be16(data, at, end), np.int64(0))
    h.client_version = version
    offered = highest_version(data, found, version)
    h.offered_version = offered
    if at + 34 <= end:
        for i in range(32):
            h.client_random[i] = data[at + 2 + i]
    copy_session_id(data, found[2 * SESSION], found[2 * SESSION + 1], p)
    p.has_ticket = 1 if found[2 * TICKET] < found[2 * TICKET + 1] else 0
    h.ticket_offered = p.has_ticket
    h.psk_offered = 1 if found[2 * PSK] > 0 else 0
    top = read_identities(data, h, p, found, text, top)
    h.is_ech = 1 if found[2 * ECH] > 0 else 0
    count_offers(data, found, TWO, h)
    name, size = first_server_name(data, found)
    is_good = is_good and size >= 0
    h.server_name = top
    h.server_name_size = max(size, 0)
    top = copy_to_text(data, name, np.int64(h.server_name_size), text, top)
    h.alpn_offered = top
    top = put_protocols(data, found, text, top)
    h.alpn_offered_size = top - np.int64(h.alpn_offered)
    h.groups_offered = top
    start, stop = list_span(data, GROUPS, TWO, found)
    top = put_decimals(data, start, stop, text, top)
    h.groups_offered_size = top - np.int64(h.groups_offered)
    h.shares_offered = top
    start, stop = list_span(data, SHARE, TWO, found)
    top = put_shares(data, start, stop, text, top)
    h.shares_offered_size = top - np.int64(h.shares_offered)
    h.extensions_offered = top
    top = put_extensions(data, found, text, top)
    h.extensions_offered_size = top - np.int64(h.extensions_offered)
    read_client_limits(data, h, found)
    note_error(h, m, 0 if is_good else BAD_CLIENT_HELLO)
    return top


@helper
def is_session_id_of(data, found, p):
    """The server repeats the session id that the client offered (RFC 5246 7.4.1.3)."""
    at, size = found[2 * SESSION], found[2 * SESSION + 1] - found[2 * SESSION]
    if size == 0 or size != np.int64(p.session_id_size):
        return False
    i = np.int64(0)
    while i < size and data[at + i] == p.session_id[i]:
        i += 1
    return i == size


@helper
def read_retry(data, m, h, found):
    """HelloRetryRequest (RFC 8446 4.1.4)."""
    h.is_retried = 1
    mark_step(h, RETRY, m, MEASURED)
    h.retry_group = max(be16(data, found[2 * SHARE], found[2 * SHARE + 1]), 0) if found[2 * SHARE] > 0 else 0


@helper
def put_alpn(data, h, found, text, top):
    """The protocol that the server chose; the new top of the text."""
    at, end = list_span(data, ALPN, TWO, found)
    size = u8(data, at, end)
    if size > 0 and at + 1 + size <= end:
        h.alpn = top
        h.alpn_size = size
        top = copy_to_text(data, at + 1, size, text, top)
    return top


@helper
def read_server_extensions(data, version, h, p, found, text, top):
    """What the server agreed to; the new top of the text."""
    h.extended_master_secret = 1 if found[2 * EMS] > 0 else 0
    h.encrypt_then_mac = 1 if found[2 * ETM] > 0 else 0
    h.secure_renegotiation = 1 if found[2 * RENEGOTIATION] > 0 else 0
    h.heartbeat = 1 if found[2 * HEARTBEAT] > 0 else 0
    if is_tls13_version(version):
        share = SHARE if found[2 * SHARE] > 0 else OLD_SHARE
        group = be16(data, found[2 * share], found[2 * share + 1])
        h.group = group if found[2 * share] > 0 and group > 0 else 0
        h.is_resumed = 1 if found[2 * PSK] > 0 and h.psk_offered else 0
        taken = be16(data, found[2 * PSK], found[2 * PSK + 1])
        is_external = 0 <= taken < 62 and np.int64(p.external_identities) >> taken & 1 == 1
        h.resumed_by = 0 if h.is_resumed == 0 else BY_EXTERNAL_PSK if is_external else BY_PSK
    elif is_session_id_of(data, found, p):
        h.is_resumed = 1
        h.resumed_by = BY_TICKET if p.has_ticket else BY_ID
    h.extensions_answered = top
    top = put_extensions(data, found, text, top)
    h.extensions_answered_size = top - np.int64(h.extensions_answered)
    return put_alpn(data, h, found, text, top)


@helper
def read_server_hello(data, m, h, p, text, top, found):
    """The first real ServerHello; the new top of the text."""
    at, end = np.int64(m.position), np.int64(m.position) + np.int64(m.length)
    if np.int64(m.marks) & SSL2:
        h.version = 2
        return top
    is_good = find_server_parts(data, at, end, found)
    legacy = max(be16(data, at, end), np.int64(0))
    version = be16(data, found[2 * VERSIONS], found[2 * VERSIONS + 1])
    if found[2 * VERSIONS] == 0 or version < 0:
        version = legacy
    h.version = version
    note_error(h, m, 0 if is_good else BAD_SERVER_HELLO)
    if found[2 * SUITES] == 0:
        return top
    h.cipher_suite = be16(data, found[2 * SUITES], end)
    h.compression = u8(data, found[2 * COMPRESSIONS], end) if found[2 * COMPRESSIONS] > 0 else 0
    sentinel = be64(data, at + 26, end)
    h.downgrade = 1 if sentinel == TO_TLS12 else 2 if sentinel == TO_TLS11 else 0
    return read_server_extensions(data, version, h, p, found, text, top)


@helper
def read_key_exchange(data, m, h):
    """ServerKeyExchange: a named curve (RFC 8422 5.4) or a prime (RFC 5246 7.4.3), told apart by whether their lengths fit."""
    at, end = np.int64(m.position), np.int64(m.position) + np.int64(m.length)
    suite, group, point = np.int64(h.cipher_suite), be16(data, at + 1, end), u8(data, at + 3, end)
    if suite == 3 or suite == 6 or suite == 8 or suite == 0x62 or suite == 0x64:
        return  # export RSA: a temporary RSA key
    after = at + 4 + point
    if u8(data, at, end) == 3 and 0 < group < 0xF0 and point > 0 and after <= end:
        h.group = group
    else:
        p_size = be16(data, at, end)
        g_size = be16(data, at + 2 + p_size, end) if p_size > 0 else np.int64(-1)
        y_size = be16(data, at + 4 + p_size + g_size, end) if g_size > 0 else np.int64(-1)
        after = at + 6 + p_size + g_size + y_size
        if y_size <= 0 or after > end or p_size > 2048:
            return  # a kind that is not read (SRP, PSK hints, explicit curves)
        bits, top_byte = 8 * (p_size - 1), u8(data, at + 2, end)
        while top_byte > 0:
            bits += 1
            top_byte >>= 1
        h.prime_bits = bits
    if h.version == 0x0303 and be16(data, after, end) > 0 and after + 4 + max(be16(data, after + 2, end), 0) == end:
        h.signature_scheme = be16(data, after, end)


@helper
def read_encrypted(data, m, h, p, text, top, found, is_client):
    """A message that TLS 1.3 encrypts; the new top of the text."""
    kind, at, end = np.int64(m.handshake_type), np.int64(m.position), np.int64(m.position) + np.int64(m.length)
    if kind == 20 and is_client:
        finish_client(h, p)
    if kind == 24:
        h.key_updates += 1
    if m.position < 0 or is_client:
        return top
    if kind == 8:
        found_nothing(found)
        note_error(h, m, 0 if find_extensions(data, at, end, found) else BAD_SERVER_HELLO)
        h.encrypted_extensions = top
        top = put_extensions(data, found, text, top)
        h.encrypted_extensions_size = top - np.int64(h.encrypted_extensions)
        h.early_accepted = 1 if found[2 * EARLY] > 0 else 0
        top = put_alpn(data, h, found, text, top)
    elif kind == 15:
        h.signature_scheme = max(be16(data, at, end), 0)
    return top
