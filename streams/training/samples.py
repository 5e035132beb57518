"""Samples: every moment of every episode of a city, as a site at work saw it, with what was true of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from models.alerts import episode_id
from models.city.acting import Truth
from models.episodes import episodes, unfold
from models.labels import OUTCOMES, is_defrauded
from models.policy import Policy
from models.risk import PointScore
from streams.cities import CityFolder
from streams.operation import Contender, Operation

PARTS = 5
"""People are dealt into so many parts by their numbers; a part tests, one calibrates, the others train."""
TESTS, CALIBRATES = PARTS - 1, PARTS - 2

OUTCOME_WEIGHT = 10.0
"""An episode of which an officer has said how it was weighs as much as so many simulated ones."""


@dataclass(slots=True)
class Samples:
    """Moments as columns of one length."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    """Features, in their order."""
    labels: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    """Of the person, below `PARTS`."""
    scripts: list[frozenset[str]] = field(default_factory=list)
    """The scripts of the gangs that tried the person, at any time."""
    episodes: list[int] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)
    """The cases of officers' outcomes that were met."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Episodes of each outcome, those that label nothing among them."""

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> NDArray[np.float64]:
        """The features as one matrix."""
        return np.array(self.rows, dtype=np.float64)

    def take(
        self,
        operation: Operation,
        policy: Policy,
        truths: Mapping[str, Sequence[Truth]],
        outcomes: Mapping[str, str],
    ) -> None:
        """Take in all moments of a city that has been played, each different one of an episode once."""
        partition = operation.partitions[0]
        for subscriber, subject in sorted(partition.subjects.items()):
            true = truths.get(subscriber, ())
            vulnerable = operation.vulnerable.get(subscriber, 0)
            for episode in episodes(subject.signals, policy.windows):
                moments = unfold(episode, policy.windows, partition.call_clock.at, vulnerable)
                case = episode_id(subscriber, episode.first.event)
                said = OUTCOMES.get(outcomes.get(case, ""))
                if case in outcomes:
                    self.cases.add(case)
                    self.outcomes[outcomes[case]] += 1
                if said is None and (case in outcomes or not truths):
                    continue  # nobody knows how it was
                number = self.episodes[-1] + 1 if self.episodes else 0
                different = {astuple(moment.features): moment.at for moment in reversed(moments)}
                for row, at in different.items():
                    self.rows.append(row)
                    self.labels.append(is_defrauded(true, at) if said is None else said)
                    self.weights.append(1.0 if said is None else OUTCOME_WEIGHT)
                    self.parts.append(crc32(subscriber.encode()) % PARTS)
                    self.scripts.append(frozenset(each.script for each in true))
                    self.episodes.append(number)


def samples_of(folders: Sequence[CityFolder], policy: Policy, outcomes: Mapping[str, str]) -> Samples:
    """The samples of some cities; ``outcomes``: by case, what officers said last of it."""
    samples = Samples()
    for folder in folders:
        truths: dict[str, list[Truth]] = defaultdict(list)
        for truth in folder.truths:
            truths[truth.subscriber].append(truth)
        operation = Operation(folder, [Contender(PointScore(), policy)])
        operation.run(lambda hours: None)
        samples.take(operation, policy, truths, outcomes)
    return samples
