"""Summing: two looks at a real demo day, and what changes when programs restart, are away, or are many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.overview.overview import Overview
from streams.overview.scrape import Scrape
from streams.overview.summing import overview
from streams.setting_values import Address, Target
from tests.overviews import demo_day, saying

BEFORE, NOW = demo_day()
WORKER = NOW[0]
SECOND = replace(WORKER, target=Target("worker", Address("10.0.0.2", 8890)))


def site(*now: Scrape, before: tuple[Scrape, ...] = BEFORE) -> Overview:
    """The overview of these programs."""
    return overview(before, now)


def test_a_demo_day_is_read_from_what_its_programs_served() -> None:
    """Every part of the overview is there, and rates are counted between the looks."""
    found = site(*NOW)
    calls, signals, sms = found.topics

    assert [(each.program, each.state, each.version) for each in found.programs] == [
        (name, "ready", "0.1.0") for name in ("worker", "hunter", "dispatcher", "console")
    ]
    assert found.seconds == pytest.approx(2.0, abs=0.1)
    assert (calls.topic, calls.records, calls.lag_records) == ("calls", 5018, 3)
    assert calls.per_second == pytest.approx((5018 - 4501) / (NOW[0].at - BEFORE[0].at))
    assert (signals.records, sms.lag_records) == (0, 3)
    assert [(each.severity, each.raised, each.open_cases) for each in found.severities] == [
        *(("urgent", 7, 7), ("high", 2, 0)),
        *(("medium", 6, 2), ("low", 13, 0)),
    ]
    assert [(each.status, each.tier, each.cases) for each in found.cases] == [("open", "station", 9)]
    assert sum(each.count for each in found.indicators) == 355
    assert [(each.topic, each.source, each.silent) for each in found.feeds] == [
        ("calls", "(none)", False),
        ("sms", "(none)", False),
    ]


def test_without_an_earlier_look_there_are_no_rates() -> None:
    """Neither is there a time over which they were counted."""
    found = site(*NOW, before=())

    assert found.seconds is None
    assert {each.per_second for each in found.topics} == {None}
    assert {each.raised_per_minute for each in found.severities} == {None}


def test_what_workers_share_is_added_up_and_what_all_know_counts_once() -> None:
    """Two workers that say the same have twice the records and the same indicators."""
    one, two = site(WORKER), site(WORKER, SECOND)

    assert [each.records for each in two.topics] == [2 * each.records for each in one.topics]
    assert [each.lag_seconds for each in two.topics] == [each.lag_seconds for each in one.topics]
    assert two.indicators == one.indicators


def test_a_worker_that_was_started_anew_counts_from_nothing() -> None:
    """Its counters are smaller than before, and its rate is not negative."""
    again = saying(WORKER, 'forewarn_events_total{topic="calls"} 100')
    found = site(again)

    assert found.topics[0].per_second == pytest.approx(100 / (NOW[0].at - BEFORE[0].at))


def test_a_worker_that_was_away_before_adds_nothing_to_rates() -> None:
    """Otherwise all that it ever read would seem to have come between two looks."""
    found = site(WORKER, SECOND)

    assert found.topics[0].per_second == site(WORKER).topics[0].per_second
    assert found.programs[1].records_per_second is None


def test_a_program_that_is_away_is_there_with_its_address_and_the_reason() -> None:
    """The others are shown as usual."""
    found = site(*NOW[:3], Scrape(NOW[3].target, NOW[3].at, away="connection refused"))
    console = found.programs[3]

    assert (console.state, console.address, console.says) == ("away", "127.0.0.1:8894", "connection refused")
    assert found.topics == site(*NOW).topics


def test_a_site_of_which_nothing_answers_has_an_overview() -> None:
    """All numbers are empty."""
    found = site(*(Scrape(each.target, each.at, away="no answer for 3 s") for each in NOW))

    assert {each.state for each in found.programs} == {"away"}
    assert (found.topics, found.feeds, found.stores.ledger_free_bytes) == ((), (), None)


@pytest.mark.parametrize(
    ("records", "hours", "quiet_s", "silent"),
    [
        (100_000, 24, 60, False),
        (100_000, 24, 600, True),
        (500, 24, 600, False),
        (500, 24, 10_800, True),
        (100, 24, 80_000, False),
    ],
    ids=["busy and just quiet", "busy and quiet", "quiet by nature", "hours of nothing", "hardly ever"],
)
def test_a_feed_is_silent_when_its_usual_rate_does_not_explain_its_quiet(
    records: int, hours: int, quiet_s: float, silent: bool
) -> None:
    """With the thresholds of the alert ForewarnFeedSilent."""
    labels = '{topic="calls",source="mobile-a"}'
    lines = [
        f"forewarn_source_records_total{labels} {records}",
        f"forewarn_source_time_seconds{labels} {WORKER.at - quiet_s}",
        f"forewarn_start_time_seconds {WORKER.at - hours * 3600}",
    ]
    (feed,) = site(saying(WORKER, "\n".join(lines) + "\n")).feeds

    assert (feed.silent, round(feed.quiet_seconds or 0)) == (silent, quiet_s)


def test_a_declared_source_that_has_sent_nothing_is_shown_and_not_called_silent() -> None:
    """It may not have begun yet; records without a declared source are shown only when there are some."""
    counts = ['{topic="calls",source="mobile-a"} 0', '{topic="calls",source="(unknown)"} 0']
    (feed,) = site(saying(WORKER, "".join(f"forewarn_source_records_total{each}\n" for each in counts))).feeds

    assert (feed.source, feed.quiet_seconds, feed.silent) == ("mobile-a", None, False)
