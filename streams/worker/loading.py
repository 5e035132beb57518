"""Loading: the state of newly assigned partitions, and the offset at which each of their topics is read.

State and offsets come from the checkpoint, never from Kafka's group, and belong to the logs whose ids are in it. The
ledger may lack records that were scored already; they are then read once more for the ledger alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import structlog

from models.detection.alignment import Alignment
from models.policy.policy import Policy
from streams.kafka.topic_logs import present_logs
from streams.ledger.ledger_writer import Beginning, LedgerWriter
from streams.ledger.partition_ledger import PartitionLedger
from streams.settings import Settings
from streams.worker.checkpoint import Checkpoints, MissingStateError
from streams.worker.log_check import check_log
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

        Raises `EvictionError` when Redis may drop state, `OtherSecretError` when the site's programs have another
        secret, and `MissingStateError` when Redis holds no state of a partition that the group has read, unless the
        settings say to rebuild it. Raises `OtherLogError` when a topic was made anew or truncated, `MissingTopicError`
        when it is gone, and `LedgerError` when the ledger cannot be used.
        """
        await self._checkpoints.check_memory()
        await self._checkpoints.check_secret()
        numbers = sorted({partition for _, partition in committed})
        states = [await self._checkpoints.load(number) for number in numbers]
        # Asked for after the offsets were read: the ends of a log never lie before offsets that were stored earlier.
        logs = await present_logs(self._settings, self._topics.values())
        first = await source.first_offsets([*committed])
        starts: list[dict[str, int]] = []
        alerts: dict[int, int] | None = None
        for number, state in zip(numbers, states, strict=True):
            mine = {topic: at for (topic, partition), at in committed.items() if partition == number}
            if not state.stored.version and any(at > 0 for at in mine.values()):
                self._refuse_to_forget(number)
                mine = dict.fromkeys(mine, 0)
            check_log(number, state.offsets, state.logs, logs)
            state.follow({topic: log.id for topic, log in logs.items()})
            state.partition.restore(dict(state.partition.subjects), policy)
            begin = {topic: state.reached(topic, first.get((topic, number), at)) for topic, at in mine.items()}
            if not state.offsets and self._settings.alerts_when_repeated == "withhold":
                alerts = await end_of_alerts(self._settings) if alerts is None else alerts
                state.repeats = await self._repeats(number, begin, source, alerts)
            starts.append(begin)
        ledgers = await self._ledger.open(
            [
                Beginning(number, state.stored.progress, begin)
                for number, state, begin in zip(numbers, states, starts, strict=True)
            ],
            logs,
        )
        loaded = {}
        before: dict[tuple[tuple[int, int], ...], PublishedBefore] = {}
        for number, state, ledger, begin in zip(numbers, states, ledgers, starts, strict=True):
            loaded[number] = self._assigned(state, ledger, begin, first, source)
            if state.repeats:
                ends = tuple(sorted(state.repeats.alerts.items()))
                if ends not in before:  # partitions that began together share what they have to know
                    before[ends] = await published_before(self._settings, state.repeats.alerts)
                loaded[number].published_before = before[ends]
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
