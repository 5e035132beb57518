"""Calibration: ``python -m bench.calibration`` compares the simulated city with real figures in docs/city-figures.md.

The real figures are the published medians of a Chinese carrier's labelled users (`shared/data/README.md`) and the calls
among some 600 people of the Copenhagen Networks Study. The study is read if it is available; only distributions are
kept.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import msgspec
import numpy as np
from sklearn.metrics import roc_auc_score

from bench.records import REAL, ROOT
from models.base.durations import DAY, HOUR
from models.city.chance import BEGIN
from models.city.city import City
from streams.cli.progress import count_bar
from streams.files.scam_scripts import OURS, read_scripts

PAGE = ROOT / "docs" / "city-figures.md"
PLOTS = ROOT / "docs" / "plots"
CARRIER = {
    "ordinary": {"contacts": 61.0, "calls per contact": 6.76, "outgoing share": 0.52, "active days": 31.0},
    "fraud": {"contacts": 138.0, "calls per contact": 1.24, "outgoing share": 0.97, "active days": 6.0},
    "duration AUC": {"fraud against ordinary": 0.52},
}
"""Medians of 6,106 labelled users of a Chinese carrier over about a month each; `shared/data/README.md`."""
FEWEST = 20
"""A gang's number with fewer contacts would not have been labelled by a carrier."""


class Call(msgspec.Struct):
    """The fields of a call record that count here."""

    subscriber: str
    peer: str
    direction: str
    phase: str
    at: int
    duration_s: int = -1


