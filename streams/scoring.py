"""Scoring: one batch of one partition at a time from Kafka to its alerts, its checkpoint and its ack.

The order is the guarantee: decide in memory, publish alerts and dead letters and wait for Kafka's word, write state and
offset to Redis in one step, and only then acknowledge. Whatever goes wrong before the last step is done again, with
the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import structlog

from models.engine import Engine, Outcome
from models.events import Call, Reader, Sms
from models.signals import SignalRecord
from streams import metrics
from streams.checkpoint import Checkpoints, Held, MissingState
from streams.columns import Columns
from streams.publishing import Publisher
from streams.settings import Settings

log = structlog.get_logger(__name__)

EVENT_TOPICS = ("calls", "sms", "signals")

WRITE_EVERY = 1.0
"""Seconds after which offsets are written although no state has changed."""

EXPIRE_EVERY = 60.0
"""Seconds between two looks for episodes that have long been closed."""


class Scorer:
    """Holds the assigned partitions and applies batches to them, one at a time."""

    def __init__(self, settings: Settings, engine: Engine, checkpoints: Checkpoints, publisher: Publisher) -> None:
        self._settings = settings
        self._engine = engine
        self._checkpoints = checkpoints
        self._publisher = publisher
        self._readers: dict[str, tuple[str, Reader[Any]]] = {
            settings.topic("calls"): ("calls", Reader(Call)),
            settings.topic("sms"): ("sms", Reader(Sms)),
            settings.topic("signals"): ("signals", Reader(SignalRecord)),
        }
        self.held: dict[int, Held] = {}
        self._lock = asyncio.Lock()
        self._expired = perf_counter()

    async def assign(self, committed: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """Load the partitions just assigned; returns from where to read each (topic, partition).

        ``committed`` has every assigned topic partition with the group's committed offset (-1: none). Raises
        `MissingState` when Redis has lost what Kafka says was read, unless the settings say to rebuild it.
        """
        async with self._lock:
            self.held.clear()
            positions: dict[tuple[str, int], int] = {}
            for number in sorted({partition for _, partition in committed}):
                held = await self._checkpoints.load(number)
                read_before = [at for (_, partition), at in committed.items() if partition == number and at > 0]
                if not held.version and read_before:
                    if self._settings.state_when_missing == "refuse":
                        raise MissingState(
                            f"Redis holds no state of partition {number}, although the group {self._settings.group} has "
                            "read it before. If Redis was emptied, start with FOREWARN_STATE_WHEN_MISSING=rebuild to "
                            "read again everything that Kafka still keeps (alerts repeat with the same ids); if this is "
                            "the wrong Redis, mend FOREWARN_REDIS."
                        )
                    log.warning("rebuilding state from the beginning of the log", partition=number)
                    positions.update({tp: 0 for tp in committed if tp[1] == number})
                held.partition.restore(dict(held.partition.subjects), self._engine.policy)
                positions.update({(topic, number): at for topic, at in held.offsets.items() if (topic, number) in committed})
                self.held[number] = held
            metrics.PARTITIONS.set(len(self.held))
            for held in self.held.values():
                await self._settle(held, self._engine.reconcile(held.partition))
        return positions

    async def apply(self, columns: Columns) -> None:
        """Take a batch all the way to its checkpoint; the caller acknowledges it afterwards."""
        async with self._lock:
            held = self.held.get(columns.partition)
            if held is None:  # handed on just before the partition was taken away
                return
            topic = columns.topic
            columns = columns.since(held.offsets.get(topic, 0))
            if not columns.offsets:
                return
            began = perf_counter()
            role, reader = self._readers[topic]
            decoded = reader.batch(columns.values, columns.keys)
            outcome = self._engine.step(held.partition, **{role: decoded.events})
            count = len(columns)
            metrics.DECIDE_SECONDS.observe(perf_counter() - began)
            metrics.EVENTS.labels(role).inc(count)
            metrics.BATCH_EVENTS.observe(count)
            if decoded.refusals:
                await self._publisher.dead_letters(columns, decoded.refusals)
            await self._publish(outcome, columns.timestamps[-1] / 1000.0)
            held.offsets[topic] = columns.upto
            changed = bool(outcome.changed or outcome.forgotten or decoded.refusals)
            if changed or perf_counter() - held.written > WRITE_EVERY:
                await self._checkpoints.write(
                    held, topic, columns.offset, outcome.changed, outcome.forgotten
                )

    async def reconcile(self) -> None:
        """Withdraw what no longer stands after indicators were revoked."""
        async with self._lock:
            for held in self.held.values():
                await self._settle(held, self._engine.reconcile(held.partition))

    async def tend(self) -> None:
        """Now and then: forget closed episodes and count what is remembered."""
        async with self._lock:
            metrics.SUBJECTS.set(sum(len(held.partition.subjects) for held in self.held.values()))
            if perf_counter() - self._expired < EXPIRE_EVERY:
                return
            self._expired = perf_counter()
            for held in self.held.values():
                await self._settle(held, self._engine.expire(held.partition))

    async def release(self) -> None:
        """Let go of all partitions; a batch that is under way is finished first, and offsets are written."""
        async with self._lock:
            for held in self.held.values():
                if held.offsets:
                    await self._checkpoints.write(held)
            self.held.clear()
            metrics.PARTITIONS.set(0)

    async def _settle(self, held: Held, outcome: Outcome) -> None:
        """Publish and write what came about without an event."""
        await self._publish(outcome, None)
        if outcome.changed or outcome.forgotten:
            await self._checkpoints.write(held, "", 0, outcome.changed, outcome.forgotten)

    async def _publish(self, outcome: Outcome, read_at: float | None) -> None:
        for code, count in outcome.signals.items():
            metrics.SIGNALS.labels(code).inc(count)
        if outcome.alerts:
            began = perf_counter()
            await self._publisher.alerts(outcome.alerts, read_at)
            metrics.PUBLISH_SECONDS.observe(perf_counter() - began)
