"""Log watch: checks while a worker reads that its topics still have the logs in which its offsets were counted.

A topic that is deleted and made anew under a running worker may have more records than were read of the old one by the
time the worker fetches again. Its fetch then succeeds, and only the topic's id says that records were passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from streams.kafka.contracts import BrokerError
from streams.kafka.topic_logs import MissingTopicError, topic_logs
from streams.settings import Settings
from streams.worker.assignment import Assignment
from streams.worker.log_check import OtherLogError, check_log
from streams.worker.partition import FEEDING

WATCH_EVERY: Final = 10.0
"""Seconds between two checks. The records that are passed over until then are read after `forewarn state rewind`."""


class LogWatch:
    """Checks every few seconds that the logs of the assigned partitions are still those that were read before."""

    def __init__(self, settings: Settings, assignment: Assignment, fail: Callable[[BaseException], None]) -> None:
        self._settings = settings
        self._fail = fail
        self._topics = [settings.topic(name) for name in FEEDING]
        self._assignment = assignment
        self._is_missing = False
        """Whether a topic did not exist at the last look."""

    async def run(self) -> None:
        """Check until it is cancelled; an error goes to ``fail``, after which nothing more is applied."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            try:
                await self.look()
            except (OtherLogError, MissingTopicError) as error:
                self._fail(error)

    async def look(self) -> None:
        """Check once; does nothing while Kafka does not answer.

        Raises `OtherLogError`, and `MissingTopicError` at the second look in a row: a topic that is made anew is
        missing for a moment, and what its new log means for the state is more helpful than that.
        """
        before = {
            number: (assigned.state.offsets, assigned.state.logs)
            for number, assigned in self._assignment.partitions.items()
        }
        try:
            logs = await asyncio.to_thread(topic_logs, self._settings, self._topics)
        except MissingTopicError:
            if self._is_missing:
                raise
            self._is_missing = True
            return
        except BrokerError:
            return
        self._is_missing = False
        for number, (offsets, ids) in before.items():
            check_log(number, offsets, ids, logs)