@dataclass(slots=True)
class Person:
    """The calls of one person, summed up."""

    calls: int = 0
    out: int = 0
    contacts: Counter[Any] = field(default_factory=Counter)
    days: set[int] = field(default_factory=set)

    def add(self, peer: Any, is_out: bool, at: int) -> None:
        """Count a call at a time in milliseconds since the first midnight."""
        self.calls += 1
        self.out += is_out
        self.contacts[peer] += 1
        self.days.add(at // DAY)


@dataclass(slots=True)
class CallFigures:
    """The calls of a group of people, summed up."""

    people: dict[Any, Person] = field(default_factory=lambda: defaultdict(Person))
    durations: list[int] = field(default_factory=list)
    """Talk time of answered calls, in seconds."""
    unanswered: int = 0
    hours: Any = field(default_factory=lambda: np.zeros(24))

    def add(self, who: Any, peer: Any, is_out: bool, at: int, seconds: int) -> None:
        """Count a call of one of these people; ``at`` as in `Person.add`, ``seconds`` of talk."""
        self.people[who].add(peer, is_out, at)
        self.hours[at // HOUR % 24] += 1
        if seconds > 0:
            self.durations.append(seconds)
        else:
            self.unanswered += 1

    def medians(self, fewest: int = 1) -> dict[str, float]:
        """Medians over the people with at least ``fewest`` contacts."""
        some = [person for person in self.people.values() if len(person.contacts) >= fewest]
        return {
            "contacts": float(np.median([len(person.contacts) for person in some])),
            "calls per contact": float(np.median([person.calls / len(person.contacts) for person in some])),
            "outgoing share": float(np.median([person.out / person.calls for person in some])),
            "active days": float(np.median([len(person.days) for person in some])),
        }

    @property
    def unanswered_share(self) -> float:
        """The share of all calls that nobody answered."""
        return self.unanswered / (self.unanswered + len(self.durations))


def figures_of(city: City, done: Any) -> tuple[CallFigures, CallFigures]:
    """The calls of the city's people, and the calls of the gangs' numbers. ``done`` is called for each hour."""
    people, called_by = CallFigures(), CallFigures()
    records: list[Call] = []
    decode = msgspec.json.Decoder(Call).decode
    gangs: set[str] = set()
    for hour, (lines, _) in enumerate(city.hours()):
        if hour % 24 == 0:  # gangs plan their numbers and domains at midnight
            gangs = {used.value for truth in city.truths for used in truth.indicators}
        done(1)
        for line in lines:
            call = decode(line)
            if call.phase == "end":
                people.add(call.subscriber, call.peer, call.direction == "out", call.at - BEGIN, call.duration_s)
                if call.peer in gangs:
                    records.append(call)
    for call in records:
        called_by.add(call.peer, call.subscriber, call.direction == "in", call.at - BEGIN, call.duration_s)
    return people, called_by


def copenhagen() -> CallFigures | None:
    """The calls of the Copenhagen Networks Study, each counted for both sides; None if the data is missing."""
    path = REAL / "copenhagen" / "calls.csv"
    if not path.is_file():
        return None
    found = CallFigures()
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            at, seconds = int(row["timestamp"]) * 1000, int(row["duration"])
            found.add(row["caller"], row["callee"], True, at, seconds)
            found.people[row["callee"]].add(row["caller"], False, at)
    return found


@click.command()
@click.option("--people", default=20_000, show_default=True)
@click.option("--days", default=28, show_default=True)
@click.option("--seed", default=7, show_default=True)
def main(people: int, days: int, seed: int) -> None:
    """Make a city and write its distributions beside real ones, with plots."""
    city = City(people, days, seed, read_scripts(OURS), 0.4, 6)
    with count_bar("hours", days * 24) as bar:
        ours, gangs = figures_of(city, bar)
    real = copenhagen()
    PLOTS.mkdir(exist_ok=True)
    draw(ours, real)
    PAGE.write_text(page(ours, gangs, real, people, days, seed), encoding="utf-8")
    click.echo(f"written: {PAGE.relative_to(ROOT)} and {PLOTS.relative_to(ROOT)}/city-*.svg", err=True)


def page(ours: CallFigures, gangs: CallFigures, real: CallFigures | None, people: int, days: int, seed: int) -> str:
    """The page's Markdown."""
    rng = np.random.default_rng(seed)
    some = rng.choice(np.array(ours.durations), 20 * len(gangs.durations))
    labels = np.repeat([1, 0], [len(gangs.durations), len(some)])
    auc = roc_auc_score(labels, np.concatenate((gangs.durations, some)))
    mine, theirs = ours.medians(), gangs.medians(FEWEST)
    lines = [
        "# The simulated city beside real figures",
        "",
        f"`python -m bench.calibration` writes this page, from a city of {people:,} people and {days} days, seed "
        f"{seed}. [What the city is](city.md).",
        "",
        "Medians over people, from calls alone. The real people are labelled users of a Chinese carrier, with about a "
        "month of calls each.",
        "",
        "| median of | city, people | real, ordinary | city, gangs' numbers | real, fraud |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {mine[name]:.3g} | {ordinary:g} | {theirs[name]:.3g} | {CARRIER['fraud'][name]:g} |"
            for name, ordinary in CARRIER["ordinary"].items()
        ),
        f"| how well a call's duration tells fraud apart (AUC; 0.5 is chance) | {auc:.2f} | 0.52 | | |",
        "",
        f"Of the gangs' numbers, only those that reached at least {FEWEST} people count: a carrier labels no others.",
        "",
    ]
    if real is not None:
        lines += [
            "Calls of the city beside those of the Copenhagen Networks Study, of students who called each other:",
            "",
            "| | city | Copenhagen |",
            "|---|---|---|",
            f"| not answered | {ours.unanswered_share:.0%} | {real.unanswered_share:.0%} |",
            *(
                f"| seconds of talk, {share} % are shorter | {np.percentile(ours.durations, share):.0f} | "
                f"{np.percentile(real.durations, share):.0f} |"
                for share in (10, 25, 50, 75, 90, 97)
            ),
            f"| calls between 8 and 20 o'clock | {_daytime(ours):.0%} | {_daytime(real):.0%} |",
            "",
            "The study's calls are shorter: its people are students, and friends of each other. The start of its clock "
            "is unknown, so its hours are right only if it was midnight. It counts only contacts among its own people, "
            "so compare the shapes of the curves, not where they end.",
            "",
        ]
    lines += [f"![{title}](plots/city-{name}.svg)" for name, title in TITLES.items()]
    return "\n".join(lines) + "\n"


def _daytime(figures: CallFigures) -> float:
    return float(figures.hours[8:20].sum() / figures.hours.sum())


TITLES: Mapping[str, str] = {
    "contacts": "Contacts a person",
    "calls": "Calls a contact",
    "durations": "Seconds of talk",
    "hours": "Calls by the hour of day",
}


def draw(ours: CallFigures, real: CallFigures | None) -> None:
    """Write the plots as SVG. The same figures give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.hashsalt": "forewarn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    named = [("city", ours, "#1f6f8b")] + ([("Copenhagen", real, "#d1603d")] if real is not None else [])
    for name, title in TITLES.items():
        figure = Figure(figsize=(5.2, 2.9), layout="constrained")
        axes = figure.subplots()
        for label, figures, colour in named:
            if name == "hours":
                axes.plot(figures.hours / figures.hours.sum() * 100, label=label, color=colour, linewidth=1.8)
            else:
                _share_beyond(axes, values(figures, name), label, colour)
        axes.set_title(title, loc="left")
        axes.set_xlabel("hour of day" if name == "hours" else title.lower())
        axes.set_ylabel("% of calls" if name == "hours" else "share at least as large")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        figure.savefig(PLOTS / f"city-{name}.svg", metadata={"Date": None})


def values(figures: CallFigures, name: str) -> Sequence[float]:
    """The values whose distribution the plot ``name`` shows."""
    if name == "contacts":
        return [len(person.contacts) for person in figures.people.values()]
    if name == "calls":
        return [count for person in figures.people.values() for count in person.contacts.values()]
    return figures.durations


def _share_beyond(axes: Any, some: Iterable[float], label: str, colour: str) -> None:
    """Draw the share of values that are at least this large, on logarithmic axes: a heavy tail falls slowly."""
    numbers, counts = np.unique(np.fromiter(some, dtype=float), return_counts=True)
    beyond = 1 - np.concatenate(([0], np.cumsum(counts)[:-1])) / counts.sum()
    kept = np.unique(np.geomspace(1, len(numbers), 400).astype(int) - 1)
    axes.loglog(numbers[kept], beyond[kept], label=label, color=colour, linewidth=1.8)


if __name__ == "__main__":
    main()
