"""The section of docs/quality.md about what alerts are worth, made from the findings alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isnan

from bench.quality.savings.findings import Balance, Effect, Findings
from bench.quality.savings.played import IN_FORCE
from bench.quality.savings.worth import DRAWS, LATER, PEOPLE, Range


def section(findings: Findings) -> Iterator[str]:
    """The lines of the section."""
    yield from _head(findings)
    yield from _trade_off(findings)
    yield from _worth(findings)
    yield from _assumptions(findings.effects)
    yield from _limits()


def _head(findings: Findings) -> Iterator[str]:
    now, rare = findings.balances[IN_FORCE]
    yield from (
        "## What alerts are worth",
        "",
        "The same cities, and the whole chain: an alert becomes an order; an officer acknowledges it and calls; an "
        "officer goes to the door if the order is urgent or if nobody answers "
        "([the queue](decisions/0031-a-queue-of-tasks.md)). When officers reach the person is played. Whether that "
        "helps is a chance from the [assumptions](#assumptions-of-the-chain), and it depends on the stage and on the "
        "minutes since the payment. Wrong alerts take officers' time as well, and so do `medium` orders.",
        "",
        f"What a victim pays is drawn by the script: {findings.mean_loss:,.0f} yuan in the mean over "
        f"{findings.victims} victims. Published means are higher: 65,800 yuan for each case in Quzhou (first quarter "
        "of 2021), more than 50,000 for the commonest types in Shanghai. Gangs are some twenty times as frequent in "
        "the cities as in life. So the second row counts gangs, and orders about the people whom they tried, at a "
        "twentieth. The share of the loss is the same, but wrong orders weigh more.",
        "",
        f"Rates are for {PEOPLE:,} people and a day. In brackets: the interval in which 95 of 100 results lie when "
        f"gangs are drawn again ({DRAWS:,} bootstrap draws). It does not cover the assumptions.",
        "",
        "| gangs | loss without warnings, yuan | loss prevented | orders | wrong orders | officer-hours "
        "| yuan saved by an officer-hour | orders that missed a deadline |",
        "|---|---|---|---|---|---|---|---|",
        _row("as in the cities", now),
        _row("a twentieth", rare),
        "",
    )


def _row(name: str, each: Balance) -> str:
    return (
        f"| {name} | {each.lost:,.0f} | {_percent(each.prevented)} | {each.orders:.1f} | {each.wrong:.0%} "
        f"| {each.hours:.1f} | {_yuan(each.per_hour)} | {each.late:.0%} |"
    )


def _trade_off(findings: Findings) -> Iterator[str]:
    yield from (
        "![Loss prevented against officer-hours](plots/quality-savings.svg)",
        "",
        "Officers are sent from a certain risk on, whatever the stage, and as an urgent order where `policy.yaml` says "
        "so. The star is `policy.yaml` itself; it alone has `medium` orders.",
        "",
        "| from a risk of | loss prevented | officer-hours | yuan saved by an officer-hour | officer-hours, gangs at a "
        "twentieth | yuan saved by one of these |",
        "|---|---|---|---|---|---|",
    )
    for name, (each, rare) in sorted(findings.balances.items()):
        yield (
            f"| {'`policy.yaml`' if name == IN_FORCE else name} | {_percent(each.prevented)} | {each.hours:.1f} "
            f"| {_yuan(each.per_hour)} | {rare.hours:.1f} | {_yuan(rare.per_hour)} |"
        )
    yield ""


def _worth(findings: Findings) -> Iterator[str]:
    now, _ = findings.balances[IN_FORCE]
    minute, hundred = findings.minute, findings.hundred
    often, rare = findings.point
    yield from (
        "| what | is worth | in yuan a day for 100,000 people |",
        "|---|---|---|",
        f"| a minute less from event to order (mean over {LATER:g} minutes) | {_percent(minute, 2)} of the loss "
        f"| {_yuan(_times(minute, now.lost))} |",
        f"| a hundred more known numbers and domains in a city of {PEOPLE:,}, in the days played "
        f"| {_percent(hundred)} of the loss | {_yuan(_times(hundred, now.lost))} |",
        f"| a point of precision, as many right orders | {_percent(often, 1)} of the officer-hours; "
        f"{_percent(rare, 1)} with gangs at a twentieth | – |",
        "",
    )


def _assumptions(effects: Sequence[Effect]) -> Iterator[str]:
    yield from (
        "### Assumptions of the chain",
        "",
        "The last two columns say what becomes of the loss prevented and of the yuan saved by an officer-hour if one "
        "assumption has its low or its high value. Minutes are medians; two thirds of all values lie within a factor "
        "of two.",
        "",
        "| assumption | value | low to high | source | loss prevented | yuan by an officer-hour |",
        "|---|---|---|---|---|---|",
    )
    for row, share, per_hour in effects:
        yield (
            f"| {row.words} | {row.value:g} | {row.low:g} to {row.high:g} | {row.source} "
            f"| {share[0]:.0%} to {share[1]:.0%} | {per_hour[0]:,.0f} to {per_hour[1]:,.0f} |"
        )
    yield ""


def _limits() -> Iterator[str]:
    yield from (
        "What the chain leaves out:",
        "",
        "- All payments of a victim count as one, made at the time of the first. Whoever is reached after the first "
        "payment often keeps the later ones, so more is saved than shown.",
        "- A warning by SMS, a warning that reaches people whom the gang would have called tomorrow, and money that is "
        "traced later save nothing here.",
        "- A late order goes up a tier in life, and stations help each other. Here it waits.",
        "- A person who breaks off by themselves has lost nothing, so the time spent on them saves nothing.",
        "- Whether a person believes the officer does not depend on the officer, the playbook or the scam.",
        "",
    )


def _percent(some: Range, digits: int = 0) -> str:
    return _said(some, lambda value: f"{value:.{digits}%}")


def _yuan(some: Range) -> str:
    return _said(some, lambda value: f"{value:,.0f}")


def _said(some: Range, say: Callable[[float], str]) -> str:
    """The figure and its interval; a dash for a figure that means nothing."""
    return "–" if isnan(some.value) else f"{say(some.value)} ({say(some.low)} to {say(some.high)})"


def _times(some: Range, factor: float) -> Range:
    return Range(some.value * factor, some.low * factor, some.high * factor)
