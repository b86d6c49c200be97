"""From which values on something stands out: the defaults of the field, and a small TOML file that changes them.

    [dns]
    slow_ms = 200

    [severity]
    "dns.nxdomain" = "off"

A severity is that of a rule: error, warning, note, or off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from analyzer.errors import UsageError

MILLISECOND: Final = 1_000_000
DAY_NS: Final = 86_400 * 10**9
SEVERITIES: Final = ("error", "warning", "note", "off")
_LARGEST: Final = 10**12


def _limit(default: float, key: str, meaning: str) -> Any:
    """A threshold with its place in the file (``section.name``) and what it decides."""
    return field(default=default, metadata={"key": key, "meaning": meaning})


@dataclass(frozen=True)
class Thresholds:
    """From which values on a rule fires. ``severities``: (rule, severity) pairs that differ from the rules' own."""

    dns_slow_ms: float = _limit(200, "dns.slow_ms", "dns.slow: an answer takes longer than this")
    dns_very_slow_ms: float = _limit(1000, "dns.very_slow_ms", "dns.very_slow: longer than this")
    dns_nxdomain_repeats: float = _limit(
        3, "dns.nxdomain_repeats", "dns.nxdomain_repeated: one client asks more often than this for a name that does not exist"
    )
    tcp_syn_retry_ms: float = _limit(
        100, "tcp.syn_retry_ms", "tcp.syn_retry: the SYN is sent again later than this (sooner no system does: the capture has it twice)"
    )
    tcp_zero_window_ms: float = _limit(100, "tcp.zero_window_ms", "tcp.zero_window: a receiver has no room for longer than this in all")
    tcp_loss_wait_ms: float = _limit(
        200, "tcp.loss_wait_ms", "tcp.loss_wait: waiting for retransmissions takes longer (the shortest retransmission timer in use)"
    )
    tcp_segments: float = _limit(100, "tcp.segments", "tcp.retransmissions: a rate of fewer data segments says nothing")
    tcp_retransmissions_percent: float = _limit(1, "tcp.retransmissions_percent", "tcp.retransmissions: more of them are sent again")
    tcp_many_retransmissions_percent: float = _limit(
        5, "tcp.many_retransmissions_percent", "tcp.many_retransmissions: more of them are sent again"
    )
    tcp_large_segment_bytes: float = _limit(
        1000, "tcp.large_segment_bytes", "tcp.pmtu_suspect: smaller segments fit every path (RFC 791 asks for 576, RFC 8200 for 1280)"
    )
    tls_slow_ms: float = _limit(300, "tls.slow_ms", "tls.slow: the handshake takes longer than this ...")
    tls_slow_round_trips: float = _limit(3, "tls.slow_round_trips", "... and longer than so many round trips")
    tls_expires_soon_days: float = _limit(14, "tls.expires_soon_days", "tls.certificate_expires_soon: it is valid for less than this")
    tls_weak_rsa_bits: float = _limit(2048, "tls.weak_rsa_bits", "tls.weak_rsa_key: the key is shorter")
    tls_weak_ec_bits: float = _limit(224, "tls.weak_ec_bits", "tls.weak_ec_key: the curve is smaller")
    tls_broken_prime_bits: float = _limit(1024, "tls.broken_prime_bits", "tls.broken_dh_prime: the prime is shorter")
    tls_weak_prime_bits: float = _limit(2048, "tls.weak_prime_bits", "tls.weak_dh_prime: the prime is shorter")
    tls_window_segments: float = _limit(
        10, "tls.window_segments", "tls.certificate_flight: the certificates fill more segments (what a server may send first, RFC 6928)"
    )
    tls_lifetime_days: float = _limit(
        0,
        "tls.lifetime_days",
        "tls.long_lifetime: a public certificate is valid for longer; 0 = what the CA/Browser Forum allows then",
    )
    quic_fallback_ms: float = _limit(
        30_000, "quic.fallback_ms", "quic.fell_back: TCP begins no later than this after QUIC that nobody answered"
    )
    quic_race_ms: float = _limit(1000, "quic.race_ms", "quic.race: QUIC and TCP to the same name begin within this")
    quic_amplification: float = _limit(
        3,
        "quic.amplification",
        "quic.amplification: a server sends more than so many times what it got before the address is proven",
    )
    quic_initial_bytes: float = _limit(1200, "quic.initial_bytes", "quic.small_initial: the client's are smaller (RFC 9000 14.1)")
    quic_retries: float = _limit(3, "quic.retries", "quic.retry_always: a server sends a Retry on all of at least so many connections")
    http_slow_ms: float = _limit(1000, "http.slow_ms", "http.slow: the first byte of the response takes longer than this")
    http_uncompressed_bytes: float = _limit(
        10_240, "http.uncompressed_bytes", "http.no_compression: text of more bytes than this is sent without compression"
    )
    http_redirects: float = _limit(3, "http.redirects", "http.redirect_chain: more redirects than this one after the other")
    http2_flow_control_ms: float = _limit(100, "http2.flow_control_ms", "http2.flow_control: a body is held up for longer than this")
    severities: tuple[tuple[str, str], ...] = ()

    def ns(self, name: str) -> int:
        """A threshold in milliseconds or days, in ns."""
        value: float = getattr(self, name)
        return int(value * (DAY_NS if name.endswith("_days") else MILLISECOND))

    def severity_of(self, rule: str, default: str) -> str:
        """The severity of a rule: error, warning, note or off."""
        return dict(self.severities).get(rule, default)


