"""Replay: runs the live engine over files, without any server, in the live worker's order of decisions."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from models.base.number_keys import number_of
from models.detection.alerts import Alert
from models.detection.alignment import Alignment, Lane
from models.detection.engine import Engine, StepResult
from models.detection.partition import Partition
from models.detection.signals import Heartbeat, Purge, SignalRecord
from models.events.batches import Calls, Messages
from streams.kafka.partitioning import partition_of
from streams.replay.recorded import RecordedSignal

E = TypeVar("E", Calls, Messages)

EXPIRE_EVERY = 200
"""The number of chunks between two searches for episodes that closed long ago."""


@dataclass
class Tally:
    """The counts of what a replay has read and decided."""

    calls: int = 0
    sms: int = 0
    signals: Counter[str] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By severity and status."""


class Variant(NamedTuple):
    """Another engine that decides about the same records, and who receives its alerts.

    Its policy must trust clocks as the first engine's does, because records are placed in time as they are read.
    """

    engine: Engine
    publish: Callable[[Alert], object]


class Replay:
    """Runs an engine over call and SMS records, with as many partitions as the live topics have.

    Alerts are published in the order of their decisions, which is event time within each partition. A live worker that
    reads its topics as they grow publishes them in the same order. Each of the ``variants`` decides about the same
    records as if it were alone; the tally is the first engine's.
    """

    def __init__(
        self,
        engine: Engine,
        partitions: int,
        publish: Callable[[Alert], object],
        variants: Sequence[Variant] = (),
    ) -> None:
        self._engine = engine
        self._publish = publish
        self._partitions = [Partition(number) for number in range(partitions)]
        self._variants = [(each, [Partition(number) for number in range(partitions)]) for each in variants]
        self._publishes = True
        """Whether alerts are published; those of the warm-up are not."""
        self._alignments = [Alignment(each.call_clock, each.sms_clock) for each in self._partitions]
        self._numbers: dict[int, int] = {}
        self._signals: list[deque[RecordedSignal]] = [deque() for _ in range(partitions)]
        """The recorded signals of each partition that were read and not yet applied, in the order of its log."""
        self._more_signals: Iterator[RecordedSignal] = iter(())
        self.tally = Tally()

    def run(self, calls: Iterator[Calls], sms: Iterator[Messages], signals: Iterable[RecordedSignal] = ()) -> Tally:
        """Read calls and SMS to their ends, always the kind that is behind in event time; returns the tally.

        ``signals`` are applied where they arrived among the calls and SMS, and are read no earlier than that if there
        is one partition. Another run goes on where this one has ended.
        """
        self._more_signals = iter(signals)
        at_end = {"calls": False, "sms": False}
        chunks = 0
        while not all(at_end.values()):
            name = self._behind(at_end)
            if name == "calls":
                touched = self._put(next(calls, None), [each.calls for each in self._alignments])
            else:
                touched = self._put(next(sms, None), [each.sms for each in self._alignments])
            at_end[name] = touched is None
            for number in range(len(self._partitions)) if touched is None else touched:
                self._advance(number, at_end)
            chunks += 1
            if chunks % EXPIRE_EVERY == 0:
                for partition in self._partitions:
                    self._count(self._engine.expire(partition))
                for variant, partitions in self._variants:
                    for partition in partitions:
                        self._tell(variant, variant.engine.expire(partition))
        return self.tally

    def warm_up(self, calls: Iterator[Calls], sms: Iterator[Messages], signals: Iterable[RecordedSignal] = ()) -> None:
        """Take in what came before the records that the replay is about: it is decided, not published or counted."""
        self._publishes = False
        self.run(calls, sms, signals)
        self._publishes, self.tally = True, Tally()

    def _behind(self, at_end: Mapping[str, bool]) -> str:
        """The kind of record to read next: the one that is behind in event time, unless it has ended."""
        if at_end["calls"] or at_end["sms"]:
            return "sms" if at_end["calls"] else "calls"
        calls = max(each.calls.clock.at for each in self._alignments)
        return "calls" if calls <= max(each.sms.clock.at for each in self._alignments) else "sms"

    def _put(self, events: E | None, lanes: Sequence[Lane[E]]) -> Sequence[int] | None:
        """Put each event into its partition's lane.

        Returns the numbers of the partitions that got events, or None at the end of the records.
        """
        if events is None:
            return None
        if len(lanes) == 1:
            lanes[0].put(events)
            return [0]
        codes, rows = np.unique(events.subscribers, return_inverse=True)
        numbers = np.array([self._number_of(code, len(lanes)) for code in codes.tolist()], dtype=np.int64)[rows]
        touched: list[int] = np.unique(numbers).tolist()
        for number in touched:
            lanes[number].put(events[numbers == number])
        return touched

    def _number_of(self, code: int, partitions: int) -> int:
        number = self._numbers.get(code)
        if number is None:
            number = self._numbers[code] = partition_of(number_of(code).encode(), partitions)
        return number

    def _advance(self, number: int, at_end: dict[str, bool]) -> None:
        lanes = self._alignments[number]
        calls, sms = lanes.due(at_end)
        of_calls, of_sms = [portion.events for portion in calls], [portion.events for portion in sms]
        self.tally.calls += sum(map(len, of_calls))
        self.tally.sms += sum(map(len, of_sms))
        calls_end, sms_end = at_end["calls"] and not lanes.calls, at_end["sms"] and not lanes.sms
        while (signal := self._next_signal(number)) is not None:
            calls_before, calls_after = _cut(of_calls, signal.appended, unknown_is_before=False)
            sms_before, sms_after = _cut(of_sms, signal.appended, unknown_is_before=True)
            # More calls that came before the signal may follow; once there are none, more SMS.
            if not (calls_after or (calls_end and (sms_after or sms_end))):
                break
            self._step(number, calls_before, sms_before, [self._signals[number].popleft().record])
            of_calls, of_sms = calls_after, sms_after
        self._step(number, of_calls, of_sms, [])

    def _next_signal(self, number: int) -> RecordedSignal | None:
        """The first signal of a partition that is still to be applied; those of others that are read before it wait."""
        waiting = self._signals[number]
        while not waiting and (signal := next(self._more_signals, None)) is not None:
            self._signals[signal.partition].append(signal)
        return waiting[0] if waiting else None

    def _step(
        self,
        number: int,
        calls: Sequence[Calls],
        sms: Sequence[Messages],
        signals: Sequence[SignalRecord | Heartbeat | Purge],
    ) -> None:
        if calls or sms or signals:
            self._count(self._engine.step(self._partitions[number], calls, sms, signals))
            for variant, partitions in self._variants:
                self._tell(variant, variant.engine.step(partitions[number], calls, sms, signals))

    def _count(self, result: StepResult) -> None:
        self.tally.signals.update(result.signals)
        self.tally.alerts.update((alert.severity, alert.status) for alert in result.alerts)
        self._tell(Variant(self._engine, self._publish), result)

    def _tell(self, variant: Variant, result: StepResult) -> None:
        if self._publishes:
            for alert in result.alerts:
                variant.publish(alert)


def _cut(events: Sequence[E], appended: int, *, unknown_is_before: bool) -> tuple[list[E], list[E]]:
    """The events that had been appended by a time (epoch ms), and those that came later."""
    for index, some in enumerate(events):
        if some.arrivals is None:
            stop = len(some) if unknown_is_before else 0
        else:
            stop = int(np.searchsorted(some.arrivals.appended, appended, side="right"))
        if stop < len(some):
            before: list[E] = list(events[:index])
            if stop:
                before.append(some[:stop])
            after: list[E] = [some[stop:]]
            after.extend(events[index + 1 :])
            return before, after
    return list(events), []
