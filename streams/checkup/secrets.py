"""Secrets: whether those in the settings are made for this site, hard to guess, and not sent in the clear."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from streams.checkup.finding import Finding
from streams.local.login import KAFKA, VALKEY
from streams.local.samples import SECRETS
from streams.local.stack import DEFAULT_FOLDER
from streams.setting_values import RedisUrl
from streams.settings import Settings

LOCAL_FOLDERS: Final = (DEFAULT_FOLDER, DEFAULT_FOLDER / "demo")
"""Where ``forewarn up`` and ``forewarn demo`` keep the secrets of a local stack."""

GUESSED: Final = frozenset("admin changeme default forewarn guest kafka password redis secret test valkey".split())  # noqa: SIM905
"""Passwords that stand in examples and are tried first."""

FEWEST: Final = 6
"""The fewest different characters of a secret that nobody has typed for a trial."""


def secrets(settings: Settings) -> Iterator[Finding]:
    """Check the secrets and passwords of the settings; what is found names the variable and never the secret."""
    yield from examined(settings, local_secrets(LOCAL_FOLDERS))


def examined(settings: Settings, local: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with the secrets of these settings; ``local`` has those of local stacks, each with its file."""
    found = [
        *_guessable(settings),
        *(_borrowed(settings, local) if not _is_local(settings) else ()),
        *_unguarded(settings),
    ]
    for says in found:
        yield Finding("secrets", "look", says)
    if not found:
        yield Finding("secrets", "good", "none is easy to guess, a local stack's, or sent in the clear")


def local_secrets(folders: Sequence[Path]) -> dict[str, str]:
    """The secrets that ``forewarn up`` and ``forewarn demo`` have made in these folders, each with its file."""
    found: dict[str, str] = {}
    for path in (folder / name for folder in folders for name in (*SECRETS, KAFKA, VALKEY)):
        with contextlib.suppress(OSError, UnicodeError):
            found[path.read_text(encoding="ascii").strip()] = str(path)
    return found


def is_guessable(secret: str) -> bool:
    """Whether a secret is a usual password, a pattern, or made of a few characters only.

    >>> is_guessable("0" * 32), is_guessable("abcdefgh" * 4), is_guessable("Kafka"), is_guessable("ca6f1e0b7d42589")
    (True, True, True, False)
    """
    is_pattern = secret in (secret + secret)[1:-1]
    return is_pattern or len({*secret}) < FEWEST or secret.lower() in GUESSED


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """The variables of secrets and what they hold."""
    if settings.secret:
        yield "FOREWARN_SECRET", settings.secret
    yield from (("FOREWARN_AUDIT_SECRET", each) for each in settings.audit_secret)
    if settings.pseudonym_key:
        yield "FOREWARN_PSEUDONYM_KEY", settings.pseudonym_key
    if settings.kafka_sasl_password:
        yield "FOREWARN_KAFKA_SASL_PASSWORD", settings.kafka_sasl_password
    if password := _redis_password(settings):
        yield "FOREWARN_REDIS", password


def _guessable(settings: Settings) -> Iterator[str]:
    for variable, secret in _named(settings):
        if is_guessable(secret) or secret == settings.kafka_sasl_username:
            yield f"{variable} has a secret that is easy to guess: make one with openssl rand -hex 32"


def _borrowed(settings: Settings, local: Mapping[str, str]) -> Iterator[str]:
    for variable, secret in _named(settings):
        if secret in local:
            yield f"{variable} is that of a local stack for trying Forewarn ({local[secret]}): make another"


def _unguarded(settings: Settings) -> Iterator[str]:
    """Servers on other machines that anybody can use, or who overhears a password."""
    if not all(_is_here(each.rpartition(":")[0]) for each in settings.kafka.split(",")):
        if settings.kafka_sasl_mechanism is None and settings.kafka_tls_cert is None:
            yield f"Kafka at {settings.kafka} is used without a login: give each program its own (docs/access.md)"
        elif settings.kafka_sasl_mechanism == "PLAIN" and settings.kafka_tls_ca is None:
            yield f"the password for Kafka at {settings.kafka} is sent in the clear: set FOREWARN_KAFKA_TLS_CA"
    servers = [urlsplit(each) for each in RedisUrl.parse(settings.redis).servers]
    if not all(_is_here(each.hostname or "") for each in servers):
        if not _redis_password(settings):
            yield f"Redis at {settings.redis_shown} is used without a password: set one there and in FOREWARN_REDIS"
        elif any(each.scheme == "redis" for each in servers):
            yield f"the password for Redis at {settings.redis_shown} is sent in the clear: use rediss://"


def _redis_password(settings: Settings) -> str:
    return unquote(urlsplit(RedisUrl.parse(settings.redis).servers[0]).password or "")


def _is_local(settings: Settings) -> bool:
    """Whether Kafka and Redis are on this machine, as a local stack is."""
    hosts = [each.rpartition(":")[0] for each in settings.kafka.split(",")]
    hosts += [urlsplit(each).hostname or "" for each in RedisUrl.parse(settings.redis).servers]
    return all(map(_is_here, hosts))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
