"""The event-time clock: it depends only on the records in order, and no single wrong clock moves it forward."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.base.number_keys import key_of
from models.detection.watermarks import JUMP_MS, WITNESSES, Watermark

NOW = 1_760_000_000_000
YEAR = 365 * 86_400_000

TIMES = st.one_of(
    st.integers(0, 3 * JUMP_MS),
    st.sampled_from([0, JUMP_MS, JUMP_MS + 1, 2 * JUMP_MS, YEAR, YEAR + 1, YEAR + JUMP_MS, 2 * YEAR]),
)
RECORDS = st.lists(st.tuples(TIMES.map(lambda after: NOW + after), st.sampled_from("abcde")), max_size=25)


def observe(clock: Watermark, times: list[int], subscribers: list[str]) -> None:
    """Let a clock take a batch."""
    codes = [key_of(f"86{sum(map(ord, who))}") for who in subscribers]
    clock.observe(np.array(times, dtype=np.int64), np.array(codes, dtype=np.int64))


def observed(records: list[tuple[int, str]], cuts: list[int], clock: Watermark | None = None) -> Watermark:
    """The clock after the records, cut into batches at these places."""
    clock = clock or Watermark(NOW)
    places = sorted({0, len(records), *(cut % (len(records) + 1) for cut in cuts)})
    for begin, end in pairwise(places):
        observe(clock, [at for at, _ in records[begin:end]], [who for _, who in records[begin:end]])
    return clock


@given(RECORDS, st.lists(st.integers(0, 30), max_size=6), st.sampled_from([0, NOW]))
def test_how_the_records_are_cut_into_batches_does_not_matter(
    records: list[tuple[int, str]], cuts: list[int], began: int
) -> None:
    assert observed(records, cuts, Watermark(began)) == observed(records, list(range(26)), Watermark(began))


@given(RECORDS)
def test_the_clock_never_goes_back_and_never_beyond_what_was_seen(records: list[tuple[int, str]]) -> None:
    clock, seen = Watermark(NOW), [NOW]
    for at, who in records:
        before = clock.at
        observe(clock, [at], [who])
        seen.append(at)

        assert before <= clock.at <= max(seen)
        assert len(clock.pending) < WITNESSES


@given(st.lists(st.integers(JUMP_MS + 1, YEAR), min_size=1, max_size=9))
def test_one_subscriber_alone_never_makes_it_jump(jumps: list[int]) -> None:
    clock = observed([(NOW + jump, "a") for jump in jumps], [])

    assert clock.at == NOW


def test_two_wrong_clocks_do_not_make_it_jump() -> None:
    clock = observed([(NOW + YEAR, "a"), (NOW + YEAR, "b"), (NOW + YEAR + 5, "a")], [])

    assert clock.at == NOW


def test_subscribers_that_agree_make_it_jump_to_the_earliest_of_their_times_and_on() -> None:
    clock = observed([(NOW + YEAR + 7, "a"), (NOW + YEAR, "b"), (NOW + YEAR + 9, "c")], [])

    assert clock == Watermark(NOW + YEAR + 9)


def test_an_empty_partition_starts_its_clock_with_the_first_records() -> None:
    clock = observed([(NOW + 5, "a"), (NOW, "b"), (NOW + 3, "c")], [], Watermark())

    assert clock == Watermark(NOW + 5)


def test_wrong_clocks_of_different_days_never_add_up() -> None:
    """The ordinary records after each one contradict it. Otherwise three in total would move the clock for good."""
    clock = Watermark(NOW)
    for day in range(10):
        observe(clock, [clock.at + YEAR], [f"wrong-{day}"])
        observe(clock, [clock.at + 1000], ["right"])

    assert clock == Watermark(NOW + 10_000)


def test_a_late_record_does_not_contradict_witnesses() -> None:
    """After a pause, old records that still arrive do not contradict the new ones."""
    clock = observed([(NOW + YEAR, "a"), (NOW - 5, "x"), (NOW + YEAR, "b"), (NOW, "y"), (NOW + YEAR, "c")], [])

    assert clock == Watermark(NOW + YEAR)


def test_a_witness_within_reach_of_the_clock_takes_it_along() -> None:
    clock = observed([(NOW + JUMP_MS + 10, "a"), (NOW + 10, "b")], [])

    assert clock == Watermark(NOW + JUMP_MS + 10)


def test_a_quiet_partition_follows_its_few_records_at_a_distance() -> None:
    """With one record every twenty minutes, the clock is two records behind and keeps moving."""
    clock = Watermark(NOW)
    for step in range(1, 10):
        observe(clock, [NOW + step * 2 * JUMP_MS], [f"s{step}"])

    assert clock.at == NOW + 7 * 2 * JUMP_MS


def test_no_records_leave_the_clock_alone() -> None:
    assert observed([], []) == Watermark(NOW)
    clock = Watermark(NOW)
    observe(clock, [], [])
    assert clock == Watermark(NOW)
