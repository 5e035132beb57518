"""Loading: the state of newly assigned partitions, and the offset at which each of their topics is read.

State and offsets come from the checkpoint, never from Kafka's group. The ledger may lack records that were scored
already; they are then read once more for the ledger alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import structlog

from models.detection.alignment import Alignment
from models.policy.policy import Policy
from streams.ledger.ledger_writer import Beginning, LedgerWriter
from streams.ledger.partition_ledger import PartitionLedger
from streams.ledger.storage import LedgerError
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints, MissingStateError
from streams.worker.partition import FEEDING, AssignedPartition, Feed, Feeding, Offsets, Source
from streams.worker.partition_state import PartitionState
from streams.worker.repeats import PublishedBefore, Repeats, end_of_alerts, published_before

log = structlog.get_logger(__name__)


class Loader:
    """Loads partitions that were just assigned. Belongs to the event loop."""

    def __init__(self, settings: Settings, checkpoints: Checkpoints, ledger: LedgerWriter) -> None:
        self._settings = settings
        self._checkpoints = checkpoints
        self._ledger = ledger
        self._topics: dict[Feeding, str] = {name: settings.topic(name) for name in FEEDING}

    async def load(self, committed: Offsets, source: Source, policy: Policy) -> dict[int, AssignedPartition]:
        """The partitions, by number; ``committed``: the group's offset of every assigned topic partition (-1: none).

        Raises `MissingStateError` when Redis holds no state of a partition that the group has read, unless the settings
        say to rebuild it. Raises `LedgerError` when the ledger cannot be used or belongs to another log.
        """
        first = await source.first_offsets([*committed])
        states: list[tuple[PartitionState, dict[str, int]]] = []
        alerts: dict[int, int] | None = None
        for number in sorted({partition for _, partition in committed}):
            state = await self._checkpoints.load(number)
            mine = {topic: at for (topic, partition), at in committed.items() if partition == number}
            if not state.stored.version and any(at > 0 for at in mine.values()):
                self._refuse_to_forget(number)
                mine = dict.fromkeys(mine, 0)
            state.partition.restore(dict(state.partition.subjects), policy)
            starts = {topic: state.reached(topic, first.get((topic, number), at)) for topic, at in mine.items()}
            if not state.stored.version and self._settings.alerts_when_repeated == "withhold":
                alerts = await end_of_alerts(self._settings) if alerts is None else alerts
                state.repeats = await self._repeats(number, starts, source, alerts)
            states.append((state, starts))
        ledgers = await self._ledger.open(
            [Beginning(state.partition.number, state.stored.progress, starts) for state, starts in states]
        )
        loaded = {}
        before: dict[tuple[tuple[int, int], ...], PublishedBefore] = {}
        for (state, starts), ledger in zip(states, ledgers, strict=True):
            number = state.partition.number
            loaded[number] = self._assigned(state, ledger, starts, first, source)
            if state.repeats:
                ends = tuple(sorted(state.repeats.alerts.items()))
                if ends not in before:  # partitions that began together share what they have to know
                    before[ends] = await published_before(self._settings, state.repeats.alerts)
                loaded[number].published_before = before[ends]
        await asyncio.gather(*[self._check(each) for each in loaded.values()])
        return loaded

    def _assigned(
        self,
        state: PartitionState,
        ledger: PartitionLedger,
        starts: Mapping[str, int],
        first: Offsets,
        source: Source,
    ) -> AssignedPartition:
        now = perf_counter()
        partition = state.partition
        feeds = {
            name: Feed(
                topic,
                min(starts[topic], ledger.reached.get(topic, starts[topic])),
                now,
                starts[topic],
                first.get((topic, partition.number)),
            )
            for name, topic in self._topics.items()
        }
        alignment = Alignment(partition.call_clock, partition.sms_clock)
        return AssignedPartition(state, ledger, alignment, feeds, starts, source)

    async def _repeats(self, number: int, starts: Mapping[str, int], source: Source, alerts: dict[int, int]) -> Repeats:
        """The records there are now that an earlier group, or an earlier state of this one, may have decided about."""
        if not any(alerts.values()):  # nobody has decided about anything
            return Repeats()
        ends = await asyncio.gather(*[source.end_offset_now(topic, number) for topic in starts])
        until = {topic: end for topic, end in zip(starts, ends, strict=True) if end is not None and end > starts[topic]}
        return Repeats(until, alerts) if until else Repeats()

    def _refuse_to_forget(self, number: int) -> None:
        if self._settings.state_when_missing == "refuse":
            raise MissingStateError(
                f"Redis holds no state of partition {number}, although this site's group has read it before. If Redis "
                "was emptied, start with FOREWARN_STATE_WHEN_MISSING=rebuild to read again everything that Kafka still "
                "keeps (only new alerts are published); if this is the wrong Redis, correct FOREWARN_REDIS."
            )
        log.warning("rebuilding state from the beginning of the log", partition=number)

    async def _check(self, assigned: AssignedPartition) -> None:
        """Raise `LedgerError` when a ledger reaches beyond the end of the log: it belongs to another log."""
        if not assigned.ledger.is_on:
            return
        for topic, reached in assigned.ledger.reached.items():
            end = await assigned.source.end_offset_now(topic, assigned.number)
            if end is not None and reached > end:
                raise LedgerError(
                    f"The ledger at {self._settings.ledger} reaches offset {reached} of {topic} partition "
                    f"{assigned.number}, which ends at {end}: it belongs to a topic that was deleted. Move the folder "
                    "away, or set FOREWARN_LEDGER."
                )
