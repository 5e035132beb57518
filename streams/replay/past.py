"""Past: replays logs that are kept by partition, in topics or in a recording, with the worker's own decoder.

Each partition is replayed by itself, one after the other: no record of another one changes what it decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from models.detection.alerts import Alert
from models.detection.engine import Engine
from models.events.decoding import CallReader, Decoded, MessageReader
from models.events.numbering import Sources
from streams.kafka.columns import Columns
from streams.kafka.signal_records import SignalReader, arrived
from streams.replay.recorded import RecordedSignal
from streams.replay.replay import Replay, Tally, Variant


class Span(NamedTuple):
    """The times of arrival (epoch ms) that a replay is about, and from when on it warms up before them."""

    warm: int
    since: int
    until: int


class Past(Protocol):
    """Where logs of the past are kept."""

    @property
    def partitions(self) -> int:
        """How many partitions `calls`, `sms` and `signals` have."""
        ...

    def columns(self, name: str, partition: int, since: int, until: int) -> Iterator[Columns]:
        """The records of a partition of `calls`, `sms` or `signals` that arrived in a span of time, in log order."""
        ...


class PastReplay:
    """Replays a past with one engine, partition by partition; ``publish`` receives the alerts.

    ``refusals`` counts the records that the worker would have made dead letters, by reason. ``variants`` decide about
    the same records, as in a `Replay`.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sources,
        publish: Callable[[Alert], object],
        variants: Sequence[Variant] = (),
    ) -> None:
        self.engine = engine
        self._publish = publish
        self._variants = variants
        self._calls = CallReader(sources).read
        self._sms = MessageReader(sources).read
        self._signals = SignalReader().read
        self.refusals: Counter[str] = Counter()

    def run(self, past: Past, span: Span) -> Tally:
        """Replay all partitions; returns the tally of all of them. Raises what the past raises."""
        total = Tally()
        for partition in range(past.partitions):
            replay = Replay(self.engine, 1, self._publish, self._variants)
            if span.warm < span.since:
                refused = self.refusals.copy()
                replay.warm_up(*self._read(past, partition, span.warm, span.since))
                self.refusals = refused
            tally = replay.run(*self._read(past, partition, span.since, span.until))
            total.calls += tally.calls
            total.sms += tally.sms
            total.signals += tally.signals
            total.alerts += tally.alerts
        return total

    def _read(
        self, past: Past, partition: int, since: int, until: int
    ) -> tuple[Iterator[Any], Iterator[Any], Iterator[RecordedSignal]]:
        calls, sms, signals = (past.columns(name, partition, since, until) for name in ("calls", "sms", "signals"))
        return (
            (self._events(self._calls(each.records), each) for each in calls),
            (self._events(self._sms(each.records), each) for each in sms),
            (signal for each in signals for signal in self._told(each)),
        )

    def _events(self, decoded: Decoded[Any], columns: Columns) -> Any:
        """The good events, bounded by their append times as the worker does it."""
        self._count(decoded)
        return decoded.events.arrived(decoded.kept(columns.appended), self.engine.policy.clock.tolerance_ms)

    def _told(self, columns: Columns) -> Iterator[RecordedSignal]:
        decoded = self._signals(columns.records)
        self._count(decoded)
        appended = decoded.kept(columns.appended)
        for at, record in zip(appended.tolist(), arrived(decoded.events, appended), strict=True):
            yield RecordedSignal(at, 0, record)

    def _count(self, decoded: Decoded[Any]) -> None:
        self.refusals.update(refusal.reason for refusal in decoded.refusals)
