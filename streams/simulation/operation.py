"""Operation: a site at work on a city's records in one process, with the live engine and the hunter's own functions.

Indicators arrive when they become known; each looks back at once over all that was, and pivots, as the hunter does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from models.base.number_keys import key_of, number_of
from models.city.chance import HOUR, MINUTE
from models.detection.alerts import Alert
from models.detection.engine import Engine, Partition, StepResult, Witness
from models.detection.recognition import sms_signals
from models.detection.risk import Model
from models.detection.signals import CODE, Signal, SignalRecord
from models.events.batches import Calls, Messages
from models.events.scanning import ENDED, OUT
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.call_patterns import Company, Leading, Talks, Traces
from models.lookback.contacts import rows_of_calls
from models.lookback.hunting import Contact, distinct, record_of, signal_of
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.lookback.pivoting import Pivot, Recipients, Sending, sending_of
from models.lookback.suspicion import leadable, reach, suspicion
from models.policy.policy import Policy
from streams.ledger.lookup import Keys
from streams.ledger.people import Named, contacts_of, keys_of
from streams.ledger.remembered import Remembered
from streams.ledger.segments import table_of
from streams.simulation.cities import CityRecords

TURN: Final = 10 * MINUTE
"""The hunter looks through what is new within seconds; here it looks for senders of known domains this often."""
ASKED_AFTER: Final = MINUTE // 2
"""So long after a call it asks about the number, at the latest: a segment is written every five seconds."""


class Issued(NamedTuple):
    """An alert, and when it went out: at its moment, or when a look back brought it about."""

    alert: Alert
    at: int


class Contender(NamedTuple):
    """A model, and the policy that acts on it."""

    model: Model
    policy: Policy


class Operation:
    """Several contenders side by side over the same records, each with its own state.

    Their windows are the same; what is looked for, derived and suspected is by the policy of the first, whose decisions
    ``witness`` is told of.
    """

    def __init__(self, city: CityRecords, contenders: Sequence[Contender], witness: Witness | None = None) -> None:
        self._city = city
        self._policy = contenders[0].policy
        self._indicators = Indicators()
        self._pivot = Pivot(self._indicators)
        self._recipients = Recipients()
        self._nothing_known = Indicators()
        self._leading = Leading(int(self._policy.windows.longest_call_hours * HOUR))
        self._company = Company()
        vulnerable = city.flags()
        self._engines = [Engine(self._indicators, policy, model, vulnerable) for model, policy in contenders]
        if witness is not None:
            self._engines[0].witness = witness
        self._partitions = [Partition(0) for _ in contenders]
        self.issued: list[list[Issued]] = [[] for _ in contenders]
        """By contender, all alerts in the order in which they went out."""
        self.derived: list[Indicator] = []
        """What the site has found out by itself: numbers that send known domains."""
        self.suspected: list[Indicator] = []
        """Numbers that act like a gang's, each time that one became suspected."""
        self._ledger = Remembered()
        self._met_links = MetLinks()
        self._known_domains = keys_of(())
        self._context: dict[str, list[Signal]] = defaultdict(list)

    def run(self, hour_done: Callable[[int], object]) -> None:
        """Play the city from its first hour to its last."""
        arrivals: list[Indicator] = []
        asked: list[tuple[int, int]] = []
        for hour, (told, written) in enumerate(self._city.hours()):
            begin = self._city.begin + hour * HOUR
            asked += self._worth_asking([*self._met(told, written)])
            if hour % 24 == 0:  # what gangs use from now on was planned at midnight
                arrivals = [each for each in self._city.indicators() if each.valid_from >= begin]
            while arrivals and arrivals[0].valid_from < begin:
                arrivals.pop(0)
            for upto, due in _cut(arrivals, asked, begin, begin + HOUR):
                self._step(told, written, begin, upto)
                if isinstance(due, Indicator):
                    self._learn(due, upto)
                elif due is not None:
                    self._suspect(due, upto)
                begin = upto
            asked = [each for each in asked if each[0] >= begin]
            hour_done(1)

    def _step(self, calls: Calls, sms: Messages, since: int, upto: int) -> None:
        """Decide about the records between two times, record them, and go through them as the hunter does."""
        some_calls, some_sms = calls[_between(calls, since, upto)], sms[_between(sms, since, upto)]
        for number, (engine, partition) in enumerate(zip(self._engines, self._partitions, strict=True)):
            result = engine.step(partition, [some_calls], [some_sms])
            self._take(number, result, None)
            if not number:
                for subscriber, signal in result.context:
                    self._context[subscriber].append(signal)
        if not len(some_calls) and not len(some_sms):
            return
        rows = [rows_of_calls([some_calls]), *rows_of_messages(some_sms, self._met_links)]
        self._ledger.put(rows)
        linked = [each for each in rows if self._known_domains.hold(each.keys).any()]
        if linked:
            table = table_of(linked)
            brought = table.filter(pa.array(self._known_domains.hold(table.column("key").to_numpy())))
            self._derive([*self._sendings(contacts_of(brought))], upto)

    def _sendings(self, contacts: Iterable[Contact]) -> Iterator[Sending]:
        for contact in contacts:
            signal = signal_of(contact, self._indicators, self._policy.windows)
            if signal is not None:
                sending = sending_of(contact, record_of(contact.subscriber, signal))
                if sending is not None:
                    yield sending

    def _derive(self, sendings: Sequence[Sending], at: int) -> None:
        """Take in the numbers that have sent what is known to enough people by now."""
        counts = self._recipients.add(sendings)
        for indicator in self._pivot.due(counts, self._policy.pivots, self._policy.campaigns):
            self.derived.append(indicator)
            self._learn(indicator, at)

    def _met(self, calls: Calls, sms: Messages) -> Iterator[tuple[int, int]]:
        """When the hunter asks about which numbers (codes): soon after a call by which one leads somebody on."""
        told = [
            (key_of(subscriber), signal.at)
            for subscriber, signal in sms_signals(sms, self._nothing_known)
            if signal.code == CODE
        ]
        came = np.array(told, dtype=np.int64).reshape(-1, 2)
        ended, sent = (calls.kinds & ENDED) > 0, (sms.kinds & OUT) > 0
        talks = Talks(
            calls.peers[ended],
            calls.subscribers[ended],
            calls.times[ended],
            calls.durations[ended],
            (calls.kinds[ended] & OUT) > 0,
        )
        codes = Traces.of_codes(came[:, 0], came[:, 1])
        answers = Traces.of_pairs(sms.subscribers[sent], sms.peers[sent], sms.times[sent])
        for led in self._leading.take(talks, codes, answers, self._policy.suspicions):
            if self._company.gives_cause(led):
                yield led.end + ASKED_AFTER, led.number

    def _worth_asking(self, asked: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Those whose numbers are not ones that people turn to, by what the hours before say: most are friends."""
        rules, contacts = self._policy.suspicions, defaultdict[int, list[Contact]](list)
        for contact in distinct(self._ledger.find(Keys.of({number for _, number in asked}))):
            contacts[contact.key].append(contact)
        for at, number in asked:
            if reach(contacts[number]).is_turned_to(rules):
                self._company.trust(number)
            else:
                yield at, number

    def _suspect(self, number: int, at: int) -> None:
        """Take in a number (a code) as suspected if it acts like a gang's."""
        rules, value = self._policy.suspicions, number_of(number)
        if not self._pivot.may_be_suspected(value, at, rules, self._policy.campaigns):
            return
        contacts = [*distinct(self._ledger.find(Keys.of([number])))]
        reached = reach(contacts)
        if reached.is_turned_to(rules):
            self._company.trust(number)
        if not reached.is_of_strangers(rules):
            return
        times = {
            who: [signal.at for signal in self._context[number_of(who)] if signal.code == CODE]
            for who in leadable(contacts, rules)
        }
        found = suspicion(value, contacts, times, at, rules)
        if found is not None:
            self.suspected.append(found)
            self._learn(found, at)

    def _learn(self, indicator: Indicator, at: int) -> None:
        """Take in an indicator, look back, and go on from a domain to those who send it."""
        known = replace(indicator, valid_from=0)  # whoever reports a number says nothing of since when
        self._indicators.put(known)
        self._pivot.put(known)
        looked_for = keys_of([indicator.key])
        if indicator.type in ("domain", "url"):
            self._known_domains = self._known_domains.joined(looked_for)
        named, windows = Named([indicator.key]), self._policy.windows
        found: list[Contact] = []
        records: list[SignalRecord] = []
        moments: dict[str, list[int]] = defaultdict(list)
        for contact in distinct(self._ledger.find(looked_for)):
            signal = signal_of(contact, self._indicators, windows) if named(contact) else None
            if signal is not None and signal.indicator == indicator.key:
                record = record_of(contact.subscriber, signal)
                found.append(contact)
                records.append(record)
                moments[record.subscriber].append(record.at)
        before, after = windows.before_ms, windows.after_ms
        for subscriber, times in moments.items():
            for signal in self._context[subscriber]:
                if any(time - before <= signal.at <= time + after for time in times):
                    records.append(record_of(key_of(subscriber), signal))
        for number, (engine, partition) in enumerate(zip(self._engines, self._partitions, strict=True)):
            self._take(number, engine.step(partition, signals=records), at)
        self._derive([*self._sendings(found)], at)

    def _take(self, number: int, result: StepResult, at: int | None) -> None:
        self.issued[number] += [Issued(alert, alert.at if at is None else at) for alert in result.alerts]


def _cut(
    arrivals: Sequence[Indicator], asked: Sequence[tuple[int, int]], begin: int, end: int
) -> Iterator[tuple[int, Indicator | int | None]]:
    """The times up to the end at which an indicator arrives, a number is asked about, or the hunter takes a turn."""
    due: list[tuple[int, Indicator | int | None]] = [(at, None) for at in range(begin + TURN, end + 1, TURN)]
    due += [(each.valid_from, each) for each in arrivals if each.valid_from < end]
    due += [each for each in asked if each[0] < end]
    yield from sorted(due, key=itemgetter(0))


def _between(events: Calls | Messages, since: int, upto: int) -> slice:
    first, last = np.searchsorted(events.times, [since, upto])
    return slice(int(first), int(last))
