"""Scenario: `alerts` and `dispatch` are given more partitions by hand while cases are opened and closed."""

from __future__ import annotations

import json
import time

from kafka.admin import KafkaAdminClient

from models.casework.cases import OVER
from streams.kafka.newest import NewestWords
from streams.local.worker import metric
from tests.chaos.dispatching import alert_record, ending, own_site
from tests.chaos.ground import Ground
from tests.chaos.trial import Finding
from tests.site import Record, Site

PATIENCE_S = 120.0


def topics_grown(ground: Ground, times: int, people: int) -> Finding:
    """Everybody gets one case, and a case that was closed stays closed for each dispatcher that starts later.

    Before each growth, new people get alerts and those of the round before are closed.
    """
    with own_site(ground, "grown") as site:
        partitions = {"alerts": 8, "dispatch": 4}
        rounds = [range(number * people, (number + 1) * people) for number in range(times + 1)]
        for number, new in enumerate(rounds):
            dispatcher, http = site.start_dispatcher()
            site.send("alerts", *map(alert_record, new))
            before = rounds[number - 1] if number else ()
            _wait(http, len(before) + len(new))
            site.send("dispatch-feedback", *[record for each in before for record in ending(each)])
            _wait(http, len(new))
            for topic in partitions if number < times else ():
                partitions[topic] += 3
                _grow(site, topic, partitions[topic])
            dispatcher.stop()
        open_at_last = _open_after_a_start(site)
        newest = _newest(site)
        closed = {f"e{each}" for some in rounds[:-1] for each in some}
        opened = {f"e{each}" for each in rounds[-1]}
        right = {name for name, case in newest.items() if (case["status"] in OVER) == (name in closed)}
        return Finding(
            "`alerts` and `dispatch` given more partitions",
            times,
            people * len(rounds) + len(closed),
            len(closed | opened),
            lost=len((closed | opened) - newest.keys()),
            wrong=len(newest.keys() - right) + abs(open_at_last - len(opened)),
            repeated=0,
            notes=(f"{partitions['alerts']} and {partitions['dispatch']} partitions in the end",),
        )


def _grow(site: Site, topic: str, partitions: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=site.settings.kafka)
    admin.create_partitions({site.settings.topic(topic): partitions})
    admin.close()


def _wait(http: str, cases: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while metric(http, "forewarn_open_cases") != cases:
        assert time.monotonic() < deadline, f"{metric(http, 'forewarn_open_cases'):.0f} open cases, not {cases}"
        time.sleep(0.1)


def _open_after_a_start(site: Site) -> int:
    dispatcher, http = site.start_dispatcher()
    found = int(metric(http, "forewarn_open_cases"))
    dispatcher.stop()
    return found


def _newest(site: Site) -> dict[str, Record]:
    """The newest snapshot of each case, by the time at which it was appended."""
    words = NewestWords()
    return {record.key.decode(): json.loads(record.value) for record in words.among(site.read("dispatch"))}
