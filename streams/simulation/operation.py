"""Operation: a whole site at work on a city's records in one process, with the live engine and the hunter's planner.

Indicators arrive when they become known. Each one at once starts a look-back over all earlier records and a pivoting,
as in the hunter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from models.base.durations import HOUR, MINUTE
from models.base.number_keys import key_of
from models.detection.alerts import Alert
from models.detection.engine import Engine, StepResult, Witness
from models.detection.kinds import CODE
from models.detection.partition import Partition
from models.detection.recognition import sms_signals
from models.detection.risk import Model
from models.events.batches import Calls, Messages
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.call_patterns import CODE_ROW, Material
from models.lookback.contacts import SMS, rows_of_calls, rows_of_context
from models.lookback.hunting import grouped, moments_of
from models.lookback.keys import keys_of
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.lookback.pivoting import Pivot
from models.lookback.planner import Planner
from models.lookback.recipients import Counting, LinkedSms, Pair, Recipients, Sending
from models.policy.policy import Policy
from streams.ledger.people import contacts_of
from streams.ledger.remembered import Remembered
from streams.ledger.segments import table_of
from streams.simulation.cities import CityRecords

TURN: Final = 10 * MINUTE
"""How often the simulated hunter looks for senders of known domains; the live hunter reads new records in seconds."""
ASKED_AFTER: Final = MINUTE // 2
"""The latest time after a call at which the hunter asks about its number; a segment is written every five seconds."""


class Issued(NamedTuple):
    """An alert, and when it went out: at its moment, or at the time of the look-back that raised it."""

    alert: Alert
    at: int


class Contender(NamedTuple):
    """A model, and the policy that acts on its risks."""

    model: Model
    policy: Policy


class Operation:
    """Runs several contenders side by side over the same records, each with its own state.

    All contenders have the same windows. The first one's policy decides about look-backs, derived indicators and
    suspicions, and ``witness`` gets the first one's decisions.
    """

    def __init__(self, city: CityRecords, contenders: Sequence[Contender], witness: Witness | None = None) -> None:
        self._city = city
        self._indicators = Indicators()
        self._nothing_known = Indicators()
        self._pivot = Pivot(self._indicators)
        self._planner = Planner(self._indicators, self._pivot, contenders[0].policy)
        self._recipients: Counting[Mapping[Pair, int]] = Recipients()
        vulnerable = city.flags()
        witnesses = [witness, *[None] * (len(contenders) - 1)]
        self._engines = [
            Engine(self._indicators, policy, model, vulnerable, witness=heard)
            for (model, policy), heard in zip(contenders, witnesses, strict=True)
        ]
        self._partitions = [Partition(0) for _ in contenders]
        self.issued: list[list[Issued]] = [[] for _ in contenders]
        """By contender: all alerts in the order in which they went out."""
        self.derived: list[Indicator] = []
        """The indicators that the site has found by itself: numbers that send known domains."""
        self.suspected: list[Indicator] = []
        """The numbers that act like a gang's, with one entry for each time that a number became suspected."""
        self._ledger = Remembered()
        self._met_links = MetLinks()
        self._known_domains = keys_of(())

    def run(self, hour_done: Callable[[int], object]) -> None:
        """Play the city from its first hour to its last."""
        arrivals: list[Indicator] = []
        asked: list[tuple[int, int]] = []
        for hour, (told, written) in enumerate(self._city.hours()):
            begin = self._city.begin + hour * HOUR
            asked += self._worth_asking([*self._met(told, written)])
            if hour % 24 == 0:  # gangs plan the day's numbers and domains at midnight
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
        """Decide about the records between two times, put them into the ledger, and read them as the hunter does."""
        some_calls, some_sms = calls[_between(calls, since, upto)], sms[_between(sms, since, upto)]
        outcomes = self._decide(lambda engine, partition: engine.step(partition, [some_calls], [some_sms]), None)
        if not len(some_calls) and not len(some_sms):
            return
        rows = [rows_of_calls([some_calls]), *rows_of_messages(some_sms, self._met_links)]
        context = rows_of_context(outcomes[0].context)
        self._ledger.put(rows if context is None else [*rows, context])
        linked = [each for each in rows if self._known_domains.hold(each.keys).any()]
        if linked:
            table = table_of(linked)
            brought = table.filter(pa.array(self._known_domains.hold(table.column("key").to_numpy())))
            received = (each for each in contacts_of(brought) if not each.is_outgoing)
            messages = (LinkedSms(each.links, each.paths, each.peer, each.subscriber, each.at) for each in received)
            self._derive(self._planner.sendings_seen(messages), upto)

    def _derive(self, sendings: Sequence[Sending], at: int) -> None:
        """Learn the numbers that have by now sent known domains to enough people."""
        for indicator in self._planner.derived(sendings, self._recipients.add(sendings)):
            self.derived.append(indicator)
            self._learn(indicator, at)

    def _met(self, calls: Calls, sms: Messages) -> Iterator[tuple[int, int]]:
        """The times at which the hunter asks about number keys, each soon after a call that leads a person on."""
        for led in self._planner.causes(0, _material(calls, sms, self._nothing_known)):
            yield led.end + ASKED_AFTER, led.number

    def _worth_asking(self, asked: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The questions that remain after numbers that people themselves turn to, mostly friends, are left out.

        The records of earlier hours decide.
        """
        dealings = self._planner.dealings({number for _, number in asked}).put_to(self._ledger)
        return (each for each in asked if each[1] in dealings)

    def _suspect(self, number: int, at: int) -> None:
        """Learn a number (a number key) as suspected if it acts like a gang's."""
        if not self._planner.may_be_suspected(number, at):
            return
        dealings = self._planner.dealings([number]).put_to(self._ledger)
        for found in self._planner.suspicions(dealings, {number: at}).put_to(self._ledger):
            self.suspected.append(found)
            self._learn(found, at)

    def _learn(self, indicator: Indicator, at: int) -> None:
        """Learn an indicator, look back, and pivot from a domain to its senders."""
        known = replace(indicator, valid_from=0)  # a report of a number does not say since when it has been fraudulent
        self._indicators.put(known)
        self._pivot.put(known)
        if indicator.type in ("domain", "url"):
            self._known_domains = self._known_domains.joined(keys_of([indicator.key]))
        hits = self._planner.contacts([indicator.key]).put_to(self._ledger)
        contacts = [record for _, record in hits]
        context = self._planner.context(moments_of(contacts)).put_to(self._ledger)
        records = [record for group in grouped(contacts, context) for record in group]
        self._decide(lambda engine, partition: engine.step(partition, signals=records), at)
        self._derive(self._planner.sendings_found(hits), at)

    def _decide(self, step: Callable[[Engine, Partition], StepResult], at: int | None) -> list[StepResult]:
        """Let every contender decide. The alerts go out at ``at``; if it is None, each goes out at its own moment."""
        outcomes = [step(*each) for each in zip(self._engines, self._partitions, strict=True)]
        for issued, result in zip(self.issued, outcomes, strict=True):
            issued += [Issued(alert, alert.at if at is None else at) for alert in result.alerts]
        return outcomes


def _cut(
    arrivals: Sequence[Indicator], asked: Sequence[tuple[int, int]], begin: int, end: int
) -> Iterator[tuple[int, Indicator | int | None]]:
    """The times up to the end at which an indicator arrives, a question about a number is due, or the hunter runs."""
    due: list[tuple[int, Indicator | int | None]] = [(at, None) for at in range(begin + TURN, end + 1, TURN)]
    due += [(each.valid_from, each) for each in arrivals if each.valid_from < end]
    due += [each for each in asked if each[0] < end]
    yield from sorted(due, key=itemgetter(0))


def _between(events: Calls | Messages, since: int, upto: int) -> slice:
    first, last = np.searchsorted(events.times, [since, upto])
    return slice(int(first), int(last))


def _material(calls: Calls, sms: Messages, nothing_known: Indicators) -> Material:
    """The material for judging calls, as the ledger would hold it for these records.

    Verification codes are extra rows under the subscriber's own number.
    """
    told = [
        (key_of(subscriber), signal.at) for subscriber, signal in sms_signals(sms, nothing_known) if signal.kind == CODE
    ]
    came = np.array(told, dtype=np.int64).reshape(-1, 2)
    unknown = np.full(len(sms) + len(came), -1.0)
    return Material.of_rows(
        np.concatenate([calls.peers, sms.peers, came[:, 0]]),
        np.concatenate([calls.subscribers, sms.subscribers, came[:, 0]]),
        np.concatenate([calls.times, sms.times, came[:, 1]]),
        np.concatenate([calls.kinds, sms.kinds | np.uint8(SMS), np.full(len(came), CODE_ROW, dtype=np.uint8)]),
        np.concatenate([calls.durations, unknown]),
    )
