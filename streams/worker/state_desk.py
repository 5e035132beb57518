"""State desk: looks at the stored states of a group and changes them, for ``forewarn state``.

Every change is planned first. It takes effect even if a worker goes on writing meanwhile, because it counts as a write:
the worker is then refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from msgspec.structs import replace

from models.detection.watermarks import Watermark
from models.policy.policy import Policy
from streams.kafka.topic_logs import TopicLogs, topic_logs
from streams.ledger.ledger_writer import reach
from streams.ledger.progress import log_mark
from streams.ledger.storage import Segment, Storage
from streams.sealing import Seal
from streams.settings import Settings
from streams.worker.checkpoint import CheckpointError, StaleCheckpointError
from streams.worker.checkpoint_format import Clocks, decode_meta, decode_subjects
from streams.worker.partition import FEEDING
from streams.worker.partition_state import Stored
from streams.worker.snapshots import Header, SavedState, Snapshot, new_snapshot
from streams.worker.state_changes import dropped, misfits, restored, rewound
from streams.worker.state_view import PartitionView, view
from streams.worker.stored_states import StoredStates

LEDGER_TOPICS: Final = ("calls", "sms")
TRIES: Final = 10
"""How often something is read again that a worker has written meanwhile."""


class Plan(NamedTuple):
    """One partition's state as it is and as it would become."""

    partition: int
    before: PartitionView | None
    """None for a state that cannot be read."""
    after: PartitionView
    stored: Stored
    clocks: Clocks
    subjects: dict[bytes, bytes] | None
    """The subjects that are to be stored; None for a rewind, which keeps those that are there."""
    topics: Collection[str] = ()
    """The topics that are to be read again, if some were named."""


class _Rewind(NamedTuple):
    stored: Stored
    clocks: Clocks
    after: str
    """The mark of the write that it was derived from."""


class StateDesk:
    """The states of one group, beside the logs that Kafka has now; a context manager."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        """Blocks while it asks Kafka; raises `BrokerError`."""
        self.group = settings.topic_prefix + settings.group
        self.logs: TopicLogs = topic_logs(settings, [settings.topic(name) for name in FEEDING])
        self._recording = [settings.topic(name) for name in LEDGER_TOPICS]
        self._settings = settings
        self._policy = policy
        self._states = StoredStates(settings)

    @cached_property
    def _segments(self) -> Sequence[Segment]:
        """The segments of the ledger, listed once; raises `LedgerError`."""
        return Storage(self._settings).segments() if self._settings.ledger else ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._states.close()

    @property
    def numbers(self) -> list[int]:
        """The partitions of the topics that feed a worker."""
        return sorted(set.intersection(*(set(log.ends) for log in self.logs.values())))

    async def answers(self) -> bool:
        """Whether Redis answers right now."""
        return await self._states.answers()

    async def look(self, number: int) -> PartitionView:
        """The view of a partition's state. Raises `CheckpointError` when the state cannot be read."""
        for _ in range(TRIES):
            writer = await self._states.writer(number)
            stored, clocks = await self._states.stored(number) or (Stored(), _new_clocks())
            subjects = await self._states.subjects(number)
            if await self._states.writer(number) == writer:
                break
        else:  # a worker writes all the time, so the count is of another moment than the subjects
            stored = replace(stored, subjects=None)
        return view(number, stored, clocks, subjects, self.logs, self._policy, await self._states.size(number))

    async def save(self, path: Path, numbers: Collection[int], seal: Seal | None) -> Header:
        """Save the states of these partitions in a new file, sealed if there is a seal.

        Partitions of which nothing is stored are left out.

        Raises `SnapshotError`.
        """
        with new_snapshot(path, self.group, seal) as snapshot:
            for number in numbers:
                both = await self._states.bytes_of(number)
                if both.meta:
                    snapshot.add(number, SavedState(dict(both.meta), dict(both.subjects)))
        return snapshot.header

    async def plan_restore(self, snapshot: Snapshot, number: int) -> Plan:
        """Plan to go back to a snapshot. Raises `SnapshotError`, and `CheckpointError` when it cannot be read."""
        saved = snapshot.state(number)
        try:
            stored, clocks = decode_meta(saved.meta)
            subjects = decode_subjects(saved.subjects)
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"The state of partition {number} in the snapshot cannot be read: {error}") from None
        before, present = await self._present(number)
        stored = restored(stored, present)
        after = view(number, stored, clocks, subjects, self.logs, self._policy, None)
        return Plan(number, before, after, stored, clocks, saved.subjects)

    async def plan_drop(self, number: int) -> Plan:
        """Plan to forget a partition's state and to derive it again from what Kafka keeps."""
        before, present = await self._present(number)
        stored = dropped(number, present, self._recorded(number, present), self.logs)
        clocks = _new_clocks()
        after = view(number, stored, clocks, {}, self.logs, self._policy, None)
        return Plan(number, before, after, stored, clocks, {})

    async def plan_rewind(self, number: int, topics: Collection[str]) -> Plan | None:
        """Plan to have topics read again from their beginnings; without topics, those whose offsets do not fit.

        None when there is nothing to do. Raises `CheckpointError` when the state cannot be read.
        """
        rewind = await self._rewind(number, topics)
        if rewind is None:
            return None
        before, subjects = await self.look(number), await self._states.subjects(number)
        after = view(number, rewind.stored, rewind.clocks, subjects, self.logs, self._policy, None)
        return Plan(number, before, after, rewind.stored, rewind.clocks, None, topics)

    async def carry_out(self, plan: Plan) -> None:
        """Change a partition as planned; what a rewind keeps is what is there now.

        Raises `StaleCheckpointError` when a worker writes all the time, so that nothing can be kept.
        """
        if plan.subjects is not None:
            await self._states.replace(plan.partition, plan.stored, plan.clocks, plan.subjects)
            return
        for tries_left in reversed(range(TRIES)):
            rewind = await self._rewind(plan.partition, plan.topics)
            if rewind is None:
                return
            try:
                await self._states.replace(plan.partition, rewind.stored, rewind.clocks, None, rewind.after)
            except StaleCheckpointError:
                if not tries_left:
                    raise
            else:
                return

    async def _rewind(self, number: int, topics: Collection[str]) -> _Rewind | None:
        """The rewound state of a partition; None when there is nothing to do."""
        writer = await self._states.writer(number)
        present, clocks = await self._states.stored(number) or (Stored(), _new_clocks())
        recorded = self._recorded(number, present)
        chosen = misfits(number, present, recorded, self.logs)
        if topics and present.version:  # what was never written is read from its beginning anyway
            chosen = set(topics)
        if not chosen:
            return None
        return _Rewind(rewound(number, present, chosen, recorded, self.logs), clocks, writer)

    async def _present(self, number: int) -> tuple[PartitionView | None, Stored]:
        """The present state, as far as it can be read."""
        try:
            stored, _ = await self._states.stored(number) or (Stored(), None)
            return await self.look(number), stored
        except CheckpointError:
            return None, Stored()

    def _recorded(self, number: int, stored: Stored) -> dict[str, int]:
        """The offset up to which segments of the present logs have the records of each topic that the ledger takes."""
        mark = log_mark([self.logs[topic].id for topic in self._recording], stored.progress.fork)
        mine = [segment for segment in self._segments if segment.partition == number]
        return {topic: reach(mine, mark, topic == self._recording[0]) for topic in self._recording}


def _new_clocks() -> Clocks:
    return Watermark(), Watermark()
