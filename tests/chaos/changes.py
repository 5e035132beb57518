"""Scenario: adds and withdraws indicators while a worker reads a backlog and is killed again and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import msgspec

from bench.filling import fill
from bench.pipeline import ends
from bench.records import Made, fraud_domains, fraud_numbers, indicators_of, made
from models.indicators.indicator import Indicator
from streams.kafka.indicator_topic import publish
from tests.chaos.city import alerts_of
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.standing import standing
from tests.chaos.trial import Finding, Trial

ROUNDS = 12
LATER_MS = 25 * 3600 * 1000
"""The second part's records begin this long after the first part's, when these are over."""


def changing_indicators(ground: Ground, kills: int = 3) -> Finding:
    """A twentieth of the indicators is withdrawn, by a record or a tombstone; later records touch newly added ones.

    Which records touch an indicator depends on when it arrives, so only the alerts in force at the end must be equal.
    """
    here = ground.beside("changing.")
    here.prepare()
    city = here.city
    gone = [each for each in city.indicators() if each.source == "made-up"][::20]
    numbers, domains = fraud_numbers(city.numbers + 500)[city.numbers :], fraud_domains(city.domains + 100)
    new = list(indicators_of(numbers, domains[city.domains :]))
    idle = list(indicators_of([f"9997{number:08}" for number in range(ROUNDS * 300)], []))

    def second() -> Iterator[Made]:
        begin = next(city.records()).at + LATER_MS
        return made(city.events // 5, numbers, domains[city.domains :], 2, begin, city.events / 5 / 3600)

    with here.trial("changing") as trial, trial.slowed(0.02) as slowed:
        slowed.add(trial.start(wait=True))
        for number in range(ROUNDS):
            trial.reach(city.events * number // (ROUNDS + 1))
            asyncio.run(publish(trial.site.settings, idle[number::ROUNDS]))
            _withdraw(trial, gone[number::ROUNDS])
            if number % (ROUNDS // kills) == 1:
                trial.kill(next(iter(trial.kept)))
                slowed.add(trial.start(wait=True))
        asyncio.run(publish(trial.site.settings, new))
        slowed.clear()
        trial.finish()
        trial.known(len(city.indicators()) - len(gone) + len(idle) + len(new))
        asyncio.run(fill(trial.site.settings, second(), PARTITIONS, lambda count: None))
        trial.ends = ends(trial.site.settings)
        names = {each.key for each in gone}
        left = [each for each in city.indicators() if each.key not in names]
        trial.expected = alerts_of(lambda: chain(city.records(), second()), [*left, *new])
        finding = trial.finding("indicators change meanwhile, worker killed", kills)
        found, expected = standing(trial.published()), standing(trial.expected)
        return replace(
            finding,
            expected=len(expected),
            lost=len(expected - found),
            wrong=len(found - expected),
            notes=(f"{len(gone)} withdrawn, {len(idle) + len(new):,} new; the final alerts are compared",),
        )


def _withdraw(trial: Trial, gone: list[Indicator]) -> None:
    """Withdraw indicators: one half with a revoking record, the other half with a tombstone."""
    topic = trial.site.settings.topic("indicators")
    with trial.site.producer() as producer:
        for index, each in enumerate(gone):
            said = None
            if index % 2:
                said = json.dumps(msgspec.to_builtins(each) | {"revoked": True}).encode()
            producer.send(topic, key=each.key.encode(), value=said)
