"""Brokers: whether Kafka answers, its topics are as the contracts say, and nothing in them holds workers up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.indicators.indicator import Indicator
from streams.checkup.finding import Finding
from streams.kafka.contracts import (
    SAME_PARTITIONS,
    ContractError,
    NotAllowedError,
    check_worker,
    diff,
    load,
    open_admin,
)
from streams.kafka.indicator_topic import TopicError, read
from streams.kafka.transactions import open_transactions
from streams.settings import Settings

OPEN_TOO_LONG_S = 60
"""Seconds without a record after which an open transaction is reported. Kafka aborts one that takes longer than its
producer's ``transaction.timeout.ms`` (60 s by default, 15 min at most by default)."""


def kafka(settings: Settings) -> Iterator[Finding]:
    """Check that Kafka answers, and that its topics match the contracts."""
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


def replicas(settings: Settings) -> Iterator[Finding]:
    """Check that every partition of the site has a leader, and all its replicas are in sync."""
    try:
        wanted = {settings.topic(name): topic for name, topic in load(settings.topics_file).topics.items()}
        with open_admin(settings) as admin:
            described = [each for each in admin.describe_topics([*wanted]) if not each["error_code"]]
            brokers = len(admin.describe_cluster()["brokers"])
    except NotAllowedError:
        says = "cannot be checked with this login: run forewarn doctor with the worker's"
        yield Finding("replicas", "look", says)
        return
    except ContractError:  # an earlier finding says what is wrong
        return
    yield from in_sync(described, brokers)


def in_sync(topics: Sequence[Mapping[str, Any]], brokers: int) -> Iterator[Finding]:
    """What is wrong with the replicas of these topics, as Kafka describes them, on a cluster of so many brokers."""
    parts = [(topic["name"], each) for topic in topics for each in topic["partitions"]]
    if leaderless := [f"{name} {each['partition_index']}" for name, each in parts if each["leader_id"] < 0]:
        says = f"no broker leads {_some(leaderless)}, so nothing can be read or written there: start the broker again"
        yield Finding("replicas", "bad", says)
        return
    lagging = (part for part in parts if len(part[1]["isr_nodes"]) < len(part[1]["replica_nodes"]))
    if behind := [f"{name} {each['partition_index']}" for name, each in lagging]:
        says = f"a replica of {_some(behind)} is not in sync: look at the broker that has it, before another one fails"
        yield Finding("replicas", "look", says)
        return
    fewest = min((len(each["replica_nodes"]) for _, each in parts), default=0)
    if fewest == 1 < brokers:
        says = (
            f"some topics are on one of {brokers} brokers only, and are lost with it: set FOREWARN_REPLICATION and use "
            "kafka-reassign-partitions"
        )
        yield Finding("replicas", "look", says)
    elif parts:
        says = f"each partition ({len(parts)}) has a leader, and {fewest} or more replicas, all in sync"
        yield Finding("replicas", "good", says)


def _some(names: Sequence[str]) -> str:
    """The first of some partitions (topic and number), and how many there are besides."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def transactions(settings: Settings) -> Iterator[Finding]:
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


def indicators(settings: Settings) -> Iterator[Finding]:
    """Check that there are indicators, and that each can be read."""
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
