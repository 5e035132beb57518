"""Worries: each thing that is wrong is said once, with an entry of the runbook that exists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from models.policy.policy import SEVERITIES
from streams.overview.overview import Overview
from streams.overview.picture import picture
from streams.overview.scrape import Scrape
from streams.overview.summing import SILENT, overview
from streams.overview.worries import (
    LAG_S,
    LETTERS_PER_SECOND,
    REDIS_SHARE,
    SKEW_S,
    UNACKNOWLEDGED_S,
    Worry,
    worries,
)
from streams.setting_values import Address, Target
from streams.settings import Settings
from tests.overviews import demo_day, saying
from tests.prometheus import PACK

BEFORE, NOW = demo_day()
WORKER, HUNTER, DISPATCHER, CONSOLE = NOW
RUNBOOK = (Path(__file__).parents[3] / "docs" / "runbook.md").read_text(encoding="utf-8")
EXPRESSIONS = {
    rule.get("alert", ""): rule["expr"]
    for path in (PACK / "rules").glob("*.yaml")
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
OTHER = Target("worker", Address("10.0.0.2", 8890))


def away(scrape: Scrape) -> Scrape:
    """The same program, away."""
    return Scrape(scrape.target, scrape.at, away="connection refused")


def second(text: str = "") -> Scrape:
    """A second worker that says this besides."""
    return replace(saying(WORKER, text) if text else WORKER, target=OTHER)


def shown(site: Overview, found: Sequence[Worry]) -> str:
    """The page as a wide terminal shows it."""
    console = Console(width=200)
    with console.capture() as page:
        console.print(picture(site, found, Settings().time_zone))
    return page.get()


WRONG = {
    "ForewarnNoWorker": (away(WORKER), HUNTER, DISPATCHER, CONSOLE),
    "ForewarnWorkerGone": (WORKER, away(second())),
    "ForewarnNoHunter": (WORKER, away(HUNTER)),
    "ForewarnNoDispatcher": (WORKER, away(DISPATCHER)),
    "ForewarnNoConsole": (WORKER, away(CONSOLE)),
    "ForewarnStandingStill": (replace(WORKER, stuck="no offset has moved for 61 s"),),
    "ForewarnServerAway": (saying(WORKER, 'forewarn_ready{part="redis"} 0'),),
    "ForewarnLedgerNotWritten": (saying(WORKER, 'forewarn_ready{part="ledger"} 0'),),
    "ForewarnNotReady": (saying(WORKER, 'forewarn_ready{part="indicators"} 0'),),
    "ForewarnPolicyRefused": (saying(WORKER, "forewarn_policy_refused 1"),),
    "ForewarnVersionsDiffer": (WORKER, second('forewarn_build_info{version="0.2.0"} 1')),
    "ForewarnPoliciesDiffer": (WORKER, second('forewarn_policy_info{version="other"} 1')),
    "ForewarnModelsDiffer": (WORKER, second('forewarn_model_info{model="points"} 1')),
    "ForewarnLag": (saying(WORKER, 'forewarn_lag_seconds{topic="calls"} 31'),),
    "ForewarnTransactionOpen": (saying(WORKER, 'forewarn_unstable_records{topic="calls",partition="0"} 5'),),
    "ForewarnRecordsExpired": (saying(WORKER, 'forewarn_expired_records_total{topic="calls"} 5'),),
    "ForewarnClockSkew": (saying(WORKER, 'forewarn_clock_skew_seconds{topic="calls"} 121'),),
    "ForewarnDeadLettersJump": (saying(WORKER, 'forewarn_dead_letters_total{topic="calls",reason="json"} 5'),),
    "ForewarnUrgentUnacknowledged": (
        saying(DISPATCHER, f'forewarn_unacknowledged_since_seconds{{severity="urgent"}} {DISPATCHER.at - 301}'),
    ),
    "ForewarnNoIndicators": (saying(WORKER, 'forewarn_indicators{type="number"} 0'),),
    "ForewarnRedisAlmostFull": (saying(WORKER, "forewarn_redis_used_bytes 90\nforewarn_redis_limit_bytes 100"),),
    "ForewarnLedgerDiskFills": (saying(WORKER, "forewarn_ledger_free_bytes 9\nforewarn_ledger_disk_bytes 100"),),
    "ForewarnFeedSilent": (
        saying(
            WORKER,
            f'forewarn_source_time_seconds{{topic="calls",source="(none)"}} {WORKER.at - 601}',
        ),
    ),
}
"""What is seen of a site of which one thing is wrong, by the entry of the runbook that it leads to."""


def test_nothing_is_wrong_on_a_demo_day() -> None:
    """A page that always warns is not read."""
    assert worries(overview(BEFORE, NOW)) == ()


@pytest.mark.parametrize("entry", WRONG)
def test_what_is_wrong_leads_to_its_entry_alone(entry: str) -> None:
    """The entry is a heading of the runbook, and the page names it."""
    site = overview(BEFORE, WRONG[entry])
    found = worries(site)

    assert [each.entry for each in found] == [entry]
    assert re.search(rf"^## {entry}$", RUNBOOK, re.MULTILINE)
    assert entry in shown(site, found)


def test_a_source_is_not_called_silent_while_its_topic_is_not_read() -> None:
    """Nobody is to phone the carrier because a worker stands still."""
    quiet = f'forewarn_source_time_seconds{{topic="calls",source="(none)"}} {WORKER.at - 900}\n'
    found = worries(overview(BEFORE, (saying(WORKER, quiet + 'forewarn_lag_seconds{topic="calls"} 900\n'),)))

    assert [each.entry for each in found] == ["ForewarnLag"]


def test_what_keeps_people_from_being_warned_comes_first() -> None:
    """Whatever order it was found in."""
    found = worries(overview(BEFORE, (WORKER, away(HUNTER), away(DISPATCHER))))

    assert [(each.entry, each.level) for each in found] == [
        ("ForewarnNoDispatcher", "bad"),
        ("ForewarnNoHunter", "look"),
    ]


@pytest.mark.parametrize(
    ("alert", "threshold"),
    [
        ("ForewarnLag", f"> {LAG_S:g}"),
        ("ForewarnClockSkew", f"> {SKEW_S:g}"),
        ("ForewarnUrgentUnacknowledged", f"> {UNACKNOWLEDGED_S:g}"),
        ("ForewarnDeadLettersJump", f"> {LETTERS_PER_SECOND:g} +"),
        ("ForewarnRedisAlmostFull", f"> {REDIS_SHARE:g}"),
        *(
            ("ForewarnFeedSilent", f"offset {after_s / per_s:g}{unit})) > {per_s * rate:g} / {per_s}")
            for (after_s, rate), per_s, unit in zip(SILENT, (60, 3600), "mh", strict=True)
        ),
    ],
)
def test_a_worry_begins_where_its_alert_does(alert: str, threshold: str) -> None:
    """Otherwise the page and the pager would contradict each other."""
    assert threshold in EXPRESSIONS[alert]


def test_what_a_program_says_is_no_markup() -> None:
    """A name in brackets would colour the page, or break it."""
    site = overview(BEFORE, (saying(WORKER, 'forewarn_model_info{model="[/red] :bomb:"} 1'),))

    assert "[/red] :bomb:" in shown(site, worries(site))


def test_the_page_shows_every_part_of_a_demo_day() -> None:
    """Names, counts and severities; a wide terminal cuts nothing."""
    site = overview(BEFORE, NOW)
    text = shown(site, ())

    assert "4 of 4 programs answer" in text
    assert all(f" {severity} " in text for severity in SEVERITIES)
    assert all(each.address in text for each in site.programs)
    assert "9 open at station" in text
    assert "302 domain" in text
