"""Newest words: the newest record of a key, however its topic was grown and in whatever order partitions are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka import newest
from streams.kafka.newest import NewestWords


class Told(NamedTuple):
    """A record of a compacted topic."""

    value: str
    partition: int
    timestamp: int
    timestamp_type: int = 1
    key: bytes | None = b"k"


def standing(*batches: Sequence[Told]) -> list[str]:
    """The words that stand at the end, by key, after these batches were read."""
    words = NewestWords()
    found: dict[bytes | None, str] = {}
    for batch in batches:
        found |= {record.key: record.value for record in words.among(batch)}
    return [*found.values()]


def test_within_a_partition_the_later_record_is_newer_whatever_its_time() -> None:
    assert standing([Told("old", 0, 20, 0), Told("new", 0, 10, 0)]) == ["new"]


def test_between_partitions_the_record_that_was_appended_later_is_newer_in_either_order_of_reading() -> None:
    old, new = [Told("old", 2, 10)], [Told("new", 1, 11)]

    assert standing(old, new) == standing(new, old) == ["new"]


def test_a_record_with_its_producers_time_is_older_than_any_with_an_append_time() -> None:
    """A producer's clock may be ahead; the topic got append times only after the record was written."""
    old, new = [Told("old", 1, 9_000_000_000_000, 0)], [Told("new", 0, 10)]

    assert standing(old, new) == standing(new, old) == ["new"]


def test_of_two_records_of_one_millisecond_all_readers_take_the_same() -> None:
    one, other = [Told("in 0", 0, 10)], [Told("in 5", 5, 10)]

    assert standing(one, other) == standing(other, one) == ["in 5"]


def test_a_record_never_counts_as_older_than_the_one_that_it_replaces() -> None:
    """The broker's clock was set back between the two records of partition 0."""
    words = [Told("first", 0, 30), Told("second", 0, 10)]
    elsewhere = [Told("elsewhere", 1, 20)]

    assert standing(words, elsewhere) == standing(elsewhere, words) == ["second"]


def test_records_without_a_key_or_a_time_are_words_like_others() -> None:
    assert standing([Told("a", 0, -1, 0, None)], [Told("b", 1, 5, 0, None)]) == ["b"]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=60),
    st.lists(st.sampled_from([0, 1, 2]), min_size=3, max_size=60),
)
def test_every_interleaving_of_the_partitions_ends_with_the_same_words(
    appended: list[tuple[int, int]], turns: list[int]
) -> None:
    """Settling every few words keeps what was known of them."""
    logs: dict[int, list[Told]] = {0: [], 1: [], 2: []}
    for time, (partition, key) in enumerate(appended):
        logs[partition].append(Told(f"{time}", partition, time, 1, b"%d" % key))
    expected = {b"%d" % key: f"{time}" for time, (_, key) in enumerate(appended)}
    words = NewestWords()
    found: dict[bytes | None, str] = {}
    before, newest._LEAST_SETTLED = newest._LEAST_SETTLED, 3  # type: ignore[misc]
    try:
        for turn in [*turns, *([0, 1, 2] * len(appended))]:
            batch, logs[turn] = logs[turn][:2], logs[turn][2:]
            found |= {record.key: record.value for record in words.among(batch)}
    finally:
        newest._LEAST_SETTLED = before  # type: ignore[misc]

    assert found == expected
