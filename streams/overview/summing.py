"""Summing: two looks at the programs of a site become one `Overview`; rates are counted between the two.

The metrics are those of `streams.metrics`. What each worker counts of its own partitions is added up over the workers;
of what all of them know, the greatest value counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Final

from models.events.numbering import UNNAMED
from models.policy.policy import SEVERITIES
from streams.overview.overview import (
    BySeverity,
    Cases,
    Feed,
    Indicators,
    Letters,
    Overview,
    Program,
    Stores,
    Topic,
)
from streams.overview.scrape import BUILD, Scrape

Values = Mapping[tuple[str, ...], float]

SILENT: Final = ((600.0, 10 / 60), (10_800.0, 10 / 3600))
"""After how many seconds a source is silent that usually sends more than so many records a second; as in the rule
``ForewarnFeedSilent``."""


@dataclass(frozen=True)
class _Pair:
    """What one program said now, and what it said before if it was asked."""

    now: Scrape
    before: Scrape | None

    @property
    def seconds(self) -> float:
        return self.now.at - self.before.at if self.before is not None else 0.0


@dataclass(frozen=True)
class _Site:
    """All programs that have answered; each question gives its answers by the values of these labels."""

    pairs: Sequence[_Pair]

    def sum(self, name: str, *labels: str) -> Values:
        """The sums over all programs."""
        return self._merged(add, name, *labels)

    def most(self, name: str, *labels: str) -> Values:
        """The greatest value that any program has."""
        return self._merged(max, name, *labels)

    def least(self, name: str, *labels: str) -> Values:
        """The smallest value that any program has."""
        return self._merged(min, name, *labels)

    def per_second(self, name: str, *labels: str) -> Values:
        """How fast a counter grew between the two looks.

        A counter that is smaller than before belongs to a program that was started anew, and began at 0. A program that
        was not asked before adds nothing.
        """
        found: dict[tuple[str, ...], float] = {}
        for pair in self.pairs:
            if pair.before is None or pair.seconds <= 0:
                continue
            earlier = pair.before.by(name, *labels)
            for key, value in pair.now.by(name, *labels).items():
                grown = value - earlier.get(key, 0.0)
                found[key] = found.get(key, 0.0) + (grown if grown >= 0 else value) / pair.seconds
        return found

    def _merged(self, merge: Callable[[float, float], float], name: str, *labels: str) -> Values:
        found: dict[tuple[str, ...], float] = {}
        for pair in self.pairs:
            for key, value in pair.now.by(name, *labels).items():
                found[key] = merge(found[key], value) if key in found else value
        return found


def overview(before: Sequence[Scrape], now: Sequence[Scrape]) -> Overview:
    """What the programs say now; ``before`` is an earlier look at them, and may be empty."""
    earlier = {each.target: each for each in before if not each.away}
    here = _Site([_Pair(each, earlier.get(each.target)) for each in now if not each.away])
    at = max((each.at for each in now), default=0.0)
    spans = [pair.seconds for pair in here.pairs if pair.seconds > 0]
    return Overview(
        at=at,
        seconds=max(spans, default=None),
        programs=tuple(_program(each, earlier.get(each.target)) for each in now),
        topics=tuple(_topics(here)),
        feeds=tuple(_feeds(here, at)),
        severities=tuple(_severities(here, at)),
        cases=tuple(
            Cases(status, tier, int(count))
            for (status, tier), count in sorted(here.sum("forewarn_cases", "status", "tier").items())
            if count
        ),
        overdue=int(here.sum("forewarn_case_steps_total", "kind").get(("overdue",), 0)),
        indicators=tuple(
            Indicators(kind, int(count)) for (kind,), count in sorted(here.most("forewarn_indicators", "type").items())
        ),
        indicators_changed_at=here.most("forewarn_reference_time_seconds", "topic").get(("indicators",)),
        letters=tuple(_letters(here)),
        stores=_stores(here),
    )


def _program(now: Scrape, before: Scrape | None) -> Program:
    name, address = now.target.program, str(now.target.address)
    if now.away:
        return Program(program=name, address=address, state="away", says=now.away)
    waits_for = sorted(part for (part,), is_ready in now.by("forewarn_ready", "part").items() if not is_ready)
    started = now.value("forewarn_start_time_seconds")
    rates = _Site([_Pair(now, before)]).per_second("forewarn_events_total")
    return Program(
        program=name,
        address=address,
        state="stuck" if now.stuck else "waiting" if waits_for else "ready",
        says=now.stuck or ", ".join(waits_for),
        version=now.label(BUILD, "version"),
        python=now.label(BUILD, "python"),
        faust=now.label(BUILD, "faust"),
        policy=now.label("forewarn_policy_info", "version"),
        model=now.label("forewarn_model_info", "model"),
        policy_refused=bool(now.value("forewarn_policy_refused")),
        running_seconds=max(now.at - started, 0.0) if started else None,
        partitions=int(now.value("forewarn_partitions") or 0),
        records_per_second=rates.get(()),
        lag_records=int(now.value("forewarn_lag_records") or 0),
    )


def _topics(here: _Site) -> Iterator[Topic]:
    read = here.sum("forewarn_events_total", "topic")
    rates = here.per_second("forewarn_events_total", "topic")
    lag = here.sum("forewarn_lag_records", "topic")
    late = here.most("forewarn_lag_seconds", "topic")
    reached = here.most("forewarn_event_time_seconds", "topic")
    held = here.sum("forewarn_unstable_records", "topic")
    expired = here.sum("forewarn_expired_records_total", "topic")
    skew = here.most("forewarn_clock_skew_seconds", "topic")
    for key in sorted(read.keys() | lag.keys()):
        yield Topic(
            topic=key[0],
            records=int(read.get(key, 0)),
            per_second=rates.get(key),
            lag_records=int(lag.get(key, 0)),
            lag_seconds=late.get(key, 0.0),
            event_time=reached.get(key),
            held_back=int(held.get(key, 0)),
            expired=int(expired.get(key, 0)),
            skew_seconds=skew.get(key),
        )


def _feeds(here: _Site, at: float) -> Iterator[Feed]:
    keys = ("topic", "source")
    counts = here.sum("forewarn_source_records_total", *keys)
    rates = here.per_second("forewarn_source_records_total", *keys)
    last = here.most("forewarn_source_time_seconds", *keys)
    workers = [pair.now for pair in here.pairs if pair.now.samples.get("forewarn_source_records_total")]
    started = [each.value("forewarn_start_time_seconds") or at for each in workers]
    runs = max(at - min(started, default=at), 1.0)
    for key, count in sorted(counts.items()):
        topic, source = key
        if source in UNNAMED and not count:
            continue
        quiet = at - last[key] if key in last else None
        yield Feed(
            topic=topic,
            source=source,
            records=int(count),
            per_second=rates.get(key),
            usual_per_second=count / runs,
            quiet_seconds=quiet,
            silent=_is_silent(quiet, count / runs),
        )


def _is_silent(quiet: float | None, usual: float) -> bool:
    """Whether a source has sent nothing for longer than its usual rate explains."""
    return quiet is not None and any(quiet >= seconds and usual > rate for seconds, rate in SILENT)


def _severities(here: _Site, at: float) -> Iterator[BySeverity]:
    alerts = here.sum("forewarn_alerts_total", "severity", "status")
    rates = here.per_second("forewarn_alerts_total", "severity", "status")
    cases = here.sum("forewarn_open_cases", "severity")
    since = here.least("forewarn_unacknowledged_since_seconds", "severity")
    missed = here.sum("forewarn_deadlines_missed_total", "severity")
    is_counted = any(pair.seconds > 0 for pair in here.pairs)
    for severity in reversed(SEVERITIES):
        key = (severity,)
        yield BySeverity(
            severity=severity,
            raised=int(alerts.get((severity, "raised"), 0)),
            raised_per_minute=60 * rates.get((severity, "raised"), 0.0) if is_counted else None,
            withdrawn=int(alerts.get((severity, "withdrawn"), 0)),
            open_cases=int(cases.get(key, 0)),
            waits_seconds=max(at - since[key], 0.0) if key in since else None,
            deadlines_missed=int(missed.get(key, 0)),
        )


def _letters(here: _Site) -> Iterator[Letters]:
    counts = here.sum("forewarn_dead_letters_total", "topic", "reason")
    rates = here.per_second("forewarn_dead_letters_total", "topic", "reason")
    for (topic, reason), count in sorted(counts.items()):
        yield Letters(topic=topic, reason=reason, records=int(count), per_second=rates.get((topic, reason)))


def _stores(here: _Site) -> Stores:
    disks = [
        (free, disk)
        for pair in here.pairs
        if (disk := pair.now.value("forewarn_ledger_disk_bytes"))
        and (free := pair.now.value("forewarn_ledger_free_bytes")) is not None
    ]
    fullest = min(disks, key=lambda each: each[0] / each[1], default=None)
    return Stores(
        redis_used_bytes=int(here.most("forewarn_redis_used_bytes").get((), 0)),
        redis_limit_bytes=int(here.most("forewarn_redis_limit_bytes").get((), 0)),
        ledger_free_bytes=None if fullest is None else int(fullest[0]),
        ledger_disk_bytes=None if fullest is None else int(fullest[1]),
        ledger_waiting_rows=int(here.sum("forewarn_ledger_waiting_rows").get((), 0)),
        ledger_waiting_seconds=here.most("forewarn_ledger_waiting_seconds").get((), 0.0),
        outbox_waiting_records=int(here.sum("forewarn_outbox_waiting_records").get((), 0)),
    )
