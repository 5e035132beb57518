"""Samples: every moment of every episode of a city, as a working site saw it, with the truth about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from models.city.acting import Truth
from models.city.grammar import family
from models.city.labels import OUTCOMES, is_defrauded
from models.detection.episodes import Episode, Moment
from models.detection.ids import PUBLIC, Ids
from models.detection.risk import PointScore
from models.policy.policy import Policy
from streams.simulation.cities import CityFolder
from streams.simulation.operation import Contender, Operation
from streams.training.outcomes import Outcomes

PARTS = 5
"""The number of parts into which people are split by their numbers; one tests, one calibrates, the others train."""
TESTS, CALIBRATES = PARTS - 1, PARTS - 2

OUTCOME_WEIGHT = 10.0
"""The weight of an episode with an officer's outcome, where a simulated episode weighs 1."""


@dataclass(slots=True)
class Samples:
    """Moments as columns of one length."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    """Features, in their order."""
    labels: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    """The moments of one episode together weigh 1 or `OUTCOME_WEIGHT`, however often it was judged.

    People who are drawn in have many more moments than others. With equal weights for all moments, those of other
    people would look dangerous.
    """
    parts: list[int] = field(default_factory=list)
    """The person's part, below `PARTS`."""
    scripts: list[frozenset[str]] = field(default_factory=list)
    """The scripts of all gangs that tried the person at any time, drawn ones by their family."""
    episodes: list[int] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)
    """The cases with an officer's outcome whose episodes were seen."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """The number of episodes by outcome, including outcomes that give no label."""
    rules: Counter[int] = field(default_factory=Counter)
    """The number of episodes that an outcome labels, by the rule under which it was given."""

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> NDArray[np.float64]:
        """The features as one matrix."""
        return np.array(self.rows, dtype=np.float64)

    def take(self, seen: Seen, truths: Mapping[str, Sequence[Truth]], given: Outcomes) -> None:
        """Add all judged moments of a city's episodes; ``given``: the officers' last outcomes."""
        outcomes = given.by_case
        for (subscriber, name), moments in sorted(seen.moments.items()):
            case = name if name in outcomes else seen.cases.get(name, name)
            said = OUTCOMES.get(outcomes.get(case, ""))
            if case in outcomes:
                self.cases.add(case)
                self.outcomes[outcomes[case]] += 1
                if said is not None:
                    self.rules[given.rules[case]] += 1
            if said is None and (case in outcomes or not truths):
                continue  # the truth is not known
            true = truths.get(subscriber, ())
            number = self.episodes[-1] + 1 if self.episodes else 0
            for row, at in moments.items():
                self.rows.append(row)
                self.labels.append(is_defrauded(true, at) if said is None else said)
                self.weights.append((1.0 if said is None else OUTCOME_WEIGHT) / len(moments))
                self.parts.append(crc32(subscriber.encode()) % PARTS)
                self.scripts.append(frozenset(family(each.script) for each in true))
                self.episodes.append(number)


class Seen:
    """All moments that were judged while a city was played; equal moments of an episode are kept once.

    They include the state of an episode before its indicators were known, because a site judges that too.
    """

    def __init__(self, ids: Ids = PUBLIC) -> None:
        self._ids = ids
        self.moments: dict[tuple[str, str], dict[tuple[float, ...], int]] = defaultdict(dict)
        """By subscriber and public name of the episode: the features, and when they first had these values."""
        self.cases: dict[str, str] = {}
        """By public name of an episode, the name that the site's key gives it, which is that of its case."""

    def witness(self, subscriber: str, episode: Episode, moments: Sequence[Moment], risks: Sequence[float]) -> None:
        """Add an episode as it is judged (`models.detection.engine.Witness`)."""
        name = PUBLIC.episode(subscriber, episode.first.event)
        if name not in self.cases:
            self.cases[name] = self._ids.episode(subscriber, episode.first.event)
        rows = self.moments[subscriber, name]
        for moment in moments:
            rows.setdefault(astuple(moment.features), moment.at)


def samples_of(folders: Sequence[CityFolder], policy: Policy, outcomes: Outcomes, ids: Ids = PUBLIC) -> Samples:
    """The samples of some cities; ``outcomes``: the officers' last outcomes, by case as ``ids`` name the cases.

    Cases from before the site had a key are known by their public names.
    """
    samples = Samples()
    for folder in folders:
        truths: dict[str, list[Truth]] = defaultdict(list)
        for truth in folder.truths:
            truths[truth.subscriber].append(truth)
        seen = Seen(ids)
        Operation(folder, [Contender(PointScore(), policy)], seen.witness).run(lambda hours: None)
        samples.take(seen, truths, outcomes)
    return samples
