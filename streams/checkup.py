"""Check-up: looks at each part that a worker needs, for ``forewarn doctor``; says its faults and how to repair them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from redis.exceptions import ResponseError

from models.access.site_secret import fingerprint
from models.indicators.indicator import Indicator
from models.policy.policy import PolicyError
from streams.files import model_file, policy_file
from streams.files.artifacts import ArtifactError
from streams.files.at_rest import encryption, existing, readable_by_others
from streams.kafka.contracts import (
    SAME_PARTITIONS,
    ContractError,
    NotAllowedError,
    check_worker,
    diff,
    load,
    open_admin,
)
from streams.kafka.contracts.validation import check
from streams.kafka.indicator_topic import TopicError, read
from streams.kafka.transactions import open_transactions
from streams.local.worker import is_ready
from streams.redis.answers import FAILURES
from streams.redis.client import Redis
from streams.redis.site_secret import difference, recorded
from streams.setting_fields import SettingsError
from streams.settings import Settings
from streams.worker.eviction import eviction

State = Literal["good", "look", "bad"]

OPEN_TOO_LONG_S = 60
"""Seconds without a record after which an open transaction is reported. Kafka aborts one that takes longer than its
producer's ``transaction.timeout.ms`` (60 s by default, 15 min at most by default)."""


class Finding(NamedTuple):
    """The state of one part, with a sentence: ``good``, ``look`` (it works but needs attention) or ``bad``."""

    part: str
    state: State
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Check every part in the order in which a worker needs them; each check takes some seconds at most."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _policy,
        _model,
        _contracts,
        _kafka,
        _transactions,
        _redis,
        secret,
        letters_key,
        _indicators,
        _worker,
        _files,
        _disks,
    )
    for look in looks:
        yield from look(settings)


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        policy = policy_file.load(settings.policy_file)
    except PolicyError as error:
        yield Finding("policy", "bad", str(error))
    else:
        yield Finding("policy", "good", f"{settings.policy_file} is version {policy.version}")


def _model(settings: Settings) -> Iterator[Finding]:
    try:
        model, _ = model_file.load(settings.model)
    except ArtifactError as error:
        yield Finding("model", "bad", str(error))
    else:
        yield Finding("model", "good", f"the risk comes from {model.name}")


def _contracts(settings: Settings) -> Iterator[Finding]:
    problems = check(settings.topics_file)
    if problems:
        yield Finding("contracts", "bad", f"{problems[0]} ({len(problems)} in all: see forewarn topics validate)")
    else:
        yield Finding("contracts", "good", f"{settings.topics_file} has no problems")


def _kafka(settings: Settings) -> Iterator[Finding]:
    try:
        contracts = load(settings.topics_file)
        with open_admin(settings) as admin:
            yield Finding("kafka", "good", f"answers at {settings.kafka}")
            check_worker(contracts, admin, settings)
    except ContractError as error:
        yield Finding("topics" if "has no topic" in str(error) else "kafka", "bad", str(error).splitlines()[0])
        return
    try:
        with open_admin(settings) as admin:
            plan = diff(contracts, admin, settings)
    except NotAllowedError:
        says = "are there; this login may not compare all with the contract: run forewarn topics diff as an operator"
        yield Finding("topics", "look", says)
        return
    except ContractError as error:
        yield Finding("kafka", "bad", str(error).splitlines()[0])
        return
    if plan.refusals:
        yield Finding("topics", "look", plan.refusals[0].message)
    elif plan.changes:
        yield Finding("topics", "look", f"{len(plan.changes)} differences from the contract: see forewarn topics diff")
    else:
        yield Finding("topics", "good", f"all {len(contracts.topics)} match the contract")


def _transactions(settings: Settings) -> Iterator[Finding]:
    """Check that no producer has left a transaction open in front of records that workers wait for."""
    try:
        with open_admin(settings) as admin:
            found = [*open_transactions(admin, [settings.topic(name) for name in SAME_PARTITIONS])]
    except NotAllowedError:
        says = "cannot be checked with this login: run forewarn doctor with the worker's"
        yield Finding("transactions", "look", says)
        return
    except ContractError:  # an earlier finding says what is wrong, or an old broker cannot tell
        return
    now = time.time()
    old = [each for each in found if now - each.written_at / 1000 >= OPEN_TOO_LONG_S]
    if not old:
        yield Finding("transactions", "good", "no producer keeps one open for long")
        return
    each = old[0]
    also = f" ({len(old)} such transactions in all)" if len(old) > 1 else ""
    yield Finding(
        "transactions",
        "look",
        f"producer {each.producer_id} keeps one open in {each.topic} partition {each.partition} since offset "
        f"{each.begin}{also}, so nothing after it can be read: restart that producer, or end its transaction with "
        f"kafka-transactions.sh abort --topic {each.topic} --partition {each.partition} --start-offset {each.begin}",
    )


