"""Operation: a site at work on a city's records in one process, with the live engine and the hunter's own functions.

Indicators arrive when they become known; each looks back at once over all that was, as the hunter does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from models.alerts import Alert
from models.batches import Calls, Messages
from models.city.chance import HOUR
from models.codes import code_of
from models.contacts import rows_of_calls, rows_of_messages
from models.engine import Engine, Outcome, Partition
from models.hunting import Contact, distinct, record_of, signal_of
from models.indicators import Indicator
from models.matching import Indicators
from models.policy import Policy
from models.risk import Model
from models.signals import Signal, SignalRecord
from streams.cities import CityRecords
from streams.ledger.people import Named, contacts_of, keys_of
from streams.ledger.segments import table_of


class Issued(NamedTuple):
    """An alert, and when it went out: at its moment, or when a look back brought it about."""

    alert: Alert
    at: int


class Operation:
    """Several models side by side over the same records, each with its own state."""

    def __init__(self, city: CityRecords, policy: Policy, models: Sequence[Model]) -> None:
        self._city = city
        self._policy = policy
        self._indicators = Indicators()
        self.vulnerable = city.flags()
        self._engines = [Engine(self._indicators, policy, model, self.vulnerable) for model in models]
        self.partitions = [Partition(0) for _ in models]
        """By model, what is remembered of everybody who was in contact with what is known; nothing is let go of."""
        self.issued: list[list[Issued]] = [[] for _ in models]
        """By model, all alerts in the order in which they went out."""
        self._contacts: list[Contact] = []
        """Contacts with whom may yet become known; of others the ledger would be asked in vain."""
        self._context: dict[str, list[Signal]] = defaultdict(list)

    def run(self, hour_done: Callable[[int], object]) -> None:
        """Play the city from its first hour to its last."""
        arrivals: list[Indicator] = []
        watched = keys_of(())
        for hour, (told, written) in enumerate(self._city.hours()):
            begin = self._city.begin + hour * HOUR
            if hour % 24 == 0:  # what gangs use from now on was planned at midnight
                arrivals = [each for each in self._city.indicators() if each.valid_from >= begin]
                watched = keys_of(self._city.identities())
            while arrivals and arrivals[0].valid_from < begin:
                arrivals.pop(0)
            for upto, due in _cut(arrivals, begin + HOUR):
                self._step(told, written, begin, upto, watched)
                if due is not None:
                    self._learn(due, upto)
                begin = upto
            hour_done(1)

    def _step(self, calls: Calls, sms: Messages, since: int, upto: int, watched: Any) -> None:
        """Decide about the records between two times, and remember what a look back may ask for."""
        some_calls, some_sms = calls[_between(calls, since, upto)], sms[_between(sms, since, upto)]
        for number, (engine, partition) in enumerate(zip(self._engines, self.partitions, strict=True)):
            outcome = engine.step(partition, [some_calls], [some_sms])
            self._take(number, outcome, None)
            if not number:
                for subscriber, signal in outcome.context:
                    self._context[subscriber].append(signal)
        for rows in (rows_of_calls([some_calls]), *rows_of_messages(some_sms)):
            if watched.hold(rows.keys).any():
                table = table_of([rows])
                kept = watched.hold(table.column("key").to_numpy())
                self._contacts += contacts_of(table.filter(pa.array(kept)))

    def _learn(self, indicator: Indicator, at: int) -> None:
        """Take in an indicator and look back."""
        self._indicators.put(replace(indicator, valid_from=0))  # whoever reports a number says nothing of since when
        named, windows = Named([indicator.key]), self._policy.windows
        records: list[SignalRecord] = []
        moments: dict[str, list[int]] = defaultdict(list)
        for contact in distinct(self._contacts):
            signal = signal_of(contact, self._indicators, windows) if named(contact) else None
            if signal is not None and signal.indicator == indicator.key:
                record = record_of(contact.subscriber, signal)
                records.append(record)
                moments[record.subscriber].append(record.at)
        before, after = windows.before_ms, windows.after_ms
        for subscriber, times in moments.items():
            for signal in self._context[subscriber]:
                if any(time - before <= signal.at <= time + after for time in times):
                    records.append(record_of(code_of(subscriber), signal))
        for number, (engine, partition) in enumerate(zip(self._engines, self.partitions, strict=True)):
            self._take(number, engine.step(partition, signals=records), at)

    def _take(self, number: int, outcome: Outcome, at: int | None) -> None:
        self.issued[number] += [Issued(alert, alert.at if at is None else at) for alert in outcome.alerts]


def _cut(arrivals: Sequence[Indicator], end: int) -> Iterator[tuple[int, Indicator | None]]:
    """The times of arrivals before the end, each with what arrives, and the end."""
    for indicator in arrivals:
        if indicator.valid_from >= end:
            break
        yield indicator.valid_from, indicator
    yield end, None


def _between(events: Calls | Messages, since: int, upto: int) -> slice:
    first, last = np.searchsorted(events.times, [since, upto])
    return slice(int(first), int(last))
