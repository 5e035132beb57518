"""State view: what operators see of a partition's stored state, beside the logs that Kafka has now; it names nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from models.base.durations import HOUR
from models.detection.calls_in_progress import known_until
from models.detection.episodes import Subject, episodes, unfold
from models.detection.kinds import CONTACTS
from models.detection.watermarks import Watermark
from models.policy.policy import Policy
from models.policy.stages import STAGES
from streams.kafka.topic_logs import TopicLog, TopicLogs
from streams.worker.checkpoint_format import Clocks
from streams.worker.log_check import misfit
from streams.worker.partition_state import Stored


class TopicView(msgspec.Struct, frozen=True):
    """How far a topic has been read, beside its log."""

    offset: int
    """The next offset to be read: the stored one, or where the log begins if none is stored."""
    first: int
    end: int
    lag: int
    """Records between the offset and the end of the log."""
    misfit: str
    """Why the offset does not belong to the log; empty if it does."""


class PartitionView(msgspec.Struct, frozen=True):
    """The stored state of one partition; times are epoch ms of event time, 0 for a clock that has not started."""

    partition: int
    format: int
    """0: nothing is stored."""
    version: int
    """How often the state was written."""
    topics: dict[str, TopicView]
    """By the topic's name on the cluster."""
    subjects: int
    lost_subjects: int
    """Subjects that were counted and are no longer there."""
    episodes: dict[str, int]
    """The open episodes by the stage that they have reached."""
    alerts_due: int
    """Alerts of the last write. They stay there until the next write, even once they are published."""
    reminders_due: int
    call_clock: int
    sms_clock: int
    ledger: dict[str, int]
    """The offset of each topic up to which the ledger has the records, according to the state."""
    bytes: int | None
    """The memory that Redis uses for it, about; None if Redis does not say."""

    @property
    def problems(self) -> list[str]:
        """What keeps a worker from loading the state, one sentence each."""
        found = [
            f"{topic} partition {self.partition} was read up to offset {each.offset}, but {each.misfit}: "
            "run forewarn state rewind"
            for topic, each in self.topics.items()
            if each.misfit
        ]
        if self.lost_subjects:
            found.append(
                f"partition {self.partition} has lost {self.lost_subjects:,} subjects: restore a snapshot or drop it"
            )
        return found


def view(
    number: int,
    stored: Stored,
    clocks: Clocks,
    subjects: Mapping[str, Subject],
    logs: TopicLogs,
    policy: Policy,
    size: int | None,
) -> PartitionView:
    """The view of a partition's state; an empty `Stored` for one of which nothing is stored."""
    call_clock, sms_clock = clocks
    counted = len(subjects) if stored.subjects is None else stored.subjects
    return PartitionView(
        number,
        stored.format,
        stored.version,
        {topic: _topic(number, stored, topic, log) for topic, log in logs.items()},
        len(subjects),
        max(0, counted - len(subjects)),
        open_episodes(subjects, policy, call_clock),
        len(stored.outbox.alerts),
        len(stored.outbox.reminders),
        call_clock.at,
        sms_clock.at,
        stored.progress.offsets,
        size,
    )


def _topic(number: int, stored: Stored, topic: str, log: TopicLog) -> TopicView:
    first, end = log.firsts[number], log.ends[number]
    offset = stored.offsets.get(topic, first)
    said = misfit(number, offset, stored.logs.get(topic, ""), log) if topic in stored.offsets else ""
    return TopicView(offset, first, end, max(0, end - max(offset, first)), said)


def open_episodes(subjects: Mapping[str, Subject], policy: Policy, clock: Watermark) -> dict[str, int]:
    """How many episodes are open by the partition's call clock, by the stage that they have reached."""
    quiet = int(policy.windows.quiet_hours * HOUR)
    stages: Counter[str] = Counter()
    for subject in subjects.values():
        known = known_until(subject, clock, policy)
        for episode in episodes(subject.signals, policy.windows):
            last = max(signal.at for signal in episode.signals if signal.kind in CONTACTS)
            moments = unfold(episode, policy.windows, clock.at, 0, known)
            if moments and clock.at - last <= quiet:
                stages[moments[-1].stage] += 1
    return {stage: stages[stage] for stage in STAGES if stage in stages}
