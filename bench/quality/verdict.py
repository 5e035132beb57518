"""Verdicts: a city's alerts against the truth; who was warned in time, and who was alerted for nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.base.durations import DAY, MINUTE
from models.city.acting import Truth
from models.policy.policy import FOR_OFFICERS
from streams.simulation.operation import Issued

ACKNOWLEDGE_MS = 120_000
"""The time in which a station acknowledges an urgent order; one that is withdrawn sooner sends nobody."""


@dataclass
class Tally:
    """What alerts for officers achieved for the victims of one script, or of all scripts."""

    victims: int = 0
    """People who paid."""
    knowable: int = 0
    """Victims who had been touched, before they first paid, by a number or domain that was known by then."""
    warned: int = 0
    """Knowable victims for whom an officer was sent before they first paid."""
    warned_unknown: int = 0
    """The same for all other victims: no known number or domain had touched them by then."""
    leads: list[float] = field(default_factory=list)
    """Minutes from the first alert to the first payment, for warned victims who paid within a day of first contact."""

    def __iadd__(self, other: Tally) -> Tally:
        """Add another tally."""
        self.victims += other.victims
        self.knowable += other.knowable
        self.warned += other.warned
        self.warned_unknown += other.warned_unknown
        self.leads += other.leads
        return self

    @property
    def recall(self) -> float:
        """The share of the knowable victims who were warned; NaN if there were none."""
        return self.warned / self.knowable if self.knowable else float("nan")


@dataclass
class Verdict:
    """The results of one model in one or more cities."""

    by_script: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    alerts: int = 0
    """Episodes for which an officer was sent."""
    right: int = 0
    """Alerts about people who had at least kept talking to a gang, or had paid, in any scam of the time."""
    hung_up: int = 0
    """Alerts about people whom a gang contacted in vain."""
    stood: int = 0
    """Alerts that were not withdrawn within `ACKNOWLEDGE_MS`: a call begins before anybody knows how it ends."""
    stood_right: int = 0
    """Alerts that stood and were right."""
    of_gangs: int = 0
    """Alerts that rest on a gang's number or domain, at least in part. There are fewer where gangs are rarer."""
    right_of_gangs: int = 0
    """The same, for alerts that were right."""
    person_days: int = 0
    said: Counter[str] = field(default_factory=Counter)
    """Alerts by the scam type that they named first."""
    said_right: Counter[str] = field(default_factory=Counter)
    """The same for alerts that were right."""

    @property
    def precision(self) -> float:
        """The share of alerts that were right; NaN if there were none."""
        return self.right / self.alerts if self.alerts else float("nan")

    @property
    def all(self) -> Tally:
        """The tally of all scripts together."""
        total = Tally()
        for tally in self.by_script.values():
            total += tally
        return total

    def __iadd__(self, other: Verdict) -> Verdict:
        """Add the verdict on another city."""
        for script, tally in other.by_script.items():
            self.by_script[script] += tally
        self.alerts += other.alerts
        self.right += other.right
        self.hung_up += other.hung_up
        self.stood += other.stood
        self.stood_right += other.stood_right
        self.of_gangs += other.of_gangs
        self.right_of_gangs += other.right_of_gangs
        self.person_days += other.person_days
        self.said += other.said
        self.said_right += other.said_right
        return self

    def add(self, truths: Sequence[Truth], issued: Sequence[Issued], person_days: int) -> None:
        """Judge the alerts of one city by its truth, and add the result."""
        sent: dict[str, list[Issued]] = defaultdict(list)
        named: dict[str, str] = {}
        for each in issued:
            alert = each.alert
            if alert.status == "raised" and alert.severity in FOR_OFFICERS:
                sent[alert.subscriber].append(each)
                named.setdefault(alert.episode, alert.scam_type)
        gangs = {f"{each.type}:{each.value}" for truth in truths for each in truth.indicators}
        of_gangs = {
            each.alert.episode for some in sent.values() for each in some if not gangs.isdisjoint(each.alert.indicators)
        }
        self.of_gangs += len(of_gangs)
        self.alerts += len(named)
        self.said.update(named.values())
        drawn_in: set[str] = set()
        for truth in truths:
            if truth.drew_in:
                drawn_in.add(truth.subscriber)
            if truth.paid_at is not None:
                self._victim(truth, truth.paid_at, sent[truth.subscriber])
        tried = {truth.subscriber for truth in truths} - drawn_in
        right = {each.alert.episode for who in drawn_in for each in sent[who]}
        self.right += len(right)
        self.right_of_gangs += len(right & of_gangs)
        self.said_right.update(named[episode] for episode in right)
        self.hung_up += len({each.alert.episode for who in tried for each in sent[who]})
        stood = _stood(issued)
        self.stood += len(stood)
        self.stood_right += len(stood & right)
        self.person_days += person_days

    def _victim(self, truth: Truth, paid_at: int, sent: Sequence[Issued]) -> None:
        tally = self.by_script[truth.script]
        tally.victims += 1
        times = [each.at for each in sent if truth.first_contact <= each.at < paid_at]
        if not truth.knowable_before(paid_at):
            tally.warned_unknown += bool(times)
            return
        tally.knowable += 1
        if times:
            tally.warned += 1
            if paid_at - truth.first_contact < DAY:
                tally.leads.append((paid_at - min(times)) / MINUTE)


def _stood(issued: Iterable[Issued]) -> set[str]:
    """The episodes that had an alert for officers which was not withdrawn before it could be acknowledged."""
    raised: dict[str, Issued] = {}
    stood: set[str] = set()
    for each in issued:
        before = raised.pop(each.alert.id, None)
        if before is not None and each.at - before.at >= ACKNOWLEDGE_MS:
            stood.add(each.alert.episode)
        if each.alert.status == "raised" and each.alert.severity in FOR_OFFICERS:
            raised[each.alert.id] = before if before is not None else each
    return stood | {each.alert.episode for each in raised.values()}
