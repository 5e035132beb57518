"""Decisions: from an episode's moments to the alerts in force, and to those that are still to be published.

A severity is raised at the first moment whose risk and stage reach it. It is withdrawn at the first later moment whose
risk lies well below (a call turned out unanswered), so that a wavering risk does not send officers back and forth. When
records arrive in order, the list of decisions only grows at its end. When a late record changes an earlier decision,
its alert is published again under the same id.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from models.base.durations import HOUR
from models.detection.ablation import weighed
from models.detection.alerts import Alert, Published, Status, encode
from models.detection.episodes import Episode, Moment, Subject
from models.detection.ids import PUBLIC, Ids, alert_id
from models.detection.kinds import CONTACTS
from models.detection.risk import Model
from models.detection.signals import Signal
from models.detection.wording import no_longer, reasons
from models.policy.policy import SEVERITIES, Policy, Severity
from models.policy.stages import reaches

WHEREABOUTS_KEPT = HOUR
"""Milliseconds for which the cell of a record is taken as the subscriber's location."""

TAKEN_BACK = 0
"""The digest of an alert that no record supports any more."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A severity raised or withdrawn at a moment of an episode, with the risk at that moment."""

    severity: Severity
    status: Status
    moment: Moment
    risk: float


def severity_of(risk: float, moment: Moment, policy: Policy) -> int:
    """The index in `SEVERITIES` that a risk reaches at a moment, or -1."""
    for index in range(len(SEVERITIES) - 1, -1, -1):
        for rule in policy.severities[SEVERITIES[index]]:
            if risk >= rule.risk and reaches(moment.stage, rule.stage):
                return index
    return -1


def decide(moments: Sequence[Moment], risks: Sequence[float], policy: Policy) -> list[Decision]:
    """All decisions about one episode in event time, from its moments and the risk of each."""
    standing: list[int] = []
    made: list[Decision] = []
    for moment, risk in zip(moments, risks, strict=True):
        level = severity_of(risk, moment, policy)
        kept = severity_of(risk / policy.withdrawn_below, moment, policy)
        while standing and standing[-1] > kept:
            made.append(Decision(SEVERITIES[standing.pop()], "withdrawn", moment, risk))
        if level >= 0 and (not standing or standing[-1] < level):
            standing.append(level)
            made.append(Decision(SEVERITIES[level], "raised", moment, risk))
    return made


def digest(alert: Alert) -> int:
    """A digest of an alert's content. A change of policy, model or cell alone is no news, so these are left out."""
    return zlib.crc32(encode(replace(alert, policy="", model="", cell=""))) or 1


class Publication:
    """Compares the decisions about a subscriber with the published alerts, and writes the missing ones."""

    def __init__(
        self, subscriber: str, subject: Subject, policy: Policy, model: Model, vulnerable: int, ids: Ids = PUBLIC
    ) -> None:
        self._ids = ids
        self._subscriber = subscriber
        self._subject = subject
        self._policy = policy
        self._model = model
        self._vulnerable = vulnerable

    def alerts(self, decided: Iterable[tuple[Episode, Sequence[Decision]]]) -> list[Alert]:
        """The alerts to publish, in event time; ``subject.published`` is brought up to date with them."""
        published = self._subject.published
        due: list[Alert] = []
        current: set[str] = set()
        names: set[str] = set()
        for episode, decisions in decided:
            name = self._name(episode)
            names.add(name)
            by_severity: dict[Severity, list[Decision]] = {}
            for decision in decisions:
                by_severity.setdefault(decision.severity, []).append(decision)
            for severity, made in by_severity.items():
                alert = alert_id(name, severity)
                current.add(alert)
                due += self._missing(alert, name, episode, made)
        for alert in sorted(published.keys() - current):
            if published[alert].last.status == "raised":
                due.append(self._taken_back(published[alert].last, names))
        return sorted(due, key=lambda alert: alert.at)

    def _name(self, episode: Episode) -> str:
        """The name of an episode. One that has alerts from before the site had a key keeps its name."""
        event = episode.first.event
        if published := self._subject.published:
            former = PUBLIC.episode(self._subscriber, event)
            if any(each.last.episode == former for each in published.values()):
                return former
        return self._ids.episode(self._subscriber, event)

    def _missing(self, alert: str, name: str, episode: Episode, made: Sequence[Decision]) -> list[Alert]:
        """The alerts still to be published: all after the published one, or only the newest if that one has changed."""
        before = self._subject.published.get(alert)
        missing: list[Alert] = []
        newest = 0
        for decision in reversed(made):
            word = self._write(alert, name, episode, decision)
            seen = episode.signals[: decision.moment.seen]
            basis = zlib.crc32(msgspec.msgpack.encode(seen), digest(word))
            newest = newest or basis
            if before is not None and basis == before.basis:
                break
            word = weighed(word, seen, self._model, self._policy, self._vulnerable)
            if before is not None and digest(word) == before.digest:
                if not missing:
                    self._subject.published[alert] = replace(before, basis=basis)
                break
            missing.append(word)
        else:
            if before is not None:  # a late record changed everything published so far
                del missing[1:]
        if missing:
            last = replace(missing[0], reasons=())
            self._subject.published[alert] = Published(digest(missing[0]), last, newest)
        return missing[::-1]

    def _write(self, alert: str, name: str, episode: Episode, decision: Decision) -> Alert:
        seen = episode.signals[: decision.moment.seen]
        contacts = [signal for signal in seen if signal.kind in CONTACTS]
        strongest = max(contacts, key=lambda signal: (signal.confidence, -signal.at))
        why = reasons([*contacts, *decision.moment.context])
        return Alert(
            id=alert,
            subscriber=self._subscriber,
            episode=name,
            severity=decision.severity,
            stage=decision.moment.stage,
            risk=decision.risk,
            scam_type=strongest.scam_type or "other",
            status=decision.status,
            reasons=why if decision.status == "raised" else (no_longer("evidence"), *why),
            indicators=tuple(sorted({signal.indicator for signal in contacts if signal.indicator})),
            first_seen=episode.first.at,
            at=decision.moment.at,
            policy=self._policy.version,
            model=self._model.name,
            cell=_whereabouts(seen, decision.moment.at),
        )

    def _taken_back(self, before: Alert, names: set[str]) -> Alert:
        if not names or not {signal.indicator for signal in self._subject.signals}.issuperset(before.indicators):
            why = "indicator"
        else:  # every record still holds; a late one changed their meaning, or which contact came first
            why = "evidence" if before.episode in names else "episode"
        alert = replace(before, status="withdrawn", reasons=(no_longer(why),))
        self._subject.published[alert.id] = Published(TAKEN_BACK, replace(alert, reasons=()))
        return alert


def _whereabouts(seen: Sequence[Signal], at: int) -> str:
    """The cell of the newest signal that names a recent one, fresh enough to send an officer there; empty if none."""
    return next((each.cell for each in reversed(seen) if each.cell and at - each.at <= WHEREABOUTS_KEPT), "")
