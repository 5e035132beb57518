"""Log check: whether the offsets in a checkpoint still belong to the logs that Kafka has now.

Otherwise a worker would read past the records of a topic that was made anew until it has reached the old offset, and
nobody would be found in them. `streams.worker.loading` checks when a partition is assigned, and
`streams.worker.log_watch` while it is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.kafka.topic_logs import TopicLog, TopicLogs
from streams.worker.checkpoint import CheckpointError


class OtherLogError(CheckpointError):
    """Stored offsets do not belong to the topic's present log; the message says what to do."""


def check_log(number: int, offsets: Mapping[str, int], ids: Mapping[str, str], logs: TopicLogs) -> None:
    """Raise `OtherLogError` unless a partition's offsets lie within the logs with the ``ids``, all by topic.

    An id that is not known, because Kafka gave none or the state was written before ids were stored, is not compared.
    """
    for topic in offsets.keys() & logs.keys():
        offset = offsets[topic]
        said = misfit(number, offset, ids.get(topic, ""), logs[topic])
        if said:
            raise OtherLogError(
                f"Partition {number} of {topic} was read up to offset {offset}, but {said}. If this is the right "
                "Kafka, run `forewarn state rewind`: it keeps the open episodes and has the topic read from its "
                "present beginning. Then start the workers again."
            )


def misfit(number: int, offset: int, known: str, log: TopicLog) -> str:
    """Why a partition's offset cannot belong to a log, or nothing; ``known`` is the topic's id when it was counted."""
    if known and log.id and known != log.id:
        return "the topic was deleted and made anew since"
    end = log.ends.get(number, 0)
    if offset > end:
        return f"it ends at offset {end} now, so the topic was made anew or truncated since"
    return ""
