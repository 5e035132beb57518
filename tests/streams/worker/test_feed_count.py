"""Feed count: records by source, with one name for all that the contract does not declare."""

from __future__ import annotations

import numpy as np

from streams import metrics
from streams.worker.feed_count import FeedCount


def test_records_are_counted_by_source_and_an_undeclared_one_makes_no_series_of_its_own() -> None:
    """Every declared source has a series from the start, so that its silence can be seen."""
    count = FeedCount("counted", ["mobile-a", "mobile-b"])
    count.note(np.array([0, 1, 2, 2, 1, 2], dtype=np.uint8))
    count.note(np.array([], dtype=np.uint8))
    seen = {
        sample.labels["source"]: sample.value
        for metric in metrics.SOURCE_RECORDS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["topic"] == "counted"
    }

    assert seen == {"(none)": 1.0, "(unknown)": 2.0, "mobile-a": 3.0, "mobile-b": 0.0}


def test_when_a_source_was_last_read_is_known_of_those_that_sent_something() -> None:
    """A source that has sent nothing has no time, and one that sends again has the newer one."""
    times = iter((100.0, 200.0))
    count = FeedCount("timed", ["mobile-a", "mobile-b"], lambda: next(times))
    count.note(np.array([2], dtype=np.uint8))
    count.note(np.array([2], dtype=np.uint8))
    seen = {
        sample.labels["source"]: sample.value
        for metric in metrics.SOURCE_TIME.collect()
        for sample in metric.samples
        if sample.labels["topic"] == "timed"
    }

    assert seen == {"mobile-a": 200.0}
