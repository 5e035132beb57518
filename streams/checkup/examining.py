"""Examining: every look of the check-up, in the order in which a worker needs what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from streams.checkup.brokers import indicators, kafka, replicas, transactions
from streams.checkup.certificates import certificates
from streams.checkup.configuration import contracts, letters_key, model, policy
from streams.checkup.finding import Finding
from streams.checkup.machine import disks, files, space
from streams.checkup.programs import programs
from streams.checkup.redis_servers import clocks, redis, secret
from streams.checkup.secrets import secrets
from streams.settings import Settings

LOOKS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    policy,
    model,
    contracts,
    kafka,
    replicas,
    transactions,
    redis,
    clocks,
    secret,
    secrets,
    letters_key,
    certificates,
    indicators,
    programs,
    files,
    disks,
    space,
)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at every part; each look takes some seconds at most."""
    for look in LOOKS:
        yield from look(settings)
