"""Playing: plays the competing models in newly made cities, and in real records without any known fraud."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from bench.quality.savings.played import IN_FORCE, Played, played
from bench.quality.verdict import Verdict
from bench.real import ordinary
from bench.records import REAL, ROOT
from models.base.durations import DAY, HOUR
from models.city.chance import BEGIN
from models.city.city import City
from models.detection.risk import AnyContact, Model, PointScore
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, MessageReader
from models.indicators.indicator import Indicator
from models.policy.policy import SEVERITIES, Policy, Rule, Severity
from streams.files import policy_file
from streams.files.records import packed_lines
from streams.files.scam_scripts import OURS, read_scripts
from streams.simulation.cities import Simulated
from streams.simulation.operation import Contender, Operation

LANGUAGES: Final = {"en": "English", "zh": "Chinese"}
KNOWN: Final = 0.4
KNOWN_AFTER_H: Final = 6.0
RISKS: Final = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""The risks at which the model's curve of precision against recall is sampled."""
FEWER_RISKS: Final = RISKS[::2]
"""The same for the points; fewer, since their many alerts take most of the time."""


@dataclass
class Verdicts:
    """The results of all competing models."""

    rivals: dict[str, Verdict] = field(default_factory=lambda: defaultdict(Verdict))
    """The verdicts by model; each model plays with its own policy."""
    curves: dict[str, dict[float, Verdict]] = field(default_factory=lambda: defaultdict(partial(defaultdict, Verdict)))
    """The verdicts by model and by the risk from which officers are sent, whatever the stage."""
    by_group: dict[str, Verdict] = field(default_factory=lambda: defaultdict(Verdict))
    """The verdicts of the trained model by age band and by language of the people."""
    derived: int = 0
    """The count of numbers that the sites derived from the domains that these numbers send."""
    suspected: int = 0
    """The count of numbers that the sites suspected for their behaviour."""
    played: list[Played] = field(default_factory=list)
    """Each city's orders for the model, by policy, from which follows what alerts are worth."""

    def __iadd__(self, other: Verdicts) -> Verdicts:
        """Add the verdicts of another city."""
        for name, verdict in other.rivals.items():
            self.rivals[name] += verdict
        for name, by_risk in other.curves.items():
            for risk, verdict in by_risk.items():
                self.curves[name][risk] += verdict
        for group, verdict in other.by_group.items():
            self.by_group[group] += verdict
        self.derived += other.derived
        self.suspected += other.suspected
        self.played += other.played
        return self


def policies() -> tuple[Policy, Policy]:
    """The policy of the trained model, and the policy of the points."""
    return policy_file.load(ROOT / "policy.yaml"), policy_file.load(ROOT / "examples" / "policy-points.yaml")


def compare(model: Model, seed: int, people: int, days: int) -> Verdicts:
    """Play a city with the model, the points and the plain rule side by side."""
    verdicts = Verdicts()
    ours, theirs = policies()
    rivals = [Contender(model, ours), Contender(PointScore(), theirs), Contender(AnyContact(), ours)]
    sampled = [(rivals[0], risk) for risk in RISKS] + [(rivals[1], risk) for risk in FEWER_RISKS]
    contenders = [*rivals, *(Contender(each.model, _from(each.policy, risk)) for each, risk in sampled)]
    city = City(people, days, seed, read_scripts(OURS), KNOWN, KNOWN_AFTER_H)
    operation = Operation(Simulated(city), contenders)
    operation.run(lambda hours: None)
    verdicts.derived = len(operation.derived)
    verdicts.suspected = len({each.value for each in operation.suspected})
    places = [verdicts.rivals[each.model.name] for each in rivals]
    places += [verdicts.curves[each.model.name][risk] for each, risk in sampled]
    for place, issued in zip(places, operation.issued, strict=True):
        place.add(city.truths, issued, people * days)
    for group, members in _groups(city).items():
        verdicts.by_group[group].add(
            [truth for truth in city.truths if truth.subscriber in members],
            [each for each in operation.issued[0] if each.alert.subscriber in members],
            len(members) * days,
        )
    ways = [IN_FORCE, *(f"{risk:g}" for risk in RISKS)]
    ours_issued = operation.issued[:1] + operation.issued[len(rivals) : len(rivals) + len(RISKS)]
    verdicts.played.append(played(city, seed, ours, dict(zip(ways, ours_issued, strict=True))))
    return verdicts


