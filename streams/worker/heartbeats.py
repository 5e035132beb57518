"""Heartbeats: carry the broker's time to a partition whose calls go on while no records come.

"Still on the phone after seven minutes" must not wait for somebody else's call. When a milestone is due and `calls`,
`sms` and `signals` are read to their ends, the worker that owns the partition writes a heartbeat to `signals`, and acts
on it only when it reads it back: so it is part of the logs, and every later reading decides the same. See
``docs/decisions/0018-the-brokers-clock.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter, time
from typing import Final

import msgspec
import structlog

from models.detection.alignment import Portion
from models.detection.signals import Heartbeat
from streams import metrics
from streams.kafka.publishing import Publisher, PublishError
from streams.kafka.signal_records import Signals
from streams.worker.partition import FEEDING, AssignedPartition, Feeding

log = structlog.get_logger(__name__)

EVERY: Final = 2.0
"""Seconds between two heartbeats of a partition at least. Only a worker whose clock is ahead of Kafka's needs more than
one for a milestone."""

_encode = msgspec.json.Encoder().encode


def due_signals(
    signals: Sequence[Portion], applied: Mapping[Feeding, int], ended: Mapping[str, bool]
) -> tuple[list[Portion], list[Portion]]:
    """The portions of ``signals`` that may be applied now, and those that wait, in the order of the log.

    A heartbeat waits until the offsets that it names are ``applied``, so that a call never counts as in progress whose
    end record was there before. A topic that has ``ended`` before such an offset has lost records, and is not awaited.
    """
    for index, portion in enumerate(signals):
        for each in portion.events:
            if isinstance(each, Heartbeat):
                offsets: dict[Feeding, int] = {"calls": each.calls, "sms": each.sms}
                if any(applied[name] < offset and not ended[name] for name, offset in offsets.items()):
                    return [*signals[:index]], [*signals[index:]]
    return [*signals], []


class Heartbeats:
    """Writes the heartbeats of the partitions of this worker. Belongs to the event loop.

    ``now`` is the machine's time (s since 1970), ``monotonic`` a clock for intervals (s).
    """

    def __init__(
        self,
        publisher: Publisher,
        now: Callable[[], float] = time,
        monotonic: Callable[[], float] = perf_counter,
    ) -> None:
        self._publisher = publisher
        self._now = now
        self._monotonic = monotonic
        self._ahead = 0
        """How far Kafka's clock is ahead of this machine's at least (ms), as append times have shown."""
        self._tried: dict[int, float] = {}
        """When a heartbeat of each partition was last considered (monotonic)."""
        self._are_of_use = True

    def hear(self, appended: int) -> None:
        """Note the append time (epoch ms) of a record that has just been read."""
        self._ahead = max(self._ahead, appended - int(self._now() * 1000))

    def check(self, signals: Signals) -> None:
        """Write no more heartbeats if one came back without an append time, because they cannot have any effect."""
        if any(isinstance(each, Heartbeat) and each.until < 0 for each in signals):
            self._stop("the topic signals does not keep the broker's append time")

    def is_due(self, assigned: AssignedPartition) -> bool:
        """Whether a call in progress must be judged again by now, and nothing that was read is waiting."""
        if not self._are_of_use or assigned.alignment.waits or assigned.signals:
            return False
        due = assigned.state.partition.next_milestone
        if due is None or due > self._broker_now():
            return False
        return self._monotonic() - self._tried.get(assigned.number, float("-inf")) >= EVERY

    async def write(self, assigned: AssignedPartition) -> None:
        """Write a heartbeat if all topics of the partition are read to their ends; waits until Kafka confirms it.

        While a carrier's transaction is open, the end of a call may be in it, so none is written.
        """
        self._tried[assigned.number] = self._monotonic()
        until = self._broker_now()  # before the ends are asked for: what the ends do not hold came later
        applied = {name: assigned.reached(assigned.feeds[name].topic) for name in FEEDING}
        for name in FEEDING:
            place = assigned.feeds[name].topic, assigned.number
            end = await assigned.source.end_offset_now(*place)
            if end is None or applied[name] < end or assigned.source.unstable_records(*place):
                return
        heartbeat = _encode(Heartbeat(applied["calls"], applied["sms"], until))
        try:
            await self._publisher.heartbeat(assigned.number, heartbeat)
        except PublishError as error:
            self._stop(str(error))
            return
        metrics.HEARTBEATS.inc()

    def _broker_now(self) -> int:
        """Kafka's time now as far as it is known (epoch ms)."""
        return int(self._now() * 1000) + self._ahead

    def _stop(self, why: str) -> None:
        """Write no more heartbeats until the next start. Alerts that need none are not affected."""
        if self._are_of_use:
            self._are_of_use = False
            log.error(
                "heartbeats have no effect, so a long call is noticed only when other records come; run "
                "`forewarn topics apply`, allow the worker to write to the topic signals, and start it again",
                reason=why,
            )
