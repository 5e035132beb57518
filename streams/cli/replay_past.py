"""Replay of the past: ``forewarn replay`` of topics, beside the live workers, or of a recording, without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from models.detection.alerts import Alert
from models.indicators.matching import Indicators
from streams.cli import InputError
from streams.cli.moments import Times, epoch_ms, span_of
from streams.cli.noting import note
from streams.cli.private_files import identities
from streams.cli.progress import count_bar
from streams.cli.replay_inputs import Deciding, Refusals, indicators_of, subscribers_of
from streams.cli.replay_summary import Outcome
from streams.kafka.columns import Columns
from streams.kafka.contracts import SAME_PARTITIONS, ContractError
from streams.kafka.history import History, HistoryError, TopicRange, moment
from streams.kafka.read_quota import ReadQuota
from streams.kafka.reference_data import VulnerableSubscribers
from streams.kafka.reference_now import indicators_now, subscribers_now
from streams.recording.manifest import RecordingError
from streams.recording.reading import Recording
from streams.replay.past import PastReplay, Span
from streams.replay.replay import Tally

KNOWN_NOW: Final = "indicators and subscribers counted as they are known now, not as they were known then"
KNOWN_RECORDED: Final = "indicators and subscribers counted as they were known when the recording was made"


class TopicsPast:
    """The past as the site's topics have it; makes sure at first that they have all of it."""

    def __init__(self, history: History, span: Span) -> None:
        """Find the ranges; raises `HistoryError` when retention has deleted records that the span is about."""
        self._history = history
        self._ranges = {
            (name, since): history.range(name, since, until)
            for name in SAME_PARTITIONS
            for since, until in ((span.warm, span.since), (span.since, span.until))
        }
        counts = {name: len(self._ranges[name, span.since].partitions) for name in SAME_PARTITIONS}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise HistoryError(f"the topics have unequal partition counts ({said}): see forewarn topics diff")
        self.partitions = counts["calls"]
        self.notes: list[str] = []
        for name in SAME_PARTITIONS:
            self._check(self._ranges[name, span.since], span)

    @property
    def records(self) -> int:
        """How many records there are at most."""
        return sum(each.records for each in self._ranges.values())

    def columns(self, name: str, partition: int, since: int, until: int) -> Iterator[Columns]:
        """The records of a partition from ``since`` on, which is where one of the span's two parts begins."""
        return self._history.columns(name, partition, self._ranges[name, since].partitions[partition])

    def _check(self, found: TopicRange, span: Span) -> None:
        found.check_kept(span.since)
        if found.kept_since > span.warm:
            self.notes.append(f"the warm-up lacks what {found.topic} had before {moment(found.kept_since)}")
        if found.held_back:
            numbers = ", ".join(map(str, found.held_back))
            self.notes.append(f"an open transaction holds back the end of {found.topic}, partition {numbers}")


def replay_topics(
    by: Deciding, times: Times, quota: int | None, refused: Refusals, tell: Callable[[Alert], object]
) -> Outcome:
    """Replay what arrived in a span of time, once the audit log has it; ``times.since`` is needed.

    Raises `InputError` when the topics cannot be read, or do not have the span.
    """
    settings, left_out = by.settings, Counter[str]()
    since, until = span_of(times.since or datetime.now(UTC), times.until, settings.time_zone)
    span = Span(since - times.warm_ms, since, until)
    said = {"since": moment(since), "until": moment(until), "policy": by.policy.version, "model": by.model.name}
    note(settings, "topics-replayed", details=said)
    try:
        with History(settings, by.contracts, SAME_PARTITIONS, ReadQuota(quota)) as history:
            span = span._replace(until=min(span.until, history.opened))
            past = TopicsPast(history, span)
            known, vulnerable = _known(
                by, refused, lambda: indicators_now(settings, left_out), lambda: subscribers_now(settings, left_out)
            )
            replay = PastReplay(
                by.engine(known, vulnerable), by.contracts.sources, tell, by.variants(known, vulnerable)
            )
            with count_bar("replaying", past.records) as history.told:
                tally = replay.run(past, span)
            history.check_same_topics()
    except (HistoryError, ContractError) as error:
        raise InputError(str(error)) from None
    left_out.update(replay.refusals)
    notes = [KNOWN_NOW, *past.notes]
    return _outcome(tally, replay, refused, span, left_out, {"source": "topics", "notes": notes})


def replay_recording(
    by: Deciding,
    folder: Path,
    keys: Sequence[Path],
    times: Times,
    refused: Refusals,
    tell: Callable[[Alert], object],
) -> Outcome:
    """Replay a recording, or what arrived in a span of its time; ``keys`` are files of private keys.

    Raises `InputError` when it cannot be read, or does not have the span.
    """
    left_out, zone = Counter[str](), by.settings.time_zone
    try:
        recording = Recording(folder, identities(keys) if keys else None)
        recording.check_replayable()
        manifest = recording.manifest
        since = manifest.since if times.since is None else epoch_ms(times.since, zone)
        until = manifest.until if times.until is None else epoch_ms(times.until, zone)
        if not manifest.since <= since < until <= manifest.until:
            has = f"{moment(manifest.since)} to {moment(manifest.until)}"
            raise InputError(f"{folder} has what arrived from {has}: give --since and --until within that")
        span = Span(max(since - times.warm_ms, manifest.since), since, until)
        known, vulnerable = _known(
            by, refused, lambda: recording.indicators(left_out), lambda: recording.subscribers(left_out)
        )
        replay = PastReplay(by.engine(known, vulnerable), by.contracts.sources, tell, by.variants(known, vulnerable))
        with count_bar("replaying", recording.records) as recording.told:
            tally = replay.run(recording, span)
    except RecordingError as error:
        raise InputError(str(error)) from None
    left_out.update(replay.refusals)
    left_out.update(manifest.refused)
    said = {"source": "recording", "case": manifest.case, "notes": [KNOWN_RECORDED]}
    return _outcome(tally, replay, refused, span, left_out, said)


def _known(
    by: Deciding,
    refused: Refusals,
    indicators: Callable[[], Indicators],
    subscribers: Callable[[], VulnerableSubscribers],
) -> tuple[Indicators, Mapping[str, int]]:
    """The indicators and vulnerable subscribers of the files, and where none are given, of the past."""
    return (
        Indicators(indicators_of(by.indicators, refused)) if by.indicators else indicators(),
        subscribers_of(by.subscribers, refused) if by.subscribers else subscribers().flags,
    )


def _outcome(
    tally: Tally, replay: PastReplay, refused: Refusals, span: Span, left_out: Counter[str], said: dict[str, Any]
) -> Outcome:
    times = {name: moment(at) for name, at in span._asdict().items()}
    past = {**said, **times, "refused_by_reason": dict(left_out.most_common())}
    return Outcome(tally, left_out.total() + refused.count, replay.engine, past)
