"""Repeats: what a worker must not publish once more when it decides about records that were decided before.

That happens when the state in Redis was lost and is rebuilt, and when a new group starts on old records. The topic
``alerts`` says what was published then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from models.detection.alerts import Alert, Status
from models.detection.decisions import digest
from models.detection.engine import StepResult
from models.policy.policy import Severity
from streams.kafka.clients import has_reached, reader
from streams.settings import Settings

_decoder = msgspec.json.Decoder(Alert)


class Repeats(msgspec.Struct, frozen=True):
    """The records of a partition that may have been decided before; a checkpoint keeps it until they are read."""

    until: dict[str, int] = {}
    """The offset by topic before which a record may have been decided before."""
    alerts: dict[int, int] = {}
    """The end of each partition of ``alerts`` when these records began to be read: what was published before."""

    def __bool__(self) -> bool:
        return bool(self.until)

    def is_over(self, reached: Mapping[str, int]) -> bool:
        """Whether all these records have been decided, with the offsets reached by topic."""
        return all(reached.get(topic, 0) >= offset for topic, offset in self.until.items())


class PublishedBefore:
    """The alerts that were published before.

    An alert of a known id is new if its content is. An alert of another id is new unless its subscriber, severity,
    status and event time are known together: where Kafka no longer keeps the first contact, the same episode gets
    another name. What was taken back with its indicator counts as never published, so it can be raised again.
    """

    def __init__(self) -> None:
        self._contents: dict[str, set[int]] = defaultdict(set)
        self._decisions: set[tuple[str, Severity, Status, int]] = set()
        self._again: set[str] = set()
        """The ids that went out again: the last record of an id is the truth, so their later words follow."""

    def note(self, alert: Alert) -> None:
        """Note an alert of the topic; call it in the order of its partition."""
        if alert.status == "withdrawn":
            raised = (alert.subscriber, alert.severity, "raised", alert.at)
            if raised in self._decisions:
                self._decisions.discard(raised)
                self._contents[alert.id].clear()
        self._contents[alert.id].add(digest(alert))
        self._decisions.add((alert.subscriber, alert.severity, alert.status, alert.at))

    def has(self, alert: Alert) -> bool:
        """Whether an alert says nothing that was not published before."""
        if alert.id in self._again:
            return False
        if alert.id in self._contents:
            return digest(alert) in self._contents[alert.id]
        return (alert.subscriber, alert.severity, alert.status, alert.at) in self._decisions

    def drop_from(self, result: StepResult) -> None:
        """Take these alerts out of a step's result, and the reminders that came with them."""
        new: list[Alert] = []
        for alert in result.alerts:
            if not self.has(alert):
                self._again.add(alert.id)
                new.append(alert)
        repeated = {alert.id for alert in result.alerts} - self._again
        result.alerts = new
        result.reminders = [each for each in result.reminders if each.cause not in repeated]


async def end_of_alerts(settings: Settings) -> dict[int, int]:
    """The present end of each partition of ``alerts``. Raises KafkaError when there is no such topic."""
    consumer, partitions = await reader(settings, settings.topic("alerts"))
    try:
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return {part.partition: end for part, end in ends.items()}


async def published_before(settings: Settings, upto: Mapping[int, int]) -> PublishedBefore:
    """The alerts on the topic before these offsets. Raises KafkaError when there is no such topic."""
    consumer, partitions = await reader(settings, settings.topic("alerts"))
    found = PublishedBefore()
    try:
        ends = await consumer.end_offsets(partitions)
        ends = {part: min(end, upto.get(part.partition, 0)) for part, end in ends.items()}
        while not await has_reached(consumer, ends):
            for records in (await consumer.getmany(timeout_ms=200, max_records=10_000)).values():
                for record in records:
                    if record.offset < upto.get(record.partition, 0):
                        _note(found, record.value)
    finally:
        await consumer.stop()
    return found


def _note(found: PublishedBefore, value: bytes | None) -> None:
    try:
        found.note(_decoder.decode(value or b""))
    except msgspec.MsgspecError:
        return  # not one of ours; the dispatcher makes it a dead letter
