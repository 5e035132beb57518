"""The ledger over logs that end and begin anew: segments are compared only where their offsets can be."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from streams.kafka.topic_logs import TopicLog
from streams.ledger import compaction
from streams.ledger.ledger_writer import Beginning, LedgerWriter
from streams.ledger.progress import LedgerProgress, log_mark
from streams.ledger.segments import Knowledge, table_of, written
from streams.ledger.storage import LedgerError, Segment, Storage, segment_of, whole
from streams.settings import Settings
from tests.site import SECRET, call
from tests.streams.ledger.test_ledger import ANN, AT, TODAY, rows

OLD, NEW = log_mark(["old", "s"], 0), log_mark(["new", "s"], 0)
STARTS = {"calls": 0, "sms": 0, "signals": 0}


def logs(id: str = "new", end: int = 1000) -> dict[str, TopicLog]:
    """The present logs of calls and SMS."""
    return {"calls": TopicLog(id, {0: 0}, {0: end}), "sms": TopicLog("s" if id else "", {0: 0}, {0: end})}


def segment(first: int, last: int, log: str, day: date = TODAY) -> Segment:
    """A segment of calls of partition 0."""
    return Segment(0, (first, last), (0, 0), day, log)


def put(storage: Storage, of: Segment) -> None:
    """Store a segment with one contact."""
    storage.enter(storage.put(of, "test", written(table_of(rows([call(ANN, AT)])), Knowledge())), of)


async def reached(folder: Path, progress: LedgerProgress, of: dict[str, TopicLog]) -> int:
    """The offset of calls at which the ledger in a folder goes on."""
    writer = LedgerWriter(Settings(ledger=str(folder), secret=SECRET), {})
    (ledger,) = await writer.open([Beginning(0, progress, STARTS)], of)
    return ledger.reached["calls"]


@pytest.mark.parametrize("log", ["", OLD])
def test_a_name_with_and_without_a_mark_is_read_as_it_was_written(log: str) -> None:
    """Names from before there were marks have none."""
    one = segment(12345678, 23456789, log)

    assert segment_of(one.path) == one


def test_segments_of_another_log_are_not_taken_for_parts_of_a_merge() -> None:
    """The new log begins at offset 0 again, within the offsets of the old one."""
    segments = [segment(0, 700, OLD), segment(0, 10, NEW), segment(0, 20, NEW), segment(0, 5, "")]

    assert set(whole(segments)) == {segment(0, 700, OLD), segment(0, 20, NEW), segment(0, 5, "")}


def test_segments_of_different_logs_are_never_merged() -> None:
    """Not even when the offsets of one begin where those of the other end."""
    yesterday = TODAY - timedelta(days=1)
    segments = [segment(0, 10, OLD, yesterday), segment(10, 20, OLD, yesterday), segment(20, 30, NEW, yesterday)]
    merges = [*compaction.due(segments, dict.fromkeys(segments, 1), TODAY)]

    assert [each.whole for each in merges] == [segment(0, 20, OLD, yesterday)]


async def test_a_ledger_without_progress_goes_on_after_the_segments_of_its_log(tmp_path: Path) -> None:
    """As when Redis was emptied: what is recorded already is not recorded again, and the old log does not count."""
    storage = Storage(Settings(ledger=str(tmp_path)))
    for each in (segment(0, 700, OLD), segment(0, 20, NEW)):
        put(storage, each)

    assert await reached(tmp_path, LedgerProgress(), logs()) == 20
    assert await reached(tmp_path, LedgerProgress(), logs("third")) == 0


async def test_segments_without_a_mark_count_only_where_nothing_else_says_how_far_the_ledger_is(tmp_path: Path) -> None:
    """They may be from a log that was replaced since; but after an upgrade most likely they are not."""
    put(Storage(Settings(ledger=str(tmp_path))), segment(0, 700, ""))

    assert await reached(tmp_path, LedgerProgress(), logs()) == 700
    assert await reached(tmp_path, LedgerProgress(), logs(end=600)) == 0
    assert await reached(tmp_path, LedgerProgress({"calls": 10, "sms": 0}), logs()) == 10


@pytest.mark.parametrize(("id", "mark"), [("new", NEW), ("", "")])
async def test_a_log_that_ends_before_its_segments_is_refused(tmp_path: Path, id: str, mark: str) -> None:
    """It was truncated, and its offsets are given again; with another fork the ledger goes on."""
    put(Storage(Settings(ledger=str(tmp_path))), segment(0, 700, mark))

    with pytest.raises(LedgerError, match=r"up to offset 700, but the log ends at 600: .* `forewarn state rewind`"):
        await reached(tmp_path, LedgerProgress(), logs(id, end=600))
    assert await reached(tmp_path, LedgerProgress({"calls": 0}, fork=1), logs(id, end=600)) == 0
