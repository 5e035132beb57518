"""History: what retention has left is said, and the quota leaves Kafka to the workers."""

from __future__ import annotations

import pytest
from aiokafka.structs import OffsetAndTimestamp

from streams.kafka.history import HistoryError, Offsets, TopicRange, kept_since
from streams.kafka.read_quota import ReadQuota

NOW = 1_790_000_000_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("first", "oldest", "surely", "since"),
    [
        (0, None, NOW - 4 * DAY, 0),  # nothing was ever deleted
        (9, NOW - 5 * DAY, NOW - 4 * DAY, NOW - 5 * DAY),  # a segment stays until its last record is old
        (9, NOW - DAY, NOW - 4 * DAY, NOW - 4 * DAY),  # a quiet partition: what was deleted was older than that
        (9, None, NOW - 4 * DAY, NOW - 4 * DAY),
        (9, NOW - DAY, None, NOW - DAY),
    ],
)
def test_a_partition_has_its_records_from_the_oldest_or_from_retention_on(
    first: int, oldest: int | None, surely: int | None, since: int
) -> None:
    assert kept_since(first, None if oldest is None else OffsetAndTimestamp(first, oldest), surely) == since


def test_a_range_that_retention_has_cut_is_refused_with_what_there_is() -> None:
    found = TopicRange("north.calls", "id", {0: Offsets(9, 20), 1: Offsets(3, 3)}, NOW - DAY, ())

    found.check_kept(NOW - DAY)

    assert found.records == 11
    with pytest.raises(HistoryError, match=r"north.calls has all records from 2026-09-20T\S+ on, and not those since"):
        found.check_kept(NOW - 2 * DAY)


def test_reading_waits_until_it_is_within_the_quota() -> None:
    now = [100.0]
    quota = ReadQuota(50, lambda: now[0])

    assert quota.pause_after(100) == 2.0
    now[0] = 102.0
    assert quota.pause_after(25) == 0.5
    now[0] = 200.0
    assert quota.pause_after(50) == 1.0  # what was not used before is not saved up
    assert ReadQuota(None).pause_after(1_000_000) == 0.0
