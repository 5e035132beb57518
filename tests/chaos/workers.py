"""Scenarios: faults of workers. They are killed, join and leave, are paused and resumed, or are told to stop."""

from __future__ import annotations

import random
import time

from tests.chaos.ground import Ground
from tests.chaos.trial import SAME_MEMBER, Finding

STARTING_S = 4.0
"""Seconds that a worker takes to start, roughly."""

REST_S = 0.08
"""Seconds of rest after each hundredth of a second of work, so that a backlog lasts."""

STOPS_WITHIN_S = 10.0

REFUSED = "Redis refused the checkpoint"


def kills(ground: Ground, times: int) -> Finding:
    """A worker is killed at random moments of one backlog, while it works or starts, and is started again."""
    chance = random.Random(1)
    with ground.trial("kills") as trial:
        for number in range(times):
            began = time.monotonic()
            worker = trial.start(SAME_MEMBER)
            if number % 5 == 4:
                time.sleep(chance.uniform(0, STARTING_S))
            else:
                before = trial.progress()
                trial.reach(before + 1)
                trial.recovered.append(time.monotonic() - began)
                left = (trial.events - before) / (times + 1 - number)
                trial.reach(before + int(chance.uniform(0, left)))
                time.sleep(chance.uniform(0, 0.03))
            trial.kill(worker)
        covered = trial.progress()
        assert covered < trial.events, "the backlog was over before the last kill"
        trial.start(SAME_MEMBER)
        return trial.finding("worker killed (SIGKILL)", times, f"{covered:,} records covered at the last kill")


def orderly_stops(ground: Ground, times: int) -> Finding:
    """A worker is told to stop (SIGTERM) in the middle of a backlog, and is started again."""
    chance = random.Random(2)
    longest = 0.0
    with ground.trial("stops") as trial:
        for number in range(times):
            worker = trial.start()
            before = trial.progress()
            trial.move_on()
            # Stop it soon: it first applies all records in memory, which is a third of a short backlog.
            trial.reach(before + int(chance.uniform(0, 0.3 * (trial.events - before) / (times + 1 - number))))
            trial.let_go(worker)
            began = time.monotonic()
            code = worker.stop()
            longest = max(longest, time.monotonic() - began)
            assert code == 0, f"the worker ended with {code}"
        assert trial.progress() < trial.events, "the backlog was over before the last stop"
        trial.start()
        finding = trial.finding("worker told to stop (SIGTERM)", times, f"the longest stop took {longest:.1f} s")
        assert longest < STOPS_WITHIN_S
        assert not finding.repeated, "an orderly stop needs no repeats"
        return finding


def rebalances(ground: Ground, joins: int, rest: float = REST_S) -> Finding:
    """A second and a third worker join and leave while the first works; every second one is killed with SIGKILL."""
    with ground.trial("rebalances") as trial, trial.slowed(rest=rest) as slowed:
        first = trial.start()
        trial.move_on()
        slowed.add(first)
        others = []
        for number in range(joins):
            other = trial.start(wait=True)
            others.append(other)
            slowed.add(other)
            trial.move_on()
            if len(others) == 2 or number == joins - 1:
                for index, leaving in enumerate(others):
                    trial.let_go(leaving)
                    leaving.resume()
                    if index == 0:
                        leaving.kill()
                    else:
                        leaving.stop()
                    trial.move_on()
                others.clear()
        covered = trial.progress()
        assert covered < trial.events, "the backlog was over before the last worker left"
        slowed.clear()
        first.resume()
        return trial.finding("workers joining and leaving", 2 * joins, f"{covered:,} records covered at the last one")


def zombies(ground: Ground, times: int, rest: float = REST_S) -> Finding:
    """A worker is paused (SIGSTOP) until another has its partitions, then resumed: its writes are refused."""
    refused = 0
    with ground.trial("zombies") as trial, trial.slowed(rest=rest) as slowed:
        worker = trial.start()
        trial.move_on()
        slowed.add(worker)
        for _ in range(times):
            slowed.discard(worker)
            time.sleep(rest + 0.02)  # until it works again
            worker.pause()
            trial.let_go(worker)
            other = trial.start(wait=True)
            trial.move_on()
            slowed.add(other)
            worker.resume()
            deadline = time.monotonic() + 5
            while worker.runs and time.monotonic() < deadline:
                time.sleep(0.02)
            refused += REFUSED in worker.launch.log.read_text()
            worker.stop()
            worker = other
        assert trial.progress() < trial.events, "the backlog was over before the last zombie"
        slowed.clear()
        worker.resume()
        return trial.finding("worker stopped and continued (zombie)", times, f"{refused} writes refused")
