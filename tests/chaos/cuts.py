"""Scenario: cuts the power at every await of a batch, above all between publishing and the checkpoint."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Sequence
from typing import Literal

from tests.chaos.cut_worker import CUT, SEEN
from tests.chaos.ground import Ground
from tests.chaos.trial import PATIENCE, SAME_MEMBER, Finding, Trial, together

COMMAND = (sys.executable, "-m", "tests.chaos.cut_worker")
Side = Literal["before", "after"]
SIDES: tuple[Side, ...] = ("before", "after")


def cuts(ground: Ground, places: Sequence[str] | None = None, most_visits: int = 6) -> Finding:
    """Cut the power at these awaits of the scorer, or at all of them, before and after each one's answer."""
    chance = random.Random(6)
    places = awaits(ground) if places is None else places
    left = [(place, side) for place in places for side in SIDES]
    part = ground.events // (len(left) + 1)
    findings: list[Finding] = []
    for last in (False, True):  # in the end an await gets a whole backlog, whose workers are also stopped at work
        while left:
            before = len(left)
            with ground.trial("cuts") as trial:
                trial.site.command = COMMAND
                for place, side in list(left):
                    visits = 1 if last else chance.randint(1, most_visits)
                    met = False
                    while not met and trial.progress() < trial.events:
                        met = _cut(trial, f"{place} {side} {visits}", part)
                        if not last:
                            break
                    if met:
                        left.remove((place, side))
                trial.start({SEEN: str(trial.site.folder / "seen")})
                findings.append(trial.finding("power cut at an await of a batch", before - len(left)))
            if len(left) == before:
                break
    unmet = [f"not reached: {side} {place}" for place, side in left]
    return together(findings, f"at {len(places)} awaits, before the answer and after it", *unmet)


def awaits(ground: Ground) -> list[str]:
    """All places where the scorer waits, found by watching an undisturbed worker, including its stop."""
    with ground.trial("awaits") as trial:
        trial.site.command = COMMAND
        seen = trial.site.folder / "seen"
        for _ in range(2):
            worker = trial.start({SEEN: str(seen)})
            trial.reach(trial.progress() + trial.events // 10)
            trial.let_go(worker)
            worker.stop()
        trial.start({SEEN: str(seen)})
        finding = trial.finding("", 0)
        assert (finding.lost, finding.wrong, finding.repeated) == (0, 0, 0), finding
        return sorted(set(seen.read_text().split()))


def _cut(trial: Trial, where: str, count: int) -> bool:
    """Start a worker that is to be cut, and stop it after ``count`` records; returns whether the cut came."""
    began = time.monotonic()
    before = trial.progress()
    worker, _ = trial.site.start_worker(wait=False, **SAME_MEMBER, **{CUT: where})
    while worker.runs and trial.progress() < min(before + count, trial.events):
        assert time.monotonic() < began + PATIENCE, "a worker that was to be cut neither ends nor moves"
        time.sleep(0.003)
    if worker.runs:
        time.sleep(0.3)
    return worker.stop() == -signal.SIGKILL
