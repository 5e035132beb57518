"""Campaigns, live: spreading fresh domains are suspected, ordinary mailings are not, and nobody is reminded twice."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator

import numpy as np
import pytest

from bench.filling import fill
from bench.wave import PARTITIONS, Wave, first_words
from models.base.durations import HOUR
from models.indicators.matching import Indicators
from models.lookback.campaigns import Status
from models.policy.policy import CampaignRules
from streams.hunter.sightings import Sightings
from streams.hunter.spreading import Spreading
from streams.local.worker import FOREWARN
from streams.redis.client import Redis
from streams.settings import Settings
from tests.live.conftest import Servers
from tests.site import FRAUD, ROOT, Record, Site, until
from tests.site import indicator as record_of
from tests.strategies import indicator

AT = 1_773_626_400_000
"""The start of an hour."""


def forewarn(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The result of a ``forewarn campaigns`` command at this site."""
    command = [*FOREWARN, "campaigns", *arguments]
    return subprocess.run(command, env=os.environ | site.environ, capture_output=True, text=True, timeout=60)


RULES = CampaignRules(recipients=100, resembling=20, fresh_hours=48, well_known=["fine.example"])


def brought(value: str, begin: int, end: int) -> Sightings:
    """An SMS with a domain to each of these people, one a second."""
    people = np.arange(begin, end)
    times = AT + people * 1000
    return Sightings("domain", value, people, people, times, [f"m{at}" for at in people], np.full(len(people), 7))


@pytest.fixture
async def spreading(stack: Servers, topic_prefix: str) -> AsyncIterator[Spreading]:
    """Separate counts in the real Redis; loan.top is known as fraudulent."""
    settings = Settings(redis=stack.redis, topic_prefix=topic_prefix)
    client = Redis(settings)
    yield Spreading(settings, client, Indicators([indicator("domain", "loan.top")]))
    await client.aclose()


async def told(spreading: Spreading, *seen: Sightings, **said: Status) -> list[tuple[str, str, bool]]:
    """Count sightings; returns domain, status, and whether few people more than needed were reached."""
    records = await spreading.take(seen, RULES, {f"domain:{name}.top": status for name, status in said.items()})
    await spreading.remember()
    return [(each.value, each.status, each.subscribers <= 110) for each in records]


async def test_counting_again_changes_nothing(spreading: Spreading) -> None:
    for _ in range(3):
        assert await told(spreading, brought("evil.top", 0, 80)) == []
    first = await spreading.take([brought("evil.top", 80, 120)], RULES, {})
    again = await spreading.take([brought("evil.top", 80, 120)], RULES, {})  # as after a crash before `remember`
    assert [each.id for each in first] == [each.id for each in again] != []
    assert (first[0].status, first[0].template, first[0].template_share) == ("suspected", f"{7:016x}", 1.0)
    await spreading.remember()
    assert await told(spreading, brought("evil.top", 80, 120)) == []


async def test_a_campaign_is_told_of_again_when_it_has_doubled(spreading: Spreading) -> None:
    assert await told(spreading, brought("evil.top", 0, 190)) == [("evil.top", "suspected", True)]
    assert await told(spreading, brought("evil.top", 190, 500)) == [("evil.top", "suspected", False)] * 2


async def test_what_is_known_or_confirmed_or_dismissed_is_told_of_as_such(spreading: Spreading) -> None:
    assert await told(spreading, brought("loan.top", 0, 19)) == []
    assert await told(spreading, brought("loan.top", 19, 40)) == [("loan.top", "confirmed", True)]
    assert await told(spreading, brought("evil.top", 0, 110)) == [("evil.top", "suspected", True)]
    assert await told(spreading, brought("evil.top", 110, 120), evil="confirmed") == [("evil.top", "confirmed", False)]
    assert await told(spreading, brought("evil.top", 120, 900), evil="dismissed") == []
    assert await told(spreading, brought("fine.example", 0, 900), brought("icbc.com.cn", 0, 900)) == []


async def test_an_hour_is_any_sixty_minutes(spreading: Spreading) -> None:
    across = brought("evil.top", 0, 120)
    across.times[:] += 59 * 60_000 - across.times[0] + AT
    assert await told(spreading, across) == [("evil.top", "suspected", True)]
    slow = brought("slow.top", 0, 120)
    slow.times[:] = AT + np.arange(120) * 40_000
    assert await told(spreading, slow) == []


