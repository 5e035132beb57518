"""Bulletins: reads whom scams reached from the topics ``dispatch`` and ``alerts``, and composes a week's bulletin.

``models/casework/bulletin.py`` counts and decides what may be shown; this module knows weeks, topics and what is kept
for how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from models.base.durations import DAY
from models.casework.bulletin import Bulletin, BulletinError, bulletin
from models.casework.cases import Case
from models.casework.reached import Reached, of_alert, of_case
from models.casework.routing import Stations
from models.casework.snapshots import decode
from models.detection.alerts import Alert
from models.policy.policy import DispatchRules
from streams.dispatch.weeks import Week, WeekError, edges, last_whole, week_of
from streams.kafka.compacted import CompactedReader
from streams.kafka.contracts import load
from streams.kafka.recent_records import recent_records
from streams.settings import Settings

ALERTS: Final = "alerts"
CASES: Final = "dispatch"

_alert = msgspec.json.Decoder(Alert)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks of which there can be a bulletin at a moment."""

    zone: ZoneInfo
    now: int
    """Epoch ms."""
    known_from: int
    """The moment since which all orders and reminders are known (epoch ms)."""

    @property
    def weeks(self) -> list[Week]:
        """These weeks, the newest first; empty if not even one is known from its beginning."""
        found, week = [], last_whole(self.now, self.zone)
        while edges(week, self.zone)[-2] >= self.known_from:
            found.append(week)
            week = week.before()
        return found

    def check(self, week: Week) -> None:
        """Raise `WeekError` for a week that is not over yet, or not known any more."""
        known, last = self.weeks, last_whole(self.now, self.zone)
        if week > last:
            raise WeekError(f"the week {week} is not over yet: the last whole week is {last}")
        if week not in known:
            oldest = f"the oldest whole week is {known[-1]}" if known else "no whole week is known"
            raise WeekError(f"orders and reminders of the week {week} are no longer kept: {oldest}")


def calendar(settings: Settings, rules: DispatchRules, now: int) -> Calendar:
    """The calendar of a moment (epoch ms), by how long the contract and the policy keep alerts and cases.

    Reads ``topics.yaml``; raises `ContractError`.
    """
    kept = int(rules.kept_days * DAY)
    alerts = int(load(settings.topics_file).topics[ALERTS].configs.get("retention.ms", 7 * DAY))  # Kafka's own default
    return Calendar(settings.time_zone, now, now - (kept if alerts < 0 else min(kept, alerts)))


def compose(calendar: Calendar, stations: Stations, unit: str, week: Week, reached: Sequence[Reached]) -> Bulletin:
    """The bulletin of a unit for a week; raises `WeekError`, and `BulletinError` where there is nothing to show."""
    calendar.check(week)
    weeks = edges(week, calendar.zone)
    if not any(weeks[-2] <= each.at < weeks[-1] for each in reached):
        times = [each.at for each in reached if each.at < weeks[-1]]
        newest = f"; the newest before is of {week_of(max(times), calendar.zone)}" if times else ""
        raise BulletinError(f"the city has no order or reminder of the week {week}{newest}")
    return bulletin(reached, stations, unit, weeks, calendar.known_from)


async def ordered(settings: Settings) -> list[Reached]:
    """The people of all cases, by the topic ``dispatch``; waits until Kafka answers. Raises KafkaError."""
    topic = await CompactedReader.open(settings, settings.topic(CASES))
    try:
        return of_cases(decode(record.value) for record in await topic.contents())
    finally:
        await topic.close()


def of_cases(cases: Iterable[Case]) -> list[Reached]:
    """The people of these cases whom a scam reached."""
    return [reached for case in cases if (reached := of_case(case)) is not None]


async def reminded(settings: Settings, stations: Stations, since: int) -> list[Reached]:
    """The people whom alerts had reminded from a moment on (epoch ms), by the topic ``alerts``.

    Raises `RecentRecordsError` when Kafka does not answer or does not list the topic. A record that is no alert of this
    version counts for nothing.
    """
    found = []
    async for fetched in recent_records(settings, ALERTS, since):
        for row, arrived in enumerate(fetched.arrived):
            try:
                alert = _alert.decode(fetched.records.value(row) or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if (reached := of_alert(alert, arrived, stations)) is not None:
                found.append(reached)
    return found
