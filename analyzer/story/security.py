"""The chapter about TLS: the handshake message by message, what was agreed, and the certificate."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.words import counted, duration, joined

STEP_NAMES: Final = {
    "client_hello": "ClientHello",
    "hello_retry_request": "HelloRetryRequest",
    "second_client_hello": "ClientHello again",
    "server_hello": "ServerHello",
    "encrypted_extensions": "EncryptedExtensions",
    "certificate": "Certificate (server)",
    "certificate_status": "CertificateStatus",
    "server_key_exchange": "ServerKeyExchange",
    "certificate_request": "CertificateRequest",
    "server_certificate_verify": "CertificateVerify",
    "server_hello_done": "ServerHelloDone",
    "client_certificate": "Certificate (client)",
    "client_key_exchange": "ClientKeyExchange",
    "certificate_verify": "CertificateVerify",
    "client_change_cipher_spec": "ChangeCipherSpec",
    "client_finished": "Finished (client)",
    "session_ticket": "NewSessionTicket",
    "server_change_cipher_spec": "ChangeCipherSpec",
    "server_finished": "Finished (server)",
    "alert": "Alert",
}
"""Steps of a handshake that are told, by milestone."""

STEP_TEXTS: Final = {
    "certificate_status": "proof that the certificate is not revoked (OCSP)",
    "server_key_exchange": "the server's share of the secret, signed with its key",
    "certificate_request": "the client shall prove who it is, too",
    "server_certificate_verify": "signature: the server holds the certificate's private key",
    "server_hello_done": "the server has said what it had to say",
    "client_certificate": "the client's own certificate",
    "client_key_exchange": "the client's share of the secret",
    "certificate_verify": "signature: the client holds its certificate's private key",
    "client_change_cipher_spec": "what the client sends from here on is encrypted",
    "server_change_cipher_spec": "what the server sends from here on is encrypted",
    "client_finished": "a check over the whole handshake",
    "server_finished": "a check over the whole handshake",
    "session_ticket": "with this ticket the next handshake can be shorter",
    "encrypted_extensions": "settings that need not be public",
}
COMPATIBILITY: Final = ("client_change_cipher_spec", "server_change_cipher_spec")  # of no meaning in TLS 1.3
ALERTS: Final = {
    "certificate_expired": "the certificate's time is over",
    "unknown_ca": "nobody that the sender trusts has issued the certificate",
    "bad_certificate": "the certificate is not acceptable",
    "certificate_unknown": "the certificate is not acceptable",
    "certificate_required": "the server wants a certificate of the client",
    "handshake_failure": "both ends found nothing to agree on",
    "protocol_version": "the offered versions are not accepted",
    "unrecognized_name": "the server does not know this name",
    "no_application_protocol": "both ends have no application protocol in common",
    "decrypt_error": "a signature or a check was wrong",
    "insufficient_security": "what was offered is too weak",
}


def tell_security(case: Case) -> Chapter | None:
    """The TLS handshake, as far as it can be seen."""
    row = case.one("tls")
    if not row:
        return None
    version = row["version"]
    steps = _steps(case, row)
    paragraphs = [text for text in (_before(case), _course(case, row), _certificate(case, row), _failure(row)) if text]
    numbers = tuple(number for step in steps for number in step.frames)
    established = row["established"] or row["handshake_ms"] is not None
    title = "TLS handshake" if established or not row["alert"] else "TLS handshake: failed"
    if not established and not row["alert"]:
        title = "TLS handshake: not completed" if "client_hello" in case.steps else "TLS: already under way"
    inside = " inside QUIC" if case.one("quic") else ""
    layer = f"security layer, {version}{inside}" if version else f"security layer{inside}"
    return Chapter("security", title, layer, numbers, tuple(paragraphs), steps, _agreed(row))


def _steps(case: Case, row: Row) -> tuple[Step, ...]:
    """The messages, timed from the ClientHello (else from the first of them)."""
    rows = [one for one in case.rows("milestones") if one["step"] in STEP_NAMES]
    if not rows:
        return ()
    hello = case.steps.get("client_hello")
    begin = hello["since_start_ms"] if hello else min(one["since_start_ms"] for one in rows)
    is_13 = (row["version"] or "").endswith("1.3")
    steps = []
    for one in rows:
        name = one["step"]
        if is_13 and name in COMPATIBILITY:
            continue
        numbers = tuple(sorted({one["first_frame"], one["last_frame"]} - {None}))
        steps.append(Step(one["since_start_ms"] - begin, STEP_NAMES[name], _step_text(name, case, row), numbers, one["basis"]))
    return tuple(steps)


def _step_text(name: str, case: Case, row: Row) -> str:
    if name == "client_hello":
        return _hello_text(row)
    if name == "server_hello":
        parts = [row["cipher_suite"], row["group"], "takes up an earlier session" if row["resumed"] else None]
        return ", ".join(part for part in parts if part)
    if name == "hello_retry_request":
        wanted = f"the server wants {row['retry_group']}" if row["retry_group"] else "the server wants another offer"
        return f"{wanted}: one more round trip"
    if name == "certificate":
        return case.get("tls_certificate_subject") or ""
    if name == "alert":
        return f"{row['alert'] or ''} from the {row['alert_sender'] or 'other end'}".strip()
    return STEP_TEXTS.get(name, "")


def _hello_text(row: Row) -> str:
    parts = [f"offers up to {row['offered_version']}" if row["offered_version"] else ""]
    parts.append(counted(row["ciphers_offered"], "cipher suite") if row["ciphers_offered"] else "")
    if row["shares_offered"]:
        parts.append(f"key shares {joined(row['shares_offered'].split(','))}")
    asks = [text for text in (row["sni"], row["alpn_offered"] and joined(row["alpn_offered"].split(","), "or")) if text]
    ask = f"; asks for {', '.join(asks)}" if asks else ""
    early = "; sends early data (0-RTT)" if row["early_data_offered"] else ""
    return ", ".join(part for part in parts if part) + ask + early


def _before(case: Case) -> str:
    outer = case.get("outer_service")
    if not outer:
        return ""
    tunnel = (
        "a tunnel through a proxy" if outer in ("http", "socks") else f"{outer.upper()} that was turned into an encrypted one (STARTTLS)"
    )
    return f"TLS began inside {tunnel}."


def round_trips(row: Row, quic: Row | None = None) -> int:
    """Round trips that a handshake of this kind takes before the client may send its request."""
    is_13 = (row["version"] or "").endswith("1.3")
    full = 1 if is_13 or row["resumed"] else 2
    return full + (1 if row["is_retried"] else 0) + (1 if quic and quic["retry_frame"] else 0)


def _course(case: Case, row: Row) -> str:
    if row["handshake_ms"] is None:
        if "client_hello" not in case.steps:
            return "The handshake was over before the capture began: what was agreed cannot be known, and the content is encrypted."
        if "server_hello" not in case.steps and not row["alert"]:
            if case.is_one_sided:
                return "The client said hello; what the server answered is not in the capture."
            return "The client said hello, but no ServerHello came back."
        return ""
    quic = case.one("quic")
    trips = round_trips(row, quic)
    kind = "a resumed handshake" if row["resumed"] else "a full handshake"
    reasons = ["a HelloRetryRequest"] * bool(row["is_retried"]) + ["the Retry of QUIC"] * bool(quic and quic["retry_frame"])
    retried = f" (one of them because of {', one of '.join(reasons)})" if reasons else ""
    how = {"inferred": " Its later messages are encrypted: what they are is told by their sizes.", "bounded": " Its end is not exact."}
    early = " The client sent data before it was over (false start)." if row["is_false_start"] else ""
    return (
        f"{row['version'] or 'TLS'}, {kind}: {duration(row['handshake_ms'])} for {counted(trips, 'round trip')}{retried}."
        f"{how.get(row['handshake_basis'], '')}{early}"
    )


def _certificate(case: Case, row: Row) -> str:
    subject = case.get("tls_certificate_subject")
    if not subject:
        if row["resumed"]:
            return "No certificate was sent: the session was taken up again, so the proof of the first time still counts."
        if (row["version"] or "").endswith("1.3") and row["established"]:
            return "The server's certificate is encrypted in TLS 1.3: it can be seen only with the keys (--keylog)."
        return ""
    begin, end = case.get("tls_certificate_not_before"), case.get("tls_certificate_not_after")
    valid = f", valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}" if begin and end else ""
    fits = {True: " It is for the name asked for.", False: " It is not for the name asked for!"}.get(row["certificate_fits_sni"], "")
    key = _key(case.certificates.get(case.get("tls_certificate_sha256") or "", {}))
    issuer = case.get("tls_certificate_issuer")
    by = " signed by itself" if issuer == subject else f" issued by {issuer}"
    return f"The server showed a certificate for {subject},{by}{key}{valid}.{fits}"


def _key(row: Row) -> str:
    if not row or not row.get("key_bits"):
        return ""
    return f", {row['key_type'].upper()} key of {row['key_bits']} bits"


def _failure(row: Row) -> str:
    alert = row["alert"]
    if not alert or alert == "close_notify" or row["alert_level"] != "fatal":
        return ""
    meaning = ALERTS.get(alert)
    return f"The {row['alert_sender'] or 'other end'} ended it with the alert {alert}{f': {meaning}' if meaning else ''}."


def _agreed(row: Row) -> tuple[tuple[str, str], ...]:
    """The five things that a handshake agrees on, and what follows from them."""
    if not row["cipher_suite"]:
        return ()
    secrecy = {True: ", forward secrecy", False: ", no forward secrecy"}.get(row["forward_secrecy"], "")
    compressed = row["compression"]
    pairs = (
        ("key exchange", f"{row['key_exchange']}{secrecy}" if row["key_exchange"] else None),
        (
            "authentication",
            "pre-shared key of the earlier session" if row["resumed"] and not row["certificate_subject"] else row["authentication"],
        ),
        ("encryption", row["encryption"]),
        ("integrity", "part of the cipher (AEAD)" if row["mac"] == "AEAD" else row["mac"]),
        ("compression", "TLS compression is on" if compressed else "none" if compressed == 0 else None),
        ("application protocol", row["alpn"]),
    )
    return tuple((name, str(value)) for name, value in pairs if value)
