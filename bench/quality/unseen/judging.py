"""Judging: plays cities with a set of scripts; counts by family who was warned and which alerts were right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bench.quality.playing import KNOWN, KNOWN_AFTER_H, policies
from bench.quality.verdict import Verdict
from models.city.acting import Truth
from models.city.city import City
from models.city.scripts import Script
from models.comparison.intervals import wilson
from models.detection.risk import Model
from models.policy.policy import FOR_OFFICERS
from streams.simulation.cities import Simulated
from streams.simulation.operation import Contender, Issued, Operation

NOBODY: Final = ""
"""Stands for the family of an alert about a person whom no gang had touched by then."""

"""The severities of alerts that send officers."""


class Share(NamedTuple):
    """A share of a count, such as victims warned of all victims."""

    some: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval of 95 %; from 0 to 1 if nothing was counted.

        >>> [round(bound, 3) for bound in Share(9, 10).interval]
        [0.596, 0.982]
        """
        if not self.of:
            return 0.0, 1.0
        estimate = wilson(self.some, self.of)
        return max(estimate.low, 0.0), min(estimate.high, 1.0)


@dataclass
class Judged:
    """The results of one model on a set of scripts, in one or more cities."""

    verdict: Verdict = field(default_factory=Verdict)
    """All families together."""
    alerts: dict[str, Verdict] = field(default_factory=lambda: defaultdict(Verdict))
    """The alerts by the family whose gang had touched the person last, or `NOBODY`."""

    def add(self, truths: Sequence[Truth], issued: Sequence[Issued], person_days: int) -> None:
        """Judge the alerts of one city by its truth, and add the result."""
        self.verdict.add(truths, issued, person_days)
        by_person: dict[str, list[Truth]] = defaultdict(list)
        for truth in truths:
            by_person[truth.subscriber].append(truth)
        episodes: dict[str, list[Issued]] = defaultdict(list)
        for each in issued:
            episodes[each.alert.episode].append(each)
        families: dict[str, list[Issued]] = defaultdict(list)
        for some in episodes.values():
            first = next((each for each in some if each.alert.severity in FOR_OFFICERS), some[0])
            families[family(by_person.get(first.alert.subscriber, ()), first.at)] += some
        for name, some in families.items():
            self.alerts[name].add(truths, some, person_days)

    def warned(self, name: str | None = None) -> Share:
        """The knowable victims of a family, or of all, who were warned before they first paid."""
        tally = self.verdict.all if name is None else self.verdict.by_script[name]
        return Share(tally.warned, tally.knowable)

    def warned_unknown(self, name: str | None = None) -> Share:
        """The same of those victims whom nothing that was known had touched before they first paid."""
        tally = self.verdict.all if name is None else self.verdict.by_script[name]
        return Share(tally.warned_unknown, tally.victims - tally.knowable)

    def right(self, name: str | None = None) -> Share:
        """The right ones among a family's alerts for officers, or among all."""
        verdict = self.verdict if name is None else self.alerts[name]
        return Share(verdict.right, verdict.alerts)


def family(truths: Iterable[Truth], at: int) -> str:
    """The script of the gang that had touched a person last at a time; `NOBODY` if none had."""
    touches = [
        (touched, truth.script)
        for truth in truths
        for touched in (truth.first_contact, *(each.at for each in truth.indicators), *truth.stages.values())
        if touched <= at
    ]
    return max(touches)[1] if touches else NOBODY


def play(
    model: Model,
    scripts: Sequence[tuple[str, Script]],
    seeds: Sequence[int],
    people: int,
    days: int,
    hour_done: Callable[[int], object],
) -> Judged:
    """Play a city for each seed, one after the other, with the model and the policy that come with Forewarn."""
    judged = Judged()
    for seed in seeds:
        city = City(people, days, seed, scripts, KNOWN, KNOWN_AFTER_H)
        operation = Operation(Simulated(city), [Contender(model, policies()[0])])
        operation.run(hour_done)
        judged.add(city.truths, operation.issued[0], people * days)
    return judged
