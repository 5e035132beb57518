"""Gaps before a batch: only Kafka's retention may have made one."""

from __future__ import annotations

from typing import Any, cast

import pytest

from streams.worker.partition import Feed
from streams.worker.scoring import LostRecordsError, check_for_gap


class Batch:
    """The part of a batch that the check for gaps reads."""

    topic, partition = "calls", 3

    def __init__(self, start: int) -> None:
        self.start = start


def look(feed: Feed, start: int) -> None:
    """Check the gap between a feed's next offset and a batch."""
    check_for_gap(feed, cast("Any", Batch(start)))


def feed(first: int | None, *, read: bool = False) -> Feed:
    """A feed whose next offset is 10; ``first``: the broker's first offset when the partition was assigned."""
    made = Feed("calls", 10, 0.0, 10, first)
    made.read = read
    return made


def test_a_batch_that_follows_is_no_gap() -> None:
    look(feed(0), 10)
    look(feed(0, read=True), 10)


def test_what_retention_has_deleted_is_counted_and_left() -> None:
    look(feed(40), 40)


@pytest.mark.parametrize(
    ("known", "start"), [(feed(0), 40), (feed(None), 40), (feed(20), 40), (feed(40, read=True), 40)]
)
def test_any_other_gap_stops_the_worker(known: Feed, start: int) -> None:
    with pytest.raises(LostRecordsError, match="calls partition 3, offsets 10 to 39"):
        look(known, start)
