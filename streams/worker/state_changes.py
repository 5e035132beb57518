"""State changes: what a partition's state becomes when an operator drops it, restores it or has a topic read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from streams.kafka.topic_logs import TopicLogs
from streams.ledger.progress import LedgerProgress
from streams.worker.log_check import misfit
from streams.worker.partition_state import Stored


def misfits(number: int, stored: Stored, recorded: Mapping[str, int], logs: TopicLogs) -> set[str]:
    """The topics that have other logs now than those in which offsets of a partition were counted.

    ``recorded`` is the offset up to which the ledger's segments have the records of calls and of SMS, by topic.
    """
    reached = [*stored.offsets.items(), *stored.progress.offsets.items(), *recorded.items()]
    return {
        topic
        for topic, offset in reached
        if topic in logs and misfit(number, offset, stored.logs.get(topic, ""), logs[topic])
    }


def rewound(
    number: int, stored: Stored, topics: Collection[str], recorded: Mapping[str, int], logs: TopicLogs
) -> Stored:
    """The state that has some topics read again from the beginnings of their present logs; all else stays.

    Where a topic has another log now, the ledger begins there as well, and its segments from then on are not compared
    with those of the earlier log. Where it has not, the ledger leaves out what it has.
    """
    others = misfits(number, stored, recorded, logs)
    progress = stored.progress
    reached = {topic: offset for topic, offset in progress.offsets.items() if topic not in topics}
    reached |= {topic: logs[topic].firsts[number] for topic in others & recorded.keys()}
    return replace(
        stored,
        offsets={topic: offset for topic, offset in stored.offsets.items() if topic not in topics},
        logs={topic: log for topic, log in stored.logs.items() if topic not in topics},
        progress=replace(progress, offsets=reached, fork=progress.fork + bool(others)),
    )


def dropped(number: int, stored: Stored, recorded: Mapping[str, int], logs: TopicLogs) -> Stored:
    """The state that knows nothing and has all topics read from the beginnings of their present logs."""
    progress = rewound(number, stored, logs.keys(), recorded, logs).progress
    return Stored(progress=LedgerProgress(progress.offsets, fork=progress.fork), subjects=0)


def restored(snapshot: Stored, present: Stored) -> Stored:
    """The state of a snapshot, to be stored in place of the present one."""
    fork = max(snapshot.progress.fork, present.progress.fork)
    return replace(snapshot, progress=replace(snapshot.progress, fork=fork))
