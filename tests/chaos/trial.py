"""A trial: runs workers of one group over a backlog while faults happen, and compares their results."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bench.pipeline import reached
from streams.kafka.contracts import open_admin
from streams.local.process import Server, send
from streams.local.worker import metric
from tests.site import OpenedLetter, Site
from tests.valkeys import FAILURES, opened

LOOK_EVERY = 0.01
PATIENCE = 120.0
"""Seconds within which the next offset must be reached."""

SAME_MEMBER = {"FOREWARN_INSTANCE": "one"}
"""With this Kafka recognises a killed worker when it comes back, so its partitions need not wait for a time-out."""


class TrialError(Exception):
    """A trial did not finish."""


@dataclass(frozen=True)
class Finding:
    """The result of a scenario."""

    name: str
    times: int
    events: int
    expected: int
    """Alerts of an undisturbed run."""
    lost: int
    """Expected alerts that were never published."""
    wrong: int
    """Published alerts that an undisturbed run does not have: another id, or other bytes under the same id."""
    repeated: int
    """Alerts published again, byte for byte."""
    letters_lost: int = 0
    """Broken records without a dead letter, and dead letters of other records."""
    recovered: tuple[float, ...] = ()
    """Seconds from the end of each disturbance to the next checkpoint."""
    notes: tuple[str, ...] = ()


@dataclass
class Trial:
    """Workers of one group over the records up to ``ends``; ``since`` holds the offsets where their alerts begin."""

    site: Site
    ends: Mapping[tuple[str, int], int]
    expected: Collection[bytes]
    refused: Collection[bytes]
    """The values of the broken records; each must become a dead letter."""
    since: Mapping[int, int]
    letters_since: Mapping[int, int]
    restarts: int = 0
    recovered: list[float] = field(default_factory=list)
    kept: dict[Server, Mapping[str, str]] = field(default_factory=dict)
    """The workers to start again when they end, with their environment."""
    letters: Sequence[Any] = ()
    """The dead letters of this trial, sealed, once it is over."""
    begun: bool = False
    """Whether every partition has a checkpoint, as last seen."""
    _last: int = 0
    _covered: Mapping[tuple[str, int], int] = field(default_factory=dict)
    _redis: Any = None
    _slowed: set[Server] = field(default_factory=set)

    @property
    def events(self) -> int:
        """The number of records that the trial reads."""
        return sum(self.ends.values())

    def start(self, environ: Mapping[str, str] | None = None, *, wait: bool = False) -> Server:
        """Start a worker that is started again if it ends by itself, as a supervisor would."""
        self.kept[worker := self.site.start_worker(wait, **(environ or {}))[0]] = environ or {}
        return worker

    def let_go(self, worker: Server) -> None:
        """Do not start this worker again."""
        self.kept.pop(worker, None)
        self._slowed.discard(worker)

    def kill(self, worker: Server) -> None:
        """End a worker as a power cut would."""
        self.let_go(worker)
        worker.kill()

    def covered(self) -> Mapping[tuple[str, int], int]:
        """The offset that the checkpoints cover by topic and partition, as last known while Redis does not answer."""
        try:
            self._redis = self._redis or opened(self.site.settings.redis)
            self._covered = reached(self._redis, self.site.settings)
        except FAILURES:
            self._close_redis()
        return self._covered

    def progress(self) -> int:
        """The number of records that the checkpoints cover; the last known number while Redis does not answer."""
        at = self.covered()
        self._last = sum(min(offset, self.ends.get(place, 0)) for place, offset in at.items())
        self.begun = {number for _, number in self.ends} == {number for _, number in at}
        return self._last

    def reach(self, count: int, patience: float = PATIENCE) -> None:
        """Wait until ``count`` records are covered; restarts workers that end meanwhile.

        Raises `TrialError` when nothing moves for ``patience`` seconds.
        """
        best, moved = self._last, time.monotonic()
        while (at := self.progress()) < count:
            if at != best:
                best, moved = at, time.monotonic()
            if time.monotonic() - moved > patience:
                self._ask_where_they_stand()
                raise TrialError(f"{self.site.settings.group}: {at:,} of {count:,} records after {patience:.0f} s")
            self.supervise()
            time.sleep(LOOK_EVERY)

    def _ask_where_they_stand(self) -> None:
        """Print the workers' last output and the stack of each of their threads."""
        for worker in self.site.workers:
            if worker.runs:
                send(worker.process, signal.SIGUSR1)
        time.sleep(0.5)
        self.site.tell(150)

    def is_committed(self) -> bool:
        """Whether the group has committed an offset above 0 to Kafka."""
        group = self.site.settings.topic_prefix + self.site.settings.group
        with open_admin(self.site.settings) as admin:
            found = admin.list_group_offsets({group: None})[group]
        return any(at.offset > 0 for at in found.values())

    def move_on(self, covered: int | None = None) -> None:
        """Wait for a checkpoint that covers more records than now, or than ``covered``; notes the seconds it took."""
        began = time.monotonic()
        before = self.progress() if covered is None else covered
        self.reach(min(before + 1, self.events))
        self.recovered.append(time.monotonic() - began)

    def finish(self) -> None:
        """Wait until all records are covered."""
        self.reach(self.events)

    def known(self, indicators: int, patience: float = 20.0) -> None:
        """Wait until every worker knows this many indicators; raises `TrialError` after ``patience`` seconds."""
        deadline = time.monotonic() + patience
        for worker in self.kept:
            while metric(self.site.http[worker], "forewarn_indicators") != indicators:
                if time.monotonic() > deadline:
                    raise TrialError(f"{self.site.settings.group}: indicators do not arrive")
                time.sleep(0.05)

    def supervise(self) -> None:
        """Start again the workers that have ended."""
        for worker, environ in list(self.kept.items()):
            if not worker.runs:
                slow = worker in self._slowed
                self.let_go(worker)
                self.restarts += 1
                again = self.start(environ)
                if slow:
                    self._slowed.add(again)

    @contextmanager
    def slowed(self, work: float = 0.01, rest: float = 0.08) -> Iterator[set[Server]]:
        """Let the workers in the yielded set work only ``work`` seconds between rests of ``rest`` seconds.

        They then behave as on a busy machine, and a backlog lasts longer.
        """
        over = threading.Event()

        def alternate() -> None:
            while not over.is_set():
                resting = [each for each in list(self._slowed) if each.runs]
                for each in resting:
                    each.pause()
                over.wait(rest)
                for each in resting:
                    if each.runs:
                        each.resume()
                over.wait(work)

        thread = threading.Thread(target=alternate)
        thread.start()
        try:
            yield self._slowed
        finally:
            self._slowed.clear()
            over.set()
            thread.join()
            for each in self.kept:
                if each.runs:
                    each.resume()

    def published(self) -> list[bytes]:
        """The alerts of this trial up to now."""
        return [record.value for record in self.site.read("alerts", self.since)]

    def end(self) -> None:
        """Stop every worker."""
        self.kept.clear()
        self._close_redis()
        for worker in self.site.workers:
            if worker.runs:
                worker.resume()
        self.site.stop()

    def _close_redis(self) -> None:
        if self._redis is not None:
            self._redis.close()
            self._redis = None

    def finding(self, name: str, times: int, *notes: str, earlier: Collection[bytes] = ()) -> Finding:
        """Compare the published alerts with an undisturbed run; ``earlier`` are alerts of a topic that was deleted."""
        self.finish()
        for worker in list(self.kept):
            self.let_go(worker)
            worker.stop()  # the stop publishes and covers unfinished work
        published = [*earlier, *self.published()]
        alerts, expected = set(published), set(self.expected)
        self.letters = self.site.read("dead-letters", self.letters_since)
        return Finding(
            name,
            times,
            self.events,
            len(expected),
            lost=len(expected - alerts),
            wrong=len(alerts - expected),
            repeated=len(published) - len(alerts),
            letters_lost=len(set(self.refused) ^ self._refused_in_letters()) if self.refused else len(self.letters),
            recovered=tuple(self.recovered),
            notes=notes,
        )

    def _refused_in_letters(self) -> set[bytes | None]:
        return {OpenedLetter.of(letter).record.value for letter in self.letters}


def together(findings: Sequence[Finding], *notes: str) -> Finding:
    """The findings of several trials of one scenario as one; the events are those of one trial."""
    first = findings[0]
    return replace(
        first,
        times=sum(each.times for each in findings),
        lost=sum(each.lost for each in findings),
        wrong=sum(each.wrong for each in findings),
        repeated=sum(each.repeated for each in findings),
        letters_lost=sum(each.letters_lost for each in findings),
        recovered=tuple(second for each in findings for second in each.recovered),
        notes=notes,
    )
