"""The page: docs/quality.md, made from the measured figures alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from statistics import median

from bench.quality.playing import KNOWN, KNOWN_AFTER_H, Real, Verdicts
from bench.quality.rarity import SHARES, TRUE_RATE, alerts_a_day, precision
from bench.quality.savings.findings import Findings
from bench.quality.savings.section import section
from bench.quality.verdict import Verdict
from models.comparison.intervals import Estimate, wilson
from models.indicators.indicator import SUSPECTED


def page(
    verdicts: Verdicts,
    by_share: Mapping[float, Verdict],
    real: Real | None,
    worth: Findings,
    left_out: Sequence[str],
    asked: str,
    asked_of_shares: str,
) -> str:
    """The page's Markdown.

    ``left_out``: scripts that the first model was not trained on; ``asked``: the cities, in words;
    ``asked_of_shares``: those in which the known share differs.
    """
    ours = next(iter(verdicts.rivals))
    return "\n".join(
        [
            *_head(asked),
            *_rare(verdicts.rivals[ours]),
            "## With all gangs",
            "",
            *_rivals(verdicts),
            *_wrong(ours, verdicts.rivals[ours], verdicts.derived),
            *_by_script(ours, verdicts.rivals[ours], left_out),
            *_by_group(verdicts.by_group),
            *_curve(verdicts),
            *_shares(by_share, asked_of_shares),
            *_nothing_known(verdicts.rivals[ours], verdicts.suspected, real),
            "",
            *section(worth),
        ]
    )


def _head(asked: str) -> Iterator[str]:
    yield from (
        "# Quality",
        "",
        f"`make quality` writes this page. It plays {asked}. The model was trained on none of them. {KNOWN:.0%} of the "
        f"gangs' numbers and domains become known, half of these within {KNOWN_AFTER_H:g} hours of their first use. "
        "Some harmless numbers are reported by mistake. The site [looks back](ledger.md) when something becomes known, "
        "[pivots](pivoting.md) and [suspects](suspicion.md).",
        "",
        "What the words in the tables mean:",
        "",
        "- **Alert**: an alert for officers (`urgent` or `high`); each episode counts once.",
        "- **Right**: the person had at least kept talking to a gang, or had paid, in any scam of the time.",
        "- **Victim**: a person who paid. A victim is **knowable** if something that was known by then had touched the "
        "person before the first payment.",
        "- **Warned**: there was an alert for the person before the first payment.",
        "- **Lead**: the time from the first alert to the first payment, for knowable victims who were warned and paid "
        "within a day of the first contact. The number of these people is in brackets.",
        "",
    )


def _rare(verdict: Verdict) -> Iterator[str]:
    total = verdict.all
    recall = wilson(total.warned, total.knowable)
    bar = precision(verdict, TRUE_RATE)
    yield from (
        "## As rare as in life",
        "",
        "Victims in these cities are some twenty times as frequent as police and banks "
        f"[publish](city.md#as-rare-as-in-life). With {TRUE_RATE:g} of the gangs and the policy that comes with "
        "Forewarn:",
        "",
        "| | measured | 95 of 100 measurements | wanted |",
        "|---|---|---|---|",
        f"| right alerts | {_percent(bar.share)} | {_interval(bar)} | 80 % |",
        f"| knowable victims warned | {_percent(recall.share)} | {_interval(recall)} | 95 % |",
        f"| alerts a day for 100,000 people | {alerts_a_day(verdict, TRUE_RATE):.2f} | | |",
        "",
        f"Of the {verdict.alerts} alerts in the cities with all gangs, {verdict.alerts - verdict.of_gangs} rest on "
        f"harmless numbers alone and count fully. The others, of which {verdict.right_of_gangs} were right, count with "
        "the share of gangs, because gangs do not know of each other. The interval takes alerts as independent.",
        "",
        "![Right alerts against the share of gangs](plots/quality-rarity.svg)",
        "",
        "| share of the gangs | right alerts | 95 of 100 measurements | alerts a day for 100,000 people |",
        "|---|---|---|---|",
    )
    for share in SHARES:
        found = precision(verdict, share)
        yield f"| {share:g} | {_percent(found.share)} | {_interval(found)} | {alerts_a_day(verdict, share):.2f} |"
    yield ""


def _interval(found: Estimate) -> str:
    return f"{_percent(found.low)} to {_percent(found.high)}"


def _percent(share: float) -> str:
    return "–" if isnan(share) else f"{share:.0%}"


def _rivals(verdicts: Verdicts) -> Iterator[str]:
    yield from (
        "| model | knowable victims warned | right alerts | right among alerts that stood for two minutes "
        "| alerts a day for 100,000 people | median lead |",
        "|---|---|---|---|---|---|",
    )
    for name, verdict in verdicts.rivals.items():
        total = verdict.all
        yield (
            f"| `{name}` | {_share(total.warned, total.knowable)} | {_share(verdict.right, verdict.alerts)} | "
            f"{_share(verdict.stood_right, verdict.stood)} | {verdict.alerts / verdict.person_days * 100_000:.1f} | "
            f"{_minutes(total.leads)} |"
        )
    yield from (
        "| wanted | 95 % | 90 % | | | 15 min |",
        "",
        "The first is the [model](../models/artifacts/risk.md) that comes with Forewarn, with `policy.yaml`. The "
        "second is the points, with `examples/policy-points.yaml`. The third raises an alert for every contact. "
        "Stations have two minutes to acknowledge an urgent order, and an alert that is withdrawn sooner sends nobody.",
        "",
    )


def _wrong(name: str, verdict: Verdict, derived: int) -> Iterator[str]:
    untried = verdict.alerts - verdict.right - verdict.hung_up
    yield from (
        f"Of the {verdict.alerts} alerts of `{name}`, {verdict.hung_up} were wrong because a gang had tried the person "
        f"in vain. Another {untried} were wrong because no gang had tried the person, who had been in contact with a "
        f"number that was reported by mistake. By pivoting, the sites found {derived} numbers.",
        "",
    )


def _by_script(name: str, verdict: Verdict, left_out: Sequence[str]) -> Iterator[str]:
    yield from (
        f"## By scam, with `{name}`",
        "",
        "| scam | victims | knowable | knowable victims warned | alerts that named it | right among these "
        "| median lead |",
        "|---|---|---|---|---|---|---|",
    )
    for script in sorted({*verdict.by_script, *verdict.said}):
        tally, said = verdict.by_script[script], verdict.said[script]
        mark = " (not trained on)" if script in left_out else ""
        yield (
            f"| {script}{mark} | {tally.victims} | {tally.knowable} | {_share(tally.warned, tally.knowable)} "
            f"| {said} | {_share(verdict.said_right[script], said)} | {_minutes(tally.leads)} |"
        )
    yield ""


def _by_group(by_group: Mapping[str, Verdict]) -> Iterator[str]:
    yield from (
        "## Is anybody served worse?",
        "",
        "The same alerts by the people whom they are about. An interval is where 95 of 100 such "
        "measurements would have put the figure (Wilson's). Small groups have wide ones.",
        "",
        "| people | knowable victims warned | interval | right alerts | interval | alerts a day for 100,000 of them |",
        "|---|---|---|---|---|---|",
    )
    for group, verdict in by_group.items():
        total = verdict.all
        yield (
            f"| {group} | {_share(total.warned, total.knowable)} | {_interval(wilson(total.warned, total.knowable))} "
            f"| {_share(verdict.right, verdict.alerts)} | {_interval(wilson(verdict.right, verdict.alerts))} "
            f"| {verdict.alerts / verdict.person_days * 100_000:.1f} |"
        )
    yield ""


def _curve(verdicts: Verdicts) -> Iterator[str]:
    headings = (f"`{name}`: knowable victims warned | right alerts" for name in verdicts.curves)
    yield from (
        "## Where to send officers",
        "",
        "The same cities, but officers are sent from a certain risk on, whatever the stage. The model's risk is a "
        "probability; the points are not.",
        "",
        "![Precision against recall](plots/quality-trade-off.svg)",
        "",
        f"| from a risk of | {' | '.join(headings)} |",
        f"|---|{'---|' * 2 * len(verdicts.curves)}",
    )
    for risk in sorted({risk for by_risk in verdicts.curves.values() for risk in by_risk}):
        cells = []
        for by_risk in verdicts.curves.values():
            each = by_risk.get(risk, Verdict())
            cells += [_share(each.all.warned, each.all.knowable), _share(each.right, each.alerts)]
        yield f"| {risk:g} | {' | '.join(cells)} |"
    yield ""


def _shares(by_share: Mapping[float, Verdict], asked: str) -> Iterator[str]:
    yield from (
        "## How much must be known",
        "",
        f"{asked}. The rows differ in the share of the gangs' numbers and domains that ever become known.",
        "",
        "![Against the share that is known](plots/quality-known.svg)",
        "",
        "| known | victims | knowable | victims warned | knowable victims warned | right alerts |",
        "|---|---|---|---|---|---|",
    )
    for share, each in sorted(by_share.items()):
        total = each.all
        yield (
            f"| {share:.0%} | {total.victims} | {total.knowable} | "
            f"{_share(total.warned + total.warned_unknown, total.victims)} | "
            f"{_share(total.warned, total.knowable)} | {_share(each.right, each.alerts)} |"
        )
    yield ""


def _nothing_known(verdict: Verdict, suspected: int, real: Real | None) -> Iterator[str]:
    total = verdict.all
    unknown, said = total.victims - total.knowable, verdict.said[SUSPECTED]
    yield from (
        "## Where nothing is known",
        "",
        f"Nothing that was known by then had touched {unknown} of the {total.victims} victims. Only the behaviour of "
        f"the gangs' numbers can give them away: the sites [suspected](suspicion.md) {suspected} numbers.",
        "",
        "| | measured | wanted |",
        "|---|---|---|",
        f"| these victims, warned | {_share(total.warned_unknown, unknown)} | 30 % |",
        f"| right among alerts that rested on a suspicion | {_share(verdict.said_right[SUSPECTED], said)} | 80 % |",
    )
    if real is not None:
        days = real.people * real.days
        yield from (
            f"| alerts of any severity in {days:,} subscriber-days of real people; for each 1,000 days "
            f"| {real.alerts}: {real.alerts / days * 1000:.2f} | 1 |",
            "",
            f"The real people are the {real.people} of the Copenhagen Networks Study: {real.records:,} records over "
            f"{real.days} days, each SMS with a real text (UCI), and no indicators. {real.suspected} of their numbers "
            "were suspected.",
        )


def _share(some: int, of: int) -> str:
    return f"{some} of {of}: {some / of:.0%}" if of else "–"


def _minutes(leads: Sequence[float]) -> str:
    return f"{median(leads):.0f} min ({len(leads)})" if leads else "–"
