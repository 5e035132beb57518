"""Scenarios: faults of the servers. Valkey is killed, frozen or emptied; the Kafka broker is killed or unreachable."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from streams.local.process import Server
from tests.chaos.ground import Ground
from tests.chaos.trial import Finding, Trial, together

FORGETS_S = 1.0
"""Seconds of writes that an append-only file with ``everysec`` may lose in a power cut."""

COMMITTED_WITHIN_S = 60.0

NO_STATE = "Redis holds no state of partition"


def valkey_kills(ground: Ground, times: int) -> Finding:
    """Valkey is killed, loses its last second as in a power cut, and is started again."""
    with ground.trial("valkey-kills") as trial, trial.slowed(0.02) as slowed:
        trial.start(wait=True)
        forgotten = 0
        for moment in moments(trial, times, seed=3):
            slowed.update(trial.kept)
            sizes = _watched(trial, ground.stack.valkey, moment)
            slowed.clear()
            before = trial.progress()
            ground.stack.valkey.kill()
            _forget(sizes)
            ground.stack.valkey.start()
            ground.stack.valkey.wait()
            forgotten += before - trial.progress()
            trial.move_on(before)
        return trial.finding(
            "Valkey killed, its last second lost",
            times,
            f"checkpoints of {forgotten:,} records were forgotten",
            f"the worker was refused and started again {trial.restarts} times",
        )


def valkey_kills_in_a_row(ground: Ground, times: int) -> Finding:
    """Valkey is killed at random moments, often before the worker has reached it again."""
    chance = random.Random(8)
    findings: list[Finding] = []
    left, restarts, valkey = times, 0, ground.stack.valkey
    while left:
        with ground.trial("valkey-in-a-row") as trial, trial.slowed() as slowed:
            worker = trial.start()
            trial.move_on()
            slowed.add(worker)
            before = left
            while left and trial.progress() < trial.events * 0.9:
                time.sleep(chance.uniform(0, 0.4))
                valkey.kill()
                time.sleep(chance.uniform(0, 0.4))
                valkey.start()
                valkey.wait()
                left -= 1
                if chance.random() < 0.5:
                    trial.move_on()
            slowed.clear()
            findings.append(trial.finding("Valkey killed many times in a row", before - left))
            restarts += trial.restarts
    return together(findings, f"the worker never stood still; it was started again {restarts} times")


def valkey_pauses(ground: Ground, times: int, seconds: float = 5.0) -> Finding:
    """Valkey is frozen: connections stay open and nothing answers."""
    return _pauses(ground, ground.stack.valkey, "Valkey", times, seconds)


def valkey_emptied(ground: Ground) -> Finding:
    """Valkey comes back empty: the worker refuses to continue, and rebuilds its state when told to."""
    with ground.trial("emptied") as trial, trial.slowed(work=0.02, rest=0.3) as slowed:
        worker = trial.start()
        trial.move_on()
        slowed.add(worker)
        deadline = time.monotonic() + COMMITTED_WITHIN_S
        while not trial.is_committed():  # Kafka gets the offsets once a segment of the ledger is written
            assert time.monotonic() < deadline, "Kafka is not told how far the group is"
            time.sleep(0.2)
        valkey = ground.stack.valkey
        valkey.kill()
        slowed.clear()
        shutil.rmtree(_append_only(valkey).parent)
        valkey.start()
        valkey.wait()
        _wait_for_end(worker)
        trial.let_go(worker)
        refusing, _ = trial.site.start_worker(wait=False)
        _wait_for_end(refusing)
        said = refusing.launch.log.read_text()
        assert NO_STATE in said, said[-500:]
        assert "Traceback" not in said
        assert not trial.progress(), "something was written from the middle"
        began = time.monotonic()
        trial.start({"FOREWARN_STATE_WHEN_MISSING": "rebuild"})
        trial.reach(1)
        trial.recovered.append(time.monotonic() - began)
        return trial.finding("Valkey comes back empty", 1, "refused with a clear message, then rebuilt when told to")


def broker_kills(ground: Ground, times: int) -> Finding:
    """The Kafka broker is killed and started again."""
    with ground.trial("broker-kills") as trial:
        trial.start(wait=True)
        for moment in moments(trial, times, seed=5):
            trial.reach(moment)
            ground.stack.broker.kill()
            ground.stack.broker.start()
            ground.stack.broker.wait()
            trial.move_on()
        return trial.finding("Kafka broker killed", times, f"the worker was started again {trial.restarts} times")


def broker_pauses(ground: Ground, times: int, seconds: float = 30.0) -> Finding:
    """The Kafka broker is unreachable: connections stay open and nothing answers."""
    return _pauses(ground, ground.stack.broker, "Kafka broker", times, seconds)


def _pauses(ground: Ground, server: Server, name: str, times: int, seconds: float) -> Finding:
    with ground.trial(f"{name.split()[-1].lower()}-pauses") as trial:
        trial.start(wait=True)
        for moment in moments(trial, times, seed=4):
            trial.reach(moment)
            server.pause()
            time.sleep(seconds)
            server.resume()
            trial.move_on()
        return trial.finding(
            f"{name} frozen for {seconds:g} s", times, f"the worker was started again {trial.restarts} times"
        )


def moments(trial: Trial, times: int, seed: int) -> list[int]:
    """The number of records to read before each disturbance, never at the very beginning or end of the backlog."""
    chance = random.Random(seed)
    return [int(trial.events * (0.2 + 0.6 * (number + chance.random()) / times)) for number in range(times)]


def _watched(trial: Trial, valkey: Server, moment: int) -> list[tuple[float, Path, int]]:
    """The sizes of the append-only file (time, path, bytes) until the backlog is read up to ``moment``.

    They begin when every partition has a checkpoint: a partition that lost its first one would have to be rebuilt.
    """
    sizes: list[tuple[float, Path, int]] = []
    while trial.progress() < moment or not sizes or sizes[-1][0] - sizes[0][0] < FORGETS_S:
        if trial.begun:
            path = _append_only(valkey)
            sizes.append((time.monotonic(), path, path.stat().st_size))
        trial.supervise()
        time.sleep(0.01)
    return sizes


def _forget(sizes: list[tuple[float, Path, int]]) -> None:
    """Cut off the last second's writes to the append-only file."""
    when, path, size = sizes[-1]
    size = max((each[2] for each in sizes if each[0] <= when - FORGETS_S and each[1] == path), default=size)
    with path.open("r+b") as file:
        file.truncate(size)


def _append_only(valkey: Server) -> Path:
    """The file that Valkey appends to at present."""
    return max((valkey.launch.folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)


def _wait_for_end(worker: Server, patience: float = 45.0) -> None:
    """Wait until a worker has ended by itself.

    A slowed worker may have lost its membership. It notices the state of Redis only when it has joined the group again,
    and for that the broker waits first for the old member and then for all members.
    """
    deadline = time.monotonic() + patience
    while worker.runs:
        assert time.monotonic() < deadline, f"the worker still runs: {worker.launch.log}"
        time.sleep(0.02)
