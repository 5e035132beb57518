"""Scenarios: Kafka does not take alerts, because it refuses their size or because the topic was deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import AlterConfigOp, ConfigResource

from streams.kafka.contracts import BrokerError, apply, load, open_admin
from streams.settings import Settings
from tests.chaos.ground import Ground
from tests.chaos.trial import Finding, Trial

STANDS_STILL_S = 2.0


def refused(ground: Ground, times: int) -> Finding:
    """The broker refuses alerts as too large: the worker ends before acknowledging, and continues after the repair."""
    with ground.trial("refused") as trial:
        trial.start(wait=True)
        for number in range(times):
            trial.reach(int(trial.events * (number + 0.5) / (times + 1)))
            with _nothing_fits(trial.site.settings):
                _stands_still(trial)
            trial.move_on()
        notes = f"the worker ended and was started again {trial.restarts} times"
        return trial.finding("alerts refused (too large)", times, notes)


def topic_gone(ground: Ground, times: int) -> Finding:
    """The topic is deleted: the worker publishes and acknowledges nothing more until the topic is there again."""
    earlier: list[bytes] = []
    with ground.trial("topic-gone") as trial:
        trial.start(wait=True)
        for number in range(times):
            trial.reach(int(trial.events * (number + 0.5) / (times + 1)))
            worker = next(iter(trial.kept))
            worker.pause()  # read the alerts published so far before they are deleted
            earlier += trial.published()
            _delete(trial.site.settings)
            trial.since = {}
            worker.resume()
            _stands_still(trial)
            _apply(trial.site.settings)
            trial.move_on()
        notes = f"the worker ended and was started again {trial.restarts} times"
        return trial.finding("topic of the alerts deleted", times, notes, earlier=earlier)


def _stands_still(trial: Trial) -> None:
    """Wait until the checkpoints stop; every partition soon reaches an alert.

    From then on no record may be covered, however often the worker starts. Raises AssertionError otherwise.
    """
    deadline = time.monotonic() + 60
    at, since = trial.progress(), time.monotonic()
    while time.monotonic() - since < STANDS_STILL_S:
        assert time.monotonic() < deadline, "records are covered although no alert can be published"
        trial.supervise()
        if trial.progress() != at:
            at, since = trial.progress(), time.monotonic()
        time.sleep(0.02)
    assert at < trial.events, "the backlog was over before the fault"


@contextmanager
def _nothing_fits(settings: Settings) -> Iterator[None]:
    """Within the block, the alerts' topic accepts no record as large as an alert."""
    too_small = {"max.message.bytes": (AlterConfigOp.SET, "60")}
    with open_admin(settings) as admin:
        admin.alter_configs([ConfigResource("TOPIC", settings.topic("alerts"), too_small)])
    try:
        yield
    finally:
        _apply(settings)


def _delete(settings: Settings) -> None:
    with open_admin(settings) as admin:
        admin.delete_topics([settings.topic("alerts")])


def _apply(settings: Settings) -> None:
    """Apply the contracts to the topics; a topic that was just deleted may need a moment."""
    for _ in range(50):
        try:
            with open_admin(settings) as admin:
                apply(load(settings.topics_file), admin, settings)
        except BrokerError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the topics cannot be applied")
