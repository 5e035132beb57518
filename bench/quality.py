"""Quality: ``make quality`` plays fresh cities and writes docs/quality.md: who was warned in time, who for nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

import click
from msgspec.structs import astuple

from bench.records import ROOT
from models.city.acting import Truth
from models.city.chance import DAY, MINUTE
from models.city.city import City
from models.features import CONTACT_FEATURES, Features
from models.policy import Policy
from models.risk import Model, PointScore
from streams import policy_file
from streams.cities import Simulated
from streams.cli.progress import count_bar
from streams.operation import Issued, Operation
from streams.scam_scripts import OURS, read_scripts
from streams.settings import Settings

PAGE = ROOT / "docs" / "quality.md"
OFFICER = ("urgent", "high")
"""The severities for which an officer calls or knocks."""
ACKNOWLEDGE_MS = 120_000
"""In which a station acknowledges an urgent order; one that is withdrawn before sends nobody."""


class AnyContact:
    """The plain rule: whoever was in contact with a known number or domain is alerted."""

    name = "any-contact@1"

    def risk(self, moments: Sequence[Features], policy: Policy) -> list[float]:
        """1 for every moment with a contact."""
        return [float(any(astuple(moment)[: len(CONTACT_FEATURES)])) for moment in moments]


@dataclass
class Tally:
    """What alerts for officers come to, of the victims of one script or of all."""

    victims: int = 0
    """People who paid."""
    knowable: int = 0
    """Those whom something known by then had touched before they first paid."""
    warned: int = 0
    """Those of them for whom an officer was sent before they first paid."""
    leads: list[float] = field(default_factory=list)
    """Minutes from that alert to the first payment, of those who paid within a day of the first contact."""

    @property
    def recall(self) -> float:
        """The share of the knowable who were warned."""
        return self.warned / self.knowable if self.knowable else float("nan")


@dataclass
class Verdict:
    """How one model did in some cities."""

    by_script: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    alerts: int = 0
    """Episodes for which an officer was sent."""
    right: int = 0
    """Those of people who had at least kept talking to a gang, or paid, in any scam of the time."""
    hung_up: int = 0
    """Those of people whom a gang tried in vain."""
    stood: int = 0
    """Those whose alert was not taken back within `ACKNOWLEDGE_MS`: a call begins before anybody knows how it ends."""
    stood_right: int = 0
    person_days: int = 0

    @property
    def all(self) -> Tally:
        """All scripts together."""
        total = Tally()
        for tally in self.by_script.values():
            total.victims += tally.victims
            total.knowable += tally.knowable
            total.warned += tally.warned
            total.leads += tally.leads
        return total

    def add(self, truths: Sequence[Truth], issued: Sequence[Issued], person_days: int) -> None:
        """Judge the alerts of one city by its truth."""
        sent: dict[str, list[Issued]] = defaultdict(list)
        seen: set[str] = set()
        for each in issued:
            alert = each.alert
            if alert.status == "raised" and alert.severity in OFFICER:
                sent[alert.subscriber].append(each)
                if alert.episode not in seen:
                    seen.add(alert.episode)
                    self.alerts += 1
        drawn_in: set[str] = set()
        for truth in truths:
            if truth.stages.keys() & {"medium", "deep", "harmed"}:
                drawn_in.add(truth.subscriber)
            if truth.paid_at is not None:
                self._victim(truth, truth.paid_at, sent[truth.subscriber])
        tried = {truth.subscriber for truth in truths} - drawn_in
        self.right += len({each.alert.episode for who in drawn_in for each in sent[who]})
        self.hung_up += len({each.alert.episode for who in tried for each in sent[who]})
        stood = _stood(issued)
        self.stood += len(stood)
        self.stood_right += len(stood & {each.alert.episode for who in drawn_in for each in sent[who]})
        self.person_days += person_days

    def _victim(self, truth: Truth, paid_at: int, sent: Sequence[Issued]) -> None:
        tally = self.by_script[truth.script]
        tally.victims += 1
        if not any(each.known_at is not None and max(each.known_at, each.at) < paid_at for each in truth.indicators):
            return
        tally.knowable += 1
        times = [each.at for each in sent if truth.first_contact <= each.at < paid_at]
        if times:
            tally.warned += 1
            if paid_at - truth.first_contact < DAY:
                tally.leads.append((paid_at - min(times)) / MINUTE)


def _stood(issued: Iterable[Issued]) -> set[str]:
    """The episodes of which an alert for officers was not withdrawn before it could be acknowledged."""
    raised: dict[str, Issued] = {}
    stood: set[str] = set()
    for each in issued:
        before = raised.pop(each.alert.id, None)
        if before is not None and each.at - before.at >= ACKNOWLEDGE_MS:
            stood.add(each.alert.episode)
        if each.alert.status == "raised" and each.alert.severity in OFFICER:
            raised[each.alert.id] = before if before is not None else each
    return stood | {each.alert.episode for each in raised.values()}


@click.command()
@click.option("--people", default=20_000, show_default=True)
@click.option("--days", default=14, show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(101, 102, 103), show_default=True)
def main(people: int, days: int, seeds: tuple[int, ...]) -> None:
    """Play cities and write how each model did."""
    policy = policy_file.load(Settings().policy_file)
    models: list[Model] = [PointScore(), AnyContact()]
    verdicts = [Verdict() for _ in models]
    with count_bar("hours", days * 24 * len(seeds)) as bar:
        for seed in seeds:
            city = City(people, days, seed, read_scripts(OURS), 0.4, 6)
            operation = Operation(Simulated(city), policy, models)
            operation.run(bar)
            for verdict, issued in zip(verdicts, operation.issued, strict=True):
                verdict.add(city.truths, issued, people * days)
    PAGE.write_text(page(models, verdicts, people, days, seeds), encoding="utf-8")
    click.echo(f"written: {PAGE.relative_to(ROOT)}", err=True)


def page(models: Sequence[Model], verdicts: Sequence[Verdict], people: int, days: int, seeds: Sequence[int]) -> str:
    """The page's Markdown."""
    lines = [
        "# Quality",
        "",
        f"Made by `make quality`: {len(seeds)} [simulated cities](city.md) of {people:,} people and {days} days (seeds "
        f"{', '.join(map(str, seeds))}); 40 % of fraud numbers and domains become known, half of those within 6 hours. "
        "Each looks back when it does, as the hunter has it. Policy: `policy.yaml`.",
        "",
        "Alerts are those for officers, `urgent` and `high`. One is right if the person had at least kept talking to a "
        "gang, or paid. A victim counts as knowable whom something known by then had touched before the first payment.",
        "",
        "| model | knowable victims warned before they paid | alerts that are right | of those that stood two minutes "
        "| a day and 100,000 people | median lead, same-day scams |",
        "|---|---|---|---|---|---|",
    ]
    for model, verdict in zip(models, verdicts, strict=True):
        total = verdict.all
        lines.append(
            f"| `{model.name}` | {total.warned} of {total.knowable}: {total.recall:.0%} | "
            f"{_share(verdict.right, verdict.alerts)} | {_share(verdict.stood_right, verdict.stood)} | "
            f"{verdict.alerts / verdict.person_days * 100_000:.1f} | {_minutes(total.leads)} |"
        )
    ours = verdicts[0]
    lines += [
        "| wanted | 95 % | 90 % | | | 15 min |",
        "",
        f"Of the {ours.alerts} alerts of `{models[0].name}`, {ours.hung_up} were about people whom a gang had tried in "
        f"vain (they picked up and hung up, say), {ours.alerts - ours.right - ours.hung_up} about people whom no gang "
        "had tried: they were in touch with a number that was reported by mistake. An alert goes out when a call "
        "begins, before anybody knows how it ends, and is withdrawn when it ends at once.",
        "",
        f"By scam, with `{models[0].name}`:",
        "",
        "| script | paid | knowable | warned before | recall | median lead, same day |",
        "|---|---|---|---|---|---|",
    ]
    for name, tally in sorted(verdicts[0].by_script.items()):
        recall = f"{tally.recall:.0%}" if tally.knowable else "–"
        lines.append(
            f"| {name} | {tally.victims} | {tally.knowable} | {tally.warned} | {recall} | {_minutes(tally.leads)} |"
        )
    total = verdicts[0].all
    lines += [
        "",
        f"Of all {total.victims} who paid, {total.victims - total.knowable} had been touched by nothing that was known "
        "by then. No contact with an indicator, no alert: of those nobody is warned.",
    ]
    return "\n".join(lines) + "\n"


def _share(some: int, of: int) -> str:
    return f"{some} of {of}: {some / of:.0%}" if of else "–"


def _minutes(leads: Sequence[float]) -> str:
    return f"{median(leads):.0f} min ({len(leads)})" if leads else "–"


if __name__ == "__main__":
    main()