def _redis(settings: Settings) -> Iterator[Finding]:
    """Check that Redis answers, keeps its data over a restart, and refuses writes when full instead of evicting."""
    try:
        shape, sections = asyncio.run(_asked_of_redis(settings))
    except FAILURES as error:
        says = f"does not answer at {settings.redis_shown} ({error}): start it or correct FOREWARN_REDIS"
        yield Finding("redis", "bad", says)
        return
    if sections is None:
        says = f"answers at {settings.redis_shown}, but does not say whether it drops state: allow its user INFO"
        yield Finding("redis", "look", says)
        return
    for said in sections:
        if evicts := eviction(said):
            yield Finding("redis", "bad", f"{evicts}; workers refuse to start until then")
            return
    if not all(said.get("aof_enabled") for said in sections):
        says = "loses everything at a restart: set appendonly yes, otherwise state must be read again"
        yield Finding("redis", "look", says)
    else:
        yield Finding("redis", "good", f"answers at {settings.redis_shown} ({shape}) and keeps its data")


async def _asked_of_redis(settings: Settings) -> tuple[str, list[dict[str, Any]] | None]:
    """What Redis is, and what each of its servers that take writes says of itself; None when it may not say."""
    client = Redis(settings, timeout=3)
    try:
        await client.ping()
        shape = await client.shape()
        try:
            return shape, await client.infos("memory", "persistence")
        except ResponseError:  # an ACL may forbid INFO
            return shape, None
    finally:
        await client.aclose()


def secret(settings: Settings) -> Iterator[Finding]:
    """Check that there is a site secret, and that it is the one that the site's programs have used."""
    try:
        mine = fingerprint(settings.site_secret())
    except SettingsError as error:
        yield Finding("secret", "bad", str(error))
        return
    try:
        theirs = asyncio.run(_recorded(settings))
    except FAILURES:  # an earlier finding says what is wrong
        return
    if not theirs:
        yield Finding("secret", "good", f"has the fingerprint {mine}, and no program has used one yet")
    elif theirs != mine:
        yield Finding("secret", "bad", difference(mine, theirs, settings))
    else:
        yield Finding("secret", "good", f"has the fingerprint {mine}, as in all programs of the site")


async def _recorded(settings: Settings) -> str:
    client = Redis(settings, timeout=3)
    try:
        return await recorded(client, settings)
    finally:
        await client.aclose()


def letters_key(settings: Settings) -> Iterator[Finding]:
    """Check that worker and dispatcher have a key to seal dead letters to."""
    try:
        count = len(settings.letters_key().split(","))
    except SettingsError as error:
        yield Finding("letters", "bad", str(error))
    else:
        yield Finding("letters", "good", f"refused records are sealed to {count} public key{'s' if count > 1 else ''}")


def _indicators(settings: Settings) -> Iterator[Finding]:
    try:
        contents = asyncio.run(read(settings))
    except TopicError as error:
        yield Finding("indicators", "bad", str(error))
        return
    sound = unsound = 0
    for _, item in contents.indicators():
        if isinstance(item, Indicator):
            sound += not item.revoked
        else:
            unsound += 1
    if unsound:
        says = f"{sound:,} are valid and {unsound:,} are not: workers send those to dead-letters, so import them again"
        yield Finding("indicators", "look", says)
    elif not sound:
        yield Finding(
            "indicators", "look", "there are none, so nobody can be found: run forewarn indicators import FILE"
        )
    else:
        yield Finding("indicators", "good", f"{sound:,} are known")


def _worker(settings: Settings) -> Iterator[Finding]:
    if settings.http is None:
        yield Finding("worker", "look", "serves no metrics (FOREWARN_HTTP is empty), so it cannot be checked")
    elif is_ready(str(settings.http)):
        yield Finding("worker", "good", f"is ready: http://{settings.http}/metrics")
    else:
        says = f"none is ready at {settings.http}: start one (forewarn worker) or see http://{settings.http}/readyz"
        yield Finding("worker", "look", says)


def _files(settings: Settings) -> Iterator[Finding]:
    """Check that other users of this machine cannot read the files about people."""
    try:
        open_ones = [path for path in _personal(settings) if path.exists() and readable_by_others(path)]
    except OSError as error:
        yield Finding("files", "look", f"{error.filename} cannot be looked at ({error.strerror})")
        return
    if open_ones:
        shown = " ".join(map(str, open_ones))
        yield Finding("files", "look", f"other users of this machine can read what people did: run chmod -R o= {shown}")
    else:
        yield Finding("files", "good", "other users of this machine cannot read ledger, audit log and users")


def _disks(settings: Settings) -> Iterator[Finding]:
    """Say whether the disks of ledger, audit log and users are encrypted; those of Kafka and Redis are elsewhere."""
    found = {path: encryption(existing(path)) for path in _personal(settings)}
    plain = [str(path) for path, says in found.items() if says == "plain"]
    unknown = [str(path) for path, says in found.items() if says == "unknown"]
    if plain:
        says = (
            f"the system does not encrypt the disk of {' and '.join(plain)}: whoever takes the disk can read it. Use "
            "LUKS, here and for Kafka and Redis, unless the hardware or the cloud encrypts"
        )
        yield Finding("disks", "look", says)
    elif unknown:
        says = f"it cannot be seen whether the disk of {' and '.join(unknown)} is encrypted: look on its server"
        yield Finding("disks", "look", says)
    else:
        yield Finding("disks", "good", "ledger, audit log and users are on encrypted disks; see to Kafka's and Redis's")


def _personal(settings: Settings) -> list[Path]:
    """The files and local folders in which the programs of this machine keep what is about people."""
    ledger = [Path(settings.ledger)] if settings.ledger and "://" not in settings.ledger else []
    return [*ledger, settings.audit_log, settings.users_file]
