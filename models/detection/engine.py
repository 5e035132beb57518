"""The engine: turns one partition's events into alerts, by the same function in the live worker and in the replay.

``step`` takes the decoded events of a partition and turns the few that matter into signals. It adds the signals to
their subscribers' episodes and returns the alerts that are due. All state is in `Partition`
(`models/detection/partition.py`); a step has no other effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE
from models.detection.alerts import Alert
from models.detection.calls_in_progress import arrival_of, known_until
from models.detection.decisions import Publication, decide
from models.detection.episodes import Arrival, Episode, Moment, Subject, episodes, unfold
from models.detection.ids import PUBLIC, Ids
from models.detection.kinds import CALL_BEGINS, CONTACTS, CONTEXTS, LONG_CALL
from models.detection.partition import MOST_CONTEXTS, Partition
from models.detection.purging import forget_witnesses, is_purged, purge
from models.detection.recognition import match_again, placed_call_signals, sms_signals
from models.detection.reminders import DayOf, Reminder, occasion, reminder, utc_day
from models.detection.risk import Model
from models.detection.signals import Heartbeat, Purge, Signal, SignalRecord
from models.detection.transfers import Transfers
from models.events.batches import Calls, Messages
from models.events.numbering import CHINA, Sources
from models.indicators.matching import Indicators
from models.policy.policy import Policy


@dataclass(slots=True)
class StepResult:
    """The result of a step: alerts in order, subscribers whose state changed or ended, and signals by kind.

    ``context`` holds the context signals of the step's events, new or not, each with its subscriber, for the ledger.
    """

    alerts: list[Alert] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    signals: Counter[str] = field(default_factory=Counter)
    context: list[tuple[str, Signal]] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)


Witness = Callable[[str, Episode, Sequence[Moment], Sequence[float]], object]
"""Receives each episode that the engine decides about, with its subscriber, its moments and the risk of each moment."""


def _unwitnessed(subscriber: str, episode: Episode, moments: Sequence[Moment], risks: Sequence[float]) -> None:
    """Ignore the episode: there is no witness."""


class Engine:
    """Decides about partitions with one set of indicators, one policy and one model.

    ``vulnerable`` maps subscribers to the number of their vulnerability flags, and ``languages`` maps them to their
    language (BCP 47). Subscribers without flags are not in the first; those who read Chinese are not in the second.
    ``day_of`` tells the days of reminders, ``ids`` makes the names of what goes out, and ``sources`` tells how numbers
    in texts are written.
    """

    def __init__(
        self,
        indicators: Indicators,
        policy: Policy,
        model: Model,
        vulnerable: Mapping[str, int] | None = None,
        languages: Mapping[str, str] | None = None,
        witness: Witness | None = None,
        day_of: DayOf = utc_day,
        ids: Ids = PUBLIC,
        sources: Sources = CHINA,
    ) -> None:
        self.ids = ids
        self.indicators = indicators
        self.policy = policy
        self.model = model
        self.vulnerable = vulnerable if vulnerable is not None else {}
        self.languages = languages if languages is not None else {}
        self._day_of = day_of
        self._sources = sources
        self._witness: Witness = witness if witness is not None else _unwitnessed

    def use(self, policy: Policy) -> None:
        """Use this policy from the next step on."""
        self.policy = policy

    def step(
        self,
        partition: Partition,
        calls: Sequence[Calls] = (),
        sms: Sequence[Messages] = (),
        signals: Sequence[SignalRecord | Heartbeat | Purge] = (),
    ) -> StepResult:
        """Take in events of one partition, the batches of each topic in log order, and decide.

        If records come in event-time order, a subscriber's alerts do not depend on how the records are divided into
        steps. With late records, and across the topics of a partition, the alerts published in the meantime do depend
        on it. The alerts in force at the end never do, as long as everything that belongs together is still in memory
        (see `_forget` and `expire`).
        """
        result = StepResult()
        touched: set[str] = set()
        windows = self.policy.windows
        for some_calls in calls:
            before = partition.call_clock.at
            reached = partition.call_clock.take(some_calls)
            transfers = Transfers(partition.callers, partition.subjects)
            for row, subscriber, signal in placed_call_signals(some_calls, self.indicators, windows, transfers):
                begins = signal.kind in CALL_BEGINS
                arrival = arrival_of(some_calls, row, max(before, int(reached[row]))) if begins else None
                self._take(partition, subscriber, signal, result, touched, arrival)
        for messages in sms:
            partition.sms_clock.take(messages)
            for subscriber, signal in sms_signals(messages, self.indicators, self._sources):
                self._take(partition, subscriber, signal, result, touched)
        for record in signals:
            if isinstance(record, Heartbeat):
                partition.call_clock.hear(record.until)
                partition.sms_clock.hear(record.until)
            elif isinstance(record, Purge):
                self._purge(partition, record, result, touched)
            elif record.status == "raised":
                self._raise(partition, record, result, touched)
            elif record.subscriber in partition.subjects:
                subject = partition.subjects[record.subscriber]
                if subject.remove(record.event, record.kind, record.at):
                    partition.recount(record.subscriber)
                    result.changed.add(record.subscriber)
                    touched.add(record.subscriber)
        for clock in (partition.call_clock, partition.sms_clock) if partition.purged else ():
            forget_witnesses(clock, partition.purged, self.ids.purged)
        touched.update(partition.wakes.passed(partition.call_clock, partition.is_on_the_phone))
        self._decide(partition, touched, result)
        self._forget(partition, result)
        return result

    def reconcile(self, partition: Partition) -> StepResult:
        """Drop signals whose indicator was removed, and withdraw the alerts that depended on them.

        Call this when an indicator was revoked, and for state that was saved before the indicators were read. An
        indicator that is merely not known, or not known yet, withdraws nothing. A contact that another indicator covers
        is kept under that indicator.
        """
        result = StepResult()
        touched: set[str] = set()
        removed: dict[str, bool] = {}
        for subscriber, subject in partition.subjects.items():
            gone = []
            for signal in subject.signals:
                key = signal.indicator
                if key and key not in removed:
                    removed[key] = self.indicators.is_removed(key)
                if key and removed[key]:
                    gone.append(signal)
            for signal in gone:
                subject.remove(signal.event, signal.kind, signal.at)
                match = match_again(signal, self.indicators)
                if match is not None:
                    known = match.known
                    subject.insert(
                        replace(signal, indicator=match.key, scam_type=known.scam_type, confidence=known.confidence)
                    )
            if gone:
                partition.recount(subscriber)
                touched.add(subscriber)
        result.changed |= touched
        self._decide(partition, touched, result)
        return result

    def _take(
        self,
        partition: Partition,
        subscriber: str,
        signal: Signal,
        result: StepResult,
        touched: set[str],
        arrival: Arrival | None = None,
    ) -> None:
        """Insert the signal of an event."""
        if signal.kind in CONTEXTS:
            result.context.append((subscriber, signal))
        self._insert(partition, subscriber, signal, result, touched, arrival)

    def _raise(self, partition: Partition, record: SignalRecord, result: StepResult, touched: set[str]) -> None:
        """Insert a signal from a look-back. The look-back knew all indicators, so its signal replaces the one there."""
        signal = record.signal()
        subject = partition.subjects.get(record.subscriber)
        arrival = None
        if subject is not None:  # the ledger keeps no cells and no arrivals
            arrival = subject.arrivals.get(signal.event)
            known = [each for each in subject.signals if each.event == signal.event]
            nearest = min(known, key=lambda each: abs(each.at - signal.at), default=signal)
            signal = replace(signal, cell=nearest.cell)
        if subject is not None and signal.kind in CONTACTS and signal not in subject.signals:
            subject.remove(signal.event, signal.kind, signal.at)
            subject.remove(signal.event, LONG_CALL, signal.at)  # it was thought to be a call with another number
        self._insert(partition, record.subscriber, signal, result, touched, arrival)

    def _insert(
        self,
        partition: Partition,
        subscriber: str,
        signal: Signal,
        result: StepResult,
        touched: set[str],
        arrival: Arrival | None = None,
    ) -> None:
        if partition.purged and is_purged(partition.purged, self.ids.purged(subscriber), signal.at):
            return
        subject = partition.subjects.get(subscriber)
        if subject is None:
            subject = partition.subjects[subscriber] = Subject([], {}, [])
        if not subject.insert(signal):
            return
        if arrival is not None:
            subject.arrivals[signal.event] = arrival
        result.signals[signal.kind] += 1
        result.changed.add(subscriber)
        if signal.kind in CONTACTS:
            partition.contexts.pop(subscriber, None)
            partition.schedule(subscriber, subject, [signal], self.policy)
            touched.add(subscriber)
        elif subscriber in partition.contexts or not subject.has_contact:
            partition.contexts.pop(subscriber, None)
            partition.contexts[subscriber] = subject.signals[-1].at
        else:
            touched.add(subscriber)

    def _purge(self, partition: Partition, record: Purge, result: StepResult, touched: set[str]) -> None:
        """Forget what happened to a subscriber before a time. Nothing is published about what is forgotten."""
        name, subscriber = self.ids.purged(record.subscriber), record.subscriber
        partition.purged[name] = max(record.before, partition.purged.get(name, 0))
        subject = partition.subjects.get(subscriber)
        if subject is None:
            return
        purge(subject, record.before)
        partition.recount(subscriber)
        if subject.signals:
            result.changed.add(subscriber)
            touched.add(subscriber)
        else:
            partition.contexts.pop(subscriber, None)
            self._drop(partition, subscriber, result)

    def _decide(self, partition: Partition, touched: Iterable[str], result: StepResult) -> None:
        """Unfold the episodes of the touched subscribers, score all their moments at once, and add the alerts due."""
        policy = self.policy
        unfolded: list[tuple[str, Subject, list[tuple[Episode, list[Moment]]]]] = []
        for subscriber in sorted(touched):
            subject = partition.subjects.get(subscriber)
            if subject is None:
                continue
            vulnerable = self.vulnerable.get(subscriber, 0)
            subject.prune()
            known = known_until(subject, partition.call_clock, policy)
            told = [
                (episode, unfold(episode, policy.windows, partition.call_clock.at, vulnerable, known))
                for episode in episodes(subject.signals, policy.windows)
            ]
            if told or subject.published:
                unfolded.append((subscriber, subject, told))
        risks = iter(
            self.model.risk(
                [moment.features for _, _, told in unfolded for _, moments in told for moment in moments],
                policy,
            )
        )
        for subscriber, subject, told in unfolded:
            decided = []
            for episode, moments in told:
                found = [next(risks) for _ in moments]
                self._witness(subscriber, episode, moments, found)
                decided.append((episode, decide(moments, found, policy)))
            vulnerable = self.vulnerable.get(subscriber, 0)
            alerts = Publication(subscriber, subject, policy, self.model, vulnerable, self.ids).alerts(decided)
            if alerts:
                result.alerts += alerts
                result.changed.add(subscriber)
                self._remind(partition, subject, alerts, result)
        result.alerts.sort(key=lambda alert: alert.at)

    def _remind(self, partition: Partition, subject: Subject, alerts: Sequence[Alert], result: StepResult) -> None:
        """Remind a subscriber at most once per day and scam type."""
        for alert in alerts:
            about = occasion(alert, self._day_of)
            if about is not None and about not in subject.reminded:
                subject.reminded.append(about)
                language = self.languages.get(alert.subscriber, "zh")
                result.reminders.append(reminder(alert, about, language, partition.call_clock.at, self.ids))

    def _forget(self, partition: Partition, result: StepResult) -> None:
        """Drop context that can no longer matter.

        The slower of the two clocks decides, so that a topic that lags behind still finds its context.
        """
        clock = min(partition.call_clock.at, partition.sms_clock.at)
        before = clock - int(self.policy.windows.context_kept * MINUTE)
        while partition.contexts:
            subscriber, newest = next(iter(partition.contexts.items()))
            if newest >= before and len(partition.contexts) <= MOST_CONTEXTS:
                break
            del partition.contexts[subscriber]
            self._drop(partition, subscriber, result)

    def expire(self, partition: Partition) -> StepResult:
        """Drop closed episodes, twice their quiet time after the last contact. Call this now and then.

        The time is that of the slower of the running clocks, so that episodes survive while a topic is read again from
        far behind. A topic that is silent at its end holds nothing: its clock goes on with the broker's. Recent context
        stays, because it may still belong to a later episode.
        """
        result = StepResult()
        clocks = (partition.call_clock, partition.sms_clock)
        broker = max(clock.heard for clock in clocks)
        clock = min((clock.carried_on(broker) for clock in clocks if clock.at), default=0)
        before = clock - int(2 * self.policy.windows.quiet_hours * HOUR)
        partition.purged = {name: until for name, until in partition.purged.items() if until >= before}
        for subscriber, subject in list(partition.subjects.items()):
            signals = subject.signals
            if signals and (signals[0].at >= before or any(s.at >= before for s in signals if s.kind in CONTACTS)):
                continue
            subject.signals = [signal for signal in signals if signal.at >= before]
            subject.published.clear()
            subject.reminded.clear()
            subject.prune()
            partition.recount(subscriber)
            if subject.signals:
                result.changed.add(subscriber)
            else:
                self._drop(partition, subscriber, result)
        return result

    @staticmethod
    def _drop(partition: Partition, subscriber: str, result: StepResult) -> None:
        del partition.subjects[subscriber]
        result.changed.discard(subscriber)
        result.forgotten.add(subscriber)