def _groups(city: City) -> dict[str, set[str]]:
    """The people of the city by age band and by language."""
    groups: dict[str, set[str]] = defaultdict(set)
    for resident in city.residents():
        groups[f"aged {resident.age_band}"].add(resident.subscriber)
        groups[f"{LANGUAGES[resident.language]} speakers"].add(resident.subscriber)
    return dict(sorted(groups.items()))


def with_known(model: Model, share: float, seed: int, people: int, days: int) -> Verdicts:
    """The model in a city where this share of the gangs' numbers and domains ever becomes known."""
    city = City(people, days, seed, read_scripts(OURS), share, KNOWN_AFTER_H)
    policy = policies()[0]
    operation = Operation(Simulated(city), [Contender(model, policy)])
    operation.run(lambda hours: None)
    verdicts = Verdicts(played=[played(city, seed, policy, {IN_FORCE: operation.issued[0]})])
    verdicts.rivals[model.name].add(city.truths, operation.issued[0], people * days)
    return verdicts


@dataclass(frozen=True, slots=True)
class Real:
    """The counts of alerts and suspicions from the records of real people; no fraudster is known among them."""

    people: int
    days: int
    records: int
    alerts: int
    """Alerts of any severity."""
    suspected: int
    """Suspected numbers."""


class _Study:
    """The Copenhagen Networks Study as a city in which nothing is known: its calls, and its SMS with real texts."""

    begin = BEGIN

    def __init__(self) -> None:
        lines: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        people: set[object] = set()
        every: list[tuple[str, dict[str, Any]]] = sorted(ordinary(), key=lambda each: each[1]["at"])
        for role, record in every:
            lines[role, (record["at"] - BEGIN) // HOUR].append(msgspec.json.encode(record) + b"\n")
            people.add(record["subscriber"])
        self.people, self.records, self._lines = len(people), len(every), lines
        self.days = (every[-1][1]["at"] - BEGIN) // DAY + 1

    def flags(self) -> dict[str, int]:
        return {}

    def hours(self) -> Iterator[tuple[Calls, Messages]]:
        calls, sms = CallReader(keyed=False), MessageReader(keyed=False)
        for hour in range(self.days * 24):
            told, written = (b"".join(self._lines[role, hour]) for role in ("calls", "sms"))
            yield calls.read(packed_lines(told)).events, sms.read(packed_lines(written)).events

    def indicators(self) -> Sequence[Indicator]:
        return ()


def copenhagen(model: Model) -> Real | None:
    """Play the study's records without any indicator; None if the data is missing."""
    if not (REAL / "copenhagen" / "calls.csv").is_file():
        return None
    study = _Study()
    operation = Operation(study, [Contender(model, policies()[0])])
    operation.run(lambda hours: None)
    raised = [each for each in operation.issued[0] if each.alert.status == "raised"]
    return Real(study.people, study.days, study.records, len(raised), len(operation.suspected))


def _from(policy: Policy, risk: float) -> Policy:
    """The policy that sends officers from this risk on, whatever the stage; its rules for urgent hold above it."""
    urgent = [replace(rule, risk=max(rule.risk, risk)) for rule in policy.severities["urgent"]]
    others: dict[Severity, list[Rule]] = {each: [Rule(risk=risk)] for each in SEVERITIES}
    return replace(policy, severities=others | {"urgent": urgent})