async def test_what_one_partition_tells_late_is_counted_with_what_another_has_told(spreading: Spreading) -> None:
    """Both partitions report the same hour, one after the other. The hundredth person is enough, before its end."""
    first, late = brought("evil.top", 0, 60), brought("evil.top", 60, 120)
    first.times[:] = late.times[:] = AT + np.arange(60) * 59_000
    assert await told(spreading, first) == []
    assert await told(spreading, late) == [("evil.top", "suspected", True)]


async def test_a_wrong_clock_hides_no_hour(spreading: Spreading) -> None:
    ahead = brought("evil.top", 0, 1)
    ahead.times[:] += 24 * HOUR
    assert await told(spreading, ahead) == []
    assert await told(spreading, brought("evil.top", 1, 110)) == [("evil.top", "suspected", True)]


async def test_what_was_seen_days_ago_is_not_new(spreading: Spreading) -> None:
    early = brought("shop.top", 0, 3)
    early.times[:] -= 3 * 24 * HOUR
    assert await told(spreading, early) == []
    assert await told(spreading, brought("shop.top", 0, 900)) == []


def mailing(begin: int, end: int) -> list[Record]:
    """An SMS without a link from a known number to each of these people."""
    people = [{"id": f"m{each}", "subscriber": f"86100000010{each:02}", "peer": FRAUD} for each in range(begin, end)]
    return [each | {"direction": "in", "at": AT + at * 1000, "text": "hi"} for at, each in enumerate(people)]


def test_a_lower_limit_of_the_policy_applies_to_numbers_while_the_hunter_runs(site: Site) -> None:
    text, policy = (ROOT / "policy.yaml").read_text(), site.folder / "policy.yaml"
    policy.write_text(text)
    site.send("indicators", record_of())
    site.start_worker()
    hunter, _ = site.start_hunter(FOREWARN_POLICY_FILE=str(policy))
    site.send("sms", *mailing(0, 12))
    until(lambda: [*(site.folder / "ledger").rglob("*.parquet")])
    policy.write_text(text.replace("resembling: 50", "resembling: 10"))
    until(lambda: "policy in force" in hunter.launch.log.read_text())
    assert site.count("campaigns") == 0

    site.send("sms", *mailing(12, 24))
    until(lambda: site.count("campaigns"))
    first = json.loads(site.read("campaigns")[0].value)  # the next word comes when the number has twice as many people
    assert (first["value"], first["status"], first["subscribers"]) == (FRAUD, "confirmed", 10)


def test_a_wave_ends_as_campaigns_and_reminders_of_what_is_confirmed(site: Site) -> None:
    wave = Wave(recipients=1600, domains=4, ordinary=5000, mailing=1000)
    borrowed, confirmed, dismissed, left = wave.fresh
    site.start_worker()
    site.start_hunter()
    asyncio.run(fill(site.settings, wave.records(), PARTITIONS, lambda count: None))
    until(lambda: len(forewarn(site, "list", "--status", "suspected", "--json").stdout.splitlines()) == 4)
    suspected = first_words(site)
    assert max(each.subscribers for each in suspected.values()) < 350
    assert suspected[borrowed].resembles == "中国工商银行 ICBC"
    assert suspected[borrowed].subscribers < suspected[confirmed].subscribers / 2

    unknown = forewarn(site, "confirm", "nobody.top", "--scam-type", "loan", "--case", "A-1")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    said = forewarn(site, "confirm", confirmed, "--scam-type", "insurance-sms", "--case", "A-1")
    assert said.returncode == 0, said.stderr
    assert forewarn(site, "dismiss", dismissed).returncode == 0
    until(lambda: site.count("reminders") >= 400)
    reminded = [json.loads(record.value)["subscriber"] for record in site.read("reminders")]
    assert sorted(reminded) == sorted(wave.reached()[confirmed])
    assert {alert["severity"] for alert in site.alerts()} == {"low"}
    listed = [json.loads(line) for line in forewarn(site, "list", "--json").stdout.splitlines()]
    assert {each["value"]: each["status"] for each in listed} == {
        borrowed: "suspected",
        confirmed: "confirmed",
        dismissed: "dismissed",
        left: "suspected",
    }