DEFAULTS: Final = Thresholds()


def limits() -> Iterator[Field[Any]]:
    """The fields of Thresholds that are numbers in the file."""
    return (one for one in fields(Thresholds) if "key" in one.metadata)


def defaults_as_toml(rules: Mapping[str, str]) -> str:
    """The file that says what is so without one; ``rules``: rule -> its severity, as comments to be changed."""
    lines = ["# Thresholds of the findings: change what you want, leave out the rest, and give the file with --thresholds."]
    section = ""
    for one in limits():
        begin, _, name = one.metadata["key"].partition(".")
        if begin != section:
            section = begin
            lines += ["", f"[{section}]"]
        lines.append(f"{f'{name} = {one.default}':36} # {one.metadata['meaning']}")
    lines += ["", "[severity]", "# error, warning, note, or off; these are the rules with their own severities:"]
    lines += [f'# "{rule}" = "{severity}"' for rule, severity in rules.items()]
    return "\n".join(lines)


def read_thresholds(path: Path, rules: Mapping[str, str]) -> Thresholds:
    """The thresholds of a file, the defaults where it says nothing; ``rules``: rule -> its own severity.

    Raises:
        UsageError: the file cannot be read, or says something that is no threshold.
    """
    import tomllib  # noqa: PLC0415 - only for those who have a file

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--thresholds: {path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--thresholds: {path} is not TOML ({error}). analyzer thresholds prints one that is.") from error
    severities = content.pop("severity", {})
    known = {one.metadata["key"]: one.name for one in limits()}
    changes = dict(_numbers(path, content, known))
    return replace(DEFAULTS, **changes, severities=_severities(path, severities, rules))


def _numbers(path: Path, content: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for section, values in content.items():
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            key = f"{section}.{name}".rstrip(".")
            if key not in known:
                raise UsageError(f"--thresholds: {path} has {key}, which is no threshold. analyzer thresholds prints all there are.")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
                raise UsageError(f"--thresholds: {key} in {path} is a number, 0 or more, not {value!r}.")
            yield known[key], value


def _severities(path: Path, told: Any, rules: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, dict):
        raise UsageError(f"--thresholds: [severity] in {path} is a table of rules.")
    for rule, severity in told.items():
        if rule not in rules:
            raise UsageError(f"--thresholds: {path} names a rule {rule}, which does not exist. analyzer thresholds prints all there are.")
        if severity not in SEVERITIES:
            raise UsageError(f"--thresholds: the severity of {rule} in {path} is one of {', '.join(SEVERITIES)}, not {severity!r}.")
    return tuple(sorted(told.items()))
