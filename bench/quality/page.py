"""The page: docs/quality.md, from what was measured alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from bench.quality.playing import KNOWN, KNOWN_AFTER_H, Real, Verdicts
from bench.quality.verdict import Verdict
from models.indicators.indicator import SUSPECTED


def page(
    verdicts: Verdicts,
    by_share: Mapping[float, Verdict],
    real: Real | None,
    left_out: Sequence[str],
    asked: str,
    asked_of_shares: str,
) -> str:
    """The page's Markdown. ``left_out``: scripts that the first model was not trained on; ``asked``: which cities."""
    ours = next(iter(verdicts.rivals))
    return "\n".join(
        [
            *_head(asked),
            *_rivals(verdicts),
            *_wrong(ours, verdicts.rivals[ours], verdicts.derived),
            *_by_script(ours, verdicts.rivals[ours], left_out),
            *_curve(verdicts),
            *_shares(by_share, asked_of_shares),
            *_nothing_known(verdicts.rivals[ours], verdicts.suspected, real),
            "",
        ]
    )


def _head(asked: str) -> Iterator[str]:
    yield from (
        "# Quality",
        "",
        f"Made by `make quality`: {asked}, none of which the model was trained on. {KNOWN:.0%} of gangs' numbers and "
        f"domains become known, half of those within {KNOWN_AFTER_H:g} hours of their first use; some numbers are "
        "reported by mistake. The site [looks back](ledger.md) when something becomes known, [pivots](pivoting.md) and "
        "[suspects](suspicion.md).",
        "",
        "Alerts are those for officers, `urgent` and `high`. One is right if the person had at least kept talking to a "
        "gang, or paid, in any scam of the time. A victim counts as knowable whom something known by then had touched "
        "before the first payment.",
        "",
    )


def _rivals(verdicts: Verdicts) -> Iterator[str]:
    yield from (
        "| model | knowable victims warned before they paid | alerts that are right | of those that stood two minutes "
        "| a day and 100,000 people | median lead, same-day scams |",
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
        "The first is the [model](../models/artifacts/risk.md) that comes with Forewarn, with `policy.yaml`; the "
        "second the points, with `examples/policy-points.yaml`; the third alerts about every contact.",
        "",
    )


def _wrong(name: str, verdict: Verdict, derived: int) -> Iterator[str]:
    untried = verdict.alerts - verdict.right - verdict.hung_up
    yield from (
        f"Of the {verdict.alerts} alerts of `{name}`, {verdict.hung_up} were about people whom a gang had tried in "
        f"vain, {untried} about people whom none had tried but who were in touch with a number that was reported by "
        f"mistake. The sites found {derived} numbers by themselves.",
        "",
    )


def _by_script(name: str, verdict: Verdict, left_out: Sequence[str]) -> Iterator[str]:
    yield from (
        f"## By scam, with `{name}`",
        "",
        "| scam | paid | knowable | warned before | alerts that named it | of them right | median lead, same day |",
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


def _curve(verdicts: Verdicts) -> Iterator[str]:
    yield from (
        "## Where to send officers",
        "",
        "The same cities, with officers sent from a risk on, whatever the stage. The model's risk is a probability; "
        "the points are not.",
        "",
        "![Precision against recall](plots/quality-trade-off.svg)",
        "",
        f"| from a risk of | {' | '.join(f'`{name}`: warned | right' for name in verdicts.curves)} |",
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
        f"{asked}; of all who paid, and of those who were knowable.",
        "",
        "![Against the share that is known](plots/quality-known.svg)",
        "",
        "| known | paid | knowable | warned, of all | warned, of the knowable | alerts that are right |",
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
        f"Of all {total.victims} who paid, {unknown} had been touched by nothing that was known by then. Behaviour is "
        f"all there is: the sites [suspected](suspicion.md) {suspected} numbers.",
        "",
        "| | | wanted |",
        "|---|---|---|",
        f"| of those victims, warned before they paid | {_share(total.warned_unknown, unknown)} | 30 % |",
        f"| alerts that rested on a suspicion, right | {_share(verdict.said_right[SUSPECTED], said)} | 80 % |",
    )
    if real is not None:
        days = real.people * real.days
        yield from (
            f"| alerts of any severity in {days:,} subscriber-days of real people, for 1,000 "
            f"| {real.alerts}: {real.alerts / days * 1000:.2f} | 1 |",
            "",
            f"The last are the {real.records:,} records of {real.people} people over {real.days} days (Copenhagen "
            "Networks Study), each SMS with a real text (UCI), no indicators; "
            f"{real.suspected} of their numbers were suspected.",
        )


def _share(some: int, of: int) -> str:
    return f"{some} of {of}: {some / of:.0%}" if of else "–"


def _minutes(leads: Sequence[float]) -> str:
    return f"{median(leads):.0f} min ({len(leads)})" if leads else "–"
