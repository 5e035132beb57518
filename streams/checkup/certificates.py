"""Certificates: how long those of the console, Kafka and Redis are still valid."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from streams.checkup.finding import Finding
from streams.setting_values import Address, RedisUrl, address
from streams.settings import Settings

SOON: Final = timedelta(days=30)
"""How long before its end somebody should be told of a certificate: an authority may take weeks for a new one."""

TIMEOUT_S: Final = 3.0
_PEM: Final = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_UTC_TIME: Final = 0x17
_VERSION: Final = 0xA0


Which = Callable[[Iterable[datetime]], datetime]


class Certificate(NamedTuple):
    """A certificate, where it comes from, and until when it is valid."""

    where: str
    until: datetime


def certificates(settings: Settings) -> Iterator[Finding]:
    """Check the certificates in the files that settings name, and those that Kafka's and Redis's servers show."""
    found: list[Certificate] = []
    unread: list[str] = []
    for where, read, which in _sources(settings):
        try:
            found.append(Certificate(where, which(map(valid_until, read()))))
        except (OSError, ValueError) as error:
            unread.append(f"that of {where} cannot be read ({getattr(error, 'strerror', None) or error})")
    for says in unread:
        yield Finding("certificates", "look", f"{says}: correct the file, or start the server")
    yield from ending(found, datetime.now(UTC))


def ending(found: Iterable[Certificate], now: datetime) -> Iterator[Finding]:
    """Say which of these certificates has ended or soon will."""
    found = sorted(found, key=lambda each: each.until)
    for each in found:
        if each.until < now:
            says = f"that of {each.where} ended on {each.until:%Y-%m-%d}, so nobody connects: put a new one there"
            yield Finding("certificates", "bad", says)
        elif each.until < now + SOON:
            days = (each.until - now).days
            says = f"that of {each.where} ends on {each.until:%Y-%m-%d}, in {days} days: put a new one there before"
            yield Finding("certificates", "look", says)
    if found and found[0].until >= now + SOON:
        says = f"the first of {len(found)} to end is that of {found[0].where}, on {found[0].until:%Y-%m-%d}"
        yield Finding("certificates", "good", says)


def valid_until(der: bytes) -> datetime:
    """Until when a certificate in DER is valid, as RFC 5280 (section 4.1) lays it out. Raises ValueError.

    The standard library decodes a certificate only after it has trusted it, and one that has ended is never trusted.
    """
    try:
        _, at, _ = _element(der, 0)
        _, at, _ = _element(der, at)
        kind, _, end = _element(der, at)
        at = end if kind == _VERSION else at
        for _ in ("serial number", "signature algorithm", "issuer"):
            _, _, at = _element(der, at)
        _, at, _ = _element(der, at)
        _, _, at = _element(der, at)
        kind, at, end = _element(der, at)
        form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
        return datetime.strptime(der[at:end].decode("ascii"), form).replace(tzinfo=UTC)
    except (IndexError, ValueError):
        raise ValueError("it is no X.509 certificate") from None


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the DER element at an offset, and the offsets of its content's begin and end."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(der[at : at + octets], "big"), at + octets
    return tag, at, at + length


def _sources(settings: Settings) -> Iterator[tuple[str, Callable[[], Sequence[bytes]], Which]]:
    """Where certificates are, each with a function that reads them (DER), and which of them counts.

    A chain ends with the first of its certificates. Of several authorities one is enough.
    """
    files: tuple[tuple[str, Path | str | None, Which], ...] = (
        ("FOREWARN_CONSOLE_TLS_CERT", settings.console_tls_cert, min),
        ("FOREWARN_KAFKA_TLS_CERT", settings.kafka_tls_cert, min),
        ("FOREWARN_KAFKA_TLS_CA", settings.kafka_tls_ca, max),
        ("FOREWARN_REDIS_TLS_CA", settings.redis_tls_ca, max),
    )
    for variable, path, which in files:
        if isinstance(path, Path):
            yield f"{variable} ({path})", partial(_in_file, path), which
    if settings.kafka_tls_ca is not None:
        for server in settings.kafka.split(","):
            own = (settings.kafka_tls_cert, settings.kafka_tls_key)
            yield f"Kafka at {server}", partial(_shown, address(server), *own), min
    url = RedisUrl.parse(settings.redis)
    for each in map(urlsplit, url.servers):
        if each.scheme == "rediss":
            at = Address(each.hostname or "", each.port or (26379 if url.primary else 6379))
            yield f"Redis at {at}", partial(_shown, at), min


def _in_file(path: Path) -> Sequence[bytes]:
    found = [ssl.PEM_cert_to_DER_cert(each) for each in _PEM.findall(path.read_text(encoding="ascii"))]
    if not found:
        raise ValueError("it holds no certificate in PEM")
    return found


def _shown(server: Address, cert: Path | None = None, key: Path | None = None) -> Sequence[bytes]:
    """The certificate that a server shows; it is looked at without being trusted, and nothing is sent."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert is not None:
        context.load_cert_chain(cert, key, password="")
    with (
        socket.create_connection(server, TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=server.host) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("it shows none")
    return [shown]
