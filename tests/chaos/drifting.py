"""Scenario: the clock of one switch runs away by hours and comes back, while records are written as they happen.

Here the broker's append times matter, so the undisturbed run is a replay of a recording of the topics, which has them.
It is done twice: with the switch's times as they were written, and with the right ones.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import msgspec

from bench.filling import packing
from bench.pipeline import ends
from bench.records import Made, fraud_domains, fraud_numbers, made
from streams.kafka.indicator_topic import publish
from tests.chaos.city import City
from tests.chaos.ground import PARTITIONS, Ground
from tests.chaos.recording import Recording
from tests.chaos.standing import standing, word_of
from tests.chaos.trial import SAME_MEMBER, Finding, Trial
from tests.site import ROOT

ROUNDS = 4
AWAY_IN = range(1, 3)
"""The rounds in which the clock runs away: it is right in the first, and mended before the last."""

AWAY_MS = 8 * 3_600_000
"""How far it runs away."""

HURRIED: dict[str, dict[str, Any]] = {
    "contact": {"in_progress": 36, "talk": 36},
    "windows": {"talk": 0.05, "long_talk": 0.15, "judged_again": [0.1]},
    "clock": {"tolerance": 0.1, "wait": 0.025},
}
"""The policy's minutes, twenty times shorter or more, so that the scenario is over in minutes. By these points, a call
with a known number sends an officer once it is long, and not before, so any wrong clock shows."""

LULL_S = 16.0
"""Seconds without any record after each round: longer than the last milestone of `HURRIED`, its wait, and the time
between two heartbeats. So no call is to be judged again at the end."""

TALKS_MS = (3_500, 12_000)
"""So long are the calls of each half: not long ones, and long ones. If one is in progress when a round ends, its end
record never comes."""

SOURCE = b'{"source":"switch-7",'
SERVED = ("00", "01", "02")
"""The last digits of the subscribers that the switch serves: 3 % of all."""

FLUSH_S = 0.05


@dataclass
class Switch:
    """The switch whose clock runs away from ``begin`` to ``end`` (epoch ms)."""

    begin: int
    end: int
    right: dict[bytes, bytes] = field(default_factory=dict)
    """By the value that was written, each of its records with the right time."""

    def ahead(self, at: int) -> int:
        """How far its clock is ahead at a time (both in ms): little at first, as with clocks that drift."""
        share = (at - self.begin) / (self.end - self.begin)
        return int(AWAY_MS * share**3) if 0 <= share < 1 else 0

    def written(self, record: Made) -> bytes:
        """The value of a record as the switch that serves its subscriber writes it."""
        if not record.key.endswith(SERVED):
            return record.value
        right = SOURCE + record.value.removeprefix(b"{")
        wrong = right.replace(b'"at":%d' % record.at, b'"at":%d' % (record.at + self.ahead(record.at)), 1)
        self.right[wrong] = right
        return wrong


def drifting_switch(ground: Ground, seconds: int, rate: int) -> Finding:
    """Write four rounds of ``rate`` records a second for so many seconds; a worker is killed in the middle of each.

    Compared are which alerts were ever raised, and the bytes of those in force at the end. A record from far ahead
    counts at its arrival, so an alert of the switch's own subscribers may have other times than with the right clock,
    but no other id.
    """
    here = ground.beside("drifting.", heartbeats=True)
    indicators = here.city.indicators()
    asyncio.run(publish(here.settings, indicators))
    with here.trial("drifting") as trial:
        policy = trial.site.folder / "policy.yaml"
        policy.write_bytes(hurried())
        environ = {**SAME_MEMBER, "FOREWARN_POLICY_FILE": str(policy), "FOREWARN_MODEL": "points"}
        trial.start(environ, wait=True)
        round_ms = int((seconds + LULL_S) * 1000)
        begin = int(time.time() * 1000)
        switch = Switch(begin + AWAY_IN.start * round_ms, begin + AWAY_IN.stop * round_ms)
        for number in range(ROUNDS):
            at = begin + number * round_ms
            records = heapq.merge(
                *(
                    _calls_and_sms(here.city, 100 + 2 * number + half, at, seconds, rate // 2, talk_ms)
                    for half, talk_ms in enumerate(TALKS_MS)
                ),
                key=attrgetter("at"),
            )
            asyncio.run(_write(trial, switch, records, at + seconds * 500, environ))
            time.sleep(max(LULL_S, (at + round_ms) / 1000 - time.time()))  # the writing may be late
        trial.ends = ends(here.settings)
        finding = trial.finding("a switch's clock runs away and comes back", ROUNDS)
        recording = Recording.of(trial.site)
        live = trial.published()
        as_written = recording.replayed(trial.site.folder / "as-written", indicators, policy)
        right = recording.replayed(
            trial.site.folder / "right", indicators, policy, lambda each: switch.right.get(each, each)
        )
    found, expected = _said(live), _said(right)
    bytes_found, bytes_expected = standing(live), standing(as_written)
    drifted = sum(written != meant for written, meant in switch.right.items())
    return replace(
        finding,
        expected=len(bytes_expected),
        lost=len(expected - found) + len(bytes_expected - bytes_found),
        wrong=len(found - expected) + len(bytes_found - bytes_expected),
        notes=(
            f"{drifted:,} records of {len(switch.right):,} were dated up to {AWAY_MS // 3_600_000} hours ahead",
            f"{sum(map(_is_own, standing(right))):,} alerts are of the switch's own subscribers",
            f"{recording.heartbeats:,} heartbeats were written",
        ),
    )


async def _write(trial: Trial, switch: Switch, records: Iterable[Made], kill_at: int, environ: dict[str, str]) -> None:
    """Write each record when it happens; kill the worker and start it again at a time (epoch ms)."""
    async with packing(trial.site.settings, PARTITIONS) as packer:
        for record in records:
            if (ahead := record.at / 1000 - time.time()) > 0:
                await packer.flush()
                await asyncio.sleep(max(ahead, FLUSH_S))
            await packer.add(record._replace(value=switch.written(record)))
            if record.at >= kill_at:
                kill_at = record.at + 10**9
                trial.kill(next(iter(trial.kept)))
                trial.start(environ)


def hurried() -> bytes:
    """The policy of points with the values of `HURRIED`."""
    policy = msgspec.yaml.decode((ROOT / "examples" / "policy-points.yaml").read_bytes())
    for section, times in HURRIED.items():
        policy[section] |= times
    return msgspec.yaml.encode(policy)


def _is_own(value: bytes) -> bool:
    return word_of(value).subscriber.endswith(SERVED)


def _said(published: Sequence[bytes]) -> set[bytes]:
    """The ids of the alerts that were ever raised, and those in force at the end for the others' subscribers."""
    raised = {word.id.encode() for word in map(word_of, published) if word.status == "raised"}
    return raised | {value for value in standing(published) if not _is_own(value)}


def _calls_and_sms(city: City, seed: int, begin: int, seconds: int, rate: int, talk_ms: int) -> Iterator[Made]:
    numbers, domains = fraud_numbers(city.numbers), fraud_domains(city.domains)
    return made(seconds * rate, numbers, domains, seed, begin, rate, talk_ms)
